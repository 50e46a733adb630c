/* SPDX-License-Identifier: GPL-2.0-only */
/* The help TLV, octet by octet, and its way into and out of a captured VDPDU. */
#include "wire/orgtlv_help.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "wire/ecp.h"
#include "wire/text.h"
#include "wire/vdp22.h"

enum { PRE_OK = 3 };				/* of vdp22.pcap */
enum { IN_ANSWER = 5, ALONE = 7, ENDED = 15 };	/* of help.pcap */

#define VSI 0xfa, 0x9b, 0x7f, 0xff, 0xb0, 0xa0, 0x48, 0x93, \
	    0xab, 0xcd, 0xbe, 0xef, 0x4f, 0xf1, 0x8f, 0x8f
#define HEAD 0x02, 0x56, 0x4d, 0x02

static const uint8_t one_entry[] = {
	HEAD, 1, 0x01, 1, 10, 77, 1, 254, 0x01, 0x02, 0x03, 0x04, 5, VSI, 0, 1,
	0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x00, 0x0a,
};
static const uint8_t no_giaddr[] = { HEAD, 1, 0x01, 0, 1, 2, 3, 4, 5, VSI, 0, 0 };

static struct orgtlv_help filled(void)
{
	struct orgtlv_help help = { .version = 1, .flags = ORGTLV_HELP_DHCP4,
				    .xid = 0x01020304, .n_entries = 1 };

	addr_parse("10.77.1.254", &help.giaddr);
	vsi_id_parse("fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", &help.id);
	mac_parse("52:54:00:12:34:56", &help.entries[0].mac);
	help.entries[0].vlan = 10;
	return help;
}

static int get(const uint8_t *value, size_t len, struct orgtlv_help *ret_help,
	       struct rd_error *error)
{
	return orgtlv_get_help(rd_new(value, len, 0), ret_help, error);
}

static void assert_bad(const uint8_t *value, size_t len, const char *what, size_t at)
{
	struct orgtlv_help untouched = { .version = 77 };
	struct rd_error error;

	assert_int_equal(get(value, len, &untouched, &error), -EBADMSG);
	assert_string_equal(error.what, what);
	assert_int_equal(error.at, at);
	assert_int_equal(untouched.version, 77);
}

static void it_is_written_as_the_layout_says(void **state)
{
	const struct orgtlv_help help = filled();
	uint8_t buf[sizeof(one_entry)];
	struct wr w = wr_new(buf, sizeof(buf)), narrow = wr_new(buf, sizeof(buf) - 1);

	(void)state;
	orgtlv_put_help(&w, &help);
	assert_true(wr_ok(&w));
	assert_int_equal(w.at, sizeof(one_entry));
	assert_memory_equal(buf, one_entry, sizeof(one_entry));
	orgtlv_put_help(&narrow, &help);
	assert_false(wr_ok(&narrow));
}

static void it_is_read_back_with_each_kind_of_giaddr(void **state)
{
	struct orgtlv_help help = filled(), got;
	uint8_t buf[ORGTLV_HELP_LEN_MAX];

	(void)state;
	assert_int_equal(get(one_entry, sizeof(one_entry), &got, NULL), 0);
	assert_memory_equal(&got, &help, sizeof(got));
	assert_int_equal(get(no_giaddr, sizeof(no_giaddr), &got, NULL), 0);
	assert_int_equal(got.giaddr.family, ADDR_NONE);
	assert_int_equal(got.n_entries, 0);
	for (unsigned family = 0; family < 2; family++) {
		struct wr w = wr_new(buf, sizeof(buf));

		addr_parse(family ? "fd00::fe" : "10.0.0.1", &help.giaddr);
		help.n_entries = ORGTLV_HELP_ENTRIES_MAX;
		orgtlv_put_help(&w, &help);
		assert_true(wr_ok(&w));
		assert_int_equal(get(buf, w.at, &got, NULL), 0);
		assert_memory_equal(&got, &help, sizeof(got));
	}
}

static void what_no_reader_would_take_is_not_written(void **state)
{
	struct orgtlv_help help = filled();
	uint8_t buf[2 * ORGTLV_HELP_LEN_MAX];
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	help.n_entries = ORGTLV_HELP_ENTRIES_MAX + 1;
	orgtlv_put_help(&w, &help);
	assert_false(wr_ok(&w));
	w = wr_new(buf, sizeof(buf));
	help = filled();
	memset(help.giaddr.b, 0, sizeof(help.giaddr.b));
	orgtlv_put_help(&w, &help);
	assert_false(wr_ok(&w));
}

static void other_tlvs_are_none_of_ours(void **state)
{
	const uint8_t capability[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 3 };
	const uint8_t foreign[] = { 0x00, 0x00, 0x0c, 0x02, 1 };
	struct orgtlv_help got;

	(void)state;
	assert_int_equal(get(capability, sizeof(capability), &got, NULL), -ENOENT);
	assert_int_equal(get(foreign, sizeof(foreign), &got, NULL), -ENOENT);
}

static void each_cut_is_refused_and_where(void **state)
{
	static const struct {
		size_t len, at;
		const char *what;
	} cuts[] = {
		{ 3, 0, "OUI and subtype" },	{ 4, 4, "version" },
		{ 5, 5, "flags" },		{ 6, 6, "address family" },
		{ 10, 7, "giaddr" },		{ 14, 11, "xid" },
		{ 15, 15, "VSI ID format" },	{ 31, 16, "VSI ID" },
		{ 33, 32, "number of entries" },{ 39, 34, "MAC address" },
		{ 41, 40, "VLAN ID" },
	};
	struct orgtlv_help got;

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		assert_bad(one_entry, cuts[i].len, cuts[i].what, cuts[i].at);
	for (size_t len = 0; len < sizeof(one_entry); len++)
		assert_int_not_equal(get(one_entry, len, &got, NULL), 0);
}

static void assert_bad_octet(size_t at, uint8_t value, const char *what, size_t bad_at)
{
	uint8_t changed[sizeof(one_entry)];

	memcpy(changed, one_entry, sizeof(changed));
	changed[at] = value;
	assert_bad(changed, sizeof(changed), what, bad_at);
}

static void values_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_bad_octet(4, 0, "version", 5);
	assert_bad_octet(6, 3, "address family", 7);
	assert_bad_octet(33, 51, "number of entries", 34);
	assert_bad_octet(33, 0, "end of help request", 34);
	assert_bad_octet(40, 0x10, "VLAN ID", 42);
}

static void vlan_ids_and_addresses_are_checked(void **state)
{
	uint8_t changed[sizeof(one_entry)];

	(void)state;
	memcpy(changed, one_entry, sizeof(changed));
	changed[40] = 0x0f;
	changed[41] = 0xff;
	assert_bad(changed, sizeof(changed), "VLAN ID", 42);
	memcpy(changed, one_entry, sizeof(changed));
	memset(changed + 7, 0, 4);
	assert_bad(changed, sizeof(changed), "giaddr", 11);
}

static void of_a_later_version_what_version_1_has_is_read(void **state)
{
	uint8_t later[sizeof(one_entry) + 3] = { 0 };
	struct orgtlv_help got;

	(void)state;
	memcpy(later, one_entry, sizeof(one_entry));
	later[4] = 2;
	later[5] = 0xff;	/* flags that nobody knows yet */
	assert_int_equal(get(later, sizeof(later), &got, NULL), 0);
	assert_int_equal(got.version, 2);
	assert_int_equal(got.xid, 0x01020304);
	assert_int_equal(got.n_entries, 1);
	later[4] = 1;
	assert_bad(later, sizeof(later), "end of help request", 42);
}

static size_t captured(const char *file, unsigned number, uint8_t pdu[VDP22_PDU_MAX])
{
	uint8_t frame[2048];
	size_t len = capture_get(file, number, frame, sizeof(frame));
	struct ecp ecp;

	assert_int_equal(ecp_decode(frame, len, &ecp, NULL), 0);
	len = rd_left(&ecp.payload);
	rd_copy(&ecp.payload, pdu, len, "payload");
	return len;
}

static void it_goes_behind_the_last_tlv_of_a_captured_answer_and_comes_out(void **state)
{
	uint8_t pdu[VDP22_PDU_MAX], stock[VDP22_PDU_MAX];
	struct orgtlv_help got, help = filled();
	struct rd_error error;
	static struct vdp22 v;
	struct rd value;
	size_t len, at = 0;

	(void)state;
	memset(pdu, 0x55, sizeof(pdu));
	len = captured("vdp22.pcap", PRE_OK, pdu);
	memcpy(stock, pdu, sizeof(stock));
	assert_int_equal(vdp22_decode(pdu, len, &v, &error), 0);
	assert_int_equal(v.n_orgs, 0);
	assert_false(vdp22_next_org(pdu, &v, &at, &value));
	len = vdp22_add_org(pdu, len, sizeof(pdu), one_entry, sizeof(one_entry));
	assert_int_equal(len, v.len + 2 + sizeof(one_entry) + 2);
	assert_memory_equal(pdu, stock, v.len);
	assert_int_equal(pdu[len] | pdu[sizeof(pdu) - 1], 0);
	/* A foreign one before a second of ours. */
	len = vdp22_add_org(pdu, len, sizeof(pdu), (const uint8_t *)"\0\0\x0c\x02", 4);
	len = vdp22_add_org(pdu, len, sizeof(pdu), no_giaddr, sizeof(no_giaddr));
	assert_int_equal(vdp22_decode(pdu, len, &v, &error), 0);
	assert_true(v.has_end);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.n_orgs, 3);
	assert_true(vdp22_next_org(pdu, &v, &at, &value));
	assert_int_equal(orgtlv_get_help(value, &got, &error), 0);
	assert_memory_equal(&got, &help, sizeof(got));
	assert_true(vdp22_next_org(pdu, &v, &at, &value));
	assert_int_equal(orgtlv_get_help(value, &got, &error), -ENOENT);
	assert_true(vdp22_next_org(pdu, &v, &at, &value));
	assert_int_equal(orgtlv_get_help(value, &got, &error), 0);
	assert_int_equal(got.n_entries, 0);
	assert_false(vdp22_next_org(pdu, &v, &at, &value));
}

static void captured_ones_are_read(void **state)
{
	static const struct {
		unsigned frame, n, n_orgs;
		uint32_t xid;
	} want[] = { { IN_ANSWER, 1, 1, 0x01020304 },
		     { ALONE, 0, 1, 0x01020305 },
		     { ENDED, 1, 0, 0 } };
	uint8_t pdu[VDP22_PDU_MAX];
	struct orgtlv_help got;
	struct rd_error error;
	static struct vdp22 v;
	struct rd value;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		size_t len = captured("help.pcap", want[i].frame, pdu), at = 0;

		assert_int_equal(vdp22_decode(pdu, len, &v, &error), 0);
		assert_int_equal(v.n, want[i].n);
		assert_int_equal(v.n_orgs, want[i].n_orgs);
		if (!v.n_orgs)
			continue;
		assert_true(vdp22_next_org(pdu, &v, &at, &value));
		assert_int_equal(orgtlv_get_help(value, &got, &error), 0);
		assert_int_equal(got.xid, want[i].xid);
		assert_int_equal(got.flags, ORGTLV_HELP_DHCP4);
		assert_int_equal(got.giaddr.b[3], 254);
		assert_int_equal(got.n_entries, 1);
		assert_int_equal(got.entries[0].mac.b[5], 0x56);
	}
}

static void what_is_wrong_in_a_vdpdu_is_named_by_its_octet_there(void **state)
{
	uint8_t pdu[VDP22_PDU_MAX] = { 0 };
	struct orgtlv_help got;
	struct rd_error error;
	static struct vdp22 v;
	struct rd value;
	size_t len, at = 0;

	(void)state;
	vdp22_empty(pdu);
	len = vdp22_add_org(pdu, VDP22_EMPTY_LEN, sizeof(pdu), one_entry, 20);
	assert_int_equal(vdp22_decode(pdu, len, &v, &error), 0);
	assert_true(vdp22_next_org(pdu, &v, &at, &value));
	assert_int_equal(orgtlv_get_help(value, &got, &error), -EBADMSG);
	assert_string_equal(error.what, "VSI ID");
	assert_int_equal(error.at, 18 + 2 + 16);
}

static void where_there_is_no_room_nothing_is_changed(void **state)
{
	uint8_t pdu[VDP22_PDU_MAX] = { 0 }, before[VDP22_PDU_MAX];
	const size_t all = 18 + 2 + sizeof(one_entry) + 2;

	(void)state;
	vdp22_empty(pdu);
	memcpy(before, pdu, sizeof(pdu));
	assert_int_equal(vdp22_add_org(pdu, VDP22_EMPTY_LEN, all - 1, one_entry,
				       sizeof(one_entry)), 0);
	assert_int_equal(vdp22_add_org(pdu, 17, sizeof(pdu), one_entry,
				       sizeof(one_entry)), 0);
	assert_int_equal(vdp22_add_org(pdu, VDP22_EMPTY_LEN, sizeof(pdu), pdu, 512), 0);
	assert_memory_equal(pdu, before, sizeof(pdu));
	assert_int_equal(vdp22_add_org(pdu, VDP22_EMPTY_LEN, all, one_entry,
				       sizeof(one_entry)), all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_written_as_the_layout_says),
		cmocka_unit_test(it_is_read_back_with_each_kind_of_giaddr),
		cmocka_unit_test(what_no_reader_would_take_is_not_written),
		cmocka_unit_test(other_tlvs_are_none_of_ours),
		cmocka_unit_test(each_cut_is_refused_and_where),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(vlan_ids_and_addresses_are_checked),
		cmocka_unit_test(of_a_later_version_what_version_1_has_is_read),
		cmocka_unit_test(it_goes_behind_the_last_tlv_of_a_captured_answer_and_comes_out),
		cmocka_unit_test(captured_ones_are_read),
		cmocka_unit_test(what_is_wrong_in_a_vdpdu_is_named_by_its_octet_there),
		cmocka_unit_test(where_there_is_no_room_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
