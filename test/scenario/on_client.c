/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the leasequery client alone ("client" as their first line):
 *
 *   T ask TAG[-TAG] VM [assoc|preassoc|refresh] of SERVER …
 *   T cancel TAG
 *   T hurry TAG                   it is an associate's now
 *   T deaf | hearing              nothing can be sent | it can again
 *   T SERVER …                    an answer: script.h
 *
 * What happens: "ask mac SERVER", "answer TAG active IP SECONDS [last]",
 * "answer TAG unassigned|unknown|silent [last]", "back SERVER", "rejected WHAT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "wire/text.h"

#define ENETUNREACH_ANY (-101)

struct client {
	struct script *script;
	struct lq *lq;
	uint32_t random;
	bool deaf;
};

static bool ask(struct client *c, char **words, unsigned n);

static int send(void *arg, const struct addr *giaddr, const struct addr *server,
		const uint8_t *msg, size_t len)
{
	struct client *c = arg;

	if (c->deaf)
		return ENETUNREACH_ANY;
	query_sent(c->script, giaddr, server, msg, len);
	return 0;
}

static void answer(void *arg, const struct lq_answer *answer)
{
	struct client *c = arg;
	const char *last = answer->last ? " last" : "";
	unsigned tag = (unsigned)answer->tag;
	char text[HAPPENED_LEN];
	size_t at = 0;

	if (answer->outcome != LQ_ACTIVE) {
		script_happen(c->script, "answer %u %s%s", tag,
			      answer->outcome == LQ_UNKNOWN	 ? "unknown"
			      : answer->outcome == LQ_UNASSIGNED ? "unassigned"
								 : "silent",
			      last);
		return;
	}
	for (unsigned i = 0; i < answer->n_addrs; i++) {
		char ip[ADDR_TEXT_MAX];

		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s",
				       addr_text(&answer->addrs[i], ip));
	}
	if (answer->lease_s == LQ_FOREVER)
		script_happen(c->script, "answer %u active%s forever%s", tag, text, last);
	else
		script_happen(c->script, "answer %u active%s %u%s", tag, text,
			      answer->lease_s, last);
}

static void back(void *arg, const struct addr *server)
{
	struct client *c = arg;
	char text[ADDR_TEXT_MAX];

	script_happen(c->script, "back %s", addr_text(server, text));
}

static uint32_t random_bits(void *arg)
{
	struct client *c = arg;

	c->random = c->random * 1664525 + 1013904223;
	return c->random;
}

static const struct lq_ops ops = {
	.send = send, .answer = answer, .back = back, .random = random_bits,
};

static void *begin(struct script *script)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->script = script;
	c->lq = lq_new(&ops, c);
	return c;
}

static void end(void *arg)
{
	struct client *c = arg;

	lq_free(c->lq);
	free(c);
}

static enum lq_reject input(void *arg, const struct addr *giaddr,
			    const struct addr *server, const uint8_t *msg, size_t len)
{
	struct client *c = arg;

	return lq_input(c->lq, c->script->now, giaddr, server, msg, len);
}

static bool line(void *arg, char **words, unsigned n)
{
	struct client *c = arg;

	if (!strcmp(words[0], "ask"))
		return ask(c, words, n);
	if (!strcmp(words[0], "hurry") && n == 2) {
		lq_hurry(c->lq, strtoul(words[1], NULL, 10), LQ_RANK_ASSOC);
		return true;
	}
	if (!strcmp(words[0], "cancel") && n == 2) {
		lq_cancel(c->lq, strtoul(words[1], NULL, 10));
		return true;
	}
	if (!strcmp(words[0], "deaf") || !strcmp(words[0], "hearing")) {
		c->deaf = *words[0] == 'd';
		return n == 1;
	}
	return query_answer(c->script, words, n, input);
}

static bool ask(struct client *c, char **words, unsigned n)
{
	static const char *const ranks[] = {"assoc", "preassoc", "refresh"};
	struct lq_question question = {
		.key = LQ_BY_MAC,
		.rank = LQ_RANK_PREASSOC,
		.giaddr = {ADDR_IPV4, {10, 0, 0, 254}},
	};
	const struct vm *vm;
	unsigned long from, to;
	unsigned at = 3;
	char *dash;

	if (n < 5 || !(vm = vm_named(c->script, words[2])))
		return false;
	from = to = strtoul(words[1], &dash, 10);
	if (*dash == '-')
		to = strtoul(dash + 1, NULL, 10);
	question.mac = vm->entries[0].mac;
	for (unsigned i = 0; i < 3; i++)
		if (word_is(words, n, &at, ranks[i]))
			question.rank = (enum lq_rank)i;
	if (!word_is(words, n, &at, "of"))
		return false;
	for (; at < n && question.n_servers < LQ_SERVERS_MAX; at++)
		if (addr_parse(words[at], &question.servers[question.n_servers++]))
			return false;
	for (question.tag = from; question.tag <= to; question.tag++)
		if (lq_ask(c->lq, c->script->now, &question))
			script_happen(c->script, "refused");
	return true;
}

static ms_t deadline(void *arg)
{
	struct client *c = arg;

	return lq_deadline(c->lq);
}

static void tick(void *arg, ms_t now)
{
	struct client *c = arg;

	lq_tick(c->lq, now);
}

static void look(void *arg)
{
	(void)arg;
}

const struct part client_part = {begin, end, line, deadline, tick, look};
