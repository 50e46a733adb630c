/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long we keep lldpad's loop: turn by turn, what our own code has taken of one. Begun
 * and ended where lldpad calls us and where we call it, so that its own work is left out.
 *
 * Two readings of the clock a part; those at a turn's end are needed anyway.
 */
#ifndef ATTACH_SPENT_H
#define ATTACH_SPENT_H

#include "vdp_migrate/host.h"

/* What a turn's time goes to: the greatest that was said of it counts. */
enum spent_on {
	SPENT_ON_NOTHING,	/* there was no more to do than to look */
	SPENT_ON_FRAMES,	/* … and what the engine says */
	SPENT_ON_SETTING,	/* one was stored */
	SPENT_ON_ATTACHING,
};

void spent_begin(void);
void spent_end(void);
void spent_say(enum spent_on what);
/* What is called now is lldpad's own. */
unsigned spent_pause(void);
void spent_go_on(unsigned was);
/* The turn's last part begins; ends: ns since, lldpad's own included. */
void spent_enter(void);
int64_t spent_turn(void);

const struct host_held *spent_told(void);

#endif
