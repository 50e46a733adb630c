/* SPDX-License-Identifier: GPL-2.0-only */
/* Which request is a repetition, and which comes from a peer that has begun anew. */
#include "module/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"

enum { PRE = 1, PRE_ACK = 2, PRE_OK = 3, ASSOC = 5 };	/* numbers of frames */

#define NUMBER_AT 16

static const struct host_evb evb = { .retries = 3, .rte = 8 };	/* 20.48 ms */
static struct sequence sequence;
static uint8_t frame[2048];
static size_t len;
static ms_t now;

static int fresh(void **state)
{
	(void)state;
	sequence_free(&sequence);
	now = 1000;
	return 0;
}

static bool comes(unsigned number, uint8_t ecp_number)
{
	len = capture_get("vdp22.pcap", number, frame, sizeof(frame));
	frame[NUMBER_AT] = 0;
	frame[NUMBER_AT + 1] = ecp_number;
	return sequence_frame(&sequence, now, &evb, frame, len);
}

static void each_new_number_is_ecp22s_own_business(void **state)
{
	size_t n;

	(void)state;
	assert_false(comes(PRE, 1));
	assert_false(comes(ASSOC, 2));
	assert_false(comes(PRE, 1));
	assert_null(sequence_kept_back(&sequence, &n));
}

static void repetitions_are_left_alone(void **state)
{
	unsigned i;

	(void)state;
	assert_false(comes(PRE, 1));
	for (i = 0; i < 3; i++) {
		now += 3;
		assert_false(comes(PRE, 1));
	}
}

static void the_same_number_with_other_octets_is_a_new_request(void **state)
{
	const uint8_t *pdu;
	size_t n;

	(void)state;
	assert_false(comes(PRE, 1));
	assert_true(comes(ASSOC, 1));
	pdu = sequence_kept_back(&sequence, &n);
	assert_non_null(pdu);
	assert_int_equal(n, len - 18);
	assert_memory_equal(pdu, frame + 18, n);
	assert_null(sequence_kept_back(&sequence, &n));
	/* And its own repetition is one. */
	assert_false(comes(ASSOC, 1));
}

static void the_same_octets_much_later_are_a_new_request(void **state)
{
	(void)state;
	assert_false(comes(PRE, 1));
	now += 21;
	assert_true(comes(PRE, 1));
}

static void with_longer_timers_repetitions_come_later(void **state)
{
	const struct host_evb slow = { .retries = 3, .rte = 14 };	/* 1.3 s */

	(void)state;
	assert_false(comes(PRE, 1));
	now += 1300;
	assert_false(sequence_frame(&sequence, now, &slow, frame, len));
	now += 1311;
	assert_true(sequence_frame(&sequence, now, &slow, frame, len));
}

static void what_ecp22_hands_on_is_not_kept_back(void **state)
{
	size_t n;

	(void)state;
	assert_false(comes(PRE, 1));
	assert_true(comes(ASSOC, 1));
	sequence_handed_on(&sequence);
	assert_null(sequence_kept_back(&sequence, &n));
}

static void after_a_reset_the_first_number_is_not_compared(void **state)
{
	(void)state;
	assert_false(comes(PRE, 1));
	sequence_reset(&sequence);
	assert_false(comes(ASSOC, 1));
}

static void other_frames_do_not_count(void **state)
{
	(void)state;
	assert_false(comes(PRE, 1));
	assert_false(comes(PRE_ACK, 1));
	len = capture_get("vdp22.pcap", ASSOC, frame, sizeof(frame));
	frame[12] = 0x88;
	assert_false(sequence_frame(&sequence, now, &evb, frame, len));
	frame[12] = 0x89;
	assert_false(sequence_frame(&sequence, now, &evb, frame, 17));
	assert_false(sequence_frame(&sequence, now, &evb, frame, 0));
	assert_false(comes(PRE, 1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_new_number_is_ecp22s_own_business),
		TEST(repetitions_are_left_alone),
		TEST(the_same_number_with_other_octets_is_a_new_request),
		TEST(the_same_octets_much_later_are_a_new_request),
		TEST(with_longer_timers_repetitions_come_later),
		TEST(what_ecp22_hands_on_is_not_kept_back),
		TEST(after_a_reset_the_first_number_is_not_compared),
		TEST(other_frames_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
