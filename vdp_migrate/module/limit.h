/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lid on log lines that a peer can provoke: for each reason and port one line in
 * ten seconds, which says how many were kept back before it.
 */
#ifndef MODULE_LIMIT_H
#define MODULE_LIMIT_H

#include "vdp_migrate/types.h"

#define LIMIT_PERIOD_MS 10000

enum limit_reason {
	LIMIT_BAD_VDPDU,	/* a VDPDU that came in */
	LIMIT_BAD_OUTPUT,	/* one that stock sends */
	LIMIT_FRAME,		/* a frame dropped below the bus */
	LIMIT_VSIS_FULL,
	LIMIT_HELD_BACK,	/* a de-associate of stock's that did not leave */
	LIMIT_RESTARTED,	/* a request of a peer that has begun anew */
	LIMIT_HELP,		/* a help request that is refused */
	LIMIT_QUEUE,		/* a VDPDU that found the queue full */
	LIMIT_N,
};

struct limit {
	bool used;
	ms_t next;
	unsigned kept_back;
};

/* May this line be logged? *ret_kept_back: how many could not since the last. */
static inline bool limit_pass(struct limit *limit, ms_t now, unsigned *ret_kept_back)
{
	if (limit->used && now < limit->next) {
		limit->kept_back++;
		return false;
	}
	*ret_kept_back = limit->kept_back;
	*limit = (struct limit){ .used = true, .next = now + LIMIT_PERIOD_MS };
	return true;
}

/* A lid on what a peer can have done: at most `burst` at once, then one each `every`
 * ms. *rate: 0 at first. */
static inline bool limit_rate(ms_t *rate, ms_t now, ms_t every, unsigned burst)
{
	ms_t from = *rate > now ? *rate : now;

	if (from - now > every * (ms_t)(burst - 1))
		return false;
	*rate = from + every;
	return true;
}

#endif
