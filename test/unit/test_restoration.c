/* SPDX-License-Identifier: GPL-2.0-only */
/* engine/restoration: the histogram of restoration times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/restoration.h"

static uint64_t within(const struct restoration *restoration, unsigned ms)
{
	uint64_t n;
	unsigned bound;

	for (unsigned i = 0; restoration_bound(restoration, i, &bound, &n); i++)
		if (bound == ms)
			return n;
	fail_msg("no bound of %u ms", ms);
	return 0;
}

static void bounds_rise_and_end(void **state)
{
	struct restoration none = { 0 };
	unsigned bound, last = 0, n = 0;
	uint64_t count;

	(void)state;
	for (; restoration_bound(&none, n, &bound, &count); n++) {
		assert_true(bound > last);
		assert_int_equal(count, 0);
		last = bound;
	}
	assert_int_equal(n, RESTORATION_BOUNDS);
	assert_int_equal(none.n, 0);
}

static void each_bound_counts_what_took_no_longer(void **state)
{
	static const ms_t took[] = { 0, 1, 2, 3, 10, 11, 700, 600000 };
	struct restoration r = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(took) / sizeof(*took); i++)
		restoration_add(&r, took[i]);
	assert_int_equal(within(&r, 1), 2);
	assert_int_equal(within(&r, 2), 3);
	assert_int_equal(within(&r, 5), 4);
	assert_int_equal(within(&r, 10), 5);
	assert_int_equal(within(&r, 20), 6);
	assert_int_equal(within(&r, 500), 6);
	assert_int_equal(within(&r, 1000), 7);
	assert_int_equal(within(&r, 600000), 8);
	assert_int_equal(r.n, 8);
	assert_int_equal(r.sum_ms, 600727);
}

static void what_is_beyond_all_bounds_is_in_the_total_alone(void **state)
{
	struct restoration r = { 0 };

	(void)state;
	restoration_add(&r, 600001);
	restoration_add(&r, 4);
	assert_int_equal(within(&r, 600000), 1);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.sum_ms, 600005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_rise_and_end),
		cmocka_unit_test(each_bound_counts_what_took_no_longer),
		cmocka_unit_test(what_is_beyond_all_bounds_is_in_the_total_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
