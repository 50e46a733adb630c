/* SPDX-License-Identifier: GPL-2.0-only */
/* core/conflict: when the old place is probed, and what is an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/conflict.h"

static const struct conflict_place old = {
	.port = 1, .vlan = 5, .mac = {{0x52, 0x54, 0, 0, 0, 7}},
	.ip = {ADDR_IPV4, {10, 0, 0, 7}},
};

static void three_probes_a_tenth_of_a_second_apart_then_it_is_over(void **state)
{
	struct conflict c;
	unsigned probes = 0;
	ms_t over = 0;

	(void)state;
	conflict_init(&c, 1000);
	assert_true(conflict_add(&c, &old));
	for (ms_t now = 1000; !over; now++) {
		switch (conflict_tick(&c, now)) {
		case CONFLICT_PROBE:
			assert_int_equal(now, 1000 + CONFLICT_EVERY_MS * probes++);
			break;
		case CONFLICT_OVER:
			over = now;
			break;
		case CONFLICT_WAIT:
			break;
		}
	}
	assert_int_equal(probes, CONFLICT_PROBES);
	assert_int_equal(over, 1000 + CONFLICT_PROBES * CONFLICT_EVERY_MS);
}

static void where_there_is_no_old_place_it_is_over_at_once(void **state)
{
	struct conflict c;

	(void)state;
	conflict_init(&c, 7);
	assert_int_equal(conflict_tick(&c, 7), CONFLICT_OVER);
}

static void only_the_old_port_the_mac_and_the_address_together_are_an_answer(void **state)
{
	struct conflict_place from = old;
	struct conflict c;

	(void)state;
	conflict_init(&c, 0);
	conflict_add(&c, &old);
	/* Nothing has been asked yet. */
	assert_int_equal(conflict_answer(&c, &from), -1);
	conflict_tick(&c, 0);
	assert_int_equal(conflict_answer(&c, &from), 0);
	from.port = 2;
	assert_int_equal(conflict_answer(&c, &from), -1);
	from = old;
	from.vlan = 0;
	assert_int_equal(conflict_answer(&c, &from), -1);
	from = old;
	from.mac.b[5]++;
	assert_int_equal(conflict_answer(&c, &from), -1);
	from = old;
	from.ip.b[3]++;
	assert_int_equal(conflict_answer(&c, &from), -1);
}

static void places_are_bounded(void **state)
{
	struct conflict_place place = old;
	struct conflict c;

	(void)state;
	conflict_init(&c, 0);
	for (place.port = 1; place.port <= CONFLICT_PLACES_MAX; place.port++)
		assert_true(conflict_add(&c, &place));
	assert_false(conflict_add(&c, &place));
	conflict_tick(&c, 0);
	place.port = 3;
	assert_int_equal(conflict_answer(&c, &place), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_probes_a_tenth_of_a_second_apart_then_it_is_over),
		cmocka_unit_test(where_there_is_no_old_place_it_is_over_at_once),
		cmocka_unit_test(
			only_the_old_port_the_mac_and_the_address_together_are_an_answer),
		cmocka_unit_test(places_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
