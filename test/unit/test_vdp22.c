/* SPDX-License-Identifier: GPL-2.0-only */
/* VDPDUs of stock lldpads decode; what hurts stock lldpad does not. */
#include "wire/vdp22.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "vdp_migrate/protocol.h"
#include "wire/ecp.h"
#include "wire/text.h"

#define ASSOC_AT 18	/* the association TLV of the captured requests */
#define STATUS_AT 20
#define FILTER_AT 42
#define ENTRIES_AT 43
#define PDU_LEN 53

static uint8_t frame[2048], pdu[VDP22_PDU_MAX + 8];
static struct vdp22 vdpdu;
static struct rd_error error;

/* The VDPDU of captured frame n, zeros behind it; its length. */
static size_t captured(unsigned n)
{
	size_t len = capture_get("vdp22.pcap", n, frame, sizeof(frame));
	struct ecp ecp;

	assert_int_equal(ecp_decode(frame, len, &ecp, NULL), 0);
	len = rd_left(&ecp.payload);
	memset(pdu, 0, sizeof(pdu));
	rd_copy(&ecp.payload, pdu, len, "payload");
	return len;
}

static void assert_bad(size_t len, const char *what, size_t at)
{
	error = (struct rd_error){ 0 };
	assert_int_equal(vdp22_decode(pdu, len, &vdpdu, &error), -EBADMSG);
	assert_string_equal(error.what, what);
	assert_int_equal(error.at, at);
}

static void assert_good(size_t len)
{
	assert_int_equal(vdp22_decode(pdu, len, &vdpdu, &error), 0);
}

static void a_stock_pre_associate_decodes(void **state)
{
	const struct vdp22_assoc *a = &vdpdu.assoc[0];
	char id[VSI_ID_TEXT_MAX], mac[MAC_TEXT_MAX];
	struct vsi_entry entry;

	(void)state;
	assert_good(captured(1));
	assert_int_equal(vdpdu.manager_id[0], 1);
	assert_int_equal(vdpdu.n, 1);
	assert_false(vdpdu.has_end);
	assert_int_equal(vdpdu.len, PDU_LEN);
	assert_int_equal(a->mode, VDP22_PRE);
	assert_int_equal(a->status, 0);
	assert_int_equal(a->status_at, STATUS_AT);
	assert_int_equal(a->type_id, 1193047);
	assert_int_equal(a->type_version, 2);
	assert_string_equal(vsi_id_text(&a->id, id),
			    "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f");
	assert_int_equal(a->filter, VDP22_FILTER_MAC_VID);
	assert_int_equal(a->n_entries, 1);
	entry = vdp22_entry(a, 0);
	assert_string_equal(mac_text(&entry.mac, mac), "52:54:00:12:34:56");
	assert_int_equal(entry.vlan, 0);
}

static void stock_modes_and_M_bits_are_read_as_sent(void **state)
{
	static const struct {
		unsigned frame;
		uint8_t mode, status;
	} row[] = {
		{ 1, VDP22_PRE, 0 },
		{ 3, VDP22_PRE, VDP_STATUS_ACK },
		{ 5, VDP22_ASSOC, 0 },
		{ 9, VDP22_ASSOC, 0 },
		{ 13, VDP22_DEASSOC, 0 },
		{ 17, VDP22_PRE, VDP_STATUS_M },
		{ 19, VDP22_PRE, VDP_STATUS_ACK },
		{ 21, VDP22_ASSOC, VDP_STATUS_M },
		{ 23, VDP22_ASSOC, VDP_STATUS_ACK },
		{ 25, VDP22_ASSOC, VDP_STATUS_M },
		{ 29, VDP22_DEASSOC, 0 },
		{ 31, VDP22_DEASSOC, VDP_STATUS_M },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_good(captured(row[i].frame));
		assert_int_equal(vdpdu.assoc[0].mode, row[i].mode);
		assert_int_equal(vdpdu.assoc[0].status, row[i].status);
	}
	assert_int_equal(vdp22_entry(&vdpdu.assoc[0], 0).vlan, 10);
}

static void zero_padding_of_any_length_decodes(void **state)
{
	size_t len = captured(1);

	(void)state;
	assert_good(len + 1);
	assert_false(vdpdu.has_end);
	for (size_t n = 2; n < 40; n++) {
		assert_good(len + n);
		assert_true(vdpdu.has_end);
		assert_int_equal(vdpdu.len, len);
	}
}

static void a_single_octet_behind_is_bad_unless_zero(void **state)
{
	size_t len = captured(1);

	(void)state;
	pdu[len] = 0xfe;
	assert_bad(len + 1, "TLV header", len);
	pdu[len] = 0x01;
	assert_bad(len + 1, "TLV header", len);
	pdu[0] = 0;
	assert_bad(1, "TLV header", 0);
}

static void what_follows_an_end_tlv_is_not_read(void **state)
{
	size_t len = captured(1);

	(void)state;
	memset(pdu + len + 2, 0xff, 7);
	assert_good(len + 9);
	assert_int_equal(vdpdu.n, 1);
	assert_int_equal(vdpdu.len, len);
}

static void the_manager_id_comes_first_and_once_and_has_16_octets(void **state)
{
	size_t len = captured(1);

	(void)state;
	assert_bad(0, "Manager ID TLV", 0);
	assert_bad(17, "TLV", 2);
	assert_good(18); /* alone */
	assert_int_equal(vdpdu.n, 0);
	memmove(pdu, pdu + ASSOC_AT, len - ASSOC_AT);
	assert_bad(len - ASSOC_AT, "Manager ID TLV", 2);

	captured(1);
	memmove(pdu + len, pdu, 18);
	assert_bad(len + 18, "second Manager ID TLV", len + 2);

	captured(1);
	pdu[1] = 4;
	memmove(pdu + 6, pdu + ASSOC_AT, len - ASSOC_AT);
	assert_bad(len - 12, "Manager ID", 2);
	captured(1);
	pdu[1] = 17;
	memmove(pdu + 19, pdu + ASSOC_AT, len - ASSOC_AT);
	assert_bad(len + 1, "end of Manager ID", 18);
}

static void every_cut_of_an_association_is_bad(void **state)
{
	size_t len = captured(21);

	(void)state;
	for (size_t cut = ASSOC_AT + 1; cut < len; cut++)
		assert_int_equal(vdp22_decode(pdu, cut, &vdpdu, &error), -EBADMSG);
	/* A shorter TLV, with the PDU cut to it. */
	for (uint8_t n = 0; n < 33; n++) {
		captured(21);
		pdu[ASSOC_AT + 1] = n;
		assert_int_equal(vdp22_decode(pdu, ASSOC_AT + 2u + n, &vdpdu, &error),
				 -EBADMSG);
	}
}

static void the_length_must_be_that_of_the_entries_exactly(void **state)
{
	size_t len = captured(1);

	(void)state;
	pdu[ENTRIES_AT + 1] = 2;
	assert_bad(len, "filter info", 45);
	pdu[ENTRIES_AT + 1] = 0;
	assert_bad(len, "number of entries", 45);
	pdu[ENTRIES_AT] = 0xff;
	pdu[ENTRIES_AT + 1] = 0xff;
	assert_bad(len, "filter info", 45);
	captured(1);
	pdu[ASSOC_AT + 1] = 34;
	assert_bad(len + 1, "end of filter info", 53);
	captured(1);
	for (unsigned filter = 5; filter < 256; filter++) {
		pdu[FILTER_AT] = (uint8_t)filter;
		assert_bad(len, "filter info format", 43);
	}
	pdu[FILTER_AT] = 0;
	assert_bad(len, "filter info format", 43);
}

static void each_filter_format_gives_its_entries(void **state)
{
	static const uint8_t vid[] = { 0, 2, 0x70, 10, 0, 11 };
	static const uint8_t group_vid[] = { 0, 1, 0, 0, 0, 7, 0x90, 12 };
	static const uint8_t group_mac_vid[] = { 0, 1, 0, 0, 0, 7, 2,
						 0, 0, 0, 0, 5, 0x0f, 13 };
	const struct mac mac = { { 2, 0, 0, 0, 0, 5 } };
	struct vsi_entry entry;

	(void)state;
	captured(1);
	pdu[FILTER_AT] = VDP22_FILTER_VID;
	pdu[ASSOC_AT + 1] = 29;
	memcpy(pdu + ENTRIES_AT, vid, sizeof(vid));
	assert_good(49);
	assert_int_equal(vdp22_entry(&vdpdu.assoc[0], 0).vlan, 10); /* PCP 7 taken off */
	entry = vdp22_entry(&vdpdu.assoc[0], 1);
	assert_int_equal(entry.vlan, 11);
	assert_true(mac_is_zero(&entry.mac));

	pdu[FILTER_AT] = VDP22_FILTER_GROUP_VID;
	pdu[ASSOC_AT + 1] = 31;
	memcpy(pdu + ENTRIES_AT, group_vid, sizeof(group_vid));
	assert_good(51);
	assert_int_equal(vdp22_entry(&vdpdu.assoc[0], 0).vlan, 12);

	pdu[FILTER_AT] = VDP22_FILTER_GROUP_MAC_VID;
	pdu[ASSOC_AT + 1] = 37;
	memcpy(pdu + ENTRIES_AT, group_mac_vid, sizeof(group_mac_vid));
	assert_good(57);
	entry = vdp22_entry(&vdpdu.assoc[0], 0);
	assert_true(mac_equal(&entry.mac, &mac));
	assert_int_equal(entry.vlan, 0xf0d);
}

static void unknown_tlvs_are_passed_over_and_org_tlvs_have_four_octets(void **state)
{
	size_t len = captured(1);

	(void)state;
	memcpy(pdu + len, (const uint8_t[]){ 0x0c, 2, 1, 2 }, 4); /* type 6 */
	memcpy(pdu + len + 4, (const uint8_t[]){ 0xfe, 4, 0, 0x1b, 0x3f, 0x77 }, 6);
	assert_good(len + 10);
	assert_int_equal(vdpdu.n, 1);
	assert_int_equal(vdpdu.len, len + 10);
	pdu[len + 5] = 3;
	assert_bad(len + 9, "OUI and subtype", len + 6);
	pdu[len + 5] = 5;
	assert_bad(len + 10, "TLV", len + 6);
}

static void several_associations_decode_and_a_full_pdu_does_too(void **state)
{
	size_t len = 18;

	(void)state;
	captured(1);
	for (unsigned i = 1; len + 35 <= VDP22_PDU_MAX - 2; i++, len += 35)
		memmove(pdu + len, pdu + ASSOC_AT, 35);
	assert_good(len);
	assert_int_equal(vdpdu.n, 42);
	assert_int_equal(vdpdu.assoc[41].status_at, len - 33);
}

static void a_pdu_without_room_for_its_end_is_bad(void **state)
{
	(void)state;
	captured(1);
	pdu[ASSOC_AT] = 0x0c; /* types that stock passes over, up to the end */
	pdu[ASSOC_AT + 1] = 0;
	for (size_t at = 20; at < sizeof(pdu); at += 2)
		pdu[at] = 0x0c, pdu[at + 1] = 0;
	assert_good(1498);
	assert_bad(1500, "end of VDPDU", 1500);
	pdu[1498] = 0;
	assert_good(1500);
	pdu[1498] = 0x0c, pdu[1500] = 0;
	assert_bad(1502, "end of VDPDU", 1502);
}

static void an_end_tlv_is_put_behind_a_pdu_that_has_none(void **state)
{
	size_t len = captured(1);

	(void)state;
	memset(pdu + len, 0xa5, sizeof(pdu) - len); /* what an older PDU has left */
	assert_int_equal(vdp22_end(pdu, len, VDP22_PDU_MAX), len + 2);
	for (size_t at = len; at < VDP22_PDU_MAX; at++)
		assert_int_equal(pdu[at], 0);
	assert_int_equal(pdu[VDP22_PDU_MAX], 0xa5);
	assert_good(len + 2);
	assert_true(vdpdu.has_end);
	assert_int_equal(vdp22_end(pdu, len + 2, VDP22_PDU_MAX), len + 2);
	/* Half an End TLV is made whole. */
	assert_int_equal(vdp22_end(pdu, len + 1, VDP22_PDU_MAX), len + 2);
}

static void where_there_is_no_room_no_end_tlv_is_put(void **state)
{
	size_t len = captured(1);

	(void)state;
	memset(pdu + len, 0xa5, 4);
	assert_int_equal(vdp22_end(pdu, len, len + 1), len);
	assert_int_equal(pdu[len], 0xa5);
	assert_int_equal(vdp22_end(pdu, len - 1, VDP22_PDU_MAX), len - 1); /* cut */
	assert_int_equal(pdu[len], 0xa5);
}

static void the_empty_vdpdu_is_a_manager_id_and_an_end(void **state)
{
	uint8_t empty[VDP22_EMPTY_LEN];
	struct vdp22 decoded;

	(void)state;
	vdp22_empty(empty);
	assert_int_equal(vdp22_decode(empty, sizeof(empty), &decoded, &error), 0);
	assert_int_equal(decoded.n, 0);
	assert_true(decoded.has_end);
	assert_int_equal(decoded.len, sizeof(empty) - 2);
}

static void modes_and_errors_have_names(void **state)
{
	(void)state;
	assert_string_equal(vdp22_mode_text(VDP22_PRE), "pre-associate");
	assert_string_equal(vdp22_mode_text(VDP22_PRE_RR), "pre-associate with RR");
	assert_string_equal(vdp22_mode_text(VDP22_ASSOC), "associate");
	assert_string_equal(vdp22_mode_text(VDP22_DEASSOC), "de-associate");
	assert_string_equal(vdp22_mode_text(0), "unknown mode");
	assert_string_equal(vdp22_status_text(VDP_STATUS_ACK), "accepted");
	for (uint8_t i = 1; i < 6; i++) /* each its own */
		for (uint8_t j = 0; j < i; j++)
			assert_string_not_equal(vdp22_status_text(i),
						vdp22_status_text(j));
	assert_string_equal(vdp22_status_text(0x42), "insufficient resources");
	assert_string_equal(vdp22_status_text(0x4f), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stock_pre_associate_decodes),
		cmocka_unit_test(stock_modes_and_M_bits_are_read_as_sent),
		cmocka_unit_test(zero_padding_of_any_length_decodes),
		cmocka_unit_test(a_single_octet_behind_is_bad_unless_zero),
		cmocka_unit_test(what_follows_an_end_tlv_is_not_read),
		cmocka_unit_test(the_manager_id_comes_first_and_once_and_has_16_octets),
		cmocka_unit_test(every_cut_of_an_association_is_bad),
		cmocka_unit_test(the_length_must_be_that_of_the_entries_exactly),
		cmocka_unit_test(each_filter_format_gives_its_entries),
		cmocka_unit_test(
			unknown_tlvs_are_passed_over_and_org_tlvs_have_four_octets),
		cmocka_unit_test(several_associations_decode_and_a_full_pdu_does_too),
		cmocka_unit_test(a_pdu_without_room_for_its_end_is_bad),
		cmocka_unit_test(an_end_tlv_is_put_behind_a_pdu_that_has_none),
		cmocka_unit_test(where_there_is_no_room_no_end_tlv_is_put),
		cmocka_unit_test(the_empty_vdpdu_is_a_manager_id_and_an_end),
		cmocka_unit_test(modes_and_errors_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
