/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of a leasequery. Supported standards: RFC 4388 section 6.2 (keys), 6.4 (choice
 * between replies), RFC 6148 (remote-id). Knows what a key needs; who is asked, and
 * which key comes after which, it does not.
 */
#include "keys.h"

#include <string.h>

#include "wire/text.h"

static unsigned worth(enum lq_outcome outcome);

bool keys_fill(enum lq_key key, const struct keys_known *known,
	       struct lq_question *question)
{
	char text[VSI_ID_TEXT_MAX];

	question->key = key;
	question->mac = known->only_mac ? known->mac : (struct mac){ .b = { 0 } };
	memset(&question->id, 0, sizeof(question->id));
	switch (key) {
	case LQ_BY_MAC:
		question->mac = known->mac;
		return !mac_is_zero(&known->mac);
	case LQ_BY_CLIENT_ID:
		if (mac_is_zero(&known->mac) || !known->client_id ||
		    !known->client_id->len)
			return false;
		question->mac = known->mac;
		question->id = *known->client_id;
		return true;
	case LQ_BY_REMOTE_ID:
		if (!known->vsi || !known->vsi->format)
			return false;
		if (known->remote_id_text) {
			vsi_id_text(known->vsi, text);
			question->id.len = (uint8_t)strlen(text);
			memcpy(question->id.b, text, question->id.len);
		} else {
			question->id.len = sizeof(known->vsi->b);
			memcpy(question->id.b, known->vsi->b, sizeof(known->vsi->b));
		}
		return true;
	case LQ_BY_IP:
		break;
	}
	return false;
}

bool keys_better(const struct lq_answer *a, const struct lq_answer *b)
{
	if (worth(a->outcome) != worth(b->outcome))
		return worth(a->outcome) > worth(b->outcome);
	return a->outcome == LQ_ACTIVE && a->last_s < b->last_s;
}

const char *keys_outcome_text(enum lq_outcome outcome)
{
	switch (outcome) {
	case LQ_ACTIVE:
		return "LEASEACTIVE";
	case LQ_UNASSIGNED:
		return "LEASEUNASSIGNED";
	case LQ_UNKNOWN:
		return "LEASEUNKNOWN";
	case LQ_SILENT:
		break;
	}
	return "none";
}

enum lq_outcome keys_outcome_parse(const char *text)
{
	static const enum lq_outcome outcomes[] = { LQ_ACTIVE, LQ_UNASSIGNED, LQ_UNKNOWN };

	for (unsigned i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
		if (!strcmp(text, keys_outcome_text(outcomes[i])))
			return outcomes[i];
	return LQ_SILENT;
}

static unsigned worth(enum lq_outcome outcome)
{
	switch (outcome) {
	case LQ_ACTIVE:
		return 3;
	case LQ_UNASSIGNED:
		return 2;
	case LQ_UNKNOWN:
		return 1;
	case LQ_SILENT:
		break;
	}
	return 0;
}
