/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rate of a port's leasequeries (its setting max-rate; 0: no bound): what is over it
 * waits in the port's own queue, associates first, refreshes last, and is in nobody
 * else's way. Counted is what goes out: each question, and each time that it is repeated.
 * A repetition does not wait (it would stand in the server's window, which all ports
 * share), but what is asked anew waits for it: a second may see as many more as were lost
 * in it, the next ones see fewer. What a person asks by hand is not bounded.
 *
 * Nothing is answered from inside asking_rate_ask().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/hash.h"

#include <utlist.h>

#define WAITING_MOST 4096 /* of a port; as many as it may have VSIs */

struct waiting {
	struct lq_question question;
	uint16_t port;
	struct waiting *prev, *next; /* of its port and rank */
	UT_hash_handle hh;
};

static struct waiting *find(struct bridge *b, uint64_t tag);
static void append(struct port *port, struct waiting *waiting);
static void take_out(struct bridge *b, struct waiting *waiting);
static struct waiting *first_of(const struct port *port);
static void send_what_may(struct bridge *b, struct port *port);

int asking_rate_ask(struct bridge *b, struct port *port, struct lq_question *question)
{
	struct waiting *waiting;

	question->flow = port->number;
	if (!port->settings.max_rate ||
	    (!port->n_waiting && rate_take(&port->rate, b->now, port->settings.max_rate)))
		return lq_ask(b->lq, b->now, question);
	waiting = port->n_waiting < WAITING_MOST ? calloc(1, sizeof(*waiting)) : NULL;
	if (!waiting)
		return -ENOMEM;
	waiting->question = *question;
	waiting->port = port->number;
	HASH_ADD(hh, b->waiting, question.tag, sizeof(waiting->question.tag), waiting);
	if (!waiting->hh.tbl) {
		free(waiting);
		return -ENOMEM;
	}
	append(port, waiting);
	port->n_waiting++;
	port->n_delayed++;
	return 0;
}

void asking_rate_cancel(struct bridge *b, uint64_t tag)
{
	struct waiting *waiting = find(b, tag);

	if (waiting)
		take_out(b, waiting);
	else
		lq_cancel(b->lq, tag);
}

void asking_rate_hurry(struct bridge *b, uint64_t tag, enum lq_rank rank)
{
	struct waiting *waiting = find(b, tag);
	struct port *port;

	if (!waiting) {
		lq_hurry(b->lq, tag, rank);
		return;
	}
	if (rank >= waiting->question.rank)
		return;
	port = ports_number(b, waiting->port);
	DL_DELETE(port->waiting[waiting->question.rank], waiting);
	waiting->question.rank = rank;
	append(port, waiting);
}

bool asking_rate_waits(struct bridge *b, uint64_t tag)
{
	return find(b, tag);
}

void asking_rate_repeated(struct bridge *b, uint32_t flow)
{
	if (flow)
		rate_note(&ports_number(b, (uint16_t)flow)->rate, b->now);
}

ms_t asking_rate_deadline(const struct bridge *b)
{
	ms_t first = MS_NEVER;

	for (unsigned i = 0; i < b->n_ports && b->waiting; i++) {
		const struct port *port = b->ports[i];
		bool full = port->settings.max_rate &&
			    port->rate.taken >= port->settings.max_rate;
		ms_t next = full ? rate_next(&port->rate) : 0;

		if (port->n_waiting && next < first)
			first = next;
	}
	return first;
}

void asking_rate_tick(struct bridge *b)
{
	for (unsigned i = 0; i < b->n_ports && b->waiting; i++)
		send_what_may(b, b->ports[i]);
}

void asking_rate_done(struct bridge *b)
{
	while (b->waiting)
		take_out(b, b->waiting);
}

/* Statics. */

static struct waiting *find(struct bridge *b, uint64_t tag)
{
	struct waiting *waiting;

	HASH_FIND(hh, b->waiting, &tag, sizeof(tag), waiting);
	return waiting;
}

static void append(struct port *port, struct waiting *waiting)
{
	DL_APPEND(port->waiting[waiting->question.rank], waiting);
}

static void take_out(struct bridge *b, struct waiting *waiting)
{
	struct port *port = ports_number(b, waiting->port);

	DL_DELETE(port->waiting[waiting->question.rank], waiting);
	port->n_waiting--;
	HASH_DEL(b->waiting, waiting);
	free(waiting);
}

static struct waiting *first_of(const struct port *port)
{
	struct waiting *first = NULL;

	for (int rank = 0; rank <= LQ_RANK_REFRESH && !first; rank++)
		first = port->waiting[rank];
	return first;
}

static void send_what_may(struct bridge *b, struct port *port)
{
	struct waiting *waiting;

	while ((waiting = first_of(port))) {
		struct lq_question question = waiting->question;

		if (port->settings.max_rate &&
		    !rate_take(&port->rate, b->now, port->settings.max_rate))
			return;
		take_out(b, waiting);
		if (lq_ask(b->lq, b->now, &question)) {
			/* No memory now: to the asker as if nobody had answered. */
			const struct lq_answer answer = {
				.tag = question.tag, .outcome = LQ_SILENT,
				.last_s = LQ_NO_TIME, .last = true,
			};

			bridge_answer(b, &answer);
		}
	}
}
