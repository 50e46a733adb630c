/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core/snoop: an answer that may be a guest's has gone out, and may come back by a
 * trusted port. While it may, no answer to its request counts.
 */
#include "snoop_rig.h"

static void doubt(struct fixture *f, uint32_t xid)
{
	struct fake_dhcp fake = answer(DHCP4_ACK, xid);
	uint8_t buf[800];
	struct dhcp4 message;
	const struct snoop_seen seen = { .bridge = 3, .message = &message };

	assert_int_equal(dhcp4_decode(rd_new(buf, fake_dhcp(buf, sizeof(buf), &fake), 0),
				      &message, NULL), 0);
	snoop_doubt(f->snoop, f->now, &seen);
}

static void answer_in_doubt_closes_what_it_answers_alone(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	request(f, VM_PORT, 78);
	doubt(f, 77);
	doubt(f, 79);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_BOUND);
}

static void answer_in_doubt_is_so_too_where_it_is_earlier_than_its_request(void **state)
{
	struct fixture *f = *state;

	doubt(f, 77);
	f->now += 3999;
	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	f->now++;
	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
}

static void doubt_of_nobody_knows_what_is_of_all(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	request(f, BAD_PORT, 78);
	snoop_doubt(f->snoop, f->now, NULL);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_RENEWED);
	request(f, VM_PORT, 79);
	assert_int_equal(ack(f, SERVER_PORT, 79), SNOOP_RENEWED);
	f->now += 4000;
	request(f, VM_PORT, 79);
	assert_int_equal(ack(f, SERVER_PORT, 79), SNOOP_BOUND);
}

static void more_doubts_than_can_be_kept_are_of_all(void **state)
{
	struct fixture *f = *state;

	for (uint32_t xid = 1000; xid < 1000 + 256; xid++)
		doubt(f, xid);
	doubt(f, 1000);
	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	doubt(f, 2000);
	request(f, VM_PORT, 78);
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_RENEWED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(answer_in_doubt_closes_what_it_answers_alone),
		TEST(answer_in_doubt_is_so_too_where_it_is_earlier_than_its_request),
		TEST(doubt_of_nobody_knows_what_is_of_all),
		TEST(more_doubts_than_can_be_kept_are_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
