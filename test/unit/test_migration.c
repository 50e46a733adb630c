/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core/migration: the table is whole, every row of it can be reached, and the rows
 * that act do what is written down here a second time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/migration.h"

#define N_FACTS 16	/* all combinations of MOVED, HELD, LEFT and AWAITED */

struct expectation {
	const char *name;
	enum migration_state from;
	enum migration_event on;
	unsigned facts;
	unsigned to_do;
	enum migration_state to;
};

#define ABSENT MIGRATION_ABSENT
#define EXPECTED MIGRATION_EXPECTED
#define ARRIVED MIGRATION_ARRIVED
#define SETTLED MIGRATION_SETTLED
#define DORMANT MIGRATION_DORMANT
#define GONE MIGRATION_GONE

static const struct expectation expectations[] = {
	{"a pre-associate with M is expected and recovered", ABSENT, MIGRATION_PRE_M, 0,
	 DO_RECOVER, EXPECTED},
	{"so is an associate with M, and taken over", ABSENT, MIGRATION_ASSOC_M, 0,
	 DO_RECOVER | DO_TAKE_OVER, EXPECTED},
	{"a VM moved without M is activated here and leaves there", ABSENT,
	 MIGRATION_ACCEPTED, MIGRATION_MOVED,
	 DO_ACTIVATE_HERE | DO_LEAVE_THERE | DO_TAKE_OVER | DO_QUERY_GROUPS, SETTLED},
	{"of a new VM only the static bindings are known", ABSENT, MIGRATION_ACCEPTED, 0,
	 DO_STATIC, SETTLED},
	{"a de-associate withdraws what an absent one still holds", ABSENT,
	 MIGRATION_DEASSOC, 0, DO_WITHDRAW, ABSENT},

	{"a known lease is staged", EXPECTED, MIGRATION_LEASE_KNOWN, 0, DO_STAGE,
	 EXPECTED},
	{"help is asked where nothing is known", EXPECTED, MIGRATION_NOTHING_KNOWN, 0,
	 DO_ASK_HELP, EXPECTED},
	{"after all tries it is asked later", EXPECTED, MIGRATION_TRIES_USED, 0,
	 DO_ASK_LATER, EXPECTED},
	{"the associate's request takes over", EXPECTED, MIGRATION_ASSOC_M, 0,
	 DO_TAKE_OVER, EXPECTED},
	{"also one without M", EXPECTED, MIGRATION_ASSOC_AFTER_PRE, 0, DO_TAKE_OVER,
	 EXPECTED},
	{"an accepted associate activates", EXPECTED, MIGRATION_ACCEPTED, 0,
	 DO_ACTIVATE | DO_TAKE_OVER | DO_LEAVE_THERE | DO_ASK_MISSING | DO_QUERY_GROUPS,
	 ARRIVED},
	{"a refused migration drops what is staged", EXPECTED, MIGRATION_REFUSED, 0,
	 DO_GIVE_BACK | DO_DROP_STAGED, ABSENT},
	{"and leaves what was held before dormant", EXPECTED, MIGRATION_REFUSED,
	 MIGRATION_HELD, DO_GIVE_BACK | DO_DROP_STAGED | DO_DORMANT, DORMANT},
	{"and lets what was leaving before leave", EXPECTED, MIGRATION_REFUSED,
	 MIGRATION_LEFT, DO_GIVE_BACK | DO_DROP_STAGED | DO_START_CLOCK, GONE},
	{"a migration that times out drops what is staged", EXPECTED, MIGRATION_TIMEOUT,
	 0, DO_GIVE_BACK | DO_DROP_STAGED, ABSENT},
	{"and lets what was leaving before leave, too", EXPECTED, MIGRATION_TIMEOUT,
	 MIGRATION_LEFT, DO_GIVE_BACK | DO_DROP_STAGED | DO_START_CLOCK, GONE},
	{"and leaves what was held before dormant, too", EXPECTED, MIGRATION_TIMEOUT,
	 MIGRATION_HELD, DO_GIVE_BACK | DO_DROP_STAGED | DO_DORMANT, DORMANT},
	{"a forgotten announcement gets a clock", EXPECTED, MIGRATION_FORGOTTEN, 0,
	 DO_START_CLOCK, EXPECTED},
	{"a de-associate ends the announcement", EXPECTED, MIGRATION_DEASSOC, 0,
	 DO_GIVE_BACK | DO_WITHDRAW, ABSENT},

	{"an arrived VM's lease is put in", ARRIVED, MIGRATION_LEASE_KNOWN, 0, DO_PUT,
	 ARRIVED},
	{"help is asked for an arrived VM", ARRIVED, MIGRATION_NOTHING_KNOWN, 0,
	 DO_ASK_HELP, ARRIVED},
	{"an arrived VM is asked for later", ARRIVED, MIGRATION_TRIES_USED, 0,
	 DO_ASK_LATER, ARRIVED},
	{"with all known it settles", ARRIVED, MIGRATION_ALL_KNOWN, 0, 0, SETTLED},
	{"its first frame queries groups", ARRIVED, MIGRATION_FIRST_FRAME, 0,
	 DO_QUERY_GROUPS, ARRIVED},
	{"an arrived VM that is announced anew is expected", ARRIVED, MIGRATION_PRE_M, 0,
	 DO_RECOVER, EXPECTED},
	{"an arrived VM active elsewhere is leaving", ARRIVED, MIGRATION_ACTIVE_ELSEWHERE,
	 0, DO_LEAVING, GONE},
	{"a conflict withdraws the arrived", ARRIVED, MIGRATION_CONFLICT, 0,
	 DO_WITHDRAW | DO_LOG_CONFLICT, ABSENT},
	{"an arrived VM that is refused is dormant", ARRIVED, MIGRATION_REFUSED, 0,
	 DO_DORMANT, DORMANT},
	{"an arrived VM that times out is dormant", ARRIVED, MIGRATION_TIMEOUT, 0,
	 DO_DORMANT, DORMANT},
	{"an arrived VM that is forgotten is dormant", ARRIVED, MIGRATION_FORGOTTEN, 0,
	 DO_DORMANT, DORMANT},
	{"a de-associate withdraws the arrived", ARRIVED, MIGRATION_DEASSOC, 0,
	 DO_GIVE_BACK | DO_WITHDRAW, ABSENT},
	{"and hands over to where it is awaited", ARRIVED, MIGRATION_DEASSOC,
	 MIGRATION_AWAITED, DO_HAND_OVER | DO_WITHDRAW, ABSENT},
	{"suspended, an arrived VM is handed over", ARRIVED, MIGRATION_SUSPENDED,
	 MIGRATION_AWAITED, DO_HAND_OVER, ARRIVED},

	{"a settled VM's lease is put in", SETTLED, MIGRATION_LEASE_KNOWN, 0, DO_PUT,
	 SETTLED},
	{"a settled VM is asked for later", SETTLED, MIGRATION_TRIES_USED, 0,
	 DO_ASK_LATER, SETTLED},
	{"a settled VM's first frame queries groups", SETTLED, MIGRATION_FIRST_FRAME, 0,
	 DO_QUERY_GROUPS, SETTLED},
	{"a settled VM that is announced anew is expected", SETTLED, MIGRATION_PRE_M, 0,
	 DO_RECOVER, EXPECTED},
	{"a settled VM active elsewhere is leaving", SETTLED, MIGRATION_ACTIVE_ELSEWHERE,
	 0, DO_LEAVING, GONE},
	{"a conflict withdraws the settled", SETTLED, MIGRATION_CONFLICT, 0,
	 DO_WITHDRAW | DO_LOG_CONFLICT, ABSENT},
	{"a settled VM that is refused is dormant", SETTLED, MIGRATION_REFUSED, 0,
	 DO_DORMANT, DORMANT},
	{"a settled VM that times out is dormant", SETTLED, MIGRATION_TIMEOUT, 0,
	 DO_DORMANT, DORMANT},
	{"a settled VM that is forgotten is dormant", SETTLED, MIGRATION_FORGOTTEN, 0,
	 DO_DORMANT, DORMANT},
	{"a de-associate withdraws the settled", SETTLED, MIGRATION_DEASSOC, 0,
	 DO_GIVE_BACK | DO_WITHDRAW, ABSENT},
	{"and hands over to where it is awaited, too", SETTLED, MIGRATION_DEASSOC,
	 MIGRATION_AWAITED, DO_HAND_OVER | DO_WITHDRAW, ABSENT},
	{"suspended, a settled VM is handed over", SETTLED, MIGRATION_SUSPENDED,
	 MIGRATION_AWAITED, DO_HAND_OVER, SETTLED},

	{"a dormant VM's lease is put in", DORMANT, MIGRATION_LEASE_KNOWN, 0, DO_PUT,
	 DORMANT},
	{"a dormant VM that is announced with M is expected", DORMANT, MIGRATION_PRE_M, 0,
	 DO_RECOVER, EXPECTED},
	{"any request takes a dormant VM up again", DORMANT, MIGRATION_REQUEST, 0,
	 DO_ACTIVATE | DO_ASK_MISSING, SETTLED},
	{"an associate with M, too", DORMANT, MIGRATION_ASSOC_M, 0,
	 DO_ACTIVATE | DO_ASK_MISSING, SETTLED},
	{"and one after a pre-associate", DORMANT, MIGRATION_ASSOC_AFTER_PRE, 0,
	 DO_ACTIVATE | DO_ASK_MISSING, SETTLED},
	{"a dormant VM active elsewhere leaves with a clock", DORMANT,
	 MIGRATION_ACTIVE_ELSEWHERE, 0, DO_LEAVING | DO_START_CLOCK, GONE},
	{"a de-associate withdraws the dormant", DORMANT, MIGRATION_DEASSOC, 0,
	 DO_WITHDRAW, ABSENT},

	{"with nobody active a keep-alive takes it back", GONE, MIGRATION_REQUEST, 0,
	 DO_ACTIVATE, SETTLED},
	{"a gone VM that is announced with M is expected", GONE, MIGRATION_PRE_M, 0,
	 DO_RECOVER, EXPECTED},
	{"an associate with M brings a gone VM back", GONE, MIGRATION_ASSOC_M, 0,
	 DO_RECOVER | DO_TAKE_OVER, EXPECTED},
	{"an associate after a pre-associate, too", GONE, MIGRATION_ASSOC_AFTER_PRE, 0,
	 DO_RECOVER | DO_TAKE_OVER, EXPECTED},
	{"a gone VM that times out is withdrawn", GONE, MIGRATION_TIMEOUT, 0, DO_WITHDRAW,
	 ABSENT},
	{"a gone VM that is forgotten gets a clock", GONE, MIGRATION_FORGOTTEN, 0,
	 DO_START_CLOCK, GONE},
	{"a gone VM that is refused gets a clock", GONE, MIGRATION_REFUSED, 0,
	 DO_START_CLOCK, GONE},
	{"a de-associate withdraws the gone", GONE, MIGRATION_DEASSOC, 0, DO_WITHDRAW,
	 ABSENT},
};

#define N_EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

static void every_pair_has_a_row(void **state)
{
	(void)state;
	for (unsigned s = 0; s < MIGRATION_N_STATES; s++)
		for (unsigned e = 0; e < MIGRATION_N_EVENTS; e++)
			for (unsigned facts = 0; facts < N_FACTS; facts++) {
				const struct migration_row *row =
					migration_step(s, e, facts);

				assert_int_equal(row->from, s);
				assert_int_equal(row->on, e);
				assert_int_equal(row->when & ~facts, 0);
			}
}

static void every_row_acts_or_says_why_not(void **state)
{
	unsigned n;
	const struct migration_row *rows = migration_rows(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		if (rows[i].ignored) {
			assert_true(strlen(rows[i].ignored) > 0);
			assert_int_equal(rows[i].to_do, 0);
			assert_int_equal(rows[i].to, rows[i].from);
		} else {
			assert_true(rows[i].to_do || rows[i].to != rows[i].from);
		}
	}
}

static void every_row_can_be_reached(void **state)
{
	unsigned n;
	const struct migration_row *rows = migration_rows(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		bool reached = false;

		for (unsigned facts = 0; facts < N_FACTS && !reached; facts++)
			reached = migration_step(rows[i].from, rows[i].on, facts) ==
				  &rows[i];
		assert_true(reached);
	}
}

static void each_acting_row_does_what_is_expected(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_EXPECTATIONS; i++) {
		const struct expectation *x = &expectations[i];
		const struct migration_row *row =
			migration_step(x->from, x->on, x->facts);

		if (row->ignored || row->to_do != x->to_do || row->to != x->to)
			fail_msg("%s: %s, %s: does %#x, to %s", x->name,
				 migration_state_text(x->from),
				 migration_event_text(x->on), row->to_do,
				 migration_state_text(row->to));
	}
}

static void no_other_row_acts(void **state)
{
	unsigned n, acting = 0;
	const struct migration_row *rows = migration_rows(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++)
		acting += !rows[i].ignored;
	assert_int_equal(acting, N_EXPECTATIONS);
}

static void keepalive_of_the_source_after_the_move_is_ignored(void **state)
{
	(void)state;
	assert_non_null(
		migration_step(GONE, MIGRATION_REQUEST, MIGRATION_MOVED)->ignored);
}

static void keepalive_asks_nothing(void **state)
{
	static const enum migration_state states[] = {ABSENT, EXPECTED, ARRIVED, SETTLED};

	(void)state;
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		assert_non_null(migration_step(states[i], MIGRATION_REQUEST, 0)->ignored);
}

static void a_failed_migration_leaves_the_old_port_alone(void **state)
{
	(void)state;
	for (unsigned facts = 0; facts < N_FACTS; facts++) {
		const unsigned never = DO_WITHDRAW | DO_LEAVE_THERE;

		assert_false(migration_step(EXPECTED, MIGRATION_REFUSED, facts)->to_do &
			     never);
		assert_false(migration_step(EXPECTED, MIGRATION_TIMEOUT, facts)->to_do &
			     never);
	}
}

static void suspended_says_nothing_where_nobody_waits(void **state)
{
	(void)state;
	for (unsigned s = 0; s < MIGRATION_N_STATES; s++)
		assert_non_null(migration_step(s, MIGRATION_SUSPENDED, 0)->ignored);
}

static void unknown_numbers_are_ignored(void **state)
{
	(void)state;
	assert_non_null(migration_step(MIGRATION_N_STATES, MIGRATION_PRE_M, 0)->ignored);
	assert_non_null(migration_step(ABSENT, MIGRATION_N_EVENTS, 0)->ignored);
	assert_string_equal(migration_state_text(MIGRATION_N_STATES), "?");
	assert_string_equal(migration_event_text(MIGRATION_N_EVENTS), "?");
}

static void every_state_and_event_has_a_name(void **state)
{
	(void)state;
	for (unsigned s = 0; s < MIGRATION_N_STATES; s++)
		assert_non_null(migration_state_text(s));
	for (unsigned e = 0; e < MIGRATION_N_EVENTS; e++)
		assert_non_null(migration_event_text(e));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_has_a_row),
		cmocka_unit_test(every_row_acts_or_says_why_not),
		cmocka_unit_test(every_row_can_be_reached),
		cmocka_unit_test(each_acting_row_does_what_is_expected),
		cmocka_unit_test(no_other_row_acts),
		cmocka_unit_test(keepalive_of_the_source_after_the_move_is_ignored),
		cmocka_unit_test(keepalive_asks_nothing),
		cmocka_unit_test(a_failed_migration_leaves_the_old_port_alone),
		cmocka_unit_test(suspended_says_nothing_where_nobody_waits),
		cmocka_unit_test(unknown_numbers_are_ignored),
		cmocka_unit_test(every_state_and_event_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
