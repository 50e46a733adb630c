/* SPDX-License-Identifier: GPL-2.0-only */
/* core/cases: the MACs behind a port before its guard is switched to enforce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cases.h"

#define PORT 3

static const struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};

static int watched(void **state)
{
	struct cases *cases = cases_new();

	*state = cases;
	return !cases || !cases_watch(cases, PORT, true);
}

static int done(void **state)
{
	cases_free(*state);
	return 0;
}

static unsigned count(struct cases *cases, bool *ret_complete)
{
	bool changed;
	struct link_cases now = cases_count(cases, PORT, &changed);

	*ret_complete = now.complete;
	return now.n;
}

static void every_mac_is_asked_before_the_list_is_complete(void **state)
{
	struct cases *cases = *state;
	struct cases_item *item;
	bool complete;
	ms_t when;

	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	cases_fdb_read(cases, PORT, false);
	item = cases_first(cases, PORT);
	assert_non_null(item);
	assert_true(cases_due(item, 0, &when));
	item->open = true;
	assert_int_equal(count(cases, &complete), 1);
	assert_false(complete);
	item->asked = true;
	item->ask_at = 5000;
	assert_int_equal(count(cases, &complete), 1);
	assert_true(complete);
	assert_false(cases_due(item, 4999, &when));
	assert_int_equal(when, 5000);
	assert_true(cases_due(item, 5000, &when));
	item->open = false;
	assert_false(cases_due(item, 5000, &when));
	assert_true(when == MS_NEVER);
	assert_int_equal(count(cases, &complete), 0);
}

static void what_is_bound_needs_no_asking(void **state)
{
	struct cases *cases = *state;
	bool complete;
	ms_t when;

	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	cases_fdb_read(cases, PORT, false);
	cases_first(cases, PORT)->open = false;
	assert_false(cases_due(cases_first(cases, PORT), 0, &when));
	assert_true(when == MS_NEVER);
	assert_int_equal(count(cases, &complete), 0);
	assert_true(complete);
	/* Bound no longer. */
	cases_first(cases, PORT)->open = true;
	assert_true(cases_due(cases_first(cases, PORT), 0, &when));
	assert_int_equal(count(cases, &complete), 1);
	assert_false(complete);
}

static void those_that_are_there_longest_are_named(void **state)
{
	struct cases *cases = *state;
	struct link_cases now;
	struct mac mac = b;
	bool changed;

	for (uint8_t i = 1; i <= LINK_CASES_NAMED + 1; i++) {
		mac.b[5] = i;
		cases_fdb(cases, PORT, 0, &mac, CASES_FDB_LEARNED);
	}
	now = cases_count(cases, PORT, &changed);
	assert_int_equal(now.n, LINK_CASES_NAMED + 1);
	assert_int_equal(now.n_named, LINK_CASES_NAMED);
	for (uint8_t i = 0; i < LINK_CASES_NAMED; i++)
		assert_int_equal(now.named[i].b[5], i + 1);
	/* As many, another one. */
	mac.b[5] = 1;
	cases_fdb(cases, PORT, 0, &mac, CASES_FDB_GONE);
	mac.b[5] = 77;
	cases_fdb(cases, PORT, 0, &mac, CASES_FDB_LEARNED);
	now = cases_count(cases, PORT, &changed);
	assert_true(changed);
	assert_int_equal(now.named[0].b[5], 2);
}

static void entry_that_somebody_has_made_is_marked_until_it_is_learned(void **state)
{
	struct cases *cases = *state;

	cases_fdb(cases, PORT, 0, &a, CASES_FDB_BY_HAND);
	assert_true(cases_first(cases, PORT)->by_hand);
	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	assert_false(cases_first(cases, PORT)->by_hand);
}

static void list_is_not_complete_before_the_fdb_was_read(void **state)
{
	bool complete;

	assert_int_equal(count(*state, &complete), 0);
	assert_false(complete);
	cases_fdb_read(*state, PORT, false);
	count(*state, &complete);
	assert_true(complete);
	cases_fdb_read(*state, PORT, true);
	count(*state, &complete);
	assert_false(complete);
}

static void only_a_change_is_worth_telling(void **state)
{
	bool changed;

	cases_count(*state, PORT, &changed);
	assert_true(changed);
	cases_count(*state, PORT, &changed);
	assert_false(changed);
	cases_fdb_read(*state, PORT, false);
	cases_count(*state, PORT, &changed);
	assert_true(changed);
	cases_tell_again(*state);
	cases_count(*state, PORT, &changed);
	assert_true(changed);
}

static void neighbours_own_mac_is_no_case_before_or_after_it_is_known(void **state)
{
	struct cases *cases = *state;

	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	cases_neighbour(cases, PORT, &a);
	assert_null(cases_first(cases, PORT));
	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	assert_null(cases_first(cases, PORT));
}

static void neighbour_is_known_already_when_the_port_comes_to_be_watched(void **state)
{
	struct cases *cases = *state;

	cases_neighbour(cases, PORT + 1, &a);
	assert_false(cases_watches(cases, PORT + 1));
	assert_true(cases_watch(cases, PORT + 1, true));
	cases_fdb(cases, PORT + 1, 0, &a, CASES_FDB_LEARNED);
	assert_null(cases_first(cases, PORT + 1));
	cases_watch(cases, PORT + 1, false);
	cases_watch(cases, PORT + 1, true);
	cases_fdb(cases, PORT + 1, 0, &a, CASES_FDB_LEARNED);
	assert_null(cases_first(cases, PORT + 1));
}

static void mac_of_fdb_and_vsi_counts_once(void **state)
{
	const struct vsi_entry entry = { .mac = a, .vlan = 10 };
	struct cases *cases = *state;
	bool complete;
	ms_t when;

	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	cases_vsis_begin(cases);
	cases_vsi(cases, PORT, &entry);
	cases_vsis_end(cases);
	for (struct cases_item *i = cases_first(cases, PORT); i; i = i->next) {
		i->open = true;
		assert_true(cases_due(i, 0, &when) == !i->covered);
	}
	assert_int_equal(count(cases, &complete), 1);
	/* The VSI ends; the FDB still has the MAC. */
	cases_vsis_begin(cases);
	cases_vsis_end(cases);
	assert_null(cases_find(cases, PORT, 10, &a));
	assert_false(cases_find(cases, PORT, LINK_VLAN_ANY, &a)->covered);
	cases_fdb(cases, PORT, 0, &a, CASES_FDB_GONE);
	assert_null(cases_first(cases, PORT));
}

static void vlans_of_a_bridge_that_knows_them_stay_apart(void **state)
{
	struct cases *cases = *state;

	cases_fdb(cases, PORT, 1, &a, CASES_FDB_LEARNED);
	cases_fdb(cases, PORT, 10, &a, CASES_FDB_LEARNED);
	cases_fdb(cases, PORT, 1, &a, CASES_FDB_GONE);
	assert_null(cases_find(cases, PORT, 1, &a));
	assert_non_null(cases_find(cases, PORT, 10, &a));
}

static void too_many_macs_make_no_list_complete(void **state)
{
	struct cases *cases = *state;
	struct mac mac = b;
	bool complete;
	unsigned n = 0;

	for (unsigned i = 0; i < CASES_MAX + 10; i++) {
		mac.b[4] = (uint8_t)(i >> 8);
		mac.b[5] = (uint8_t)i;
		cases_fdb(cases, PORT, 0, &mac, CASES_FDB_LEARNED);
	}
	cases_fdb_read(cases, PORT, false);
	for (struct cases_item *i = cases_first(cases, PORT); i; i = i->next)
		i->open = false, n++;
	assert_int_equal(n, CASES_MAX);
	assert_int_equal(count(cases, &complete), 0);
	assert_false(complete);
}

static void port_that_is_not_watched_has_nothing(void **state)
{
	struct cases *cases = *state;
	bool changed;

	cases_fdb(cases, PORT + 1, 0, &a, CASES_FDB_LEARNED);
	assert_null(cases_first(cases, PORT + 1));
	assert_false(cases_count(cases, PORT + 1, &changed).complete);
	assert_false(changed);
	cases_fdb(cases, PORT, 0, &a, CASES_FDB_LEARNED);
	assert_true(cases_watch(cases, PORT, false));
	assert_false(cases_watches_any(cases));
	assert_null(cases_find(cases, PORT, LINK_VLAN_ANY, &a));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, watched, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_mac_is_asked_before_the_list_is_complete),
		TEST(what_is_bound_needs_no_asking),
		TEST(those_that_are_there_longest_are_named),
		TEST(entry_that_somebody_has_made_is_marked_until_it_is_learned),
		TEST(list_is_not_complete_before_the_fdb_was_read),
		TEST(only_a_change_is_worth_telling),
		TEST(neighbours_own_mac_is_no_case_before_or_after_it_is_known),
		TEST(neighbour_is_known_already_when_the_port_comes_to_be_watched),
		TEST(mac_of_fdb_and_vsi_counts_once),
		TEST(vlans_of_a_bridge_that_knows_them_stay_apart),
		TEST(too_many_macs_make_no_list_complete),
		TEST(port_that_is_not_watched_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
