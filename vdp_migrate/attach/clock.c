/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See clock.h. lldpad takes the time by gettimeofday() alone: when a timer is started,
 * when the time-out of select() is reckoned, and when timers are run after it, one a
 * turn, the earliest first. So if that time-out is not 0, what was due when the select()
 * before had returned has been run.
 *
 * A timer of 2 ms that begins 2 ms ago is due now: it takes its turn among the others.
 * One that is told to begin at 0 would come before all others for ever.
 *
 * Where the clock is set back, ours goes on: what was over stays over. Of lldpad's
 * timers those that run at that moment then run so much longer; all others do not care.
 */
#include "clock.h"

#include <time.h>

#define SECOND 1000000LL

static int64_t returned;	/* the last select() */
static int64_t done;		/* all timers due by then have been run */
static int64_t look_at = INT64_MAX;
static int64_t latest;		/* ours never shows less than it has shown; after
				 * that more, so that what begins then is told apart */
static int64_t behind;		/* so much the clock has been set back in all */
static int64_t set_back;	/* … of which nobody has heard yet */

static bool lent;
static int64_t ahead_us, answered;	/* answered: 0 = not asked */
static int64_t hurry_us;
static bool log_asks, log_asked;

static int64_t steady(int64_t us);
static int64_t from_timeval(const struct timeval *time);
static struct timeval to_timeval(int64_t us);

int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return steady(now.tv_sec * SECOND + now.tv_nsec / 1000);
}

void clock_turn(const struct timeval *timeout)
{
	if (!timeout || timerisset(timeout))
		done = returned;
	look_at = INT64_MAX;
	hurry_us = 0;
}

void clock_returned(void)
{
	returned = clock_us();
}

int64_t clock_set_back(void)
{
	int64_t by = set_back;

	set_back = 0;
	return by;
}

bool clock_past(int64_t due)
{
	return due <= done;
}

void clock_poll(void)
{
	look_at = INT64_MIN;
}

void clock_look_at(int64_t due)
{
	if (due < look_at)
		look_at = due;
}

struct timeval *clock_shorten(struct timeval *timeout, struct timeval *spare)
{
	struct timeval left = { 0, 0 };
	int64_t now;

	if (look_at == INT64_MAX)
		return timeout;
	if (look_at != INT64_MIN) {
		now = clock_us();
		left = to_timeval(look_at > now ? look_at - now : 0);
	}
	if (timeout && timercmp(timeout, &left, <))
		return timeout;
	*spare = left;
	return spare;
}

void clock_lend(int64_t us)
{
	lent = true;
	ahead_us = us;
	answered = 0;
}

int64_t clock_take_back(void)
{
	/* Not asked: another build, which takes its time otherwise. */
	int64_t due = (answered ? answered : clock_us() + 1) + CLOCK_VDP_WAIT_US;

	lent = false;
	if (done >= due)
		done = due - 1;
	return due;
}

void clock_hurry(int64_t us)
{
	hurry_us = us;
	log_asked = false;
}

void clock_log_asks(bool asks)
{
	log_asks = asks;
}

void clock_answer(struct timeval *now)
{
	int64_t us, less = lent ? ahead_us : hurry_us;

	if (!lent && !hurry_us)
		return;
	if (!lent && log_asks && !log_asked) {
		log_asked = true;
		return;
	}
	us = from_timeval(now);
	hurry_us = 0;
	if (lent)
		answered = steady(us) - less;
	*now = to_timeval(us - less);
}

static int64_t steady(int64_t us)
{
	us += behind;
	if (us < latest) {
		int64_t by = latest + 1 - us;

		set_back += by;
		behind += by;
		us += by;
	}
	latest = us;
	return us;
}

static int64_t from_timeval(const struct timeval *time)
{
	return time->tv_sec * SECOND + time->tv_usec;
}

static struct timeval to_timeval(int64_t us)
{
	return (struct timeval){ .tv_sec = (time_t)(us / SECOND),
				 .tv_usec = (suseconds_t)(us % SECOND) };
}
