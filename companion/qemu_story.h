/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One VM in one QEMU, and what its association has to do with what QEMU says: the
 * decisions of 'vdp-migrate qemu'. Pure: no sockets, no clocks.
 */
#ifndef COMPANION_QEMU_STORY_H
#define COMPANION_QEMU_STORY_H

enum qemu_state {
	QEMU_HERE, /* the VM is here; it runs, or somebody has paused it */
	QEMU_LEAVING, /* it is being copied to elsewhere */
	QEMU_STOPPED, /* … and has stopped here for the switch-over */
	QEMU_LEFT, /* it is elsewhere, and may still come back */
	QEMU_GONE, /* nothing of it is associated here */
	QEMU_WAITING, /* for the VM that is to come in */
	QEMU_ARRIVED, /* all of it is here: stopped, until the switch has answered */
	QEMU_STATES,
};

enum qemu_event {
	QEMU_COPIES, /* a migration to elsewhere has begun */
	QEMU_COPIED, /* a migration, to here or elsewhere, is completed */
	QEMU_FAILED, /* … has failed or was cancelled */
	QEMU_STOPS,
	QEMU_RUNS, /* stopped before, it runs again */
	QEMU_ANSWERED, /* the switch has answered the last request, or will not */
	QEMU_LATE, /* the clock that QEMU_CLOCK set */
	QEMU_ENDS,
	QEMU_EVENTS,
};

enum qemu_do {
	QEMU_PREASSOCIATE = 1 << 0, /* with M */
	QEMU_ASSOCIATE_M = 1 << 1,
	QEMU_ASSOCIATE = 1 << 2,
	QEMU_SUSPEND = 1 << 3, /* the S-bit */
	QEMU_DEASSOCIATE = 1 << 4,
	QEMU_CONT = 1 << 5,
	QEMU_ANSWER_CLOCK = 1 << 6,
	QEMU_RETURN_CLOCK = 1 << 7,
};

struct qemu_step {
	unsigned what; /* enum qemu_do, in this order */
	enum qemu_state to;
	const char *say; /* to the person, NULL: nothing */
};

struct qemu_step qemu_story(enum qemu_state state, enum qemu_event event);

#endif
