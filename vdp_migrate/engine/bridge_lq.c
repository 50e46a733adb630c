/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The story's leasequery client: what it calls back, and whose an answer is, the list's
 * of open cases (bridge_cases.c), or asking.c's, which knows the others by their tags.
 */
#include "bridge_private.h"

struct lq *bridge_lq(struct bridge *b)
{
	return b->lq;
}

static int send_query(void *arg, const struct addr *giaddr, const struct addr *server,
		      const uint8_t *msg, size_t len)
{
	struct bridge *b = arg;

	return b->io->lq_send(b->arg, giaddr, server, msg, len);
}

static void take_answer(void *arg, const struct lq_answer *answer)
{
	struct bridge *b = arg;

	if (!bridge_cases_answer(b, answer))
		asking_answer(b, answer);
}

static void server_back(void *arg, const struct addr *server)
{
	bridge_tell_server(arg, server, false);
	asking_server_back(arg, server);
}

static void server_silent(void *arg, const struct addr *server)
{
	bridge_tell_server(arg, server, true);
}

static uint32_t random_bits(void *arg)
{
	struct bridge *b = arg;

	return b->io->random(b->arg);
}

const struct lq_ops bridge_lq_ops = {
	.send = send_query, .answer = take_answer, .back = server_back,
	.silent = server_silent, .random = random_bits,
};
