/* SPDX-License-Identifier: GPL-2.0-only */
/* How long lldpad's loop is kept, turn by turn. */
#include "attach/spent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

static int64_t now_us;

/* In place of libc's. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	*now = (struct timespec){ now_us / 1000000, now_us % 1000000 * 1000 };
	return 0;
}

static struct host_held before;

static int fresh(void **state)
{
	(void)state;
	before = *spent_told();
	return 0;
}

static void part(int64_t us)
{
	spent_begin();
	now_us += us;
	spent_end();
}

/* The turn's last part takes so long. */
static void end_turn(int64_t us)
{
	spent_enter();
	now_us += us;
	assert_int_equal(spent_turn(), us * 1000);
}

static void parts_of_a_turn_count_together_and_what_is_between_does_not(void **state)
{
	(void)state;
	spent_say(SPENT_ON_FRAMES);
	part(20);
	now_us += 500;
	part(15);
	now_us += 500;
	end_turn(5);
	assert_int_equal(spent_told()->turns, before.turns + 1);
	assert_int_equal(spent_told()->us, before.us + 40);
	assert_int_equal(spent_told()->within[2], before.within[2] + 1);
	assert_int_equal(spent_told()->longest_us, 40);
}

static void the_next_turn_begins_with_nothing(void **state)
{
	(void)state;
	spent_say(SPENT_ON_FRAMES);
	end_turn(10);
	assert_int_equal(spent_told()->us, before.us + 10);
	assert_int_equal(spent_told()->within[0], before.within[0] + 1);
}

static void a_part_within_a_part_counts_once(void **state)
{
	(void)state;
	spent_say(SPENT_ON_FRAMES);
	spent_begin();
	part(30);
	now_us += 10;
	spent_end();
	end_turn(0);
	assert_int_equal(spent_told()->us, before.us + 40);
	spent_say(SPENT_ON_FRAMES);
	spent_enter();
	part(30);
	now_us += 10;
	(void)spent_turn();
	assert_int_equal(spent_told()->us, before.us + 80);
}

static void what_is_called_meanwhile_is_left_out_but_for_what_it_calls(void **state)
{
	unsigned ours;

	(void)state;
	spent_say(SPENT_ON_FRAMES);
	spent_enter();
	now_us += 10;
	spent_begin();
	now_us += 10;
	ours = spent_pause();
	now_us += 700;
	part(15);
	now_us += 700;
	spent_go_on(ours);
	now_us += 10;
	spent_end();
	assert_int_equal(spent_turn(), 1445000);
	assert_int_equal(spent_told()->us, before.us + 45);
}

static void a_pause_of_nothing_begins_nothing(void **state)
{
	(void)state;
	spent_say(SPENT_ON_FRAMES);
	spent_go_on(spent_pause());
	now_us += 50;
	end_turn(10);
	assert_int_equal(spent_told()->us, before.us + 10);
}

static void a_turn_with_nothing_to_do_is_none(void **state)
{
	(void)state;
	end_turn(3);
	assert_int_equal(spent_told()->turns, before.turns);
}

static void what_is_beyond_all_bounds_is_in_the_total_alone(void **state)
{
	(void)state;
	spent_say(SPENT_ON_FRAMES);
	end_turn(10001);
	assert_int_equal(spent_told()->turns, before.turns + 1);
	assert_int_equal(spent_told()->longest_us, 10001);
	for (unsigned i = 0; i < HOST_HELD_BOUNDS; i++)
		assert_int_equal(spent_told()->within[i], before.within[i]);
}

static void attaching_and_settings_stand_beside(void **state)
{
	(void)state;
	spent_say(SPENT_ON_ATTACHING);
	spent_say(SPENT_ON_FRAMES);
	end_turn(70000);
	spent_say(SPENT_ON_FRAMES);
	spent_say(SPENT_ON_SETTING);
	end_turn(50000);
	spent_say(SPENT_ON_SETTING);
	end_turn(40000);
	assert_int_equal(spent_told()->turns, before.turns);
	assert_int_equal(spent_told()->attach_us, 70000);
	assert_int_equal(spent_told()->set_us, 50000);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_of_a_turn_count_together_and_what_is_between_does_not),
		TEST(the_next_turn_begins_with_nothing),
		TEST(a_part_within_a_part_counts_once),
		TEST(what_is_called_meanwhile_is_left_out_but_for_what_it_calls),
		TEST(a_pause_of_nothing_begins_nothing),
		TEST(a_turn_with_nothing_to_do_is_none),
		TEST(what_is_beyond_all_bounds_is_in_the_total_alone),
		TEST(attaching_and_settings_stand_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
