/* SPDX-License-Identifier: GPL-2.0-only */
/* The queue in front of VDP22, and what is known of the loop's timers (clock.h). */
#include "attach/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/clock.h"

#define LATER (CLOCK_VDP_WAIT_US + 500)

static struct queue queue;
static time_t set_by;		/* so much the clock has been set, s */

/* In place of libc's. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, id, now);

	if (id == CLOCK_REALTIME)
		now->tv_sec += set_by;
	return rc;
}

/* The loop's select() returns, and the next one is entered with this time-out. */
static void turn(bool timers_due)
{
	const struct timeval timeout = { 0, timers_due ? 0 : 1000 };

	clock_returned();
	clock_turn(&timeout);
}

static int fresh(void **state)
{
	(void)state;
	queue_clear(&queue);
	memset(&queue, 0, sizeof(queue));
	turn(false);
	return 0;
}

static int64_t due_in(int64_t us)
{
	return clock_us() + us;
}

static void give(uint8_t what, int64_t due)
{
	assert_true(queue_free(&queue));
	queue_gave(&queue, &what, 1, due);
}

static void put(uint8_t what)
{
	assert_int_equal(queue_put(&queue, &what, 1), 0);
}

static void assert_first(uint8_t what, bool again)
{
	const uint8_t *pdu;
	bool was_again;
	size_t len;

	pdu = queue_first(&queue, &len, &was_again);
	assert_non_null(pdu);
	assert_int_equal(len, 1);
	assert_int_equal(*pdu, what);
	assert_int_equal(was_again, again);
}

static void an_empty_queue_lets_straight_through(void **state)
{
	(void)state;
	assert_true(queue_free(&queue));
	assert_int_equal(queue.n, 0);
}

static void an_answer_frees_it(void **state)
{
	(void)state;
	give(1, due_in(LATER));
	assert_false(queue_free(&queue));
	queue_answered(&queue);
	assert_true(queue_free(&queue));
}

static void an_answer_to_the_one_before_does_not(void **state)
{
	(void)state;
	give(1, due_in(LATER));
	queue_answered(&queue);
	give(2, due_in(LATER));
	assert_false(queue_free(&queue));
}

static void its_timer_frees_it_when_the_loop_has_run_all_that_was_due(void **state)
{
	(void)state;
	give(1, clock_us());
	assert_false(queue_free(&queue));
	/* Something is due still: it may be this. */
	turn(true);
	assert_false(queue_free(&queue));
	turn(false);
	assert_true(queue_free(&queue));
}

static void a_timer_that_is_not_due_yet_does_not(void **state)
{
	(void)state;
	give(1, due_in(60 * 1000000));
	turn(false);
	turn(false);
	assert_false(queue_free(&queue));
}

static void they_leave_in_the_order_in_which_they_came(void **state)
{
	uint8_t i;

	(void)state;
	give(0, due_in(LATER));
	for (i = 1; i <= 5; i++)
		put(i);
	for (i = 1; i <= 5; i++) {
		queue_answered(&queue);
		assert_true(queue_free(&queue));
		assert_first(i, false);
		queue_gave_first(&queue, due_in(LATER));
		assert_false(queue_free(&queue));
	}
	assert_int_equal(queue.n, 0);
}

static void the_257th_finds_no_room(void **state)
{
	const uint8_t what = 7;
	unsigned i;

	(void)state;
	for (i = 0; i < QUEUE_MAX; i++)
		put((uint8_t)i);
	assert_int_equal(queue_put(&queue, &what, 1), -ENOSPC);
	queue_drop(&queue);
	assert_int_equal(queue_put(&queue, &what, 1), 0);
	assert_int_equal(queue_clear(&queue), QUEUE_MAX);
}

static void what_vdp22_has_not_read_comes_first_again_when_it_ends(void **state)
{
	(void)state;
	give(1, due_in(LATER));
	put(2);
	assert_int_equal(queue_keep(&queue), 2);
	assert_true(queue_free(&queue));
	put(3);
	assert_first(1, true);
	queue_drop(&queue);
	assert_first(2, true);
	queue_drop(&queue);
	assert_first(3, false);
}

static void what_it_has_read_does_not(void **state)
{
	(void)state;
	give(1, due_in(LATER));
	queue_answered(&queue);
	assert_int_equal(queue_keep(&queue), 0);
	give(1, clock_us());
	turn(false);
	assert_int_equal(queue_keep(&queue), 0);
}

static void the_only_one_kept_can_be_followed_by_others(void **state)
{
	(void)state;
	give(1, due_in(LATER));
	assert_int_equal(queue_keep(&queue), 1);
	put(2);
	queue_drop(&queue);
	assert_first(2, false);
}

/* The time that VDP22 is told */

static int64_t answer(void)
{
	struct timespec now;
	struct timeval time;

	clock_gettime(CLOCK_REALTIME, &now);
	time = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	clock_answer(&time);
	return (time.tv_sec - now.tv_sec) * 1000000LL + time.tv_usec - now.tv_nsec / 1000;
}

static void who_takes_the_time_ahead_is_told_that_it_is_earlier(void **state)
{
	int64_t before, due;

	(void)state;
	assert_int_equal(answer(), 0);
	before = clock_us();
	clock_lend(CLOCK_VDP_WAIT_US);
	assert_int_equal(answer(), -CLOCK_VDP_WAIT_US);
	due = clock_take_back();
	assert_true(due >= before && due <= clock_us());
	assert_int_equal(answer(), 0);
}

static void without_that_its_timer_runs_as_long_as_ever(void **state)
{
	int64_t before = clock_us(), due;

	(void)state;
	clock_lend(0);
	assert_int_equal(answer(), 0);
	due = clock_take_back();
	assert_true(due >= before + CLOCK_VDP_WAIT_US);
}

static void who_does_not_ask_has_not_begun_earlier(void **state)
{
	int64_t before = clock_us();

	(void)state;
	clock_lend(CLOCK_VDP_WAIT_US);
	assert_true(clock_take_back() >= before + CLOCK_VDP_WAIT_US);
}

/* A station's VDP22 answers no VDPDU: nothing but time frees it. */
static void a_clock_set_back_later_keeps_nothing_busy(void **state)
{
	(void)state;
	give(1, clock_us());
	turn(false);
	set_by -= 3600;
	turn(false);
	assert_true(queue_free(&queue));
}

static void nor_what_was_looked_at_last_before_it(void **state)
{
	int64_t due;

	(void)state;
	clock_lend(CLOCK_VDP_WAIT_US);
	(void)answer();
	due = clock_take_back();
	turn(false);
	set_by -= 3600;
	turn(false);
	clock_lend(CLOCK_VDP_WAIT_US);
	(void)answer();
	assert_false(clock_past(clock_take_back()));
	assert_true(clock_past(due));
}

static void a_timer_that_runs_then_runs_on_and_is_said_so_once(void **state)
{
	(void)state;
	(void)clock_set_back();
	set_by -= 3600;
	turn(false);
	assert_in_range(clock_set_back(), 3599000000, 3600000001);
	assert_int_equal(clock_set_back(), 0);
	set_by += 3600;
	turn(false);
	assert_int_equal(clock_set_back(), 0);
}

static void a_clock_set_back_frees_nothing_too_early(void **state)
{
	int64_t due;

	(void)state;
	set_by -= 3600;
	clock_lend(CLOCK_VDP_WAIT_US);
	(void)answer();
	due = clock_take_back();
	assert_false(clock_past(due));
	turn(true);
	assert_false(clock_past(due));
	turn(false);
	assert_true(clock_past(due));
}

static void one_timer_can_be_hurried(void **state)
{
	(void)state;
	clock_hurry(2560);
	assert_int_equal(answer(), -2560);
	assert_int_equal(answer(), 0);
	clock_hurry(2560);
	turn(true);
	assert_int_equal(answer(), 0);
}

static void a_line_of_the_log_does_not_take_the_hurry(void **state)
{
	(void)state;
	clock_log_asks(true);
	clock_hurry(2560);
	assert_int_equal(answer(), 0);
	assert_int_equal(answer(), -2560);
	assert_int_equal(answer(), 0);
	clock_hurry(2560);
	assert_int_equal(answer(), 0);
	assert_int_equal(answer(), -2560);
	clock_log_asks(false);
}

static void the_loop_waits_no_longer_than_somebody_wants(void **state)
{
	struct timeval loop = { 1, 0 }, spare, *wait;

	(void)state;
	assert_null(clock_shorten(NULL, &spare));
	assert_ptr_equal(clock_shorten(&loop, &spare), &loop);
	clock_look_at(clock_us() + 500000);
	wait = clock_shorten(&loop, &spare);
	assert_int_equal(wait->tv_sec, 0);
	assert_in_range(wait->tv_usec, 400000, 500000);
	clock_look_at(clock_us() - 5);
	assert_false(timerisset(clock_shorten(NULL, &spare)));
	turn(false);
	clock_poll();
	assert_false(timerisset(clock_shorten(&loop, &spare)));
	turn(false);
	assert_ptr_equal(clock_shorten(&loop, &spare), &loop);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_queue_lets_straight_through),
		TEST(an_answer_frees_it),
		TEST(an_answer_to_the_one_before_does_not),
		TEST(its_timer_frees_it_when_the_loop_has_run_all_that_was_due),
		TEST(a_timer_that_is_not_due_yet_does_not),
		TEST(they_leave_in_the_order_in_which_they_came),
		TEST(the_257th_finds_no_room),
		TEST(what_vdp22_has_not_read_comes_first_again_when_it_ends),
		TEST(what_it_has_read_does_not),
		TEST(the_only_one_kept_can_be_followed_by_others),
		TEST(who_takes_the_time_ahead_is_told_that_it_is_earlier),
		TEST(without_that_its_timer_runs_as_long_as_ever),
		TEST(who_does_not_ask_has_not_begun_earlier),
		TEST(a_clock_set_back_frees_nothing_too_early),
		TEST(a_clock_set_back_later_keeps_nothing_busy),
		TEST(nor_what_was_looked_at_last_before_it),
		TEST(a_timer_that_runs_then_runs_on_and_is_said_so_once),
		TEST(one_timer_can_be_hurried),
		TEST(a_line_of_the_log_does_not_take_the_hurry),
		TEST(the_loop_waits_no_longer_than_somebody_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
