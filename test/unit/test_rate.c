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
		       rate_take(&rate, 5000000 + now, 100))
			taken[now]++;
		window += taken[now];
		if (now >= 1000)
			window -= taken[now - 1000];
		assert_true(window <= 100);
		total += taken[now];
	}
	assert_true(total > 18 * 100);
}

static void next_one_is_said(void **state)
{
	struct rate rate = {0};

	(void)state;
	assert_true(rate_take(&rate, 320, 2));
	assert_true(rate_take(&rate, 400, 2));
	assert_false(rate_take(&rate, 1000, 2));
	assert_int_equal(rate_next(&rate), 320 + 1024);
	assert_false(rate_take(&rate, 1343, 2));
	assert_true(rate_take(&rate, 1344, 2));
	/* After a long time all of it is there again. */
	assert_true(rate_take(&rate, 90000000, 2));
	assert_true(rate_take(&rate, 90000000, 2));
	assert_false(rate_take(&rate, 90000000, 2));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_second_sees_more_than_the_rate),
		cmocka_unit_test(next_one_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
