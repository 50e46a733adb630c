/* SPDX-License-Identifier: GPL-2.0-only */
/* core/groups: members by record, by port, with lids; ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/groups.h"
#include "wire/text.h"

static struct groups *groups;
static unsigned n_changes;
static enum groups_change last;
static struct groups_place here = { { 1, 0, { { 2, 0, 0, 0, 0, 1 } } }, 1, true };

static void changed(void *arg, const struct groups_member *member, enum groups_change change)
{
	assert_ptr_equal(arg, &groups);
	assert_non_null(member);
	n_changes++;
	last = change;
}

static int setup(void **state)
{
	static const struct groups_ops ops = { changed };

	(void)state;
	groups = groups_new(&ops, &groups);
	n_changes = 0;
	return !groups;
}

static int teardown(void **state)
{
	(void)state;
	groups_free(groups);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

/* Sources 10.0.0.first and on. */
static void record(ms_t now, const struct groups_place *place, uint8_t type,
		   const char *group, unsigned first, unsigned n)
{
	uint8_t sources[64 * 4];
	struct report_record r = {
		.type = type, .group = addr(group), .n_sources = (uint16_t)n,
	};

	assert_true(n <= 64);
	for (unsigned i = 0; i < n; i++)
		memcpy(&sources[4 * i], (uint8_t[]){ 10, 0, 0, (uint8_t)(first + i) }, 4);
	r.sources = rd_new(sources, n * 4, 0);
	groups_record(groups, now, place, &r);
}

static const struct groups_member *find(const struct groups_place *place, const char *group)
{
	const struct addr a = addr(group);

	return groups_find(groups, place, &a);
}

static unsigned wanted(uint16_t port, uint16_t vlan, const char *group)
{
	const struct addr a = addr(group);

	return groups_wanted(groups, port, vlan, &a);
}

/* RFC 3376 4.2.12: before, record, after. */
static void a_record_makes_of_a_state_what_the_RFC_says(void **state)
{
	static const struct {
		uint8_t was, was_first, was_n, type, first, n, is, is_n;
	} rows[] = {
		/* nothing known */
		{ 0, 0, 0, REPORT_IS_INCLUDE, 1, 2, GROUPS_INCLUDE, 2 },
		{ 0, 0, 0, REPORT_IS_INCLUDE, 1, 0, 0, 0 },
		{ 0, 0, 0, REPORT_IS_EXCLUDE, 1, 0, GROUPS_EXCLUDE, 0 },
		{ 0, 0, 0, REPORT_TO_INCLUDE, 1, 1, GROUPS_INCLUDE, 1 },
		{ 0, 0, 0, REPORT_TO_INCLUDE, 1, 0, 0, 0 },
		{ 0, 0, 0, REPORT_TO_EXCLUDE, 1, 3, GROUPS_EXCLUDE, 3 },
		{ 0, 0, 0, REPORT_ALLOW, 1, 1, GROUPS_INCLUDE, 1 },
		{ 0, 0, 0, REPORT_ALLOW, 1, 0, 0, 0 },
		{ 0, 0, 0, REPORT_BLOCK, 1, 1, 0, 0 },
		{ 0, 0, 0, 0, 1, 1, 0, 0 },
		{ 0, 0, 0, 7, 1, 1, 0, 0 },
		/* include 1, 2 */
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_IS_INCLUDE, 9, 1, GROUPS_INCLUDE, 1 },
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_IS_EXCLUDE, 9, 1, GROUPS_EXCLUDE, 1 },
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_TO_INCLUDE, 9, 0, 0, 0 },
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_ALLOW, 2, 2, GROUPS_INCLUDE, 3 },
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_BLOCK, 2, 2, GROUPS_INCLUDE, 1 },
		{ REPORT_IS_INCLUDE, 1, 2, REPORT_BLOCK, 1, 2, 0, 0 },
		{ REPORT_IS_INCLUDE, 1, 2, 7, 1, 2, GROUPS_INCLUDE, 2 },
		/* exclude 1, 2 */
		{ REPORT_IS_EXCLUDE, 1, 2, REPORT_ALLOW, 2, 2, GROUPS_EXCLUDE, 1 },
		{ REPORT_IS_EXCLUDE, 1, 2, REPORT_ALLOW, 1, 2, GROUPS_EXCLUDE, 0 },
		{ REPORT_IS_EXCLUDE, 1, 2, REPORT_BLOCK, 2, 2, GROUPS_EXCLUDE, 3 },
		{ REPORT_IS_EXCLUDE, 1, 2, REPORT_TO_INCLUDE, 1, 0, 0, 0 },
		{ REPORT_IS_EXCLUDE, 1, 2, REPORT_IS_INCLUDE, 1, 2, GROUPS_INCLUDE, 2 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct groups_member *m;

		if (rows[i].was)
			record(0, &here, rows[i].was, "239.1.1.1", rows[i].was_first,
			       rows[i].was_n);
		record(1, &here, rows[i].type, "239.1.1.1", rows[i].first, rows[i].n);
		m = find(&here, "239.1.1.1");
		if ((m ? m->mode : 0) != rows[i].is || (m ? m->sources.n : 0) != rows[i].is_n)
			fail_msg("row %u: mode %u, %u sources", i, m ? m->mode : 0,
				 m ? m->sources.n : 0);
		if (m)
			record(2, &here, REPORT_TO_INCLUDE, "239.1.1.1", 0, 0);
		assert_int_equal(groups_count(groups), 0);
		assert_int_equal(wanted(1, 0, "239.1.1.1"), 0);
	}
}

static void groups_that_a_bridge_does_not_keep_are_passed_over(void **state)
{
	static const char *const none[] = { "224.0.0.1", "224.0.0.251", "10.0.0.1",
					    "255.255.255.255", "ff02::1", "fe80::1", "::" };
	static const char *const some[] = { "224.0.1.1", "239.255.255.255", "ff02::1:ff00:1",
					    "ff02::fb", "ff05::1" };

	(void)state;
	for (unsigned i = 0; i < sizeof(none) / sizeof(*none); i++)
		record(0, &here, REPORT_IS_EXCLUDE, none[i], 0, 0);
	assert_int_equal(groups_count(groups), 0);
	for (unsigned i = 0; i < sizeof(some) / sizeof(*some); i++)
		record(0, &here, REPORT_IS_EXCLUDE, some[i], 0, 0);
	assert_int_equal(groups_count(groups), 5);
}

static void more_sources_than_are_kept_never_make_it_a_leave(void **state)
{
	(void)state;
	record(0, &here, REPORT_IS_INCLUDE, "232.1.1.1", 1, GROUP_SOURCES_MAX + 1);
	assert_int_equal(find(&here, "232.1.1.1")->sources.n, GROUP_SOURCES_MAX);
	record(1, &here, REPORT_BLOCK, "232.1.1.1", 1, GROUP_SOURCES_MAX);
	assert_non_null(find(&here, "232.1.1.1"));
	assert_int_equal(find(&here, "232.1.1.1")->sources.n, 0);
	record(2, &here, REPORT_IS_INCLUDE, "232.1.1.1", 1, 2);
	record(3, &here, REPORT_BLOCK, "232.1.1.1", 1, 2);
	assert_null(find(&here, "232.1.1.1"));
}

static void a_report_too_old_ends_and_one_repeated_does_not(void **state)
{
	(void)state;
	record(0, &here, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	record(10, &here, REPORT_IS_EXCLUDE, "239.1.1.2", 0, 0);
	record(20, &here, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	assert_int_equal(n_changes, 2);
	assert_int_equal(groups_deadline(groups), 10 + GROUPS_INTERVAL_MS);
	groups_expire(groups, 10 + GROUPS_INTERVAL_MS);
	assert_int_equal(last, GROUPS_AGED);
	assert_null(find(&here, "239.1.1.2"));
	assert_non_null(find(&here, "239.1.1.1"));
	assert_int_equal(groups_deadline(groups), 20 + GROUPS_INTERVAL_MS);
	groups_expire(groups, 20 + GROUPS_INTERVAL_MS);
	assert_int_equal(groups_deadline(groups), MS_NEVER);
	assert_int_equal(groups_counts(groups)->aged, 2);
}

static void another_port_is_another_member(void **state)
{
	struct groups_place there = here, tagged = here;

	(void)state;
	there.port = 2;
	tagged.host.vlan = 10;
	record(0, &here, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	record(0, &there, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	record(0, &tagged, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	assert_int_equal(groups_count(groups), 3);
	assert_int_equal(wanted(1, 0, "239.1.1.1"), 1);
	assert_int_equal(wanted(1, GROUPS_ANY_VLAN, "239.1.1.1"), 2);
	record(1, &there, REPORT_TO_INCLUDE, "239.1.1.1", 0, 0);
	assert_non_null(find(&here, "239.1.1.1"));
	groups_forget_port(groups, 1);
	assert_int_equal(groups_count(groups), 0);
}

static void what_was_moved_is_confirmed_by_its_own_report(void **state)
{
	struct groups_place there = here;
	struct groups_member *moved;

	(void)state;
	there.port = 2;
	record(0, &here, REPORT_IS_INCLUDE, "232.1.1.1", 1, 3);
	moved = groups_move(groups, 100, find(&here, "232.1.1.1"), &there);
	assert_non_null(moved);
	assert_int_equal(moved->origin, GROUPS_MOVED);
	assert_int_equal(moved->sources.n, 3);
	assert_int_equal(moved->ends, 100 + GROUPS_INTERVAL_MS);
	assert_ptr_equal(groups_move(groups, 200, find(&here, "232.1.1.1"), &there), moved);
	assert_int_equal(n_changes, 1);
	record(300, &there, REPORT_IS_INCLUDE, "232.1.1.1", 1, 3);
	assert_int_equal(last, GROUPS_CONFIRMED);
	assert_int_equal(moved->origin, GROUPS_LEARNED);
	groups_remove(groups, moved);
	assert_non_null(find(&here, "232.1.1.1"));
}

static void flood(const struct groups_place *place, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct report_record r = {
			.type = REPORT_IS_EXCLUDE,
			.group = { ADDR_IPV4, { 239, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
						(uint8_t)i } },
		};

		groups_record(groups, 0, place, &r);
	}
}

static void a_host_has_so_many_and_puts_nobody_out(void **state)
{
	struct groups_place other = here;

	(void)state;
	other.host.mac.b[5] = 2;
	record(0, &other, REPORT_IS_EXCLUDE, "239.200.1.1", 0, 0);
	flood(&here, 2 * GROUPS_OF_HOST);
	assert_int_equal(groups_count(groups), GROUPS_OF_HOST + 1);
	assert_int_equal(groups_counts(groups)->refused, GROUPS_OF_HOST);
	assert_non_null(find(&other, "239.200.1.1"));
	record(0, &other, REPORT_IS_EXCLUDE, "239.200.1.2", 0, 0);
	assert_non_null(find(&other, "239.200.1.2"));
}

static void hosts_that_nobody_announces_leave_half_of_the_port(void **state)
{
	struct groups_place made_up = here, other_port = here;

	(void)state;
	made_up.announced = false;
	for (unsigned i = 0; i < GROUPS_OF_PORT; i++) {
		made_up.host.mac.b[3] = (uint8_t)(i >> 8);
		made_up.host.mac.b[4] = (uint8_t)i;
		flood(&made_up, 1);
	}
	assert_int_equal(groups_count(groups), GROUPS_OF_PORT / 2);
	record(0, &here, REPORT_IS_EXCLUDE, "239.200.1.1", 0, 0);
	assert_non_null(find(&here, "239.200.1.1"));
	for (unsigned i = 0; i < 64; i++) {
		other_port.host.mac.b[2] = (uint8_t)(i + 1);
		flood(&other_port, GROUPS_OF_HOST);
	}
	assert_int_equal(groups_count(groups), GROUPS_OF_PORT);
	other_port.port = 2;
	flood(&other_port, 1);
	assert_int_equal(groups_count(groups), GROUPS_OF_PORT + 1);
}

static void host_that_is_announced_later_is_none_of_those(void **state)
{
	struct groups_place early = here;

	(void)state;
	early.announced = false;
	for (unsigned i = 0; i < GROUPS_OF_PORT / 2; i++) {
		early.host.mac.b[3] = (uint8_t)(i >> 8);
		early.host.mac.b[4] = (uint8_t)i;
		flood(&early, 1);
	}
	early.announced = true;
	flood(&early, 1);
	assert_true(groups_first(groups, &early)->place.announced);
	early.announced = false;
	early.host.mac.b[5] ^= 1;
	record(0, &early, REPORT_IS_EXCLUDE, "239.200.1.1", 0, 0);
	assert_non_null(find(&early, "239.200.1.1"));
	record(0, &early, REPORT_IS_EXCLUDE, "239.200.1.2", 0, 0);
	assert_null(find(&early, "239.200.1.2"));
}

static void all_ports_together_have_a_lid(void **state)
{
	struct groups_place place = here;

	(void)state;
	for (place.port = 1; place.port <= GROUPS_OF_ALL / GROUPS_OF_PORT + 1; place.port++)
		for (unsigned i = 0; i < GROUPS_OF_PORT / GROUPS_OF_HOST; i++) {
			place.host.mac.b[2] = (uint8_t)i;
			flood(&place, GROUPS_OF_HOST);
		}
	assert_int_equal(groups_count(groups), GROUPS_OF_ALL);
	groups_expire(groups, GROUPS_INTERVAL_MS);
	assert_int_equal(groups_count(groups), 0);
	flood(&here, 1);
	assert_int_equal(groups_count(groups), 1);
}

static void look(void *arg, const struct groups_member *member)
{
	ms_t *before = arg;

	assert_true(member->reported >= *before);
	*before = member->reported;
}

static void the_oldest_report_comes_first(void **state)
{
	ms_t before = 0;

	(void)state;
	record(1, &here, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	record(2, &here, REPORT_IS_EXCLUDE, "239.1.1.2", 0, 0);
	record(3, &here, REPORT_IS_EXCLUDE, "239.1.1.1", 0, 0);
	groups_each(groups, look, &before);
	assert_int_equal(before, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_makes_of_a_state_what_the_RFC_says),
		TEST(groups_that_a_bridge_does_not_keep_are_passed_over),
		TEST(more_sources_than_are_kept_never_make_it_a_leave),
		TEST(a_report_too_old_ends_and_one_repeated_does_not),
		TEST(another_port_is_another_member),
		TEST(what_was_moved_is_confirmed_by_its_own_report),
		TEST(a_host_has_so_many_and_puts_nobody_out),
		TEST(hosts_that_nobody_announces_leave_half_of_the_port),
		TEST(host_that_is_announced_later_is_none_of_those),
		TEST(all_ports_together_have_a_lid),
		TEST(the_oldest_report_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
