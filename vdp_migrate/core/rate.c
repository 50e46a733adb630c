/* SPDX-License-Identifier: GPL-2.0-only */
/* See rate.h. */
#include "rate.h"

static void go_on(struct rate *rate, int64_t slot)
{
	if (slot - rate->slot >= RATE_SLOTS)
		rate->slot = slot - RATE_SLOTS;
	while (rate->slot < slot) {
		uint16_t *in = &rate->in[++rate->slot % RATE_SLOTS];

		rate->taken -= *in;
		*in = 0;
	}
}

bool rate_may(struct rate *rate, ms_t now, unsigned most)
{
	go_on(rate, now / RATE_SLOT_MS);
	return rate_had(rate, most);
}

bool rate_had(const struct rate *rate, unsigned most)
{
	return rate->taken < most && rate->in[rate->slot % RATE_SLOTS] < UINT16_MAX;
}

void rate_take(struct rate *rate, ms_t now)
{
	go_on(rate, now / RATE_SLOT_MS);
	if (rate->in[rate->slot % RATE_SLOTS] == UINT16_MAX)
		return;
	rate->in[rate->slot % RATE_SLOTS]++;
	rate->taken++;
}

/* When the oldest slot that has some is over. */
ms_t rate_next(const struct rate *rate)
{
	for (int64_t slot = rate->slot - RATE_SLOTS + 1; slot <= rate->slot; slot++)
		if (slot >= 0 && rate->in[slot % RATE_SLOTS])
			return (slot + RATE_SLOTS) * RATE_SLOT_MS;
	return 0;
}
