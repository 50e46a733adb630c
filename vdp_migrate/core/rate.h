/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No more than so many in any second, whatever came before: what has been taken lately,
 * in slots of 16 ms. All of a second's may be taken at once.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "vdp_migrate/types.h"

#define RATE_SLOTS 64
#define RATE_SLOT_MS 16

struct rate {
	int64_t slot;			/* the last one that was looked at */
	uint32_t taken;			/* in all slots */
	uint16_t in[RATE_SLOTS];
};

/* Take one of `most`. False: there is none now, but at rate_next(). */
bool rate_take(struct rate *rate, ms_t now, unsigned most);
/* One more, whether there is one or not: the others have to wait for it. */
void rate_note(struct rate *rate, ms_t now);
ms_t rate_next(const struct rate *rate);

#endif
