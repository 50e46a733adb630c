/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the groups of one host are to be asked for, and when to stop: at its first sign
 * (an associate that is accepted, then its first frame, which begins anew), then on a
 * schedule until it has answered or the schedule ends. Each address family has an end of
 * its own. It knows no frame and no port.
 *
 * The first query of a schedule wants the answer at once (maximum response code 0: a
 * Linux host takes 10 ms then instead of 60); for hosts that do not like that, all others
 * have code 1.
 */
#ifndef CORE_QUERYING_H
#define CORE_QUERYING_H

#include "vdp_migrate/types.h"

struct querying_schedule {
	unsigned n;
	const uint32_t *at;	/* ms after the sign, ascending */
};

struct querying {
	ms_t sign;
	unsigned next;		/* time of the schedule */
	uint8_t families;	/* 1 << ADDR_…: not answered yet */
};

struct querying_due {
	uint8_t families;	/* 1 << ADDR_… */
	uint8_t code;
};

/* A sign of the host: ask for these families. */
void querying_begin(struct querying *querying, ms_t now, uint8_t families);
/* Another one: anew, for what has not been answered. */
void querying_again(struct querying *querying, ms_t now);
/* It has answered. */
void querying_answered(struct querying *querying, uint8_t family);
/* MS_NEVER: at an end. */
ms_t querying_deadline(const struct querying *querying,
		       const struct querying_schedule *schedule);
/* What is to be sent now; of several times that have passed, once. False: nothing. */
bool querying_due(struct querying *querying, ms_t now,
		  const struct querying_schedule *schedule, struct querying_due *ret_due);

#endif
