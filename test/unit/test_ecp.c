/* SPDX-License-Identifier: GPL-2.0-only */
/* ECPDUs of stock lldpads, and the lengths that stock survives. */
#include "wire/ecp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "vdp_migrate/protocol.h"

#define VDP22_FRAMES 36

static uint8_t buf[2048];

/* An ECP-like frame of len octets with this ethertype. */
static bool survivable(uint16_t ethertype, size_t len)
{
	uint16_t seen = 0;
	bool ok;

	memset(buf, 0, sizeof(buf));
	buf[12] = (uint8_t)(ethertype >> 8);
	buf[13] = (uint8_t)ethertype;
	ok = ecp_survivable(buf, len, &seen);
	assert_int_equal(seen, len < 14 ? 0 : ethertype);
	return ok;
}

static void a_stock_request_decodes_down_to_its_vdpdu(void **state)
{
	size_t len = capture_get("vdp22.pcap", 1, buf, sizeof(buf));
	const struct mac station = { { 0x02, 0, 0, 0, 0, 0x51 } };
	struct ecp ecp;

	(void)state;
	assert_int_equal(len, 71);
	assert_int_equal(ecp_decode(buf, len, &ecp, NULL), 0);
	assert_int_equal(ecp.version, 1);
	assert_int_equal(ecp.op, ECP_REQUEST);
	assert_int_equal(ecp.subtype, ECP_SUBTYPE_VDP);
	assert_int_equal(ecp.sequence, 1);
	assert_memory_equal(&ecp.src, &station, sizeof(station));
	assert_int_equal(rd_left(&ecp.payload), 53);
	assert_int_equal(rd_at(&ecp.payload), ECP_HEADER_LEN);
}

static void a_stock_acknowledgement_of_18_octets_passes(void **state)
{
	size_t len = capture_get("vdp22.pcap", 2, buf, sizeof(buf));
	uint16_t ethertype;
	struct ecp ecp;

	(void)state;
	assert_int_equal(len, 18);
	assert_true(ecp_survivable(buf, len, &ethertype));
	assert_int_equal(ecp_decode(buf, len, &ecp, NULL), 0);
	assert_int_equal(ecp.op, ECP_ACK);
	assert_int_equal(ecp.sequence, 1);
	assert_int_equal(rd_left(&ecp.payload), 0);
}

static void every_captured_frame_passes_and_decodes(void **state)
{
	unsigned n = 0;

	(void)state;
	for (;; n++) {
		size_t len = capture_get("vdp22.pcap", n + 1, buf, sizeof(buf));
		uint16_t ethertype = 0;
		struct ecp ecp;

		if (!len)
			break;
		assert_true(ecp_survivable(buf, len, &ethertype));
		assert_int_equal(ethertype, ETHERTYPE_ECP);
		assert_int_equal(ecp_decode(buf, len, &ecp, NULL), 0);
		assert_int_equal(ecp.op, n % 2 ? ECP_ACK : ECP_REQUEST);
	}
	assert_int_equal(n, VDP22_FRAMES);
}

static void lengths_that_kill_or_deafen_stock_do_not_pass(void **state)
{
	(void)state;
	for (size_t len = 14; len < 18; len++)
		assert_false(survivable(ETHERTYPE_ECP, len));
	assert_true(survivable(ETHERTYPE_ECP, 18));
	assert_true(survivable(ETHERTYPE_ECP, 1514));
	assert_false(survivable(ETHERTYPE_ECP, 1515));
	for (size_t len = 14; len < 23; len++)
		assert_false(survivable(ETHERTYPE_ECP_DRAFT, len));
	assert_true(survivable(ETHERTYPE_ECP_DRAFT, 23));
	assert_true(survivable(ETHERTYPE_ECP_DRAFT, 1514));
	assert_false(survivable(ETHERTYPE_ECP_DRAFT, 1515));
}

static void other_ethertypes_pass_at_any_length(void **state)
{
	static const size_t length[] = { 0, 1, 13, 14, 15, 60, 1515, 2000 };

	(void)state;
	for (size_t i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
		assert_true(survivable(0x88cc, length[i]));
		assert_true(survivable(0x0800, length[i]));
	}
	/* Too short to have an ethertype. */
	assert_true(survivable(ETHERTYPE_ECP, 13));
}

static void a_cut_frame_says_what_was_wanted_and_where(void **state)
{
	size_t len = capture_get("vdp22.pcap", 1, buf, sizeof(buf));
	struct ecp ecp = { .sequence = 4711 };
	struct rd_error error;

	(void)state;
	assert_int_equal(ecp_decode(buf, 17, &ecp, &error), -EBADMSG);
	assert_string_equal(error.what, "ECP sequence number");
	assert_int_equal(error.at, 16);
	assert_int_equal(ecp_decode(buf, 1515, &ecp, &error), -EBADMSG);
	assert_string_equal(error.what, "end of frame");
	buf[13] = 0;
	assert_int_equal(ecp_decode(buf, len, &ecp, &error), -EBADMSG);
	assert_string_equal(error.what, "ethertype");
	assert_int_equal(ecp.sequence, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stock_request_decodes_down_to_its_vdpdu),
		cmocka_unit_test(a_stock_acknowledgement_of_18_octets_passes),
		cmocka_unit_test(every_captured_frame_passes_and_decodes),
		cmocka_unit_test(lengths_that_kill_or_deafen_stock_do_not_pass),
		cmocka_unit_test(other_ethertypes_pass_at_any_length),
		cmocka_unit_test(a_cut_frame_says_what_was_wanted_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
