/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See spent.h. A turn ends where select() begins to wait.
 */
#include "spent.h"

#include <time.h>

#define SECOND_NS 1000000000LL

static struct host_held held = { .bounds = { 10, 20, 50, 100, 200, 500, 1000, 10000 } };
static enum spent_on on;
static int64_t entered, began, sum;	/* ns */
static unsigned depth;

static void count(uint64_t us);
static int64_t now_ns(void);

void spent_begin(void)
{
	if (!depth++)
		began = now_ns();
}

void spent_end(void)
{
	if (!--depth)
		sum += now_ns() - began;
}

unsigned spent_pause(void)
{
	unsigned was = depth;

	if (was)
		sum += now_ns() - began;
	depth = 0;
	return was;
}

void spent_go_on(unsigned was)
{
	if (was)
		began = now_ns();
	depth = was;
}

void spent_say(enum spent_on what)
{
	if (on < what)
		on = what;
}

void spent_enter(void)
{
	spent_begin();
	entered = began;
}

int64_t spent_turn(void)
{
	int64_t now = now_ns();
	uint64_t us = (uint64_t)(sum + now - began) / 1000;

	depth = 0;
	if (on == SPENT_ON_FRAMES)
		count(us);
	else if (on == SPENT_ON_SETTING && us > held.set_us)
		held.set_us = us;
	else if (on == SPENT_ON_ATTACHING && us > held.attach_us)
		held.attach_us = us;
	on = SPENT_ON_NOTHING;
	sum = 0;
	return now - entered;
}

const struct host_held *spent_told(void)
{
	return &held;
}

static void count(uint64_t us)
{
	unsigned i = 0;

	held.turns++;
	held.us += us;
	if (us > held.longest_us)
		held.longest_us = us;
	while (i < HOST_HELD_BOUNDS && us > held.bounds[i])
		i++;
	if (i < HOST_HELD_BOUNDS)
		held.within[i]++;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}
