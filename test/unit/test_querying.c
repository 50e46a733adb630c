/* SPDX-License-Identifier: GPL-2.0-only */
/* core/querying: when a host is asked for its groups, and when no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/querying.h"

#define BOTH (1u << ADDR_IPV4 | 1u << ADDR_IPV6)

static const uint32_t times[] = { 0, 50, 200, 1000, 3000 };
static const struct querying_schedule schedule = { 5, times };
static struct querying q;

static void assert_due(ms_t now, uint8_t families, uint8_t code)
{
	struct querying_due due = { 0 };

	assert_int_equal(querying_deadline(&q, &schedule), now);
	assert_false(querying_due(&q, now - 1, &schedule, &due));
	assert_true(querying_due(&q, now, &schedule, &due));
	assert_int_equal(due.families, families);
	assert_int_equal(due.code, code);
	assert_false(querying_due(&q, now, &schedule, &due));
}

static void the_first_query_has_code_0_and_all_others_1(void **state)
{
	(void)state;
	querying_begin(&q, 1000, BOTH);
	assert_due(1000, BOTH, 0);
	assert_due(1050, BOTH, 1);
	assert_due(1200, BOTH, 1);
	assert_due(2000, BOTH, 1);
	assert_due(4000, BOTH, 1);
	assert_int_equal(querying_deadline(&q, &schedule), MS_NEVER);
}

static void a_family_that_has_answered_is_asked_no_more(void **state)
{
	(void)state;
	querying_begin(&q, 0, BOTH);
	assert_due(0, BOTH, 0);
	querying_answered(&q, ADDR_IPV4);
	assert_due(50, 1u << ADDR_IPV6, 1);
	querying_answered(&q, ADDR_IPV6);
	assert_int_equal(querying_deadline(&q, &schedule), MS_NEVER);
	querying_again(&q, 100);
	assert_int_equal(querying_deadline(&q, &schedule), MS_NEVER);
}

static void another_sign_begins_the_schedule_anew(void **state)
{
	(void)state;
	querying_begin(&q, 0, BOTH);
	for (unsigned i = 0; i < 5; i++) {
		struct querying_due due;

		assert_true(querying_due(&q, times[i], &schedule, &due));
	}
	querying_answered(&q, ADDR_IPV6);
	querying_again(&q, 60000);
	assert_due(60000, 1u << ADDR_IPV4, 0);
	assert_due(60050, 1u << ADDR_IPV4, 1);
}

static void times_that_were_missed_are_one_query(void **state)
{
	struct querying_due due;

	(void)state;
	querying_begin(&q, 0, BOTH);
	assert_true(querying_due(&q, 900, &schedule, &due));
	assert_int_equal(due.code, 0);
	assert_int_equal(querying_deadline(&q, &schedule), 1000);
}

static void no_schedule_asks_nothing(void **state)
{
	const struct querying_schedule none = { 0, NULL };
	struct querying_due due;

	(void)state;
	querying_begin(&q, 0, BOTH);
	assert_int_equal(querying_deadline(&q, &none), MS_NEVER);
	assert_false(querying_due(&q, 10000, &none, &due));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_query_has_code_0_and_all_others_1),
		cmocka_unit_test(a_family_that_has_answered_is_asked_no_more),
		cmocka_unit_test(another_sign_begins_the_schedule_anew),
		cmocka_unit_test(times_that_were_missed_are_one_query),
		cmocka_unit_test(no_schedule_asks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
