/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module as a whole on a fake host: replay, VDPDUs, start-up, marks.
 */
#include "module_rig.h"

static void a_replay_tells_ports_before_vsis_and_those_given_up_as_gone(void **state)
{
	(void)state;
	in("p1", PRE);
	out("p1", PRE_OK);
	in("p1", ASSOC);
	engine_restarts();
	assert_string_equal(heard[0], "hello");
	assert_string_equal(heard[1], "replay");
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	assert_heard("port p2 up gone role 2 guard 0 keep-alive 15755");
	assert_heard("port e0 up role 1 guard 0 keep-alive 15755");
	assert_string_equal(heard[5], "p1 replayed mode 1 status 00");
	assert_string_equal(heard[6], "p1 request mode 3 status 00");
	assert_string_equal(heard[n_heard - 1], "replay end");
}

static void a_replay_tells_marks_before_the_vsis_that_are_expected(void **state)
{
	unsigned at = 0, vsi = 0;

	(void)state;
	mark(LINK_MARK, 7, 60);
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	engine_restarts();
	for (unsigned i = 0; i < n_heard; i++) {
		at = strncmp(heard[i], "mark for", 8) ? at : i;
		vsi = strcmp(heard[i], "e0 replayed mode 3 status 10") ? vsi : i;
	}
	assert_true(at > 0 && vsi > at);
	mark(LINK_UNMARK, 8, 0);
}

static void a_large_replay_takes_several_datagrams_and_loses_nothing(void **state)
{
	const unsigned n = 4096;
	unsigned i;
	size_t len;

	(void)state;
	for (i = 0; i < n; i++) {
		len = captured(PRE);
		pdu[ID_AT] = (uint8_t)(i >> 8);
		pdu[ID_AT + 1] = (uint8_t)i;
		pdu[STATUS_AT] = VDP_STATUS_M;
		assert_true(events->pdu_in("p1", pdu, len));
		len = captured(PRE_OK);
		pdu[ID_AT] = (uint8_t)(i >> 8);
		pdu[ID_AT + 1] = (uint8_t)i;
		events->pdu_out("p1", pdu, &len);
		if (i % 64 == 0)
			hear();
	}
	engine_restarts();
	for (i = 0; i < 10 && strcmp(heard[n_heard - 1], "replay end"); i++)
		hear();
	assert_int_equal(heard_lines("p1 replayed mode 1 status 10"), n);
	assert_true(n_datagrams > 4);
}

static void a_port_that_is_not_ours_passes_unread(void **state)
{
	(void)state;
	captured(PRE);
	pdu[0] = 0xff;
	assert_true(events->pdu_in("p2", pdu, 40));
	assert_true(in("p2", PRE));
	out("p2", PRE_OK);
	assert_true(in("p9", PRE));
	hear();
	assert_int_equal(n_heard, 0);
}

static void once_vdp_runs_the_evb_tlv_leaves_and_then_an_empty_vdpdu(void **state)
{
	const uint8_t empty[VDP22_EMPTY_LEN] = { 0x0a, 0x10 };
	char port[VM_IFNAME_MAX];
	uint8_t sent[HOST_PDU_MAX];

	(void)state;
	fake_host_lldp_changes("p1");
	events->vdp_started("p1");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->ecp_started("p1");
	assert_int_equal(fake_host_pdu(false, port, sent), sizeof(empty));
	assert_string_equal(port, "p1");
	assert_memory_equal(sent, empty, sizeof(empty));
	fake_host_lldp_changes("p2");
	events->vdp_started("p2");
	events->ecp_started("p2");
	assert_int_equal(fake_host_lldp_changes("p2"), 0);
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
}

static void a_request_taken_for_a_repetition_is_handed_on_at_the_next_turn(void **state)
{
	char port[VM_IFNAME_MAX];
	uint8_t frame[2048], got[HOST_PDU_MAX];
	size_t len = capture_get("vdp22.pcap", PRE, frame, sizeof(frame));

	(void)state;
	events->frame_in("p1", frame, len);
	assert_true(in("p1", PRE));
	fake_host_advance(5000);
	events->frame_in("p1", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), len - 18);
	assert_string_equal(port, "p1");
	assert_memory_equal(got, frame + 18, len - 18);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
	/* ECP22 begins anew as well, and takes it. */
	events->port_down("p1");
	events->port_up("p1");
	events->frame_in("p1", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
	/* Not ours. */
	events->frame_in("p2", frame, len);
	fake_host_advance(5000);
	events->frame_in("p2", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
}

static void before_its_timers_a_bridge_loses_no_vsi(void **state)
{
	const struct host_evb evb = { .retries = 3, .rte = 8, .rwd = 20, .rka = 20 };

	(void)state;
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	captured(BRIDGE_DEASSOC);
	assert_false(leaves("p1", BRIDGE_DEASSOC));
	hear();
	assert_int_equal(n_heard, 0);
	events->evb("p1", &evb);
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	assert_true(leaves("p1", BRIDGE_DEASSOC));
	/* After a SIGHUP lldpad begins without them again. */
	events->detached();
	events->attached();
	events->port_up("p1");
	assert_false(leaves("p1", BRIDGE_DEASSOC));
	hear();
}

static void new_timers_of_a_port_are_told_once(void **state)
{
	const struct host_evb fast = { .retries = 3, .rte = 8, .rwd = 16, .rka = 16 };

	(void)state;
	events->evb("p1", &fast);
	events->evb("p1", &fast);
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 1009");
}

static void a_port_that_goes_down_forgets_its_vsis(void **state)
{
	(void)state;
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	events->port_down("p1");
	events->port_down("p1");
	hear();
	assert_int_equal(n_heard, 2);
	assert_string_equal(heard[0], "forgotten 'p1'");
	assert_string_equal(heard[1], "port p1 down role 2 guard 0 keep-alive 15755");
	engine_restarts();
	assert_int_equal(heard_lines("p1 replayed mode 3 status 00"), 0);
	assert_heard("port p1 down role 2 guard 0 keep-alive 15755");
}

static void a_sighup_forgets_all_vsis_but_no_mark(void **state)
{
	(void)state;
	mark(LINK_MARK, 5, 0);
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	assert_heard("done 5 0 marked");
	events->detached();
	hear();
	assert_heard("forgotten ''");
	events->attached();
	events->port_up("p1");
	events->port_up("e0");
	out("e0", PRE);
	assert_int_equal(pdu[STATUS_AT], VDP_STATUS_M);
	engine_restarts();
	assert_int_equal(heard_lines("p1 replayed mode 3 status 00"), 0);
	mark(LINK_UNMARK, 6, 0);
}

static void marks_are_set_shown_and_taken_away(void **state)
{
	(void)state;
	mark(LINK_MARK, 7, 100000);
	hear();
	assert_heard("done 7 22 a mark lives at most 86400 s");
	mark(LINK_MARK, 7, 60);
	show("marks");
	assert_heard("done 7 0 marked");
	assert_heard("row 9 vsi:s ... state:s");
	assert_heard(MARKED_ROW "waiting");
	assert_heard("done 9 0 ");
	out("e0", PRE);
	in("e0", PRE_OK);
	show("marks");
	assert_heard("e0 request mode 1 status 10");
	assert_heard(MARKED_ROW "pre-associated");
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	show("marks");
	assert_heard(MARKED_ROW "associated");
	mark(LINK_UNMARK, 8, 0);
	mark(LINK_UNMARK, 8, 0);
	hear();
	assert_heard("done 8 0 unmarked");
	assert_heard("done 8 2 this VSI is not marked");
	show("bindings");
	assert_heard("done 9 2 no such table in the module");
}

static void a_mark_runs_out_by_itself(void **state)
{
	(void)state;
	mark(LINK_MARK, 7, 60);
	fake_host_advance(60 * 1000);
	tick();
	show("marks");
	assert_int_equal(heard_lines(MARKED_ROW "waiting"), 0);
	out("e0", PRE);
	assert_int_equal(pdu[STATUS_AT], 0);
}

static void dropped_frames_are_counted_and_logged_within_limits(void **state)
{
	unsigned i, before = fake_host_logged("");

	(void)state;
	assert_ptr_equal(events->frame_ok, ecp_survivable);
	for (i = 0; i < 100; i++)
		events->frame_dropped("p1", ETHERTYPE_ECP, 1600);
	assert_int_equal(fake_host_logged(""), before + 1);
	assert_string_equal(fake_host_last_log(),
			    "p1: frame dropped: ethertype 0x8940, 1600 octets, "
			    "lldpad would not survive it");
	tick();
	hear();
	assert_heard("counter frames dropped below the bus 100");
	tick();
	hear();
	assert_int_equal(heard_lines("counter frames dropped below the bus 100"), 0);
}

static void how_long_the_loop_was_held_is_told_once_a_second(void **state)
{
	const struct host_held held = {
		.turns = 9, .us = 700, .longest_us = 310, .within = { 5, 1, 2 },
		.bounds = { 10, 20, 50, 100, 200, 500, 1000, 10000 },
		.attach_us = 4000, .set_us = 12000,
	};

	(void)state;
	fake_host_hold(&held);
	tick();
	hear();
	assert_heard("counter loop holds 9");
	assert_heard("counter loop holds within 10 us 5");
	assert_heard("counter loop holds within 20 us 6");
	assert_heard("counter loop holds within 50 us 8");
	assert_heard("counter loop holds within 10000 us 8");
	assert_heard("counter loop hold us 700");
	assert_heard("counter loop hold us max 310");
	assert_heard("counter loop hold us max at attach 4000");
	assert_heard("counter loop hold us max at a set 12000");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_replay_tells_ports_before_vsis_and_those_given_up_as_gone),
		TEST(a_replay_tells_marks_before_the_vsis_that_are_expected),
		TEST(a_large_replay_takes_several_datagrams_and_loses_nothing),
		TEST(a_port_that_is_not_ours_passes_unread),
		TEST(once_vdp_runs_the_evb_tlv_leaves_and_then_an_empty_vdpdu),
		TEST(a_request_taken_for_a_repetition_is_handed_on_at_the_next_turn),
		TEST(before_its_timers_a_bridge_loses_no_vsi),
		TEST(new_timers_of_a_port_are_told_once),
		TEST(a_port_that_goes_down_forgets_its_vsis),
		TEST(a_sighup_forgets_all_vsis_but_no_mark),
		TEST(marks_are_set_shown_and_taken_away),
		TEST(a_mark_runs_out_by_itself),
		TEST(dropped_frames_are_counted_and_logged_within_limits),
		TEST(how_long_the_loop_was_held_is_told_once_a_second),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
