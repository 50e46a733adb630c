/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module on a fake host: a VSI's association is sent once more with the S-bit.
 * IEEE 802.1Q 41.2.3.
 */
#include "module_rig.h"

static char port[VM_IFNAME_MAX];
static uint8_t sent[HOST_PDU_MAX];

static void suspend(const char *id)
{
	struct link_msg msg = { .type = LINK_SUSPEND, .u.suspend.seq = 5 };

	assert_int_equal(vsi_id_parse(id, &msg.u.suspend.id), 0);
	say(&msg);
	assert_int_equal(fake_host_pdu(false, port, sent), 0); /* not from here */
	hear();
}

static void associate(void)
{
	out("e0", PRE);
	in("e0", PRE_OK);
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
}

static void its_association_is_sent_again_with_the_S_bit_alone(void **state)
{
	size_t len;

	(void)state;
	associate();
	suspend(MARKED);
	assert_heard("done 5 0 e0: the bridge is told");
	len = captured(ASSOC);
	assert_int_equal(fake_host_pdu(false, port, sent), len + 2); /* End TLV */
	assert_string_equal(port, "e0");
	assert_int_equal(sent[STATUS_AT], VDP_STATUS_S);
	assert_int_equal(sent[len] | sent[len + 1], 0);
	sent[STATUS_AT] = pdu[STATUS_AT];
	assert_memory_equal(sent, pdu, len);
	hear();
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
	tick();
	hear();
	assert_heard("counter s-bit sent 1");
}

static void
suspended_again_it_is_sent_again_and_its_keepalives_stay_as_they_were(void **state)
{
	(void)state;
	associate();
	suspend(MARKED);
	assert_true(fake_host_pdu(false, port, sent) > 0);
	/* The bridge's answer, which nobody in lldpad has asked for. */
	assert_true(in("e0", ASSOC_OK));
	assert_true(leaves("e0", ASSOC));
	assert_int_equal(pdu[STATUS_AT], 0);
	suspend(MARKED);
	assert_heard("done 5 0 e0: the bridge is told");
	assert_true(fake_host_pdu(false, port, sent) > 0);
	assert_int_equal(sent[STATUS_AT], VDP_STATUS_S);
}

static void a_hint_that_stock_repeats_is_not_sent_with_it(void **state)
{
	size_t len;

	(void)state;
	associate();
	len = captured(ASSOC);
	pdu[STATUS_AT] = VDP_STATUS_M;
	assert_true(events->pdu_out("e0", pdu, &len));
	suspend(MARKED);
	assert_true(fake_host_pdu(false, port, sent) > 0);
	assert_int_equal(sent[STATUS_AT], VDP_STATUS_S);
}

static void only_an_associated_vsi_can_be_suspended(void **state)
{
	static const char none[] = "done 5 2 no station port of this server has such ";

	(void)state;
	suspend("fa9b7fff-b0a0-4893-abcd-000000000000");
	assert_heard(none);
	out("e0", PRE);
	in("e0", PRE_OK);
	suspend(MARKED);
	assert_heard("done 5 22 e0: this VSI is not associated");
	out("e0", ASSOC);
	suspend(MARKED);
	assert_heard("done 5 22 e0: this VSI is not associated");
	in("e0", ASSOC_OK);
	out("e0", DEASSOC);
	suspend(MARKED);
	assert_heard(none);
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
}

static void a_vsi_of_a_bridge_port_is_none_of_this_servers(void **state)
{
	(void)state;
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	suspend(MARKED);
	assert_heard("done 5 2 no station port of this server has such ");
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
}

static void a_vsi_whose_request_passed_unseen_must_wait_for_a_keepalive(void **state)
{
	(void)state;
	out("e0", PRE);
	events->port_down("e0");
	events->port_up("e0");
	in("e0", ASSOC_OK);
	suspend(MARKED);
	assert_heard("done 5 11 e0: its request has passed unseen: wait ");
	out("e0", ASSOC);
	suspend(MARKED);
	assert_heard("done 5 0 e0: the bridge is told");
	assert_true(fake_host_pdu(false, port, sent) > 0);
}

static void what_ends_before_the_next_turn_is_not_sent(void **state)
{
	struct link_msg msg = { .type = LINK_SUSPEND, .u.suspend.seq = 5 };

	(void)state;
	associate();
	assert_int_equal(vsi_id_parse(MARKED, &msg.u.suspend.id), 0);
	say(&msg);
	events->port_down("e0");
	hear();
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(its_association_is_sent_again_with_the_S_bit_alone),
		TEST(suspended_again_it_is_sent_again_and_its_keepalives_stay_as_they_were),
		TEST(a_hint_that_stock_repeats_is_not_sent_with_it),
		TEST(only_an_associated_vsi_can_be_suspended),
		TEST(a_vsi_of_a_bridge_port_is_none_of_this_servers),
		TEST(a_vsi_whose_request_passed_unseen_must_wait_for_a_keepalive),
		TEST(what_ends_before_the_next_turn_is_not_sent),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
