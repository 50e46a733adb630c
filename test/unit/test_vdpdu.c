/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus hook, fed with the VDPDUs of two stock lldpads (captures/vdp22.pcap). */
#include "module/vdpdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "fake/host.h"
#include "vdp_migrate/protocol.h"
#include "wire/ecp.h"
#include "wire/text.h"
#include "wire/vdp22.h"

/* Numbers of the frames. */
enum {
	PRE = 1, PRE_OK = 3, ASSOC = 5, ASSOC_OK = 7, KEEPALIVE = 9, KEEPALIVE_OK = 11,
	DEASSOC = 13, DEASSOC_OK = 15, PRE_M = 17, ASSOC_M = 21, ASSOC_M_OK = 23,
	KEEPALIVE_M = 25, BRIDGE_DEASSOC = 29,
};

#define STATUS_AT 20
#define PDU_LEN 53
#define FIRST_VSI "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
#define SECOND_VSI "1b4e28ba-2fa1-11d2-883f-0016d3cca427"

static struct ports ports;
static struct port *port;
static struct marks *marks;
static struct counters counters;
static struct link_vsi seen;
static unsigned n_seen, n_roles;
static uint8_t pdu[HOST_PDU_MAX], stock[HOST_PDU_MAX];
static size_t stock_len;

static void see(void *arg, const struct link_msg *msg)
{
	(void)arg;
	assert_int_equal(msg->type, LINK_VSI);
	seen = msg->u.vsi;
	n_seen++;
}

static void role(void *arg, struct port *changed)
{
	(void)arg;
	assert_ptr_equal(changed, port);
	n_roles++;
}

static struct vdpdu vdpdu = { .counters = &counters, .see = see, .role = role };

static void be(const char *mode)
{
	ports_clear(&ports);
	fake_host_evb_mode("p1", mode);
	fake_host_set("p1", "use", "yes");
	port = port_get(&ports, "p1");
	port->timed = true;
	n_roles = n_seen = 0;
}

static int fresh(void **state)
{
	(void)state;
	fake_host_reset();
	memset(&counters, 0, sizeof(counters));
	vdpdu.marks = marks = marks_new();
	be("station");
	return 0;
}

static int done(void **state)
{
	(void)state;
	marks_free(marks);
	ports_clear(&ports);
	return 0;
}

static void mark(void)
{
	struct link_mark what = { 0 };

	assert_int_equal(vsi_id_parse(FIRST_VSI, &what.id), 0);
	assert_int_equal(marks_set(marks, host_now(), &what), 0);
	assert_int_equal(vsi_id_parse(SECOND_VSI, &what.id), 0);
	assert_int_equal(marks_set(marks, host_now(), &what), 0);
}

/* The VDPDU of a captured frame into pdu and stock. */
static size_t captured(unsigned frame_number)
{
	uint8_t frame[2048];
	size_t len = capture_get("vdp22.pcap", frame_number, frame, sizeof(frame));
	struct ecp ecp;

	assert_int_equal(ecp_decode(frame, len, &ecp, NULL), 0);
	stock_len = rd_left(&ecp.payload);
	memset(stock, 0, sizeof(stock));
	rd_copy(&ecp.payload, stock, stock_len, "payload");
	memcpy(pdu, stock, sizeof(pdu));
	return stock_len;
}

static bool in(unsigned frame_number)
{
	size_t len = captured(frame_number);
	bool ok = vdpdu_in(&vdpdu, host_now(), port, pdu, len);

	vdpdu_catch_up(&vdpdu, host_now());
	return ok;
}

/* Its length as it leaves. */
static size_t out(unsigned frame_number)
{
	size_t len = captured(frame_number);

	vdpdu_out(&vdpdu, host_now(), port, pdu, &len);
	return len;
}

static void assert_untouched(size_t len)
{
	assert_int_equal(len, stock_len);
	assert_memory_equal(pdu, stock, sizeof(pdu));
}

static void assert_edited(size_t len, uint8_t status)
{
	/* Padding of a short frame belongs to the VDPDU as captured. */
	assert_true(len >= PDU_LEN + 2 && len <= stock_len + 2);
	assert_int_equal(pdu[STATUS_AT], status);
	stock[STATUS_AT] = status;
	assert_memory_equal(pdu, stock, sizeof(pdu));
}

static void assert_seen(unsigned what, unsigned mode, unsigned status)
{
	assert_int_equal(n_seen, 1);
	n_seen = 0;
	assert_string_equal(seen.port, "p1");
	assert_int_equal(seen.what, what);
	assert_int_equal(seen.mode, mode);
	assert_int_equal(seen.status, status);
	assert_int_equal(seen.n_entries, 1);
	assert_int_equal(seen.entries[0].mac.b[0], 0x52);
}

static void unmarked_vsis_leave_bit_for_bit_as_stock_sends_them(void **state)
{
	static const unsigned frames[] = { PRE, ASSOC, KEEPALIVE, DEASSOC, PRE_M, ASSOC_M,
					   KEEPALIVE_M };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		assert_untouched(out(frames[i]));
	be("bridge");
	assert_untouched(out(PRE_OK));
	assert_untouched(out(ASSOC_OK));
	assert_untouched(out(BRIDGE_DEASSOC));
}

static void a_marked_vsi_carries_M_until_confirmed_and_not_in_its_keepalives(void **state)
{
	(void)state;
	mark();
	assert_edited(out(PRE), VDP_STATUS_M);
	assert_seen(LINK_VSI_REQUEST, VDP22_PRE, VDP_STATUS_M);
	assert_true(in(PRE_OK));
	assert_seen(LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK);
	assert_edited(out(ASSOC), VDP_STATUS_M);
	assert_seen(LINK_VSI_REQUEST, VDP22_ASSOC, VDP_STATUS_M);
	assert_true(in(ASSOC_OK));
	assert_seen(LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK);
	assert_untouched(out(KEEPALIVE));
	assert_true(in(KEEPALIVE_OK));
	assert_untouched(out(KEEPALIVE));
	assert_untouched(out(DEASSOC));
	assert_int_equal(counters.value[COUNT_M_SET], 2);
}

static void what_is_edited_ends_with_an_end_tlv(void **state)
{
	struct vdp22 decoded;
	struct rd_error error;
	size_t len;

	(void)state;
	mark();
	len = out(ASSOC);
	assert_int_equal(vdp22_decode(pdu, len, &decoded, &error), 0);
	assert_true(decoded.has_end);
}

static void an_unanswered_associate_carries_M_again(void **state)
{
	(void)state;
	mark();
	assert_edited(out(ASSOC), VDP_STATUS_M);
	assert_edited(out(ASSOC), VDP_STATUS_M);
}

static void the_hint_that_stock_repeats_leaves_a_marked_vsis_keepalives(void **state)
{
	(void)state;
	mark();
	assert_untouched(out(PRE_M));
	assert_untouched(out(ASSOC_M));
	assert_true(in(ASSOC_M_OK));
	assert_edited(out(KEEPALIVE_M), 0);
	assert_int_equal(counters.value[COUNT_M_CLEARED], 1);
}

static void a_mark_after_the_confirmation_does_nothing_to_keepalives(void **state)
{
	(void)state;
	out(ASSOC);
	in(ASSOC_OK);
	mark();
	assert_untouched(out(KEEPALIVE));
	out(ASSOC_M);
	in(ASSOC_M_OK);
	assert_edited(out(PRE), VDP_STATUS_M);
}

static void a_mark_between_request_and_answer_does_nothing_to_keepalives(void **state)
{
	(void)state;
	out(ASSOC_M);
	mark();
	in(ASSOC_M_OK);
	assert_untouched(out(KEEPALIVE_M));
}

static void a_vsi_that_begins_again_carries_M_again(void **state)
{
	(void)state;
	mark();
	out(ASSOC);
	in(ASSOC_OK);
	out(DEASSOC);
	assert_edited(out(ASSOC), VDP_STATUS_M);
	in(ASSOC_OK);
	assert_untouched(out(KEEPALIVE));
	/* The bridge ends it. */
	in(BRIDGE_DEASSOC);
	assert_edited(out(ASSOC), VDP_STATUS_M);
}

static void infer(void)
{
	fake_host_set("p1", "infer", "preassoc");
	port_read_settings(port);
}

static void an_unmarked_pre_associate_carries_M_where_it_is_inferred(void **state)
{
	(void)state;
	infer();
	assert_edited(out(PRE), VDP_STATUS_M);
	assert_seen(LINK_VSI_REQUEST, VDP22_PRE, VDP_STATUS_M);
	assert_edited(out(PRE), VDP_STATUS_M);
	in(PRE_OK);
	assert_edited(out(PRE), VDP_STATUS_M);
	in(PRE_OK);
	assert_edited(out(ASSOC), VDP_STATUS_M);
	assert_edited(out(ASSOC), VDP_STATUS_M);
	in(ASSOC_OK);
	assert_untouched(out(KEEPALIVE));
	assert_untouched(out(PRE));
	assert_untouched(out(DEASSOC));
	assert_int_equal(counters.value[COUNT_M_SET], 5);
}

static void an_associate_before_the_answer_to_its_pre_associate_is_inferred_too(void **state)
{
	(void)state;
	infer();
	out(PRE);
	assert_edited(out(ASSOC), VDP_STATUS_M);
	assert_edited(out(ASSOC), VDP_STATUS_M);
}

static void a_vm_that_is_started_is_not_inferred_to_migrate(void **state)
{
	(void)state;
	infer();
	assert_untouched(out(ASSOC));
	in(ASSOC_OK);
	assert_untouched(out(KEEPALIVE));
}

static void a_hint_of_stocks_own_is_not_touched_by_infer(void **state)
{
	(void)state;
	infer();
	assert_untouched(out(PRE_M));
	assert_untouched(out(ASSOC_M));
	in(ASSOC_M_OK);
	assert_untouched(out(KEEPALIVE_M));
}

static void infer_changes_nothing_that_a_bridge_sends(void **state)
{
	(void)state;
	be("bridge");
	infer();
	in(PRE);
	assert_untouched(out(PRE_OK));
	assert_untouched(out(BRIDGE_DEASSOC));
}

static void an_expired_mark_does_nothing(void **state)
{
	(void)state;
	mark();
	fake_host_advance(MARKS_TTL_MAX_S * 1000LL);
	assert_untouched(out(PRE));
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

static void what_would_hurt_lldpad_is_dropped_counted_and_logged_once(void **state)
{
	unsigned i;
	size_t len;

	(void)state;
	be("bridge");
	for (i = 0; i < 5; i++) {
		len = captured(ASSOC);
		pdu[19] = 0x10;		/* association TLV too short for its entry */
		assert_false(vdpdu_in(&vdpdu, host_now(), port, pdu, len));
	}
	assert_int_equal(counters.value[COUNT_CHECKED], 5);
	assert_int_equal(counters.value[COUNT_DROPPED], 5);
	assert_int_equal(n_seen, 0);
	assert_int_equal(fake_host_logged(""), 1);
	assert_int_equal(fake_host_logged("p1: VDPDU dropped: bad "), 1);
	assert_int_equal(fake_host_logged(" at octet "), 1);
	fake_host_advance(LIMIT_PERIOD_MS);
	len = captured(ASSOC);
	assert_false(vdpdu_in(&vdpdu, host_now(), port, pdu, 17));
	assert_int_equal(fake_host_logged("(and 4 before it)"), 1);
	assert_true(in(ASSOC));
}

static void an_odd_vdpdu_of_stocks_own_leaves_untouched(void **state)
{
	size_t len;

	(void)state;
	mark();
	len = captured(ASSOC);
	pdu[19] = stock[19] = 1;
	vdpdu_out(&vdpdu, host_now(), port, pdu, &len);
	assert_untouched(len);
	assert_int_equal(n_seen, 0);
	assert_int_equal(counters.value[COUNT_UNREADABLE], 1);
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
		TEST(unmarked_vsis_leave_bit_for_bit_as_stock_sends_them),
		TEST(a_marked_vsi_carries_M_until_confirmed_and_not_in_its_keepalives),
		TEST(what_is_edited_ends_with_an_end_tlv),
		TEST(an_unanswered_associate_carries_M_again),
		TEST(the_hint_that_stock_repeats_leaves_a_marked_vsis_keepalives),
		TEST(a_mark_after_the_confirmation_does_nothing_to_keepalives),
		TEST(a_mark_between_request_and_answer_does_nothing_to_keepalives),
		TEST(a_vsi_that_begins_again_carries_M_again),
		TEST(an_unmarked_pre_associate_carries_M_where_it_is_inferred),
		TEST(an_associate_before_the_answer_to_its_pre_associate_is_inferred_too),
		TEST(a_vm_that_is_started_is_not_inferred_to_migrate),
		TEST(a_hint_of_stocks_own_is_not_touched_by_infer),
		TEST(infer_changes_nothing_that_a_bridge_sends),
		TEST(an_expired_mark_does_nothing),
		TEST(a_bridge_reports_requests_answers_and_its_own_de_associates),
		TEST(a_suspended_vsi_is_reported_with_its_S_bit_and_stays_associated),
		TEST(a_mark_changes_nothing_that_a_bridge_sends),
		TEST(what_lldpad_sends_tells_the_role_better_than_its_file),
		TEST(no_peer_turns_a_bridge_port_into_a_station_port),
		TEST(what_would_hurt_lldpad_is_dropped_counted_and_logged_once),
		TEST(an_odd_vdpdu_of_stocks_own_leaves_untouched),
		TEST(without_timers_a_bridges_own_de_associates_stay_and_are_no_news),
		TEST(timers_that_come_between_answer_and_de_associate_change_nothing),
		TEST(answers_and_a_stations_de_associate_leave_without_timers),
		TEST(stale_octets_behind_a_vdpdu_are_not_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
