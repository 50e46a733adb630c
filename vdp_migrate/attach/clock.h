/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time as lldpad's loop sees it: which of its timers are over, what it is told
 * when it asks, and how long its select() may wait. All in us of CLOCK_REALTIME, the
 * clock of its timers, but for what that has been set back.
 */
#ifndef ATTACH_CLOCK_H
#define ATTACH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

/* So long VDP22 leaves a VDPDU that it was given, so that ECP22's acknowledgement
 * leaves first. It does anyway: it leaves when VDP22's notify returns. */
#define CLOCK_VDP_WAIT_US 2000

int64_t clock_us(void);

/* select() is entered with the time-out that the loop has reckoned; the real one has
 * returned. */
void clock_turn(const struct timeval *timeout);
void clock_returned(void);
/* By how much has the clock been set back since this was last asked? What was not past
 * then is so much later. */
int64_t clock_set_back(void);
/* Has the loop run all timers that were due by then? */
bool clock_past(int64_t due);

/* This turn's select() must not wait; must not wait beyond then. */
void clock_poll(void);
void clock_look_at(int64_t due);
/* NULL (for ever) stays so unless one of them was said. */
struct timeval *clock_shorten(struct timeval *timeout, struct timeval *spare);

/* VDP22 is about to take a VDPDU: let it wait so much less. */
void clock_lend(int64_t us);
/* It has taken it: when its timer runs out, at the latest. */
int64_t clock_take_back(void);
/* A timer of us is started next: let it run out at once. For this turn only. */
void clock_hurry(int64_t us);
/* lldpad writes a line with the time before it starts one. */
void clock_log_asks(bool asks);
/* What gettimeofday() is to answer. */
void clock_answer(struct timeval *now);

#endif
