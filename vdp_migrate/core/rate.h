/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No more than so many in any second, whatever came before: what has been taken lately,
 * in slots of 16 ms. All of a second's may be taken at once. What is taken leaves a
 * little after it is counted, and one later than another: two slots more than a second
 * are remembered, so that no second of the receiver sees more either.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "vdp_migrate/types.h"

#define RATE_SLOTS 66
#define RATE_SLOT_MS 16

struct rate {
	int64_t slot;			/* the last one that was looked at */
	uint32_t taken;			/* in all slots */
	uint16_t in[RATE_SLOTS];
};

/* One of `most` may be taken. False: there is none now, but at rate_next(). */
bool rate_may(struct rate *rate, ms_t now, unsigned most);
/* The same, of what was known when it was last looked at. */
bool rate_had(const struct rate *rate, unsigned most);
/* One is taken, whether there was one or not. */
void rate_take(struct rate *rate, ms_t now);
ms_t rate_next(const struct rate *rate);

#endif
