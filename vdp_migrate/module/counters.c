/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of names. What the counters mean is in counters.h; who counts is
 * everybody, who tells the engine is module.c.
 */
#include "counters.h"

#include <stdio.h>

static const char *const names[COUNT_N] = {
	[COUNT_CHECKED] = "vdpdus checked",
	[COUNT_DROPPED] = "vdpdus dropped",
	[COUNT_FRAMES_DROPPED] = "frames dropped below the bus",
	[COUNT_M_SET] = "m-bit set",
	[COUNT_M_CLEARED] = "m-bit cleared",
	[COUNT_S_SENT] = "s-bit sent",
	[COUNT_UNREADABLE] = "vdpdus sent by lldpad unreadable",
	[COUNT_HELD_BACK] = "de-associates held back",
	[COUNT_KEPT_BACK] = "requests of restarted peers rescued",
	[COUNT_QUEUE_FULL] = "vdpdus lost: queue full",
	[COUNT_HELD] = "responses held",
	[COUNT_HELD_READY] = "held responses released by ready",
	[COUNT_HELD_DEADLINE] = "held responses released by deadline",
	[COUNT_VSIS_NOT_KEPT] = "vsis not kept",
	[COUNT_HELP_IN_ANSWER] = "help tlvs in answers",
	[COUNT_HELP_ALONE] = "help tlvs in vdpdus of their own",
	[COUNT_HELP_NOT_SENT] = "help requests not sent",
	[COUNT_HELP_HANDED_ON] = "help requests handed on",
	[COUNT_HELP_REPEATED] = "help requests repeated",
	[COUNT_HELP_REFUSED] = "help requests refused",
	[COUNT_SENT] = "messages to the engine",
	[COUNT_LOST] = "messages to the engine lost",
	[COUNT_REPLAYS] = "replays",
	[COUNT_LOOP_HOLDS] = "loop holds",
	[COUNT_LOOP_HOLDS_WITHIN] = "loop holds within %u us",
	[COUNT_LOOP_HOLD_US] = "loop hold us",
	[COUNT_LOOP_HOLD_MAX] = "loop hold us max",
	[COUNT_LOOP_HOLD_ATTACH] = "loop hold us max at attach",
	[COUNT_LOOP_HOLD_SET] = "loop hold us max at a set",
};

static void name(const struct counters *counters, unsigned i, char *ret_name,
		 size_t size);

/* Cumulative: each holds the one before. */
void counters_take_held(struct counters *counters, const struct host_held *held)
{
	uint64_t within = 0;

	counters->held_bounds = held->bounds;
	counters->value[COUNT_LOOP_HOLDS] = held->turns;
	for (unsigned i = 0; i < HOST_HELD_BOUNDS; i++) {
		within += held->within[i];
		counters->value[COUNT_LOOP_HOLDS_WITHIN + i] = within;
	}
	counters->value[COUNT_LOOP_HOLD_US] = held->us;
	counters->value[COUNT_LOOP_HOLD_MAX] = held->longest_us;
	counters->value[COUNT_LOOP_HOLD_ATTACH] = held->attach_us;
	counters->value[COUNT_LOOP_HOLD_SET] = held->set_us;
}

bool counters_next(struct counters *counters, bool all, unsigned *at,
		   struct link_counter *ret_counter)
{
	unsigned i = *at;

	while (i < COUNT_N && !all && counters->value[i] == counters->told[i])
		i++;
	*at = i + 1;
	if (i >= COUNT_N)
		return false;
	counters->told[i] = counters->value[i];
	name(counters, i, ret_counter->name, sizeof(ret_counter->name));
	ret_counter->value = counters->value[i];
	return true;
}

static void name(const struct counters *counters, unsigned i, char *ret_name, size_t size)
{
	unsigned bound = i - COUNT_LOOP_HOLDS_WITHIN;

	if (bound < HOST_HELD_BOUNDS)
		snprintf(ret_name, size, names[COUNT_LOOP_HOLDS_WITHIN],
			 counters->held_bounds ? counters->held_bounds[bound] : 0);
	else
		snprintf(ret_name, size, "%s", names[i]);
}
