/* SPDX-License-Identifier: GPL-2.0-only */
/* core/lq_flow, and the client above it in time: what a server gets of one flow in a
 * second, what waits for that, and in which order it goes on. */
#include <errno.h>

#include "core/lq_server.h"
#include "fake/lq.h"

static void ask_of(struct fixture *f, uint64_t tag, uint32_t flow, unsigned max_rate,
		   enum lq_rank rank)
{
	struct lq_question question = by_mac(tag, 1);

	question.flow = flow;
	question.max_rate = max_rate;
	question.rank = rank;
	question.mac.b[4] = (uint8_t)flow;
	question.mac.b[5] = (uint8_t)tag;
	assert_int_equal(ask(f, &question), 0);
}

static unsigned waiting(struct fixture *f, uint32_t flow)
{
	uint64_t held;
	unsigned n;

	lq_flow_info(f->lq, flow, &n, &held);
	return n;
}

static uint64_t held(struct fixture *f, uint32_t flow)
{
	uint64_t ever;
	unsigned n;

	lq_flow_info(f->lq, flow, &n, &ever);
	return ever;
}

static void repetition_waits_and_leaves_its_place_to_others(void **state)
{
	struct fixture *f = *state;

	for (unsigned tag = 1; tag <= LQ_WINDOW_START; tag++)
		ask_of(f, tag, 1, LQ_WINDOW_START, LQ_RANK_ASSOC);
	run_until(f, 300);
	assert_int_equal(f->n_sent, LQ_WINDOW_START);
	assert_int_equal(waiting(f, 1), LQ_WINDOW_START);
	assert_int_equal(held(f, 1), LQ_WINDOW_START);
	/* The window was full of them. */
	ask_of(f, 11, 2, 0, LQ_RANK_REFRESH);
	assert_int_equal(f->n_sent, LQ_WINDOW_START + 1);
	assert_int_equal(f->sent[LQ_WINDOW_START].mac.b[4], 2);
	run_until(f, 1055);
	lq_cancel(f->lq, 11);
	f->n_sent = LQ_WINDOW_START;
	run_until(f, 1056);
	assert_int_equal(f->n_sent, 2 * LQ_WINDOW_START);
	for (unsigned i = 0; i < LQ_WINDOW_START; i++)
		assert_int_equal(f->sent[LQ_WINDOW_START + i].xid, f->sent[i].xid);
	assert_int_equal(waiting(f, 1), 0);
}

static void late_answer_to_what_waits_to_be_repeated_is_taken(void **state)
{
	struct fixture *f = *state;

	ask_of(f, 1, 0, 1, LQ_RANK_ASSOC);
	lq_cancel(f->lq, 1);
	f->now = 2000;
	f->n_sent = 0;
	ask_of(f, 2, 1, 1, LQ_RANK_ASSOC);
	run_until(f, 2900);
	assert_true(lq_held(f->lq, 2));
	struct fake_dhcp late = active(f->sent[0].xid);

	late.chaddr.b[4] = 1;
	late.chaddr.b[5] = 2;
	assert_int_equal(come(f, &server_1, &late), LQ_TAKEN);
	assert_int_equal(f->answer.tag, 2);
	assert_true(f->answer.last);
	run_until(f, 9000);
	assert_int_equal(f->n_sent, 1);
	assert_int_equal(lq_deadline(f->lq), MS_NEVER);
}

static void order_is_rank_then_repeated_then_new(void **state)
{
	static const uint8_t order[] = {1, 5, 2, 3, 6, 4};
	struct fixture *f = *state;

	/* The first three are lost, the other three wait. */
	ask_of(f, 2, 1, 3, LQ_RANK_PREASSOC);
	ask_of(f, 1, 1, 3, LQ_RANK_PREASSOC);
	ask_of(f, 6, 1, 3, LQ_RANK_REFRESH);
	f->now = 200;
	ask_of(f, 4, 1, 3, LQ_RANK_REFRESH);
	ask_of(f, 3, 1, 3, LQ_RANK_PREASSOC);
	/* It is associated: its repetition counts as such. */
	lq_hurry(f->lq, 1, LQ_RANK_ASSOC);
	run_until(f, 300);
	ask_of(f, 5, 1, 3, LQ_RANK_ASSOC);
	assert_int_equal(f->n_sent, 3);
	run_until(f, 1056);
	for (unsigned i = 0; i < 3; i++)
		lq_cancel(f->lq, order[i]);
	run_until(f, 1056 + 1056);
	assert_int_equal(f->n_sent, 9);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(f->sent[3 + i].mac.b[5], order[i]);
}

/* A flow that always has associates to ask for: what it refreshes has its turn. */
static void nothing_waits_for_ever(void **state)
{
	struct fixture *f = *state;
	unsigned sent = 0, refreshed = 0, of_others = 0;

	ask_of(f, 1, 2, 0, LQ_RANK_REFRESH);
	lq_cancel(f->lq, 1);
	f->n_sent = 0;
	for (ms_t now = 0; now < 20000; now += 10) {
		run_until(f, now);
		ask_of(f, 2, 1, 20, LQ_RANK_ASSOC);
		if (now % 500 == 0)
			ask_of(f, 3, 1, 20, LQ_RANK_REFRESH);
		for (unsigned i = 0; i < f->n_sent; i++) {
			struct fake_dhcp reply = active(f->sent[i].xid);

			reply.chaddr = f->sent[i].mac;
			assert_int_equal(come(f, &server_1, &reply), LQ_TAKEN);
			sent++;
			refreshed += f->sent[i].mac.b[5] == 3;
			of_others += f->sent[i].mac.b[4] != 1;
		}
		f->n_sent = 0;
	}
	assert_int_equal(of_others, 0);
	assert_true(sent <= 20 * 20 && sent >= 18 * 20);
	/* 1 in 8 of those that leave, no more. */
	assert_true(refreshed >= 30 && refreshed <= 20 * 20 / LQ_TURN + 1);
}

static void each_server_has_a_rate_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(1, 1);

	question.flow = 1;
	question.max_rate = 1;
	assert_int_equal(ask(f, &question), 0);
	assert_int_equal(f->n_sent, 1);
	/* Held at the first, out at the second: it can be answered. */
	question.tag = 2;
	question.n_servers = 2;
	assert_int_equal(ask(f, &question), 0);
	assert_int_equal(f->n_sent, 2);
	assert_true(addr_equal(&f->sent[1].server, &server_2));
	assert_false(lq_held(f->lq, 2));
	come_type(f, &server_2, f->sent[1].xid, 13);
	assert_int_equal(f->n_answers, 1);
	assert_true(lq_held(f->lq, 2));
	assert_int_equal(waiting(f, 1), 1);
}

static void bound_that_is_lifted_holds_up_nothing_more(void **state)
{
	struct fixture *f = *state;

	for (unsigned tag = 1; tag <= 3; tag++)
		ask_of(f, tag, 1, 1, LQ_RANK_ASSOC);
	assert_int_equal(f->n_sent, 1);
	assert_true(lq_deadline(f->lq) > f->now);
	lq_set_rate(f->lq, 1, 2);
	assert_true(lq_deadline(f->lq) <= f->now);
	lq_tick(f->lq, f->now);
	assert_int_equal(f->n_sent, 2);
	lq_set_rate(f->lq, 1, 0);
	lq_tick(f->lq, f->now);
	assert_int_equal(f->n_sent, 3);
	/* And one that comes later knows what was sent before. */
	ask_of(f, 4, 1, 1, LQ_RANK_ASSOC);
	assert_int_equal(f->n_sent, 3);
	/* Of a flow that has asked nothing nothing is held. */
	lq_set_rate(f->lq, 77, 1);
	assert_int_equal(waiting(f, 77), 0);
}

static void what_waits_wakes_nobody_up_in_vain(void **state)
{
	struct fixture *f = *state;
	unsigned ticks = 0;

	for (unsigned tag = 1; tag <= 40; tag++)
		ask_of(f, tag, 1, 2, LQ_RANK_ASSOC);
	for (ms_t due; (due = lq_deadline(f->lq)) < 10000; ticks++) {
		assert_true(due > f->now);
		f->now = due;
		lq_tick(f->lq, f->now);
	}
	/* Two leave in a second, two are found lost. */
	assert_true(ticks <= 45);
	assert_int_equal(f->n_sent, 20);
}

static void what_is_held_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(1, 1);

	question.flow = 1;
	question.max_rate = 1;
	for (unsigned i = 0; i < LQ_HELD_MOST + 1; i++)
		assert_int_equal(ask(f, &question), 0);
	assert_int_equal(ask(f, &question), -ENOBUFS);
	question.flow = 2;
	assert_int_equal(ask(f, &question), 0);
	lq_cancel(f->lq, 1);
	question.flow = 1;
	assert_int_equal(ask(f, &question), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(repetition_waits_and_leaves_its_place_to_others),
		TEST(late_answer_to_what_waits_to_be_repeated_is_taken),
		TEST(order_is_rank_then_repeated_then_new),
		TEST(nothing_waits_for_ever),
		TEST(each_server_has_a_rate_of_its_own),
		TEST(bound_that_is_lifted_holds_up_nothing_more),
		TEST(what_waits_wakes_nobody_up_in_vain),
		TEST(what_is_held_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
