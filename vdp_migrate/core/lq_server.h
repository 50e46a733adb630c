/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DHCP server as the leasequery client sees it: how fast it answers, what is
 * outstanding at it, what waits. Of messages and answers it knows nothing.
 *
 * A server drops what comes faster than it reads (its socket buffer holds about 166
 * queries): a window of 16 keeps it busy without loss. The time-out of a
 * transmission follows RFC 6298 with bounds of our own, for a local network and a
 * VM that waits.
 */
#ifndef CORE_LQ_SERVER_H
#define CORE_LQ_SERVER_H

#include "vdp_migrate/leasequery.h"

#define LQ_RANKS (LQ_RANK_REFRESH + 1)

struct lq_server;
struct lq_asked;

/* One question at one server. */
struct lq_try {
	struct lq_asked *asked;
	struct lq_server *server;
	struct lq_try *prev, *next; /* of the queue */
	int slot;		    /* in the window; LQ_QUEUED, LQ_DONE */
	uint32_t xid;
	unsigned sent;	   /* transmissions */
	ms_t sent_at, due; /* of the last one */
};
#define LQ_QUEUED (-1)
#define LQ_DONE (-2)

struct lq_server {
	struct addr addr;
	struct lq_server *next;
	struct lq_try *out[LQ_WINDOW];
	unsigned outstanding, queued;
	struct lq_queue {
		struct lq_try *first, *last;
	} queue[LQ_RANKS];
	uint32_t srtt_us, rttvar_us; /* 0 = nothing measured yet */
	bool silent;		     /* through a whole question; cleared by an answer */
	uint64_t answers;
};

void lq_server_queue(struct lq_server *server, struct lq_try *try, enum lq_rank rank);
/* The next of the queue, now in the window; NULL: the window is full or none waits. */
struct lq_try *lq_server_next(struct lq_server *server);
/* Out of the window or of the queue, wherever it is. */
void lq_server_release(struct lq_server *server, struct lq_try *try, enum lq_rank rank);

/* A round trip, of a question sent once only (Karn's rule, RFC 6298 section 3). */
void lq_server_measured(struct lq_server *server, ms_t round_trip);
/* How long to wait after the n-th transmission, from 1. */
ms_t lq_server_wait(const struct lq_server *server, unsigned n);
/* When something of it is due; in the past where somebody may leave the queue. */
ms_t lq_server_deadline(const struct lq_server *server);

#endif
