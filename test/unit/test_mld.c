/* SPDX-License-Identifier: GPL-2.0-only */
/* wire/mld: what Linux hosts send in each version, and our query. */
#include "wire/mld.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "fake/report.h"
#include "wire/text.h"

#define HOP_AT 54
#define MLD_AT 62

static uint8_t octets[2048];
static size_t len;
static struct inet_frame frame;
static struct report report;
static struct report_record record;
static struct rd_error error;

static void captured(unsigned n)
{
	len = capture_get("groups.pcap", n, octets, sizeof(octets));
	assert_true(len > 0);
	assert_int_equal(inet_decode(octets, len, &frame, NULL), 0);
	assert_int_equal(mld_decode(&frame, &report, &error), 0);
}

static int decode(void)
{
	assert_int_equal(inet_decode(octets, len, &frame, NULL), 0);
	return mld_decode(&frame, &report, &error);
}

static void assert_record(uint8_t type, const char *group)
{
	char text[ADDR_TEXT_MAX];

	assert_true(report_next(&report, &record));
	assert_int_equal(record.type, type);
	assert_string_equal(addr_text(&record.group, text), group);
	assert_int_equal(record.n_sources, 0);
}

static void version_1_is_a_record_too(void **state)
{
	(void)state;
	captured(15);
	assert_int_equal(report.version, 1);
	assert_true(report_is_state(&report));
	assert_record(REPORT_IS_EXCLUDE, "ff05::1234");
	assert_false(report_next(&report, &record));
	captured(19);
	assert_false(report_is_state(&report));
	assert_record(REPORT_TO_INCLUDE, "ff05::1234");
}

static void version_2_has_records(void **state)
{
	(void)state;
	captured(20);
	assert_int_equal(report.version, 2);
	assert_false(report_is_state(&report));
	assert_record(REPORT_TO_EXCLUDE, "ff05::1234");
	captured(23);
	assert_true(report_is_state(&report));
	assert_record(REPORT_IS_EXCLUDE, "ff05::1234");
	assert_record(REPORT_IS_EXCLUDE, "ff02::1:ff00:1");
	assert_false(report_next(&report, &record));
	captured(24);
	assert_record(REPORT_TO_INCLUDE, "ff05::1234");
}

static void queries_are_known_as_such_with_their_version(void **state)
{
	(void)state;
	captured(16);
	assert_int_equal(report.what, REPORT_QUERY);
	assert_int_equal(report.version, 2);
	assert_true(addr_is_any(&report.group));
	assert_false(report_next(&report, &record));
	/* A report's octets with the type of a query are one of version 1. */
	captured(15);
	octets[MLD_AT] = 130;
	octets[MLD_AT + 2]++;
	assert_int_equal(decode(), 0);
	assert_int_equal(report.what, REPORT_QUERY);
	assert_int_equal(report.version, 1);
}

static void without_router_alert_it_is_none(void **state)
{
	const struct fake_record is_in = {
		REPORT_IS_EXCLUDE, { ADDR_IPV6, { 0xff, 5, [15] = 1 } }, 0, NULL,
	};
	struct fake_report fake = {
		.family = ADDR_IPV6, .version = 2, .n = 1, .records = &is_in,
		.no_alert = true,
	};

	(void)state;
	len = fake_report(octets, sizeof(octets), &fake);
	assert_int_equal(decode(), -ENOENT);
	fake.no_alert = false;
	len = fake_report(octets, sizeof(octets), &fake);
	assert_int_equal(decode(), 0);
	assert_record(REPORT_IS_EXCLUDE, "ff05::1");
}

static void other_icmpv6_is_none(void **state)
{
	(void)state;
	captured(20);
	octets[MLD_AT] = 135;
	assert_int_equal(decode(), -ENOENT);
	octets[HOP_AT] = INET_UDP;
	assert_int_equal(decode(), -ENOENT);
}

static void a_wrong_checksum_or_a_cut_is_bad(void **state)
{
	size_t whole;

	(void)state;
	captured(23);
	octets[MLD_AT + 20] ^= 1;
	assert_int_equal(decode(), -EBADMSG);
	assert_string_equal(error.what, "ICMPv6 checksum");
	octets[MLD_AT + 20] ^= 1;
	octets[22] ^= 1;	/* the source is in the pseudo-header */
	assert_int_equal(decode(), -EBADMSG);
	octets[22] ^= 1;
	assert_int_equal(decode(), 0);
	whole = frame.payload.len;
	for (size_t cut = 0; cut < whole; cut++) {
		frame.payload.len = cut;
		assert_int_equal(mld_decode(&frame, &report, &error), -EBADMSG);
		assert_true(error.at <= len);
	}
}

static void records_that_are_not_there_are_bad(void **state)
{
	(void)state;
	captured(23);
	octets[MLD_AT + 7]++;
	octets[MLD_AT + 3]--;
	assert_int_equal(decode(), -EBADMSG);
	assert_string_equal(error.what, "record type");
}

static void our_query_is_that_of_the_capture(void **state)
{
	struct report_query query = { .src = { { 2, 0, 0, 0, 0, 0xb1 } } };
	uint8_t made[REPORT_QUERY_MAX];

	(void)state;
	captured(16);
	assert_int_equal(mld_query(made, sizeof(made), &query), len);
	assert_memory_equal(made, octets, len);
	captured(22);
	query.dst = (struct mac){ { 0x52, 0x54, 0, 0, 0, 1 } };
	assert_int_equal(mld_query(made, sizeof(made), &query), len);
	assert_memory_equal(made, octets, len);
}

static void our_query_is_tagged_where_it_must_be(void **state)
{
	const struct report_query query = {
		.src = { { 2, 0, 0, 0, 0, 0xb1 } }, .vlan = 10, .code = 1,
	};

	(void)state;
	len = mld_query(octets, sizeof(octets), &query);
	assert_int_equal(len, 94);
	assert_int_equal(decode(), 0);
	assert_int_equal(frame.vlan, 10);
	assert_int_equal(report.what, REPORT_QUERY);
	assert_int_equal(report.version, 2);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(mld_query(octets, size, &query), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_is_a_record_too),
		cmocka_unit_test(version_2_has_records),
		cmocka_unit_test(queries_are_known_as_such_with_their_version),
		cmocka_unit_test(without_router_alert_it_is_none),
		cmocka_unit_test(other_icmpv6_is_none),
		cmocka_unit_test(a_wrong_checksum_or_a_cut_is_bad),
		cmocka_unit_test(records_that_are_not_there_are_bad),
		cmocka_unit_test(our_query_is_that_of_the_capture),
		cmocka_unit_test(our_query_is_tagged_where_it_must_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
