/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replies to a leasequery. Which of them is the better one core/keys says
 * (RFC 4388 6.4); of equal ones the first to come.
 */
#include "lq_replies.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/keys.h"
#include "table.h"
#include "wire/text.h"

static void add_row(struct table *table, const char *const *fields);
static void print_row(struct table *table, const struct lq_answer *reply);
static json_t *reply_json(const struct lq_answer *reply);
static const char *also_text(const struct lq_answer *reply,
			     char buf[LQ_ADDRS_MAX * ADDR_TEXT_MAX]);

#define COLUMNS 9

void lq_replies_add(struct lq_replies *replies, const struct lq_answer *answer)
{
	unsigned at = replies->n;

	if (answer->outcome == LQ_SILENT || replies->n == LQ_SERVERS_MAX)
		return;
	while (at && keys_better(answer, &replies->reply[at - 1]))
		at--;
	memmove(&replies->reply[at + 1], &replies->reply[at],
		(replies->n - at) * sizeof(replies->reply[0]));
	replies->reply[at] = *answer;
	replies->n++;
}

enum lq_outcome lq_replies_outcome(const struct lq_replies *replies)
{
	return replies->n ? replies->reply[0].outcome : LQ_SILENT;
}

void lq_replies_print(const struct lq_replies *replies, FILE *to)
{
	static const char *const head[COLUMNS] = {
		"from:s", "type:s", "address:s", "mac:s", "lease:s", "client-id:s",
		"server-id:s", "last:s", "also:s",
	};
	struct table table = { 0 };

	if (!replies->n) {
		fprintf(to, "none: no DHCP server has answered\n");
		return;
	}
	add_row(&table, head);
	for (unsigned i = 0; i < replies->n; i++)
		print_row(&table, &replies->reply[i]);
	table_print(&table, true, to);
	table_done(&table);
}

int lq_replies_json(const struct lq_replies *replies, FILE *to)
{
	json_t *list = json_array();
	json_t *all;
	int err = 0;

	for (unsigned i = 0; i < replies->n; i++)
		json_array_append_new(list, reply_json(&replies->reply[i]));
	all = json_pack("{s:s, s:o}", "outcome",
			keys_outcome_text(lq_replies_outcome(replies)), "replies", list);
	if (!all || json_dumpf(all, to, JSON_INDENT(2)) || fputc('\n', to) == EOF)
		err = -ENOMEM;
	json_decref(all);
	return err;
}

/* Statics. */

static void add_row(struct table *table, const char *const *fields)
{
	struct link_row row = { .n = COLUMNS };

	for (unsigned i = 0; i < COLUMNS; i++)
		row.field[i] = (struct link_field){ fields[i], (uint16_t)strlen(fields[i]) };
	(void)table_add(table, &row);
}

static void print_row(struct table *table, const struct lq_answer *reply)
{
	char from[ADDR_TEXT_MAX], address[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX], id[ADDR_TEXT_MAX];
	char client_id[CLIENT_ID_TEXT_MAX], also[LQ_ADDRS_MAX * ADDR_TEXT_MAX];
	char lease[24] = "", last[24] = "";
	bool active = reply->outcome == LQ_ACTIVE;

	if (active && reply->lease_s == LQ_FOREVER)
		snprintf(lease, sizeof(lease), "infinite");
	else if (active)
		snprintf(lease, sizeof(lease), "%" PRIu32 " s", reply->lease_s);
	if (reply->last_s != LQ_NO_TIME)
		snprintf(last, sizeof(last), "%" PRIu32 " s ago", reply->last_s);
	add_row(table, (const char *const[COLUMNS]){
			       addr_text(&reply->server, from),
			       keys_outcome_text(reply->outcome),
			       active ? addr_text(&reply->addrs[0], address) : "",
			       active ? mac_text(&reply->mac, mac) : "", lease,
			       reply->client_id.len
				       ? client_id_text(&reply->client_id, client_id)
				       : "",
			       reply->server_id.family ? addr_text(&reply->server_id, id) : "",
			       last, also_text(reply, also) });
}

static json_t *reply_json(const struct lq_answer *reply)
{
	char text[CLIENT_ID_TEXT_MAX];
	json_t *json = json_object(), *also;

	json_object_set_new(json, "from", json_string(addr_text(&reply->server, text)));
	json_object_set_new(json, "type", json_string(keys_outcome_text(reply->outcome)));
	if (reply->outcome == LQ_ACTIVE) {
		json_object_set_new(json, "address",
				    json_string(addr_text(&reply->addrs[0], text)));
		json_object_set_new(json, "mac", json_string(mac_text(&reply->mac, text)));
		json_object_set_new(json, "lease",
				    reply->lease_s == LQ_FOREVER
					    ? json_null()
					    : json_integer(reply->lease_s));
	}
	if (reply->client_id.len)
		json_object_set_new(json, "client-id",
				    json_string(client_id_text(&reply->client_id, text)));
	if (reply->server_id.family)
		json_object_set_new(json, "server-id",
				    json_string(addr_text(&reply->server_id, text)));
	if (reply->last_s != LQ_NO_TIME)
		json_object_set_new(json, "last", json_integer(reply->last_s));
	if (reply->n_addrs < 2)
		return json;
	also = json_array();
	for (unsigned i = 1; i < reply->n_addrs; i++)
		json_array_append_new(also, json_string(addr_text(&reply->addrs[i], text)));
	json_object_set_new(json, "also", also);
	return json;
}

static const char *also_text(const struct lq_answer *reply,
			     char buf[LQ_ADDRS_MAX * ADDR_TEXT_MAX])
{
	size_t at = 0;

	buf[0] = 0;
	for (unsigned i = 1; i < reply->n_addrs; i++) {
		if (at)
			buf[at++] = ' ';
		addr_text(&reply->addrs[i], buf + at);
		at += strlen(buf + at);
	}
	return buf;
}
