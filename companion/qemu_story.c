/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table. What it rests on, in the order of QEMU 7.2's events:
 *
 *   source       COPIES, STOPS, COPIED; cancelled: (RUNS,) FAILED; a destination that
 * fails late: RUNS after COPIED, for a manager lets the VM go on here destination started
 * with -S: COPIED, and stays stopped; without: RUNS, COPIED; cancelled: FAILED, ENDS
 *
 * Nothing may leave a VM stopped that has arrived: each way out of ARRIVED goes on. The
 * source keeps its association for a moment after COPIED, as libvirt does: the switch
 * takes what it knows from there, and the VM may come back.
 */
#include "qemu_story.h"

#include <stddef.h>

struct row {
	enum qemu_state from;
	enum qemu_event on;
	struct qemu_step step;
};

static const struct row rows[] = {
	{ QEMU_HERE, QEMU_COPIES, { 0, QEMU_LEAVING, "migrates to elsewhere" } },
	{ QEMU_HERE, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },

	{ QEMU_LEAVING, QEMU_STOPS, { QEMU_SUSPEND, QEMU_STOPPED, "has stopped here" } },
	{ QEMU_LEAVING, QEMU_FAILED, { 0, QEMU_HERE, "did not migrate, goes on here" } },
	{ QEMU_LEAVING,
	  QEMU_COPIED,
	  { QEMU_RETURN_CLOCK, QEMU_LEFT, "has migrated, paused as it was" } },
	{ QEMU_LEAVING, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },

	/* The ordinary request takes the S-bit back. */
	{ QEMU_STOPPED, QEMU_RUNS, { QEMU_ASSOCIATE, QEMU_HERE, "goes on here" } },
	{ QEMU_STOPPED,
	  QEMU_FAILED,
	  { QEMU_ASSOCIATE, QEMU_HERE, "did not migrate, stays here" } },
	{ QEMU_STOPPED, QEMU_COPIED, { QEMU_RETURN_CLOCK, QEMU_LEFT, "has migrated" } },
	{ QEMU_STOPPED, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },

	{ QEMU_LEFT, QEMU_LATE, { QEMU_DEASSOCIATE, QEMU_GONE, "does not come back" } },
	{ QEMU_LEFT, QEMU_RUNS, { QEMU_ASSOCIATE, QEMU_HERE, "goes on here after all" } },
	{ QEMU_LEFT, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },

	{ QEMU_GONE, QEMU_RUNS, { QEMU_ASSOCIATE, QEMU_HERE, "goes on here after all" } },

	{ QEMU_WAITING,
	  QEMU_COPIED,
	  { QEMU_ASSOCIATE_M | QEMU_ANSWER_CLOCK, QEMU_ARRIVED, "has arrived" } },
	{ QEMU_WAITING,
	  QEMU_RUNS,
	  { QEMU_ASSOCIATE_M, QEMU_HERE,
	    "runs already: QEMU was not started with -S, what it sends now may be "
	    "lost" } },
	{ QEMU_WAITING, QEMU_FAILED, { QEMU_DEASSOCIATE, QEMU_GONE, "did not arrive" } },
	{ QEMU_WAITING, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },

	{ QEMU_ARRIVED, QEMU_ANSWERED, { QEMU_CONT, QEMU_HERE, "goes on" } },
	{ QEMU_ARRIVED,
	  QEMU_LATE,
	  { QEMU_CONT, QEMU_HERE, "goes on without the switch's answer" } },
	{ QEMU_ARRIVED, QEMU_RUNS, { 0, QEMU_HERE, "was let go on by somebody else" } },
	{ QEMU_ARRIVED, QEMU_ENDS, { QEMU_DEASSOCIATE, QEMU_GONE, "is gone with its QEMU" } },
};

struct qemu_step qemu_story(enum qemu_state state, enum qemu_event event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].from == state && rows[i].on == event)
			return rows[i].step;
	return (struct qemu_step){ .to = state };
}
