/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks: how long they live, and when the M-bit is set and cleared. */
#include "module/marks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define DAY_MS (24 * 3600 * 1000LL)

static struct marks *marks;

static int fresh(void **state)
{
	(void)state;
	marks = marks_new();
	return marks ? 0 : -1;
}

static int done(void **state)
{
	(void)state;
	marks_free(marks);
	return 0;
}

static struct link_mark mark_of(unsigned n, uint32_t ttl_s)
{
	struct link_mark mark = { .id.format = VSI_ID_UUID, .ttl_s = ttl_s };

	mark.id.b[14] = (uint8_t)(n >> 8);
	mark.id.b[15] = (uint8_t)n;
	return mark;
}

static int set(unsigned n, uint32_t ttl_s, ms_t now)
{
	const struct link_mark mark = mark_of(n, ttl_s);

	return marks_set(marks, now, &mark);
}

static bool has(unsigned n, ms_t now)
{
	const struct link_mark mark = mark_of(n, 0);

	return marks_has(marks, now, &mark.id);
}

static int unset(unsigned n, ms_t now)
{
	const struct link_mark mark = mark_of(n, 0);

	return marks_unset(marks, now, &mark.id);
}

static void a_mark_lives_until_it_is_taken_away(void **state)
{
	(void)state;
	assert_false(has(1, 0));
	assert_int_equal(set(1, 0, 0), 0);
	assert_true(has(1, DAY_MS - 1));
	assert_false(has(2, 0));
	assert_int_equal(unset(1, 5), 0);
	assert_false(has(1, 5));
	assert_int_equal(unset(1, 5), -ENOENT);
}

static void a_mark_lives_its_ttl_and_at_most_a_day(void **state)
{
	(void)state;
	assert_int_equal(set(1, 10, 1000), 0);
	assert_true(has(1, 10999));
	assert_false(has(1, 11000));
	assert_int_equal(unset(1, 11000), -ENOENT);
	assert_int_equal(set(2, 0, 0), 0);
	assert_false(has(2, DAY_MS));
	assert_int_equal(set(3, 86400, 0), 0);
	assert_int_equal(set(4, 86401, 0), -EINVAL);
}

static void what_has_run_out_is_forgotten_and_the_rest_stays_in_order(void **state)
{
	(void)state;
	set(1, 10, 0);
	set(2, 30, 0);
	set(3, 20, 0);
	set(4, 30, 0);
	marks_tick(marks, 10000);
	assert_int_equal(marks_first(marks)->what.id.b[15], 2);
	marks_tick(marks, 20000);
	assert_int_equal(marks_first(marks)->next->what.id.b[15], 4);
	assert_null(marks_first(marks)->next->next);
	marks_tick(marks, 30000);
	assert_null(marks_first(marks));
}

static void marking_again_replaces_the_mark(void **state)
{
	struct link_mark mark = mark_of(1, 0);

	(void)state;
	set(1, 10, 0);
	mark.mac.b[5] = 7;
	assert_int_equal(marks_set(marks, 5000, &mark), 0);
	assert_true(has(1, 20000));
	assert_int_equal(marks_first(marks)->what.mac.b[5], 7);
	assert_null(marks_first(marks)->next);
}

static void a_full_table_is_an_answer_and_dead_marks_make_room(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < MARKS_MAX; i++)
		assert_int_equal(set(i, 10 + i % 2, 0), 0);
	assert_int_equal(set(i, 0, 0), -ENOSPC);
	assert_int_equal(set(1, 10, 0), 0);
	assert_int_equal(set(i, 0, 10000), 0);
	assert_true(has(i, 10000));
}

static void pre_associates_of_a_marked_vsi_carry_M(void **state)
{
	const struct vsis_one preassoc = { .mode = VDP22_PRE };

	(void)state;
	assert_int_equal(marks_status(NULL, VDP22_PRE, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(NULL, VDP22_PRE_RR, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(&preassoc, VDP22_PRE, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(NULL, VDP22_PRE, VDP_STATUS_S),
			 VDP_STATUS_M | VDP_STATUS_S);
}

static void associates_carry_M_until_they_are_confirmed(void **state)
{
	const struct vsis_one preassoc = { .mode = VDP22_PRE };
	const struct vsis_one asked = { .mode = VDP22_PRE, .asked = VDP22_ASSOC,
					.marked = true };
	const struct vsis_one confirmed = { .mode = VDP22_ASSOC, .marked = true };

	(void)state;
	assert_int_equal(marks_status(NULL, VDP22_ASSOC, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(&preassoc, VDP22_ASSOC, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(&asked, VDP22_ASSOC, 0), VDP_STATUS_M);
	assert_int_equal(marks_status(&confirmed, VDP22_ASSOC, 0), 0);
}

static void stocks_own_hint_leaves_the_keepalives_of_a_marked_vsi(void **state)
{
	const struct vsis_one confirmed = { .mode = VDP22_ASSOC, .marked = true };

	(void)state;
	assert_int_equal(marks_status(&confirmed, VDP22_ASSOC, VDP_STATUS_M), 0);
}

static void an_association_confirmed_without_us_keeps_its_keepalives(void **state)
{
	const struct vsis_one confirmed = { .mode = VDP22_ASSOC };

	(void)state;
	assert_int_equal(marks_status(&confirmed, VDP22_ASSOC, 0), 0);
	assert_int_equal(marks_status(&confirmed, VDP22_ASSOC, VDP_STATUS_M),
			 VDP_STATUS_M);
}

static void de_associates_are_left_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(marks_status(NULL, VDP22_DEASSOC, 0), 0);
	assert_int_equal(marks_status(NULL, VDP22_DEASSOC, VDP_STATUS_M), VDP_STATUS_M);
}

static void the_state_is_how_far_it_has_come(void **state)
{
	const struct vsis_one asked = { .asked = VDP22_PRE };
	const struct vsis_one preassoc = { .mode = VDP22_PRE_RR, .asked = VDP22_ASSOC };
	const struct vsis_one assoc = { .mode = VDP22_ASSOC };

	(void)state;
	assert_string_equal(marks_state_text(NULL), "waiting");
	assert_string_equal(marks_state_text(&asked), "waiting");
	assert_string_equal(marks_state_text(&preassoc), "pre-associated");
	assert_string_equal(marks_state_text(&assoc), "associated");
}

static void without_memory_for_the_table_nothing_is_marked(void **state)
{
	const struct link_mark mark = mark_of(1, 0);

	(void)state;
	assert_int_equal(marks_set(NULL, 0, &mark), -ENOMEM);
	assert_false(marks_has(NULL, 0, &mark.id));
	assert_int_equal(marks_unset(NULL, 0, &mark.id), -ENOENT);
	assert_null(marks_first(NULL));
	marks_tick(NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mark_lives_until_it_is_taken_away),
		TEST(a_mark_lives_its_ttl_and_at_most_a_day),
		TEST(what_has_run_out_is_forgotten_and_the_rest_stays_in_order),
		TEST(marking_again_replaces_the_mark),
		TEST(a_full_table_is_an_answer_and_dead_marks_make_room),
		TEST(pre_associates_of_a_marked_vsi_carry_M),
		TEST(associates_carry_M_until_they_are_confirmed),
		TEST(stocks_own_hint_leaves_the_keepalives_of_a_marked_vsi),
		TEST(an_association_confirmed_without_us_keeps_its_keepalives),
		TEST(de_associates_are_left_as_they_are),
		TEST(the_state_is_how_far_it_has_come),
		TEST(without_memory_for_the_table_nothing_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
