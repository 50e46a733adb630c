/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DHCP server as the leasequery client sees it: how fast it answers, what is
 * outstanding at it, what waits. Of messages and answers it knows nothing.
 *
 * A server drops what comes faster than it reads (its socket buffer holds about 166
 * queries, from all who ask it). So the window begins small, grows with each answer,
 * fast up to LQ_WINDOW_FAST and then by one for each full window, and is halved where
 * something was lost. The time-out of a transmission follows RFC 6298 with bounds of
 * our own, for a local network and a VM that waits. Where an answer looks late rather
 * than the question lost, all that follow are doubled too until one that was sent once
 * is answered (its section 5): a server that needs longer than the first of them would
 * never be measured. A server reads in order: where it has answered LQ_PASSED questions
 * that left later than this one, this one is lost, and goes out again without waiting
 * for its time-out.
 *
 * What waits leaves by rank, of one rank what is repeated before what is new, and the
 * flows (ports) take turns: a port that asks much delays the others by one question
 * each. A flow that has used up what it may send here in a second (core/lq_flow) is
 * passed over; what of it is to be repeated then leaves the window, so that nobody else
 * waits for it. Where a flow always has something better to send, each LQ_TURN-th of
 * its messages is what has waited longest all the same, if that is LQ_STARVED_MS or
 * more.
 */
#ifndef CORE_LQ_SERVER_H
#define CORE_LQ_SERVER_H

#include "lq_flow.h"
#include "vdp_migrate/leasequery.h"

/* Of each rank: what is repeated, what is new. */
#define LQ_QUEUES (2 * (LQ_RANK_REFRESH + 1))
#define LQ_TURN 8
#define LQ_STARVED_MS 2000
#define LQ_WINDOW_FAST 16
#define LQ_PASSED 8
#define LQ_FAST_MAX 3 /* such retransmissions of one question */

struct lq_server;
struct lq_asked;

/* One question at one server. */
struct lq_try {
	struct lq_asked *asked;
	struct lq_server *server;
	enum lq_rank rank;
	struct lq_budget *budget;   /* of its flow */
	struct lq_try *prev, *next; /* of its flow, in the queue */
	/* The first of a flow alone: */
	struct lq_try *turn_prev, *turn, *last;
	int slot; /* in the window; LQ_QUEUED, … */
	uint32_t xid;
	uint32_t number;		 /* of the last transmission */
	unsigned sent, timed_out, passed; /* transmissions; of them for want of an answer */
	unsigned doubled;		 /* so often the time-out of the last one is */
	ms_t queued_at, sent_at, due;	 /* sent_at, due: of the last one */
};
#define LQ_QUEUED (-1)
#define LQ_DONE (-2)
#define LQ_KNOWN (-3) /* not asked at all: the answer is known (core/leasequery) */

struct lq_server {
	struct addr addr;
	struct lq_server *next;
	struct lq_try *out[LQ_WINDOW_MAX];
	unsigned outstanding, queued;
	unsigned window, fast, credit; /* fast: below it, it grows with each answer */
	uint32_t sent, cut;	       /* transmissions; the last when it was halved */
	struct lq_queue {
		struct lq_try *first, *last; /* the flows' first ones */
	} queue[LQ_QUEUES];
	struct lq_budget *budgets; /* of the flows */
	uint32_t srtt_us, rttvar_us; /* 0 = nothing measured yet */
	unsigned doubled;	     /* so often all time-outs, until one is measured */
	unsigned unmeasured;	     /* answers since */
	bool silent;		     /* through a whole question; cleared by an answer */
	uint64_t answers, lost;
};

void lq_server_init(struct lq_server *server, const struct addr *addr);
void lq_server_done(struct lq_server *server);
/* try: asked, server, rank and budget are set. */
void lq_server_queue(struct lq_server *server, struct lq_try *try, ms_t now);
/* It is of a better rank now. */
void lq_server_hurry(struct lq_server *server, struct lq_try *try, enum lq_rank rank);
/* The next of the queue, now in the window; NULL: the window is full or none waits that
 * may leave. */
struct lq_try *lq_server_next(struct lq_server *server, ms_t now);
/* It waits for its flow's budget; how many of a flow do. */
bool lq_server_holds(const struct lq_try *try);
unsigned lq_server_holding(const struct lq_server *server, uint32_t flow);
/* One that is to be repeated may leave at once, from where it is in the window. False: it
 * has to wait, and is in the queue now. */
bool lq_server_repeat(struct lq_server *server, struct lq_try *try, ms_t now);
/* Of those that are out, and those that wait to be repeated; NULL. */
struct lq_try *lq_server_find(const struct lq_server *server, uint32_t xid);
/* Out of the window or of the queue, wherever it is. */
void lq_server_release(struct lq_server *server, struct lq_try *try);
/* One that waits for room in the window since then or longer; NULL. */
struct lq_try *lq_server_waiting(const struct lq_server *server, ms_t since);

/* It is about to go out, again perhaps: number, time-out. */
void lq_server_sent(struct lq_server *server, struct lq_try *try, ms_t now);
/* An answer to it: round trip (of a question sent once only: Karn's rule, RFC 6298
 * section 3), window, and what must have been lost before it. */
void lq_server_answered(struct lq_server *server, const struct lq_try *try, ms_t now);
/* It has to go out again. False: no, all its tries are used. */
bool lq_server_lost(struct lq_server *server, struct lq_try *try);

/* How long to wait after the n-th transmission, from 1. */
ms_t lq_server_wait(const struct lq_server *server, unsigned n);
/* How long all tries of a question take together. */
ms_t lq_server_patience(const struct lq_server *server);
/* When something of it is due; in the past where somebody may leave the queue. */
ms_t lq_server_deadline(const struct lq_server *server);

#endif
