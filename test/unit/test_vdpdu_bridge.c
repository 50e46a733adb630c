/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus hook on a bridge: what it reports, holds back and leaves as it is; the roles. */
#include "bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake/host.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

static void infer_changes_nothing_that_a_bridge_sends(void **state)
{
	(void)state;
	be("bridge");
	infer();
	in(PRE);
	assert_untouched(out(PRE_OK));
	assert_untouched(out(BRIDGE_DEASSOC));
}

static void a_bridge_reports_requests_answers_and_its_own_de_associates(void **state)
{
	(void)state;
	be("bridge");
	assert_true(in(PRE_M));
	assert_seen(LINK_VSI_REQUEST, VDP22_PRE, VDP_STATUS_M);
	out(PRE_OK);
	assert_seen(LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK);
	assert_true(in(DEASSOC));
	assert_seen(LINK_VSI_REQUEST, VDP22_DEASSOC, 0);
	out(DEASSOC_OK);
	assert_seen(LINK_VSI_RESPONSE, VDP22_DEASSOC, VDP_STATUS_ACK);
	out(BRIDGE_DEASSOC);
	assert_seen(LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0);
	assert_int_equal(n_roles, 0);
}

static void a_suspended_vsi_is_reported_with_its_S_bit_and_stays_associated(void **state)
{
	size_t len;

	(void)state;
	be("bridge");
	in(ASSOC);
	n_seen = 0;
	out(ASSOC_OK);
	assert_seen(LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK);
	len = captured(KEEPALIVE);
	pdu[STATUS_AT] = stock[STATUS_AT] = VDP_STATUS_S;
	assert_true(vdpdu_in(&vdpdu, host_now(), port, pdu, len));
	vdpdu_catch_up(&vdpdu, host_now());
	assert_memory_equal(pdu, stock, sizeof(pdu));
	assert_seen(LINK_VSI_REQUEST, VDP22_ASSOC, VDP_STATUS_S);
	out(KEEPALIVE_OK);
	assert_seen(LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK);
	assert_true(vsis_confirmed(vsis_find(&port->vsis, &seen.id)));
}

static void a_mark_changes_nothing_that_a_bridge_sends(void **state)
{
	(void)state;
	be("bridge");
	mark();
	in(ASSOC);
	assert_untouched(out(ASSOC_OK));
	assert_untouched(out(BRIDGE_DEASSOC));
}

static void what_lldpad_sends_tells_the_role_better_than_its_file(void **state)
{
	(void)state;
	be("bridge");
	out(PRE);
	assert_int_equal(port->role, LINK_ROLE_STATION);
	assert_int_equal(n_roles, 1);
	in(PRE_OK);
	be("station");
	in(ASSOC_M);
	assert_seen(LINK_VSI_REQUEST, VDP22_ASSOC, VDP_STATUS_M);
	out(ASSOC_OK);
	assert_int_equal(port->role, LINK_ROLE_BRIDGE);
	assert_int_equal(n_roles, 1);
	be(NULL);
	in(PRE_OK);
	assert_int_equal(port->role, LINK_ROLE_STATION);
}

static void no_peer_turns_a_bridge_port_into_a_station_port(void **state)
{
	(void)state;
	be("bridge");
	assert_true(in(ASSOC_OK));
	assert_int_equal(port->role, LINK_ROLE_BRIDGE);
	assert_int_equal(n_seen, 0);
	be("station");
	out(PRE);
	n_seen = n_roles = 0;
	assert_true(in(ASSOC));
	assert_int_equal(port->role, LINK_ROLE_STATION);
	assert_int_equal(n_seen + n_roles, 0);
}

static bool leaves(unsigned frame_number)
{
	size_t len = captured(frame_number);

	return vdpdu_out(&vdpdu, host_now(), port, pdu, &len);
}

static void without_timers_a_bridges_own_de_associates_stay_and_are_no_news(void **state)
{
	(void)state;
	be("bridge");
	port->timed = false;
	in(ASSOC_M);
	assert_true(leaves(ASSOC_M_OK));
	n_seen = 0;
	assert_false(leaves(BRIDGE_DEASSOC));
	assert_false(leaves(BRIDGE_DEASSOC));
	assert_int_equal(n_seen, 0);
	assert_int_equal(counters.value[COUNT_HELD_BACK], 2);
	assert_int_equal(fake_host_logged("de-associates are held back"), 1);
	assert_int_equal(port->vsis.n, 1);
	/* The next keep-alive makes it anew in lldpad. */
	in(KEEPALIVE_M);
	assert_true(leaves(ASSOC_M_OK));
	assert_int_equal(port->vsis.n, 1);
}

static void timers_that_come_between_answer_and_de_associate_change_nothing(void **state)
{
	(void)state;
	be("bridge");
	port->timed = false;
	in(ASSOC);
	out(ASSOC_OK);
	port->timed = true;
	assert_false(leaves(BRIDGE_DEASSOC));
	in(KEEPALIVE);
	out(KEEPALIVE_OK);
	assert_true(leaves(BRIDGE_DEASSOC));
	assert_int_equal(seen.what, LINK_VSI_TIMEOUT);
	assert_int_equal(port->vsis.n, 0);
}

static void answers_and_a_stations_de_associate_leave_without_timers(void **state)
{
	(void)state;
	be("bridge");
	port->timed = false;
	in(DEASSOC);
	assert_true(leaves(DEASSOC_OK));
	be("station");
	port->timed = false;
	assert_true(leaves(DEASSOC));
}

static void stale_octets_behind_a_vdpdu_are_not_handed_on(void **state)
{
	size_t len;

	(void)state;
	be("bridge");
	len = captured(ASSOC);
	memset(pdu + PDU_LEN, 0x08, 200);
	assert_true(vdpdu_in(&vdpdu, host_now(), port, pdu, PDU_LEN));
	assert_true(len >= PDU_LEN);
	assert_int_equal(pdu[PDU_LEN], 0);
	assert_int_equal(pdu[PDU_LEN + HOST_PDU_ZERO - 1], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(infer_changes_nothing_that_a_bridge_sends),
		TEST(a_bridge_reports_requests_answers_and_its_own_de_associates),
		TEST(a_suspended_vsi_is_reported_with_its_S_bit_and_stays_associated),
		TEST(a_mark_changes_nothing_that_a_bridge_sends),
		TEST(what_lldpad_sends_tells_the_role_better_than_its_file),
		TEST(no_peer_turns_a_bridge_port_into_a_station_port),
		TEST(without_timers_a_bridges_own_de_associates_stay_and_are_no_news),
		TEST(timers_that_come_between_answer_and_de_associate_change_nothing),
		TEST(answers_and_a_stations_de_associate_leave_without_timers),
		TEST(stale_octets_behind_a_vdpdu_are_not_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
