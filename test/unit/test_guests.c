/* SPDX-License-Identifier: GPL-2.0-only */
/* engine/guests: by when something of a guest is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bridge_groups.h"

#define N 500

static struct guests guests;
static struct guest *guest[N];
static unsigned n_seen;

static int some(void **state)
{
	const struct vsi_id vsi = { .format = 5 };

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		const struct guest_key key = {
			.mac = { { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } },
			.port = 1,
		};

		guest[i] = guests_get(&guests, &key, &vsi);
		assert_non_null(guest[i]);
	}
	n_seen = 0;
	return 0;
}

static int none(void **state)
{
	(void)state;
	guests_done(&guests);
	assert_int_equal(guests_deadline(&guests), MS_NEVER);
	return 0;
}

static void nothing_is_due_of_a_new_one(void **state)
{
	(void)state;
	assert_int_equal(guests_deadline(&guests), MS_NEVER);
	assert_null(guests_due(&guests, MS_NEVER - 1));
}

static void they_come_by_their_time(void **state)
{
	ms_t last = 0;

	(void)state;
	srand(7);
	for (unsigned i = 0; i < N; i++)
		guests_wake(&guests, guest[i], 1000 + rand() % 300);
	for (unsigned i = 0; i < N; i++) {
		struct guest *first = guests_due(&guests, MS_NEVER - 1);

		assert_non_null(first);
		assert_int_equal(first->due, guests_deadline(&guests));
		assert_true(first->due >= last);
		last = first->due;
		guests_sleep(&guests, first, MS_NEVER);
	}
	assert_int_equal(guests_deadline(&guests), MS_NEVER);
}

static void the_earlier_of_two_times_counts(void **state)
{
	(void)state;
	guests_wake(&guests, guest[3], 50);
	guests_wake(&guests, guest[3], 80);
	assert_int_equal(guests_deadline(&guests), 50);
	guests_wake(&guests, guest[3], 20);
	assert_int_equal(guests_deadline(&guests), 20);
	guests_sleep(&guests, guest[3], 90);
	assert_int_equal(guests_deadline(&guests), 90);
	assert_null(guests_due(&guests, 89));
	assert_ptr_equal(guests_due(&guests, 90), guest[3]);
}

static void one_that_goes_is_due_no_longer(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N; i++)
		guests_wake(&guests, guest[i], 100 + i);
	for (unsigned i = 0; i < N; i += 2)
		guests_remove(&guests, guest[i]);
	for (unsigned i = 1; i < N; i += 2) {
		assert_ptr_equal(guests_due(&guests, 100 + i), guest[i]);
		guests_remove(&guests, guest[i]);
	}
	assert_int_equal(guests_deadline(&guests), MS_NEVER);
}

static void see(void *arg, struct guest *one)
{
	assert_true(one->due <= *(const ms_t *)arg);
	n_seen++;
}

static void each_that_is_due_is_visited_once(void **state)
{
	ms_t now = 350;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		guests_wake(&guests, guest[(i * 7) % N], 100 + i);
	guests_each_due(&guests, now, see, &now);
	assert_int_equal(n_seen, 251);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, some, none)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_due_of_a_new_one),
		TEST(they_come_by_their_time),
		TEST(the_earlier_of_two_times_counts),
		TEST(one_that_goes_is_due_no_longer),
		TEST(each_that_is_due_is_visited_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
