/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration of one VSI as one port sees it: (state, event) -> what to do,
 * next state. A table and nothing else: no I/O, no clock, no memory.
 */
#ifndef CORE_MIGRATION_H
#define CORE_MIGRATION_H

#include <stdbool.h>

enum migration_state {
	MIGRATION_ABSENT,	/* nothing known of it here */
	MIGRATION_EXPECTED,	/* announced with M; it may still run elsewhere */
	MIGRATION_ARRIVED,	/* associated; what it needs is being found */
	MIGRATION_SETTLED,	/* associated; nothing outstanding */
	MIGRATION_DORMANT,	/* VDP has lost sight of it; its bindings stay */
	MIGRATION_GONE,		/* active on another port; this port has not let go yet */
	MIGRATION_N_STATES,
};

enum migration_event {
	/* requests of the station; core/vsi tells a transition from a keep-alive */
	MIGRATION_PRE_M,	/* pre-associate with M, a transition */
	MIGRATION_ASSOC_M,	/* associate with M, a transition */
	MIGRATION_ASSOC_AFTER_PRE, /* associate without M after a pre-associate */
	MIGRATION_REQUEST,	/* any other (pre-)associate: a keep-alive, or without M */
	MIGRATION_DEASSOC,	/* the station's own de-associate */
	MIGRATION_SUSPENDED,	/* an associate with S: the VM has stopped here, to go on
				 * elsewhere (beside REQUEST) */
	/* answers of our bridge */
	MIGRATION_ACCEPTED,	/* the associate is accepted, first time */
	MIGRATION_REFUSED,	/* a pre-associate or associate is refused */
	MIGRATION_TIMEOUT,	/* our own bridge ends it unasked; or the clock below */
	MIGRATION_FORGOTTEN,	/* port down, or lldpad has forgotten its VSIs */
	/* what was found out */
	MIGRATION_LEASE_KNOWN,	/* of one address of one entry */
	MIGRATION_NOTHING_KNOWN, /* of an entry: all servers have said so or are silent */
	MIGRATION_TRIES_USED,	/* for such an entry, all */
	MIGRATION_ALL_KNOWN,	/* something of every entry, nothing outstanding */
	MIGRATION_FIRST_FRAME,	/* first frame of the VM since the associate */
	MIGRATION_ACTIVE_ELSEWHERE, /* this VSI has become active on another port */
	MIGRATION_CONFLICT,	/* the old place still answers */
	MIGRATION_N_EVENTS,
};

/* What a row may ask of the world at the moment of the event. */
enum migration_fact {
	MIGRATION_MOVED = 1,	/* the table has this very VSI active on another port */
	MIGRATION_LEFT = 4,	/* this port still holds leaving bindings of it */
	MIGRATION_AWAITED = 8,	/* another port expects this very VSI */
	MIGRATION_HELD = 2,	/* this port held active or dormant bindings of it before
				 * it was expected */
};

enum migration_action {
	DO_RECOVER = 1 << 0,	/* each entry: move from the own table, else ask */
	DO_STAGE = 1 << 1,	/* stage the known lease */
	DO_PUT = 1 << 2,	/* put the known lease in, active */
	DO_ACTIVATE = 1 << 3,	/* activate what this port holds staged, dormant or leaving */
	DO_ACTIVATE_HERE = 1 << 4, /* copy what another port holds of this VSI, active */
	DO_LEAVE_THERE = 1 << 5, /* tell the other ports: active elsewhere */
	DO_STATIC = 1 << 6,	/* activate the static bindings of its entries */
	DO_ASK_MISSING = 1 << 7, /* ask at once for entries of which nothing is known */
	DO_ASK_HELP = 1 << 8,	/* for the entry of the event, where assist allows */
	DO_ASK_LATER = 1 << 9,	/* log once; ask again every 60 s, and when a silent
				 * server answers again */
	DO_QUERY_GROUPS = 1 << 10,
	DO_DROP_STAGED = 1 << 11,
	DO_LEAVING = 1 << 12,	/* mark this port's bindings of it leaving */
	DO_DORMANT = 1 << 13,	/* mark them dormant */
	DO_WITHDRAW = 1 << 14,	/* take them out */
	DO_LOG_CONFLICT = 1 << 15,
	DO_START_CLOCK = 1 << 16, /* one bridge keep-alive time-out without a request
				   * of it will count as MIGRATION_TIMEOUT */
	DO_TAKE_OVER = 1 << 17,	/* FDB entry and known groups to this port: the VM has
				 * stopped where it was */
	DO_HAND_OVER = 1 << 18,	/* the same for the port that expects it */
	DO_GIVE_BACK = 1 << 19,	/* the same to the port that has not let go of it */
};

struct migration_row {
	enum migration_state from;
	enum migration_event on;
	unsigned when;		/* facts that must hold (all of them); 0 = always */
	unsigned to_do;		/* enum migration_action, or-ed */
	enum migration_state to;
	const char *ignored;	/* why nothing happens; NULL in a row that acts */
};

/* The first row that fits; there is one for every pair. */
const struct migration_row *migration_step(enum migration_state state,
					   enum migration_event event, unsigned facts);

/* All rows, for tests and documentation. */
const struct migration_row *migration_rows(unsigned *ret_n);

const char *migration_state_text(enum migration_state state);	/* "expected" */
const char *migration_event_text(enum migration_event event);	/* "pre-associate M" */

#endif
