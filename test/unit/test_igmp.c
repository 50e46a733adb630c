/* SPDX-License-Identifier: GPL-2.0-only */
/* wire/igmp: what Linux hosts send in each version, and our query. */
#include "wire/igmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "fake/report.h"
#include "wire/text.h"

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
	assert_int_equal(igmp_decode(&frame, &report, &error), 0);
}

static void assert_record(uint8_t type, const char *group, unsigned n_sources)
{
	char text[ADDR_TEXT_MAX];

	assert_true(report_next(&report, &record));
	assert_int_equal(record.type, type);
	assert_string_equal(addr_text(&record.group, text), group);
	assert_int_equal(record.n_sources, n_sources);
}

static void assert_no_more(void)
{
	assert_false(report_next(&report, &record));
}

static void versions_1_and_2_are_records_too(void **state)
{
	(void)state;
	captured(1);
	assert_int_equal(report.version, 1);
	assert_true(report_is_state(&report));
	assert_record(REPORT_IS_EXCLUDE, "239.1.2.3", 0);
	assert_no_more();
	captured(4);
	assert_int_equal(report.version, 2);
	assert_true(report_is_state(&report));
	assert_record(REPORT_IS_EXCLUDE, "239.1.2.3", 0);
	captured(8);
	assert_int_equal(report.version, 2);
	assert_false(report_is_state(&report));
	assert_record(REPORT_TO_INCLUDE, "239.1.2.3", 0);
	assert_no_more();
}

static void version_3_has_groups_and_sources(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct addr source;

	(void)state;
	captured(9);
	assert_int_equal(report.version, 3);
	assert_false(report_is_state(&report));
	assert_record(REPORT_ALLOW, "232.1.1.1", 1);
	source = report_source(&record);
	assert_string_equal(addr_text(&source, text), "10.9.0.9");
	assert_record(REPORT_TO_EXCLUDE, "239.1.2.3", 0);
	assert_no_more();
	captured(12);
	assert_true(report_is_state(&report));
	assert_record(REPORT_IS_INCLUDE, "232.1.1.1", 1);
	assert_record(REPORT_IS_EXCLUDE, "239.1.2.3", 0);
	captured(13);
	assert_record(REPORT_BLOCK, "232.1.1.1", 1);
	assert_record(REPORT_TO_INCLUDE, "239.1.2.3", 0);
	assert_no_more();
}

static void queries_are_known_as_such_with_their_version(void **state)
{
	(void)state;
	captured(2);
	assert_int_equal(report.what, REPORT_QUERY);
	assert_int_equal(report.version, 3);
	assert_true(addr_is_any(&report.group));
	assert_false(report_is_state(&report));
	assert_no_more();
	/* The same cut to 8 octets: version 1 by its code 0, version 2 with another. */
	frame.payload.len -= 4;
	octets[38 + 2] = 0xee, octets[38 + 3] = 0xff;
	assert_int_equal(igmp_decode(&frame, &report, &error), 0);
	assert_int_equal(report.version, 1);
	octets[38 + 1] = 0x64, octets[38 + 3] = 0x9b;
	assert_int_equal(igmp_decode(&frame, &report, &error), 0);
	assert_int_equal(report.version, 2);
}

static void auxiliary_data_is_passed_over(void **state)
{
	static const uint8_t message[] = {
		0x22, 0, 0, 0, 0, 0, 0, 2, 2, 1, 0, 0, 239, 1, 1, 1, 9, 9, 9, 9,
		4, 0, 0, 0, 239, 1, 1, 2,
	};
	uint16_t sum = inet_checksum(message, sizeof(message), 0);

	(void)state;
	captured(9);
	memcpy(octets + 38, message, sizeof(message));
	octets[40] = (uint8_t)(sum >> 8), octets[41] = (uint8_t)sum;
	frame.payload = rd_new(octets + 38, sizeof(message), 38);
	assert_int_equal(igmp_decode(&frame, &report, &error), 0);
	assert_record(REPORT_IS_EXCLUDE, "239.1.1.1", 0);
	assert_record(REPORT_TO_EXCLUDE, "239.1.1.2", 0);
	assert_no_more();
}

static void a_wrong_checksum_or_a_cut_is_bad(void **state)
{
	size_t whole;

	(void)state;
	captured(12);
	octets[45] ^= 1;
	assert_int_equal(igmp_decode(&frame, &report, &error), -EBADMSG);
	assert_string_equal(error.what, "IGMP checksum");
	octets[45] ^= 1;
	whole = frame.payload.len;
	for (size_t cut = 0; cut < whole; cut++) {
		frame.payload.len = cut;
		assert_int_equal(igmp_decode(&frame, &report, &error), -EBADMSG);
		assert_true(error.at <= len);
	}
}

/* A right checksum, and a number of records that are not there. */
static void records_that_are_not_there_are_bad(void **state)
{
	(void)state;
	captured(12);
	octets[38 + 7]++;
	octets[38 + 3]--;
	assert_int_equal(igmp_decode(&frame, &report, &error), -EBADMSG);
	assert_string_equal(error.what, "record type");
}

static void other_types_and_other_frames_are_no_reports(void **state)
{
	(void)state;
	captured(4);
	octets[38] = 0x13;	/* DVMRP */
	octets[40] += 3;
	assert_int_equal(igmp_decode(&frame, &report, &error), 0);
	assert_int_equal(report.what, REPORT_OTHER);
	assert_no_more();
	frame.protocol = INET_UDP;
	assert_int_equal(igmp_decode(&frame, &report, &error), -ENOENT);
}

static void our_query_is_that_of_the_capture(void **state)
{
	struct report_query query = {
		.src = { { 2, 0, 0, 0, 0, 0xb1 } }, .dst = { { 0x52, 0x54, 0, 0, 0, 1 } },
	};
	uint8_t made[REPORT_QUERY_MAX];

	(void)state;
	captured(2);
	assert_int_equal(igmp_query(made, sizeof(made), &query), 60);
	assert_memory_equal(made, octets, 60);
	captured(26);
	query.dst = (struct mac){ 0 };
	query.code = 1;
	assert_int_equal(igmp_query(made, sizeof(made), &query), 60);
	assert_memory_equal(made, octets, 60);
}

static void our_query_is_tagged_where_it_must_be_and_long_enough_without(void **state)
{
	const struct report_query query = {
		.src = { { 2, 0, 0, 0, 0, 0xb1 } }, .vlan = 10, .code = 1,
	};

	(void)state;
	len = igmp_query(octets, sizeof(octets), &query);
	assert_int_equal(len, 64);
	assert_int_equal(inet_decode(octets, len, &frame, NULL), 0);
	assert_int_equal(frame.vlan, 10);
	assert_int_equal(frame.dst.b[0], 1);
	assert_int_equal(igmp_decode(&frame, &report, NULL), 0);
	assert_int_equal(report.what, REPORT_QUERY);
	assert_int_equal(report.version, 3);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(igmp_query(octets, size, &query), 0);
}

static void the_fake_host_speaks_as_a_real_one(void **state)
{
	const struct addr source = { ADDR_IPV4, { 10, 9, 0, 9 } };
	const struct fake_record records[] = {
		{ REPORT_IS_INCLUDE, { ADDR_IPV4, { 232, 1, 1, 1 } }, 1, &source },
		{ REPORT_IS_EXCLUDE, { ADDR_IPV4, { 239, 1, 2, 3 } }, 0, NULL },
	};
	const struct fake_report fake = {
		.src = { { 0x52, 0x54, 0, 0, 0, 1 } }, .family = ADDR_IPV4, .version = 3,
		.n = 2, .records = records,
	};
	uint8_t made[FAKE_REPORT_MAX];

	(void)state;
	captured(12);
	assert_int_equal(fake_report(made, sizeof(made), &fake), len);
	assert_memory_equal(made + 38, octets + 38, len - 38);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_1_and_2_are_records_too),
		cmocka_unit_test(version_3_has_groups_and_sources),
		cmocka_unit_test(queries_are_known_as_such_with_their_version),
		cmocka_unit_test(auxiliary_data_is_passed_over),
		cmocka_unit_test(a_wrong_checksum_or_a_cut_is_bad),
		cmocka_unit_test(records_that_are_not_there_are_bad),
		cmocka_unit_test(other_types_and_other_frames_are_no_reports),
		cmocka_unit_test(our_query_is_that_of_the_capture),
		cmocka_unit_test(our_query_is_tagged_where_it_must_be_and_long_enough_without),
		cmocka_unit_test(the_fake_host_speaks_as_a_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
