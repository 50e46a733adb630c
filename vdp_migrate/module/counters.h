/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module counts, and the names by which the engine shows it. The engine
 * gets absolute values, so that it needs no history.
 */
#ifndef MODULE_COUNTERS_H
#define MODULE_COUNTERS_H

#include "vdp_migrate/link.h"

enum counter {
	COUNT_CHECKED,		/* VDPDUs that came in on ports that we use */
	COUNT_DROPPED,		/* of these, those that stock lldpad must not see */
	COUNT_FRAMES_DROPPED,	/* frames dropped below the bus */
	COUNT_M_SET,		/* association TLVs that got the M-bit from us */
	COUNT_M_CLEARED,	/* keep-alives that lost it */
	COUNT_UNREADABLE,	/* VDPDUs of stock's own that do not decode */
	COUNT_HELD_BACK,	/* de-associates of stock's, for want of its timers */
	COUNT_KEPT_BACK,	/* requests that ECP22 had taken for repetitions */
	COUNT_VSIS_NOT_KEPT,	/* requests that found a port's list of VSIs full */
	COUNT_SENT,		/* messages to the engine, but for counters and replays */
	COUNT_LOST,		/* messages that did not get through; a replay follows */
	COUNT_REPLAYS,
	COUNT_N,
};

struct counters {
	uint64_t value[COUNT_N];
	uint64_t told[COUNT_N];	/* what the engine has been told */
};

static inline void counters_add(struct counters *counters, enum counter which, unsigned n)
{
	counters->value[which] += n;
}

/* The next counter from *at on that the engine does not know as it is (all: any);
 * noted as told. False: no more. *at starts at 0. */
bool counters_next(struct counters *counters, bool all, unsigned *at,
		   struct link_counter *ret_counter);

#endif
