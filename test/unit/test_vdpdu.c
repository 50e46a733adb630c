/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus hook on a station, and what it refuses. On a bridge: test_vdpdu_bridge.c. */
#include "bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake/host.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

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

static void an_expired_mark_does_nothing(void **state)
{
	(void)state;
	mark();
	fake_host_advance(MARKS_TTL_MAX_S * 1000LL);
	assert_untouched(out(PRE));
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
		TEST(an_expired_mark_does_nothing),
		TEST(what_would_hurt_lldpad_is_dropped_counted_and_logged_once),
		TEST(an_odd_vdpdu_of_stocks_own_leaves_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
