/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leasequeries by hand: a person's question through the same client, so that its
 * answers do not go to another socket. Nothing is bound by them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/hash.h"
#include "wire/text.h"

struct by_hand {
	uint64_t tag;
	void (*cb)(void *arg, const struct lq_answer *answer);
	void *arg;
	UT_hash_handle hh;
};

static void add_servers(struct bridge *b, struct lq_question *question);
static bool find_giaddr(struct bridge *b, struct addr *ret_giaddr);
static int refuse(char *ret_text, size_t size, int code, const char *text);
static void forget(struct bridge *b, struct by_hand *by_hand);

int bridge_ask(struct bridge *b, ms_t now, const struct link_ask *ask,
	       void (*cb)(void *arg, const struct lq_answer *answer), void *arg,
	       char *ret_text, size_t size)
{
	struct lq_question question = {
		.tag = TAG_HAND | ++b->last_tag, .key = (enum lq_key)ask->key,
		.rank = LQ_RANK_PREASSOC, .fresh = true, .mac = ask->mac, .ip = ask->ip, .id = ask->id,
		.giaddr = ask->giaddr, .n_servers = ask->n_servers,
	};
	struct by_hand *by_hand;
	int err;

	b->now = now;
	memcpy(question.servers, ask->servers, ask->n_servers * sizeof(ask->servers[0]));
	if (!question.n_servers)
		add_servers(b, &question);
	if (!question.n_servers)
		return refuse(ret_text, size, EDESTADDRREQ,
			      "no DHCP server is set on any port: say --server");
	if (!question.giaddr.family && !find_giaddr(b, &question.giaddr))
		return refuse(ret_text, size, EADDRNOTAVAIL,
			      "no giaddr to ask from: say --giaddr");
	by_hand = calloc(1, sizeof(*by_hand));
	if (!by_hand)
		return refuse(ret_text, size, ENOMEM, "no memory");
	*by_hand = (struct by_hand){ .tag = question.tag, .cb = cb, .arg = arg };
	HASH_ADD(hh, b->by_hand, tag, sizeof(by_hand->tag), by_hand);
	if (!by_hand->hh.tbl) {
		free(by_hand);
		return refuse(ret_text, size, ENOMEM, "no memory");
	}
	err = lq_ask(b->lq, now, &question);
	if (!err)
		return 0;
	forget(b, by_hand);
	return refuse(ret_text, size, -err,
		      err == -EINVAL ? "this cannot be asked by leasequery" : "no memory");
}

void asking_hand_answer(struct bridge *b, const struct lq_answer *answer)
{
	struct by_hand *by_hand;
	struct by_hand was;

	HASH_FIND(hh, b->by_hand, &answer->tag, sizeof(answer->tag), by_hand);
	if (!by_hand)
		return;
	was = *by_hand;
	if (answer->last)
		forget(b, by_hand);
	was.cb(was.arg, answer);
}

void asking_hand_done(struct bridge *b)
{
	while (b->by_hand)
		forget(b, b->by_hand);
}

/* Statics. */

/* Those of all ports, whatever their VLAN; as many as a question takes. */
static void add_servers(struct bridge *b, struct lq_question *question)
{
	for (unsigned i = 0; i < b->n_ports; i++) {
		const struct link_port *set = &b->ports[i]->settings;

		for (unsigned j = 0; j < set->n_servers; j++) {
			unsigned k = 0;

			while (k < question->n_servers &&
			       !addr_equal(&question->servers[k], &set->servers[j].addr))
				k++;
			if (k == question->n_servers && k < LQ_SERVERS_MAX)
				question->servers[question->n_servers++] =
					set->servers[j].addr;
		}
	}
}

static bool find_giaddr(struct bridge *b, struct addr *ret_giaddr)
{
	for (unsigned i = 0; i < b->n_ports; i++)
		if (b->ports[i]->settings.n_giaddrs) {
			*ret_giaddr = b->ports[i]->settings.giaddrs[0].addr;
			return true;
		}
	for (unsigned i = 0; i < b->n_ports; i++)
		if (b->ports[i]->placed &&
		    b->io->giaddr(b->arg, b->ports[i]->name, ret_giaddr))
			return true;
	return false;
}

static int refuse(char *ret_text, size_t size, int code, const char *text)
{
	snprintf(ret_text, size, "%s", text);
	return code;
}

static void forget(struct bridge *b, struct by_hand *by_hand)
{
	lq_cancel(b->lq, by_hand->tag);
	HASH_DEL(b->by_hand, by_hand);
	free(by_hand);
}
