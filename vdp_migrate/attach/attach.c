/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See attach.h. Whatever is unexpected leaves us inert: lldpad runs as if we were
 * not there, with one log line that names the rule that failed.
 */
#include "attach.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "down.h"
#include "hook.h"
#include "lldpad.h"
#include "scan.h"
#include "spent.h"
#include "vdp_migrate/host.h"
#include "watch.h"

static const struct scan_wanted wanted[] = {
	{ LLDPAD_VDP22, LLDPAD_SLOTS_VDP22 },
	{ LLDPAD_ECP22, LLDPAD_SLOTS_ECP22 },
};
static const struct scan_rules rules = {
	.nodes_min = LLDPAD_MODULES_MIN,
	.nodes_max = LLDPAD_MODULES_MAX,
	.slots = LLDPAD_SLOTS_ALL,
	.n_wanted = sizeof(wanted) / sizeof(wanted[0]),
	.wanted = wanted,
};

static bool enabled, expected, told_why;
static int no_descriptor;
static const struct host_events *events;

static struct lldpad_module **find_list(char *why, size_t size);
static void attach(bool late);
static void refuse(const char *why);
static void tick(void);

void attach_enable(int error)
{
	enabled = true;
	expected = true;
	no_descriptor = error;
}

bool attach_enabled(void)
{
	return enabled;
}

void attach_expect(void)
{
	expected = true;
}

void attach_try(bool late)
{
	if (!enabled || !expected || hook_in())
		return;
	expected = false;
	spent_begin();
	spent_say(SPENT_ON_ATTACHING);
	attach(late);
	spent_end();
}

bool attach_turn(const struct timeval *timeout)
{
	ms_t now;

	clock_turn(timeout);
	hook_begin();
	if (!hook_in())
		return true;
	now = host_now();
	if (hook_stop(now))
		return false;
	(void)hook_gave();
	hook_came();
	if (events->turn)
		events->turn(now);
	hook_turn(now);
	/* lldpad has a new timer, and has not reckoned with it. */
	if (hook_gave()) {
		clock_poll();
		spent_say(SPENT_ON_FRAMES);
	}
	return true;
}

struct timeval *attach_wait(struct timeval *timeout, struct timeval *spare, int n,
			    fd_set *readable)
{
	if (hook_in())
		down_gate(n, readable);
	return clock_shorten(timeout, spare);
}

void attach_waited(void)
{
	int64_t set_back;

	clock_returned();
	set_back = clock_set_back();
	if (set_back)
		down_later(set_back);
}

int attach_fd(void)
{
	return events ? watch_fd() : -1;
}

void attach_ready(void)
{
	spent_begin();
	spent_say(SPENT_ON_FRAMES);
	watch_dispatch();
	spent_end();
}

bool attach_stale(void)
{
	return hook_ended();
}

bool attach_frame(int fd, int ifindex, const uint8_t *frame, size_t len)
{
	bool ok;

	spent_begin();
	spent_say(SPENT_ON_FRAMES);
	ok = hook_frame(fd, ifindex, frame, len);
	spent_end();
	return ok;
}

bool attach_untold(const void *message, size_t len)
{
	return hook_untold(message, len);
}

void attach_sent(int fd, const uint8_t *frame, size_t len, bool gone)
{
	down_sent(fd, frame, len, gone);
}

bool attach_number(const char *ifname, int *number)
{
	return hook_in() && down_number(ifname, number);
}

static struct lldpad_module **find_list(char *why, size_t size)
{
	if (no_descriptor) {
		snprintf(why, size, "no descriptor for the event loop: %s",
			 strerror(no_descriptor));
		return NULL;
	}
	return scan_program(&rules, why, size);
}

static void attach(bool late)
{
	struct lldpad_module **head;
	char why[256];
	int r;

	head = find_list(why, sizeof(why));
	if (!head) {
		refuse(why);
		watch_tick(NULL);
		return;
	}
	r = watch_tick(tick);
	if (r) {
		refuse(strerror(-r));
		return;
	}
	if (!events)
		events = module_init();
	hook_insert(head, events, late);
	host_log(LOG_INFO, "attached to lldpad%s", late ? ", late" : "");
	if (events->attached)
		events->attached();
}

static void refuse(const char *why)
{
	if (!told_why)
		host_log(LOG_ERR, "not attached: no module list found (%s)", why);
	told_why = true;
}

static void tick(void)
{
	if (hook_in() && events->tick)
		events->tick(host_now());
}
