/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leasequeries by hand: what the companion asks goes to the story's client, each reply
 * is a row as soon as it is there, the end says the outcome. Who has asked may be gone
 * by then.
 */
#include <errno.h>
#include <string.h>

#include "control.h"
#include "core/keys.h"
#include "row.h"

static const char *const head[] = {
	"from:s", "type:s", "address:s", "mac:s", "lease:d", "client-id:s", "server-id:s",
	"last:n", "also:s",
};

static void take(void *arg, const struct lq_answer *answer);
static void tell(struct link_client *client, uint32_t seq,
		 const struct lq_answer *answer);

void control_ask(struct control *control, struct link_client *client,
		 const struct link_ask *ask)
{
	struct control_ask *slot = control->asks;
	char text[LINK_TEXT_MAX] = "";
	int code;

	while (slot < control->asks + CONTROL_ASKS_MAX && slot->server)
		slot++;
	if (slot == control->asks + CONTROL_ASKS_MAX) {
		link_done(client, ask->seq, EBUSY, "too many questions are open");
		return;
	}
	*slot = (struct control_ask){ control->server, link_client_number(client),
				      ask->seq, LQ_SILENT };
	code = bridge_ask(control->bridge, control->now, ask, take, slot, text,
			  sizeof(text));
	if (code) {
		slot->server = NULL;
		link_done(client, ask->seq, code, text);
		return;
	}
	link_head(client, ask->seq, head, sizeof(head) / sizeof(*head));
}

static void take(void *arg, const struct lq_answer *answer)
{
	struct control_ask *slot = arg;
	struct link_client *client = link_server_client(slot->server, slot->client);

	if (keys_better(answer,
			&(struct lq_answer){ .outcome = (enum lq_outcome)slot->outcome }))
		slot->outcome = (int)answer->outcome;
	if (client && answer->outcome != LQ_SILENT)
		tell(client, slot->seq, answer);
	if (!answer->last)
		return;
	slot->server = NULL;
	if (client)
		link_done(client, slot->seq, 0,
			  keys_outcome_text((enum lq_outcome)slot->outcome));
}

static void tell(struct link_client *client, uint32_t seq,
		 const struct lq_answer *answer)
{
	bool active = answer->outcome == LQ_ACTIVE;
	char also[LQ_ADDRS_MAX * ADDR_TEXT_MAX] = "";
	char client_id[CLIENT_ID_TEXT_MAX];
	struct row row = { .n = 0 };
	size_t at = 0;

	row_addr(&row, &answer->server);
	row_text(&row, keys_outcome_text(answer->outcome));
	row_addr(&row, &answer->addrs[0]);
	row_mac(&row, &answer->mac);
	if (!active || answer->lease_s == LQ_FOREVER)
		row_none(&row);
	else
		row_number(&row, answer->lease_s);
	row_text(&row, answer->client_id.len ? client_id_text(&answer->client_id, client_id)
					     : "");
	row_addr(&row, &answer->server_id);
	if (answer->last_s == LQ_NO_TIME)
		row_none(&row);
	else
		row_number(&row, answer->last_s);
	for (unsigned i = 1; i < answer->n_addrs; i++) {
		if (at)
			also[at++] = ' ';
		addr_text(&answer->addrs[i], also + at);
		at += strlen(also + at);
	}
	row_text(&row, also);
	row_send(&row, client, seq);
}
