/* SPDX-License-Identifier: GPL-2.0-only */
/* core/lq_server, and the client above it in time: when it is asked again, how many
 * questions are out at once, which is next. */
#include "core/lq_server.h"
#include "fake/lq.h"

static void take_window(void *arg, const struct lq_server_info *info)
{
	*(unsigned *)arg = info->window;
}

/* Of the one server. */
static unsigned window_of(struct fixture *f)
{
	unsigned window = 0;

	lq_each_server(f->lq, take_window, &window);
	return window;
}

static void silence_is_told_after_all_tries(void **state)
{
	static const ms_t at[LQ_TRIES] = {0, 250, 750, 1750, 3750};
	struct fixture *f = *state;

	ask_by_mac(f, 5, 1);
	run_until(f, 5749);
	assert_int_equal(f->n_sent, LQ_TRIES);
	for (unsigned i = 0; i < LQ_TRIES; i++) {
		assert_int_equal(f->sent[i].at, at[i]);
		assert_int_equal(f->sent[i].xid, f->sent[0].xid);
	}
	assert_int_equal(f->n_answers, 0);
	run_until(f, 5750);
	assert_int_equal(f->n_answers, 1);
	assert_int_equal(f->answer.outcome, LQ_SILENT);
	assert_true(f->answer.last);
	assert_int_equal(lq_counts(f->lq)->silent, 1);
	assert_int_equal(lq_counts(f->lq)->retransmitted, LQ_TRIES - 1);
}

static void answer_to_a_retransmission_is_taken(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 1);
	run_until(f, 800);
	assert_int_equal(come_type(f, &server_1, f->sent[0].xid, 13), LQ_TAKEN);
	run_until(f, 9000);
	assert_int_equal(f->n_sent, 3);
	assert_int_equal(f->n_answers, 1);
}

static void first_server_silent_does_not_delay_the_second(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 2);
	come_type(f, &server_2, f->sent[1].xid, 13);
	assert_int_equal(f->answer.outcome, LQ_ACTIVE);
	run_until(f, 6000);
	assert_int_equal(f->n_answers, 2);
	assert_int_equal(f->answer.outcome, LQ_SILENT);
	assert_true(f->answer.last);
}

static void silent_server_that_answers_again_is_told(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 1);
	run_until(f, 6000);
	assert_int_equal(f->n_back, 0);
	ask_by_mac(f, 6, 1);
	come_type(f, &server_1, f->sent[f->n_sent - 1].xid, 11);
	assert_int_equal(f->n_back, 1);
	ask_by_mac(f, 7, 1);
	come_type(f, &server_1, f->sent[f->n_sent - 1].xid, 11);
	assert_int_equal(f->n_back, 1);
}

static void timeout_follows_the_measured_round_trip(void **state)
{
	struct fixture *f = *state;

	/* 100 ms: RTO = SRTT + 4 * RTTVAR = 100 + 200. */
	ask_by_mac(f, 1, 1);
	f->now = 100;
	come_type(f, &server_1, f->sent[0].xid, 11);
	ask_by_mac(f, 2, 1);
	assert_int_equal(lq_deadline(f->lq), 400);
}

static void timeout_has_a_floor(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 10; i++) {
		ask_by_mac(f, i, 1);
		come_type(f, &server_1, f->sent[i].xid, 11);
	}
	ask_by_mac(f, 99, 1);
	assert_int_equal(lq_deadline(f->lq), 100);
}

static void retransmitted_question_measures_nothing(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 1, 1);
	run_until(f, 300);
	come_type(f, &server_1, f->sent[0].xid, 11);
	ask_by_mac(f, 2, 1);
	assert_int_equal(lq_deadline(f->lq), 300 + 2 * 250);
}

static void time_outs_stay_doubled_until_one_is_measured(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 1, 1);
	run_until(f, 300);
	/* Sent twice: its answer measures nothing. */
	f->now = 400;
	come_type(f, &server_1, f->sent[0].xid, 11);
	ask_by_mac(f, 2, 1);
	assert_int_equal(lq_deadline(f->lq), 400 + 2 * 250);
	/* 400 ms: RTO = 400 + 4 * 200. */
	f->now = 800;
	come_type(f, &server_1, f->sent[f->n_sent - 1].xid, 11);
	ask_by_mac(f, 3, 1);
	assert_int_equal(lq_deadline(f->lq), 800 + 1200);
}

static void window_begins_with_four_and_grows_with_answers(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(0, 1);

	for (question.tag = 0; question.tag < 200; question.tag++)
		ask(f, &question);
	assert_int_equal(f->n_sent, LQ_WINDOW_START);
	/* An answer makes room for itself and for one more. */
	come_type(f, &server_1, f->sent[3].xid, 13);
	assert_int_equal(f->n_sent, LQ_WINDOW_START + 2);
	for (unsigned i = 0; i < 3; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	for (unsigned i = 4; i < 12; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	assert_int_equal(window_of(f), 16);
	/* From then on, by one for each full window. */
	for (unsigned i = 12; i < 12 + 15; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	assert_int_equal(window_of(f), 16);
	come_type(f, &server_1, f->sent[27].xid, 13);
	assert_int_equal(window_of(f), 17);
	/* A question that is given up makes room as well. */
	assert_true(lq_deadline(f->lq) > f->now);
	lq_cancel(f->lq, 30);
	assert_true(lq_deadline(f->lq) <= f->now);
}

static void window_that_is_not_full_does_not_grow(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++) {
		ask_by_mac(f, i, 1);
		come_type(f, &server_1, f->sent[i].xid, 13);
	}
	assert_int_equal(window_of(f), LQ_WINDOW_START);
}

static void window_is_halved_once_for_what_was_lost_together(void **state)
{
	struct fixture *f = *state;
	unsigned before;

	for (unsigned i = 0; i < 100; i++)
		ask_by_mac(f, i, 1);
	for (unsigned i = 0; i < 12; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	before = f->n_sent;
	assert_int_equal(window_of(f), 16);
	run_until(f, 240);
	assert_int_equal(window_of(f), 8);
	/* Those that were lost went out again. */
	assert_int_equal(f->n_sent, before + 16);
	assert_int_equal(lq_counts(f->lq)->retransmitted, 16);
	/* What is out stays out; no more leave until there is room again. */
	come_type(f, &server_1, f->sent[20].xid, 13);
	assert_int_equal(f->n_sent, before + 16);
	run_until(f, 60000);
	assert_int_equal(window_of(f), LQ_WINDOW_START);
}

/* A server reads in order. */
static void question_that_eight_later_ones_have_passed_goes_out_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++)
		ask_by_mac(f, i, 1);
	for (unsigned i = 1; i <= LQ_PASSED; i++) {
		assert_int_equal(lq_counts(f->lq)->retransmitted, 0);
		come_type(f, &server_1, f->sent[i].xid, 13);
	}
	run_until(f, 1);
	assert_int_equal(lq_counts(f->lq)->retransmitted, 1);
	assert_int_equal(f->sent[f->n_sent - 1].xid, f->sent[0].xid);
	/* What comes in order is no loss. */
	for (unsigned i = LQ_PASSED + 1; i < 20; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	come_type(f, &server_1, f->sent[0].xid, 13);
	assert_int_equal(lq_counts(f->lq)->retransmitted, 1);
}

/* The late answers to what was sent at first pass nothing that was sent between. */
static void answer_to_what_went_out_twice_passes_nobody(void **state)
{
	struct fixture *f = *state;
	unsigned repeated;

	for (unsigned i = 0; i < 100; i++)
		ask_by_mac(f, i, 1);
	for (unsigned i = 0; i < 12; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	run_until(f, 90);
	come_type(f, &server_1, f->sent[12].xid, 13);
	run_until(f, 100);
	repeated = (unsigned)lq_counts(f->lq)->retransmitted;
	assert_true(repeated > LQ_PASSED);
	for (unsigned i = 13; i < 13 + LQ_PASSED; i++)
		assert_int_equal(come_type(f, &server_1, f->sent[i].xid, 13), LQ_TAKEN);
	run_until(f, 101);
	assert_int_equal(lq_counts(f->lq)->retransmitted, repeated);
}

static void lowest_rank_leaves_the_queue_first(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(0, 1);

	for (unsigned i = 0; i < LQ_WINDOW_START; i++)
		ask_by_mac(f, i, 1);
	question.rank = LQ_RANK_REFRESH;
	question.mac.b[5] = 0xcc;
	ask(f, &question);
	question.rank = LQ_RANK_PREASSOC;
	question.mac.b[5] = 0xbb;
	ask(f, &question);
	question.mac.b[5] = 0xb2;
	ask(f, &question);
	question.rank = LQ_RANK_ASSOC;
	question.mac.b[5] = 0xaa;
	ask(f, &question);
	/* The first answer makes room for two. */
	for (unsigned i = 0; i < 2; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	assert_int_equal(f->n_sent, LQ_WINDOW_START + 4);
	assert_int_equal(f->sent[LQ_WINDOW_START].mac.b[5], 0xaa);
	assert_int_equal(f->sent[LQ_WINDOW_START + 1].mac.b[5], 0xbb);
	assert_int_equal(f->sent[LQ_WINDOW_START + 2].mac.b[5], 0xb2);
	assert_int_equal(f->sent[LQ_WINDOW_START + 3].mac.b[5], 0xcc);
}

static void associate_overtakes_with_its_own_queued_question(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(0, 1);

	for (unsigned i = 0; i < LQ_WINDOW_START; i++)
		ask_by_mac(f, i, 1);
	for (question.tag = 10; question.tag < 20; question.tag++) {
		question.mac.b[5] = (uint8_t)question.tag;
		ask(f, &question);
	}
	lq_hurry(f->lq, 15, LQ_RANK_ASSOC);
	lq_hurry(f->lq, 16, LQ_RANK_REFRESH); /* never back */
	for (unsigned i = 0; i < 4; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	assert_int_equal(f->sent[LQ_WINDOW_START].mac.b[5], 15);
	for (unsigned i = 1; i < 6; i++)
		assert_int_equal(f->sent[LQ_WINDOW_START + i].mac.b[5], 9 + i);
}

static void flows_of_one_rank_take_turns(void **state)
{
	static const uint8_t order[] = {10, 20, 30, 11, 21, 12, 13};
	struct fixture *f = *state;
	struct lq_question question = by_mac(0, 1);

	for (unsigned i = 0; i < LQ_WINDOW_START; i++)
		ask_by_mac(f, i, 1);
	for (question.tag = 10; question.tag < 31; question.tag++) {
		if (question.tag > 14 && question.tag != 20 && question.tag != 21 &&
		    question.tag != 30)
			continue;
		question.flow = (uint32_t)question.tag / 10;
		question.mac.b[5] = (uint8_t)question.tag;
		ask(f, &question);
	}
	/* One in the middle, and the last of all, are given up. */
	lq_cancel(f->lq, 14);
	for (unsigned i = 0; i < 4; i++)
		come_type(f, &server_1, f->sent[i].xid, 13);
	for (unsigned i = 0; i < sizeof(order); i++)
		assert_int_equal(f->sent[LQ_WINDOW_START + i].mac.b[5], order[i]);
}

static void unknown_is_not_asked_again_for_a_second(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(3, 1);

	ask_by_mac(f, 1, 1);
	come_type(f, &server_1, f->sent[0].xid, 12);
	assert_false(f->answer.cached);
	ask_by_mac(f, 2, 1);
	assert_int_equal(f->n_sent, 1);
	assert_int_equal(f->n_answers, 1);
	assert_true(lq_deadline(f->lq) <= f->now);
	lq_tick(f->lq, f->now);
	assert_int_equal(f->n_answers, 2);
	assert_int_equal(f->answer.tag, 2);
	assert_int_equal(f->answer.outcome, LQ_UNKNOWN);
	assert_true(f->answer.cached && f->answer.last);
	assert_int_equal(lq_counts(f->lq)->cached, 1);
	/* Of somebody else, of another server, by hand: asked. */
	question.mac = other_mac;
	ask(f, &question);
	assert_int_equal(f->n_sent, 2);
	question.mac = vm;
	question.fresh = true;
	ask(f, &question);
	assert_int_equal(f->n_sent, 3);
	ask_by_mac(f, 4, 2);
	assert_int_equal(f->n_sent, 4);
	assert_true(addr_equal(&f->sent[3].server, &server_2));
	lq_cancel(f->lq, 4);
	/* It is over after a second. */
	f->now = LQ_UNKNOWN_MS;
	lq_cancel(f->lq, 3);
	ask_by_mac(f, 5, 1);
	assert_int_equal(f->n_sent, 5);
}

static void what_waits_for_a_silent_server_is_told_too(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 100; i++)
		ask_by_mac(f, i, 1);
	run_until(f, 12000);
	assert_int_equal(f->n_answers, 100);
	assert_int_equal(f->answer.outcome, LQ_SILENT);
	assert_true(f->n_sent <= 2 * LQ_WINDOW_START * LQ_TRIES);
	assert_true(lq_deadline(f->lq) == MS_NEVER);
}

static void canceled_question_is_never_answered(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 2);
	ask_by_mac(f, 6, 1);
	lq_cancel(f->lq, 5);
	assert_int_equal(come_type(f, &server_1, f->sent[0].xid, 13), LQ_BAD_XID);
	run_until(f, 9000);
	assert_int_equal(f->n_answers, 1);
	assert_int_equal(f->answer.tag, 6);
}

static void message_that_cannot_be_sent_counts_as_lost(void **state)
{
	struct fixture *f = *state;

	f->send_error = -101;
	ask_by_mac(f, 5, 1);
	assert_int_equal(f->n_sent, 0);
	run_until(f, 250);
	assert_int_equal(lq_counts(f->lq)->sent + lq_counts(f->lq)->retransmitted, 0);
	f->send_error = 0;
	run_until(f, 800);
	assert_int_equal(f->n_sent, 1);
}

static void count_server(void *arg, const struct lq_server_info *info)
{
	unsigned *sum = arg;

	*sum += info->outstanding + 100 * info->queued + 10000 * info->silent;
}

static void servers_can_be_shown(void **state)
{
	struct fixture *f = *state;
	unsigned sum = 0;

	for (unsigned i = 0; i < LQ_WINDOW_START + 2; i++)
		ask_by_mac(f, i, 2);
	lq_each_server(f->lq, count_server, &sum);
	assert_int_equal(sum, 2 * LQ_WINDOW_START + 2 * 200);
	run_until(f, 60000);
	sum = 0;
	lq_each_server(f->lq, count_server, &sum);
	assert_int_equal(sum, 20000);
	assert_int_equal(lq_counts(f->lq)->asked, LQ_WINDOW_START + 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(silence_is_told_after_all_tries),
		TEST(answer_to_a_retransmission_is_taken),
		TEST(first_server_silent_does_not_delay_the_second),
		TEST(silent_server_that_answers_again_is_told),
		TEST(timeout_follows_the_measured_round_trip),
		TEST(timeout_has_a_floor),
		TEST(retransmitted_question_measures_nothing),
		TEST(time_outs_stay_doubled_until_one_is_measured),
		TEST(window_begins_with_four_and_grows_with_answers),
		TEST(window_that_is_not_full_does_not_grow),
		TEST(window_is_halved_once_for_what_was_lost_together),
		TEST(question_that_eight_later_ones_have_passed_goes_out_again),
		TEST(associate_overtakes_with_its_own_queued_question),
		TEST(flows_of_one_rank_take_turns),
		TEST(unknown_is_not_asked_again_for_a_second),
		TEST(what_waits_for_a_silent_server_is_told_too),
		TEST(answer_to_what_went_out_twice_passes_nobody),
		TEST(lowest_rank_leaves_the_queue_first),
		TEST(canceled_question_is_never_answered),
		TEST(message_that_cannot_be_sent_counts_as_lost),
		TEST(servers_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
