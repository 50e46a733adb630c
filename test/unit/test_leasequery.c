/* SPDX-License-Identifier: GPL-2.0-only */
/* core/leasequery: what is asked, whose answer is taken, what it says. */
#include "fake/lq.h"

static void active_tells_address_and_lease(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 5, 1);
	assert_int_equal(f->n_sent, 1);
	assert_true(mac_equal(&f->sent[0].mac, &vm));
	fake = active(f->sent[0].xid);
	assert_int_equal(come(f, &server_1, &fake), LQ_TAKEN);
	assert_int_equal(f->n_answers, 1);
	assert_int_equal(f->answer.tag, 5);
	assert_int_equal(f->answer.outcome, LQ_ACTIVE);
	assert_int_equal(f->answer.n_addrs, 1);
	assert_true(addr_equal(&f->answer.addrs[0], &ip_7));
	assert_true(addr_equal(&f->answer.server, &server_1));
	assert_true(mac_equal(&f->answer.mac, &vm));
	assert_int_equal(f->answer.lease_s, 3600);
	assert_true(f->answer.last);
	assert_true(lq_deadline(f->lq) == MS_NEVER);
}

static void answer_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 5, 1);
	fake = active(f->sent[0].xid);
	come(f, &server_1, &fake);
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_XID);
	assert_int_equal(f->n_answers, 1);
}

static void each_server_is_asked_at_once_and_told_at_once(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 2);
	assert_int_equal(f->n_sent, 2);
	assert_int_not_equal(f->sent[0].xid, f->sent[1].xid);
	assert_int_equal(come_type(f, &server_2, f->sent[1].xid, 13), LQ_TAKEN);
	assert_int_equal(f->answer.outcome, LQ_ACTIVE);
	assert_false(f->answer.last);
	assert_int_equal(come_type(f, &server_1, f->sent[0].xid, 12), LQ_TAKEN);
	assert_int_equal(f->answer.outcome, LQ_UNKNOWN);
	assert_true(f->answer.last);
}

static void same_server_twice_is_asked_once(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(5, 2);

	question.servers[1] = server_1;
	ask(f, &question);
	assert_int_equal(f->n_sent, 1);
	come_type(f, &server_1, f->sent[0].xid, 12);
	assert_true(f->answer.last);
}

static void forged_xid_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 5, 1);
	fake = active(f->sent[0].xid ^ 0x80000000);
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_XID);
	fake.xid = f->sent[0].xid + 1;
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_XID);
	assert_int_equal(f->n_answers, 0);
	assert_int_equal(lq_counts(f->lq)->rejected[LQ_BAD_XID], 2);
}

static void answer_of_another_server_is_not_taken(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 2);
	assert_int_equal(come_type(f, &server_2, f->sent[0].xid, 13), LQ_BAD_SERVER);
	assert_int_equal(come_type(f, &ip_8, f->sent[0].xid, 13), LQ_BAD_SERVER);
	assert_int_equal(f->n_answers, 0);
	assert_int_equal(lq_counts(f->lq)->rejected[LQ_BAD_SERVER], 2);
}

static void answer_for_another_mac_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 5, 1);
	fake = active(f->sent[0].xid);
	fake.chaddr = other_mac;
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_MAC);
	assert_int_equal(f->n_answers, 0);
	fake.chaddr = vm;
	assert_int_equal(come(f, &server_1, &fake), LQ_TAKEN);
}

static void answer_to_another_giaddr_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 5, 1);
	fake = active(f->sent[0].xid);
	fake.giaddr = ip_8;
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_GIADDR);
}

static void what_is_no_reply_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;
	uint8_t octet = 0;

	ask_by_mac(f, 5, 1);
	fake = active(f->sent[0].xid);
	fake.op = DHCP4_BOOTREQUEST;
	assert_int_equal(come(f, &server_1, &fake), LQ_NOT_A_REPLY);
	fake.op = DHCP4_BOOTREPLY;
	fake.type = DHCP4_ACK;
	assert_int_equal(come(f, &server_1, &fake), LQ_NOT_A_REPLY);
	assert_int_equal(lq_input(f->lq, 0, &giaddr, &server_1, &octet, 1),
			 LQ_BAD_MESSAGE);
	assert_int_equal(f->n_answers, 0);
}

static void rejected_message_changes_nothing(void **state)
{
	struct fixture *f = *state;

	ask_by_mac(f, 5, 1);
	come_type(f, &server_2, f->sent[0].xid, 13);
	run_until(f, 250);
	assert_int_equal(f->n_sent, 2);
	assert_int_equal(come_type(f, &server_1, f->sent[0].xid, 13), LQ_TAKEN);
}

static void of_unassigned_and_unknown_only_the_type_is_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	for (uint8_t type = 11; type <= 12; type++) {
		ask_by_mac(f, type, 1);
		fake = active(f->sent[f->n_sent - 1].xid);
		fake.type = type;
		fake.chaddr = other_mac;
		assert_int_equal(come(f, &server_1, &fake), LQ_TAKEN);
		assert_int_equal(f->answer.outcome, type);
		assert_int_equal(f->answer.n_addrs, 0);
		assert_int_equal(f->answer.lease_s, 0);
		assert_true(mac_is_zero(&f->answer.mac));
	}
}

static void active_without_time_left_is_unassigned(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 1, 1);
	fake = active(f->sent[0].xid);
	fake.has_lease = false;
	come(f, &server_1, &fake);
	assert_int_equal(f->answer.outcome, LQ_UNASSIGNED);
	assert_int_equal(f->answer.n_addrs, 0);

	ask_by_mac(f, 2, 1);
	fake = active(f->sent[1].xid);
	fake.lease_s = 0;
	come(f, &server_1, &fake);
	assert_int_equal(f->answer.outcome, LQ_UNASSIGNED);
	assert_int_equal(lq_counts(f->lq)->unassigned, 2);
}

static void active_without_address_is_unassigned(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 1, 1);
	fake = active(f->sent[0].xid);
	fake.ciaddr = (struct addr){0};
	come(f, &server_1, &fake);
	assert_int_equal(f->answer.outcome, LQ_UNASSIGNED);
}

static void huge_leases_are_forever(void **state)
{
	static const uint32_t lease[] = {0xffffffff, 0xfffffff6, 0x7fffffff};
	struct fixture *f = *state;
	struct fake_dhcp fake;

	for (unsigned i = 0; i < 3; i++) {
		ask_by_mac(f, i, 1);
		fake = active(f->sent[i].xid);
		fake.lease_s = lease[i];
		come(f, &server_1, &fake);
		assert_true(f->answer.lease_s == LQ_FOREVER);
	}
	/* What isc makes of "ends never" are seconds still. */
	ask_by_mac(f, 9, 1);
	fake = active(f->sent[3].xid);
	fake.lease_s = 352058356;
	come(f, &server_1, &fake);
	assert_int_equal(f->answer.lease_s, 352058356);
}

static void option_92_names_the_other_addresses(void **state)
{
	static const uint8_t others[] = {10, 0, 0, 7, 10, 0, 0, 8, 0, 0, 0, 0};
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 1, 1);
	fake = active(f->sent[0].xid);
	memcpy(fake.others, others, sizeof(others));
	fake.n_others = sizeof(others);
	assert_int_equal(come(f, &server_1, &fake), LQ_TAKEN);
	assert_int_equal(f->answer.n_addrs, 2);
	assert_true(addr_equal(&f->answer.addrs[0], &ip_7));
	assert_true(addr_equal(&f->answer.addrs[1], &ip_8));
}

static void option_92_never_overflows(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 1, 1);
	fake = active(f->sent[0].xid);
	fake.n_others = sizeof(fake.others);
	memset(fake.others, 10, sizeof(fake.others));
	come(f, &server_1, &fake);
	assert_int_equal(f->answer.n_addrs, LQ_ADDRS_MAX);
}

static void option_92_of_odd_length_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake;

	ask_by_mac(f, 1, 1);
	fake = active(f->sent[0].xid);
	fake.n_others = 6;
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_MESSAGE);
	assert_int_equal(f->n_answers, 0);
}

static void answer_by_ip_must_be_about_that_ip(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(1, 1);
	struct fake_dhcp fake;

	question.key = LQ_BY_IP;
	question.ip = ip_8;
	assert_int_equal(ask(f, &question), 0);
	fake = active(f->sent[0].xid);
	assert_int_equal(come(f, &server_1, &fake), LQ_BAD_MESSAGE);
	fake.ciaddr = ip_8;
	assert_int_equal(come(f, &server_1, &fake), LQ_TAKEN);
}

static void question_without_key_server_or_giaddr_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lq_question question = by_mac(1, 0);

	assert_int_equal(ask(f, &question), -22);
	question = by_mac(1, LQ_SERVERS_MAX + 1);
	assert_int_equal(ask(f, &question), -22);
	question = by_mac(1, 1);
	question.giaddr = (struct addr){0};
	assert_int_equal(ask(f, &question), -22);
	question = by_mac(1, 1);
	question.mac = (struct mac){0};
	assert_int_equal(ask(f, &question), -22);
	question.key = LQ_BY_IP;
	assert_int_equal(ask(f, &question), -22);
	question.key = LQ_BY_CLIENT_ID;
	assert_int_equal(ask(f, &question), -22);
	question = by_mac(1, 1);
	question.servers[0] = (struct addr){0};
	assert_int_equal(ask(f, &question), -22);
	assert_int_equal(f->n_sent, 0);
}

static void ask_again(struct fixture *f)
{
	if (f->answer.tag < 40)
		ask_by_mac(f, f->answer.tag + 1, 1);
}

static void answer_may_ask_anew(void **state)
{
	struct fixture *f = *state;

	f->on_answer = ask_again;
	ask_by_mac(f, 37, 1);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(come_type(f, &server_1, f->sent[i].xid, 11), LQ_TAKEN);
	assert_int_equal(f->n_sent, 4);
	ask_by_mac(f, 30, 1);
	run_until(f, 60000);
	assert_true(f->n_answers > 12);
}

static void cancel_all(struct fixture *f)
{
	for (uint64_t tag = 0; tag < 40; tag++)
		lq_cancel(f->lq, tag);
}

static void answer_may_cancel_everything(void **state)
{
	struct fixture *f = *state;

	f->on_answer = cancel_all;
	for (unsigned i = 0; i < 40; i++)
		ask_by_mac(f, i, 2);
	assert_int_equal(come_type(f, &server_1, f->sent[0].xid, 12), LQ_TAKEN);
	assert_true(lq_deadline(f->lq) == MS_NEVER);
	for (unsigned i = 0; i < 40; i++)
		ask_by_mac(f, i, 2);
	run_until(f, 60000);
	assert_int_equal(f->n_answers, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(active_tells_address_and_lease),
		TEST(answer_is_taken_once),
		TEST(each_server_is_asked_at_once_and_told_at_once),
		TEST(same_server_twice_is_asked_once),
		TEST(forged_xid_is_not_taken),
		TEST(answer_of_another_server_is_not_taken),
		TEST(answer_for_another_mac_is_not_taken),
		TEST(answer_to_another_giaddr_is_not_taken),
		TEST(what_is_no_reply_is_not_taken),
		TEST(rejected_message_changes_nothing),
		TEST(of_unassigned_and_unknown_only_the_type_is_taken),
		TEST(active_without_time_left_is_unassigned),
		TEST(active_without_address_is_unassigned),
		TEST(huge_leases_are_forever),
		TEST(option_92_names_the_other_addresses),
		TEST(option_92_never_overflows),
		TEST(option_92_of_odd_length_is_not_taken),
		TEST(answer_by_ip_must_be_about_that_ip),
		TEST(question_without_key_server_or_giaddr_is_refused),
		TEST(answer_may_ask_anew),
		TEST(answer_may_cancel_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
