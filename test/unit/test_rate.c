/* SPDX-License-Identifier: GPL-2.0-only */
/* core/rate: no more than so many in any second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rate.h"

static void no_second_sees_more_than_the_rate(void **state)
{
	struct rate rate = {0};
	static uint8_t taken[20000];
	unsigned total = 0, window = 0;

	(void)state;
	/* Asked for in bursts, and in between all the time. */
	for (unsigned now = 0; now < sizeof(taken); now++) {
		while ((now % 700 < 300 || now % 3 == 0) && taken[now] < 200 &&
		       rate_may(&rate, 5000000 + now, 100)) {
			rate_take(&rate, 5000000 + now);
			taken[now]++;
		}
		window += taken[now];
		if (now >= 1000)
			window -= taken[now - 1000];
		assert_true(window <= 100);
		total += taken[now];
	}
	assert_true(total > 18 * 100);
}

static bool take(struct rate *rate, ms_t now, unsigned most)
{
	if (!rate_may(rate, now, most))
		return false;
	rate_take(rate, now);
	return true;
}

static void next_one_is_said(void **state)
{
	struct rate rate = {0};

	(void)state;
	assert_true(take(&rate, 320, 2));
	assert_true(take(&rate, 400, 2));
	assert_false(take(&rate, 1000, 2));
	assert_int_equal(rate_next(&rate), 320 + 1056);
	assert_false(take(&rate, 1375, 2));
	assert_true(take(&rate, 1376, 2));
	/* After a long time all of it is there again. */
	assert_true(take(&rate, 90000000, 2));
	assert_true(take(&rate, 90000000, 2));
	assert_false(take(&rate, 90000000, 2));
}

static void what_was_taken_before_there_was_a_bound_counts(void **state)
{
	struct rate rate = {0};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		rate_take(&rate, 1000 + i);
	assert_false(rate_may(&rate, 1100, 2));
	assert_false(rate_had(&rate, 5));
	assert_true(rate_had(&rate, 6));
	/* All of them must be gone, but one. */
	assert_false(rate_may(&rate, rate_next(&rate) - 1, 2));
	assert_true(rate_may(&rate, 1004 + 1056, 2));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_second_sees_more_than_the_rate),
		cmocka_unit_test(next_one_is_said),
		cmocka_unit_test(what_was_taken_before_there_was_a_bound_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
