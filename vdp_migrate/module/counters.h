/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module counts, and the names by which the engine shows it. The engine
 * gets absolute values, so that it needs no history.
 */
#ifndef MODULE_COUNTERS_H
#define MODULE_COUNTERS_H

#include "vdp_migrate/host.h"
#include "vdp_migrate/link.h"

enum counter {
	COUNT_CHECKED,		/* VDPDUs that came in on ports that we use */
	COUNT_DROPPED,		/* of these, those that stock lldpad must not see */
	COUNT_FRAMES_DROPPED,	/* frames dropped below the bus */
	COUNT_M_SET,		/* association TLVs that got the M-bit from us */
	COUNT_M_CLEARED,	/* keep-alives that lost it */
	COUNT_S_SENT,		/* VSIs of which a bridge was told that they are suspended */
	COUNT_UNREADABLE,	/* VDPDUs of stock's own that do not decode */
	COUNT_HELD_BACK,	/* de-associates of stock's, for want of its timers */
	COUNT_KEPT_BACK,	/* requests that ECP22 had taken for repetitions */
	COUNT_QUEUE_FULL,	/* VDPDUs that found it full: VDP22 never sees them */
	COUNT_HELD,		/* responses that waited for their bindings */
	COUNT_HELD_READY,	/* of these, those that left with them */
	COUNT_HELD_DEADLINE,	/* … that could wait no longer */
	COUNT_VSIS_NOT_KEPT,	/* requests that found a port's list of VSIs full */
	COUNT_HELP_IN_ANSWER,	/* help TLVs that rode in an answer of stock's */
	COUNT_HELP_ALONE,	/* help TLVs that left in a VDPDU of their own */
	COUNT_HELP_NOT_SENT,	/* of the engine's: no such VSI, or nobody there who helps */
	COUNT_HELP_HANDED_ON,	/* help requests that came in, and went to the engine; */
	COUNT_HELP_REPEATED,	/* that it has had already; */
	COUNT_HELP_REFUSED,	/* that it must not have */
	COUNT_SENT,		/* messages to the engine, but for counters and replays */
	COUNT_LOST,		/* messages that did not get through; a replay follows */
	COUNT_REPLAYS,
	COUNT_LOOP_HOLDS,	/* turns of lldpad's loop in which we had work */
	COUNT_LOOP_HOLDS_WITHIN, /* of these, by how long: host_held's bounds */
	COUNT_LOOP_HOLD_US = COUNT_LOOP_HOLDS_WITHIN + HOST_HELD_BOUNDS,
	COUNT_LOOP_HOLD_MAX,
	COUNT_LOOP_HOLD_ATTACH,	/* the longest of the turns in which we attached, */
	COUNT_LOOP_HOLD_SET,	/* … in which a setting was stored */
	COUNT_N,
};

struct counters {
	uint64_t value[COUNT_N];
	uint64_t told[COUNT_N];	/* what the engine has been told */
	const unsigned *held_bounds;	/* NULL: nothing has been taken yet */
};

static inline void counters_add(struct counters *counters, enum counter which, unsigned n)
{
	counters->value[which] += n;
}

/* How long lldpad's loop was held, as the host knows it. */
void counters_take_held(struct counters *counters, const struct host_held *held);

/* The next counter from *at on that the engine does not know as it is (all: any);
 * noted as told. False: no more. *at starts at 0. */
bool counters_next(struct counters *counters, bool all, unsigned *at,
		   struct link_counter *ret_counter);

#endif
