/* SPDX-License-Identifier: GPL-2.0-only */
/* core/lq_server, and the client above it in time: when it is asked again, how many
 * questions are out at once, which is next. */
#include "fake/lq.h"

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
	come_type(f, &server_1, f->sent[f->n_sent - 1].xid, 12);
	assert_int_equal(f->n_back, 1);
	ask_by_mac(f, 7, 1);
	come_type(f, &server_1, f->sent[f->n_sent - 1].xid, 12);
	assert_int_equal(f->n_back, 1);
}

static void timeout_follows_the_measured_round_trip(void **state)
{
	struct fixture *f = *state;

	/* 100 ms: RTO = SRTT + 4 * RTTVAR = 100 + 200. */
	ask_by_mac(f, 1, 1);
	f->now = 100;
	come_type(f, &server_1, f->sent[0].xid, 12);
	ask_by_mac(f, 2, 1);
	assert_int_equal(lq_deadline(f->lq), 400);
}

static void timeout_has_a_floor(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 10; i++) {
		ask_by_mac(f, i, 1);
		come_type(f, &server_1, f->sent[i].xid, 12);
	}
	ask_by_mac(f, 99, 1);
	assert_int_equal(lq_deadline(f->lq), 100);
}

static void retransmitted_question_measures_nothing(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 1, 1);
	run_until(f, 300);
	come_type(f, &server_1, f->sent[0].xid, 12);
	ask_by_mac(f, 2, 1);
	assert_int_equal(lq_deadline(f->lq), 300 + 250);
}

static void window_holds_sixteen_and_the_rest_waits(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++)
		ask_by_mac(f, i, 1);
	assert_int_equal(f->n_sent, LQ_WINDOW);
	come_type(f, &server_1, f->sent[3].xid, 12);
	assert_int_equal(f->n_sent, LQ_WINDOW + 1);
	/* A question that is given up makes room as well. */
	lq_cancel(f->lq, 5);
	assert_true(lq_deadline(f->lq) <= f->now);
	lq_tick(f->lq, f->now);
	assert_int_equal(f->n_sent, LQ_WINDOW + 2);
}

static void lowest_rank_leaves_the_queue_first(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(0, 1);

	for (unsigned i = 0; i < LQ_WINDOW; i++)
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
	for (unsigned i = 0; i < 4; i++)
		come_type(f, &server_1, f->sent[i].xid, 12);
	assert_int_equal(f->n_sent, LQ_WINDOW + 4);
	assert_int_equal(f->sent[LQ_WINDOW].mac.b[5], 0xaa);
	assert_int_equal(f->sent[LQ_WINDOW + 1].mac.b[5], 0xbb);
	assert_int_equal(f->sent[LQ_WINDOW + 2].mac.b[5], 0xb2);
	assert_int_equal(f->sent[LQ_WINDOW + 3].mac.b[5], 0xcc);
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
	assert_int_equal(lq_counts(f->lq)->sent, 0);
	f->send_error = 0;
	run_until(f, 300);
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

	for (unsigned i = 0; i < LQ_WINDOW + 2; i++)
		ask_by_mac(f, i, 2);
	lq_each_server(f->lq, count_server, &sum);
	assert_int_equal(sum, 2 * LQ_WINDOW + 2 * 200);
	run_until(f, 60000);
	sum = 0;
	lq_each_server(f->lq, count_server, &sum);
	assert_int_equal(sum, 20000);
	assert_int_equal(lq_counts(f->lq)->asked, LQ_WINDOW + 2);
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
		TEST(window_holds_sixteen_and_the_rest_waits),
		TEST(lowest_rank_leaves_the_queue_first),
		TEST(canceled_question_is_never_answered),
		TEST(message_that_cannot_be_sent_counts_as_lost),
		TEST(servers_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
