/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration of one VSI as one port sees it, as a table: whatever happens in
 * whatever state has a row, that acts or says why it does not. Knows no binding,
 * no server, no clock; those who carry out the actions do.
 *
 * The events are those of VDP (IEEE 802.1Q clause 41) as core/vsi has read them:
 * an M here is the edge, never a keep-alive that repeats it.
 */
#include "migration.h"

#include <stddef.h>

#define ABSENT MIGRATION_ABSENT
#define EXPECTED MIGRATION_EXPECTED
#define ARRIVED MIGRATION_ARRIVED
#define SETTLED MIGRATION_SETTLED
#define DORMANT MIGRATION_DORMANT
#define GONE MIGRATION_GONE

#define ON(event) MIGRATION_##event
#define IF(fact) MIGRATION_##fact

static const struct migration_row rows[] = {
	/* from on when to do to */
	{ ABSENT, ON(PRE_M), 0, DO_RECOVER, EXPECTED, NULL },
	{ ABSENT, ON(ASSOC_M), 0, DO_RECOVER | DO_TAKE_OVER, EXPECTED, NULL },
	{ ABSENT, ON(ASSOC_AFTER_PRE), 0, 0, ABSENT, "the answer decides" },
	{ ABSENT, ON(REQUEST), 0, 0, ABSENT, "the answer decides" },
	{ ABSENT, ON(DEASSOC), 0, DO_WITHDRAW, ABSENT, NULL },
	{ ABSENT, ON(SUSPENDED), 0, 0, ABSENT, "it does not run here" },
	{ ABSENT, ON(ACCEPTED), IF(MOVED),
	  DO_ACTIVATE_HERE | DO_LEAVE_THERE | DO_TAKE_OVER | DO_QUERY_GROUPS, SETTLED,
	  NULL },
	{ ABSENT, ON(ACCEPTED), 0, DO_STATIC, SETTLED, NULL },
	{ ABSENT, ON(REFUSED), 0, 0, ABSENT, "nothing was begun here" },
	{ ABSENT, ON(TIMEOUT), 0, 0, ABSENT, "nothing was begun here" },
	{ ABSENT, ON(FORGOTTEN), 0, 0, ABSENT, "nothing was begun here" },
	{ ABSENT, ON(LEASE_KNOWN), 0, 0, ABSENT, "not announced here any more" },
	{ ABSENT, ON(NOTHING_KNOWN), 0, 0, ABSENT, "not announced here any more" },
	{ ABSENT, ON(TRIES_USED), 0, 0, ABSENT, "not announced here any more" },
	{ ABSENT, ON(ALL_KNOWN), 0, 0, ABSENT, "not announced here any more" },
	{ ABSENT, ON(FIRST_FRAME), 0, 0, ABSENT, "not associated here" },
	{ ABSENT, ON(ACTIVE_ELSEWHERE), 0, 0, ABSENT, "this port holds nothing of it" },
	{ ABSENT, ON(CONFLICT), 0, 0, ABSENT, "this port claims nothing" },

	{ EXPECTED, ON(PRE_M), 0, 0, EXPECTED, "expected already, and asked for" },
	/* It has stopped where it was; the answer decides what else. */
	{ EXPECTED, ON(ASSOC_M), 0, DO_TAKE_OVER, EXPECTED, NULL },
	{ EXPECTED, ON(ASSOC_AFTER_PRE), 0, DO_TAKE_OVER, EXPECTED, NULL },
	{ EXPECTED, ON(REQUEST), 0, 0, EXPECTED, "a keep-alive" },
	{ EXPECTED, ON(DEASSOC), 0, DO_GIVE_BACK | DO_WITHDRAW, ABSENT, NULL },
	{ EXPECTED, ON(SUSPENDED), 0, 0, EXPECTED, "it does not run here yet" },
	{ EXPECTED, ON(ACCEPTED), 0,
	  DO_ACTIVATE | DO_TAKE_OVER | DO_LEAVE_THERE | DO_ASK_MISSING | DO_QUERY_GROUPS,
	  ARRIVED, NULL },
	/* The migration has failed; the old port is untouched. */
	/* It was on its way out here before: so it is again, until its time-out. */
	{ EXPECTED, ON(REFUSED), IF(LEFT), DO_GIVE_BACK | DO_DROP_STAGED | DO_START_CLOCK,
	  GONE, NULL },
	{ EXPECTED, ON(REFUSED), IF(HELD), DO_GIVE_BACK | DO_DROP_STAGED | DO_DORMANT,
	  DORMANT, NULL },
	{ EXPECTED, ON(REFUSED), 0, DO_GIVE_BACK | DO_DROP_STAGED, ABSENT, NULL },
	{ EXPECTED, ON(TIMEOUT), IF(LEFT), DO_GIVE_BACK | DO_DROP_STAGED | DO_START_CLOCK,
	  GONE, NULL },
	{ EXPECTED, ON(TIMEOUT), IF(HELD), DO_GIVE_BACK | DO_DROP_STAGED | DO_DORMANT,
	  DORMANT, NULL },
	{ EXPECTED, ON(TIMEOUT), 0, DO_GIVE_BACK | DO_DROP_STAGED, ABSENT, NULL },
	{ EXPECTED, ON(FORGOTTEN), 0, DO_START_CLOCK, EXPECTED, NULL },
	{ EXPECTED, ON(LEASE_KNOWN), 0, DO_STAGE, EXPECTED, NULL },
	{ EXPECTED, ON(NOTHING_KNOWN), 0, DO_ASK_HELP, EXPECTED, NULL },
	{ EXPECTED, ON(TRIES_USED), 0, DO_ASK_LATER, EXPECTED, NULL },
	{ EXPECTED, ON(ALL_KNOWN), 0, 0, EXPECTED, "counts once it is associated" },
	{ EXPECTED, ON(FIRST_FRAME), 0, 0, EXPECTED, "counts once it is associated" },
	{ EXPECTED, ON(ACTIVE_ELSEWHERE), 0, 0, EXPECTED,
	  "VDP's own end of the announcement decides" },
	{ EXPECTED, ON(CONFLICT), 0, 0, EXPECTED, "the old place may answer until then" },

	{ ARRIVED, ON(PRE_M), 0, DO_RECOVER, EXPECTED, NULL },
	{ ARRIVED, ON(ASSOC_M), 0, 0, ARRIVED, "it is here" },
	{ ARRIVED, ON(ASSOC_AFTER_PRE), 0, 0, ARRIVED, "it is here" },
	{ ARRIVED, ON(REQUEST), 0, 0, ARRIVED, "a keep-alive" },
	{ ARRIVED, ON(DEASSOC), IF(AWAITED), DO_HAND_OVER | DO_WITHDRAW, ABSENT, NULL },
	{ ARRIVED, ON(DEASSOC), 0, DO_GIVE_BACK | DO_WITHDRAW, ABSENT, NULL },
	{ ARRIVED, ON(SUSPENDED), IF(AWAITED), DO_HAND_OVER, ARRIVED, NULL },
	{ ARRIVED, ON(SUSPENDED), 0, 0, ARRIVED, "no other port expects it" },
	{ ARRIVED, ON(ACCEPTED), 0, 0, ARRIVED, "it is here" },
	/* A refusal ends the association in the bridge, as its time-out does. */
	{ ARRIVED, ON(REFUSED), 0, DO_DORMANT, DORMANT, NULL },
	{ ARRIVED, ON(TIMEOUT), 0, DO_DORMANT, DORMANT, NULL },
	{ ARRIVED, ON(FORGOTTEN), 0, DO_DORMANT, DORMANT, NULL },
	{ ARRIVED, ON(LEASE_KNOWN), 0, DO_PUT, ARRIVED, NULL },
	{ ARRIVED, ON(NOTHING_KNOWN), 0, DO_ASK_HELP, ARRIVED, NULL },
	{ ARRIVED, ON(TRIES_USED), 0, DO_ASK_LATER, ARRIVED, NULL },
	{ ARRIVED, ON(ALL_KNOWN), 0, 0, SETTLED, NULL },
	{ ARRIVED, ON(FIRST_FRAME), 0, DO_QUERY_GROUPS, ARRIVED, NULL },
	{ ARRIVED, ON(ACTIVE_ELSEWHERE), 0, DO_LEAVING, GONE, NULL },
	{ ARRIVED, ON(CONFLICT), 0, DO_WITHDRAW | DO_LOG_CONFLICT, ABSENT, NULL },

	{ SETTLED, ON(PRE_M), 0, DO_RECOVER, EXPECTED, NULL },
	{ SETTLED, ON(ASSOC_M), 0, 0, SETTLED, "it is here" },
	{ SETTLED, ON(ASSOC_AFTER_PRE), 0, 0, SETTLED, "it is here" },
	{ SETTLED, ON(REQUEST), 0, 0, SETTLED, "a keep-alive" },
	{ SETTLED, ON(DEASSOC), IF(AWAITED), DO_HAND_OVER | DO_WITHDRAW, ABSENT, NULL },
	{ SETTLED, ON(DEASSOC), 0, DO_GIVE_BACK | DO_WITHDRAW, ABSENT, NULL },
	{ SETTLED, ON(SUSPENDED), IF(AWAITED), DO_HAND_OVER, SETTLED, NULL },
	{ SETTLED, ON(SUSPENDED), 0, 0, SETTLED, "no other port expects it" },
	{ SETTLED, ON(ACCEPTED), 0, 0, SETTLED, "it is here" },
	{ SETTLED, ON(REFUSED), 0, DO_DORMANT, DORMANT, NULL },
	{ SETTLED, ON(TIMEOUT), 0, DO_DORMANT, DORMANT, NULL },
	{ SETTLED, ON(FORGOTTEN), 0, DO_DORMANT, DORMANT, NULL },
	{ SETTLED, ON(LEASE_KNOWN), 0, DO_PUT, SETTLED, NULL },
	{ SETTLED, ON(NOTHING_KNOWN), 0, 0, SETTLED, "the VM is here and can ask" },
	{ SETTLED, ON(TRIES_USED), 0, DO_ASK_LATER, SETTLED, NULL },
	{ SETTLED, ON(ALL_KNOWN), 0, 0, SETTLED, "settled already" },
	{ SETTLED, ON(FIRST_FRAME), 0, DO_QUERY_GROUPS, SETTLED, NULL },
	{ SETTLED, ON(ACTIVE_ELSEWHERE), 0, DO_LEAVING, GONE, NULL },
	{ SETTLED, ON(CONFLICT), 0, DO_WITHDRAW | DO_LOG_CONFLICT, ABSENT, NULL },

	{ DORMANT, ON(PRE_M), 0, DO_RECOVER, EXPECTED, NULL },
	{ DORMANT, ON(ASSOC_M), 0, DO_ACTIVATE | DO_ASK_MISSING, SETTLED, NULL },
	{ DORMANT, ON(ASSOC_AFTER_PRE), 0, DO_ACTIVATE | DO_ASK_MISSING, SETTLED, NULL },
	{ DORMANT, ON(REQUEST), 0, DO_ACTIVATE | DO_ASK_MISSING, SETTLED, NULL },
	{ DORMANT, ON(DEASSOC), 0, DO_WITHDRAW, ABSENT, NULL },
	{ DORMANT, ON(SUSPENDED), 0, 0, DORMANT, "its request has taken it up" },
	{ DORMANT, ON(ACCEPTED), 0, 0, DORMANT, "its next request takes it up again" },
	{ DORMANT, ON(REFUSED), 0, 0, DORMANT, "dormant already" },
	{ DORMANT, ON(TIMEOUT), 0, 0, DORMANT, "dormant already" },
	{ DORMANT, ON(FORGOTTEN), 0, 0, DORMANT, "dormant already" },
	{ DORMANT, ON(LEASE_KNOWN), 0, DO_PUT, DORMANT, NULL },
	{ DORMANT, ON(NOTHING_KNOWN), 0, 0, DORMANT, "asked again when it is back" },
	{ DORMANT, ON(TRIES_USED), 0, 0, DORMANT, "asked again when it is back" },
	{ DORMANT, ON(ALL_KNOWN), 0, 0, DORMANT, "asked again when it is back" },
	{ DORMANT, ON(FIRST_FRAME), 0, 0, DORMANT, "only VDP says that it is back" },
	/* lldpad may hold it no longer: then no time-out of its own would end it. */
	{ DORMANT, ON(ACTIVE_ELSEWHERE), 0, DO_LEAVING | DO_START_CLOCK, GONE, NULL },
	{ DORMANT, ON(CONFLICT), 0, 0, DORMANT, "this port claims nothing" },

	{ GONE, ON(PRE_M), 0, DO_RECOVER, EXPECTED, NULL },
	{ GONE, ON(ASSOC_M), 0, DO_RECOVER | DO_TAKE_OVER, EXPECTED, NULL },
	{ GONE, ON(ASSOC_AFTER_PRE), 0, DO_RECOVER | DO_TAKE_OVER, EXPECTED, NULL },
	/* One migration in six has a keep-alive of the source after the resume. */
	{ GONE, ON(REQUEST), IF(MOVED), 0, GONE, "it is active on another port" },
	{ GONE, ON(REQUEST), 0, DO_ACTIVATE, SETTLED, NULL },
	{ GONE, ON(DEASSOC), 0, DO_WITHDRAW, ABSENT, NULL },
	{ GONE, ON(SUSPENDED), 0, 0, GONE, "it is active on another port" },
	{ GONE, ON(ACCEPTED), 0, 0, GONE, "the request has decided" },
	/* lldpad holds a refused one no longer: no time-out of its own would end it. */
	{ GONE, ON(REFUSED), 0, DO_START_CLOCK, GONE, NULL },
	{ GONE, ON(TIMEOUT), 0, DO_WITHDRAW, ABSENT, NULL },
	{ GONE, ON(FORGOTTEN), 0, DO_START_CLOCK, GONE, NULL },
	{ GONE, ON(LEASE_KNOWN), 0, 0, GONE, "it is active on another port" },
	{ GONE, ON(NOTHING_KNOWN), 0, 0, GONE, "it is active on another port" },
	{ GONE, ON(TRIES_USED), 0, 0, GONE, "it is active on another port" },
	{ GONE, ON(ALL_KNOWN), 0, 0, GONE, "it is active on another port" },
	{ GONE, ON(FIRST_FRAME), 0, 0, GONE, "what was queued at the old place" },
	{ GONE, ON(ACTIVE_ELSEWHERE), 0, 0, GONE, "gone already" },
	{ GONE, ON(CONFLICT), 0, 0, GONE, "this port claims nothing" },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct migration_row *migration_step(enum migration_state state,
					   enum migration_event event, unsigned facts)
{
	static const struct migration_row none = { .ignored = "no such state or event" };

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct migration_row *row = &rows[i];

		if (row->from == state && row->on == event && !(row->when & ~facts))
			return row;
	}
	return &none;
}

const struct migration_row *migration_rows(unsigned *ret_n)
{
	*ret_n = N_ROWS;
	return rows;
}

const char *migration_state_text(enum migration_state state)
{
	static const char *const text[MIGRATION_N_STATES] = {
		[MIGRATION_ABSENT] = "absent",	 [MIGRATION_EXPECTED] = "expected",
		[MIGRATION_ARRIVED] = "arrived", [MIGRATION_SETTLED] = "settled",
		[MIGRATION_DORMANT] = "dormant", [MIGRATION_GONE] = "gone",
	};

	return state < MIGRATION_N_STATES ? text[state] : "?";
}

const char *migration_event_text(enum migration_event event)
{
	static const char *const text[MIGRATION_N_EVENTS] = {
		[MIGRATION_PRE_M] = "pre-associate M",
		[MIGRATION_ASSOC_M] = "associate M",
		[MIGRATION_ASSOC_AFTER_PRE] = "associate after pre-associate",
		[MIGRATION_REQUEST] = "request",
		[MIGRATION_DEASSOC] = "de-associate",
		[MIGRATION_SUSPENDED] = "suspended",
		[MIGRATION_ACCEPTED] = "accepted",
		[MIGRATION_REFUSED] = "refused",
		[MIGRATION_TIMEOUT] = "time-out",
		[MIGRATION_FORGOTTEN] = "forgotten",
		[MIGRATION_LEASE_KNOWN] = "lease known",
		[MIGRATION_NOTHING_KNOWN] = "nothing known",
		[MIGRATION_TRIES_USED] = "tries used",
		[MIGRATION_ALL_KNOWN] = "all known",
		[MIGRATION_FIRST_FRAME] = "first frame",
		[MIGRATION_ACTIVE_ELSEWHERE] = "active elsewhere",
		[MIGRATION_CONFLICT] = "conflict",
	};

	return event < MIGRATION_N_EVENTS ? text[event] : "?";
}
