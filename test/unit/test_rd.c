/* SPDX-License-Identifier: GPL-2.0-only */
/* The bounded reader and writer: nothing outside their octets is read or written. */
#include "wire/rd.h"
#include "wire/wr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t octets[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void numbers_are_big_endian(void **state)
{
	struct rd r = rd_new(octets, sizeof(octets), 0);

	(void)state;
	assert_int_equal(rd_u8(&r, "a"), 0x01);
	assert_int_equal(rd_u16(&r, "b"), 0x0203);
	assert_int_equal(rd_u24(&r, "c"), 0x040506);
	assert_int_equal(rd_u32(&r, "d"), 0x0708090a);
	assert_int_equal(rd_left(&r), 6);
	assert_true(rd_ok(&r));
	r = rd_new(octets, sizeof(octets), 0);
	assert_true(rd_u64(&r, "e") == 0x0102030405060708ull);
}

static void a_read_past_the_end_gives_zero_and_says_where(void **state)
{
	struct rd r = rd_new(octets, 3, 100);
	struct rd_error error;

	(void)state;
	assert_int_equal(rd_u16(&r, "first"), 0x0102);
	assert_int_equal(rd_u16(&r, "second"), 0);
	assert_false(rd_ok(&r));
	rd_error(&r, &error);
	assert_string_equal(error.what, "second");
	assert_int_equal(error.at, 102);
}

static void after_a_failure_all_reads_give_zero_and_the_first_reason_stays(void **state)
{
	struct rd r = rd_new(octets, 4, 0);
	uint8_t to[2] = { 0xff, 0xff };

	(void)state;
	rd_skip(&r, 5, "too much");
	assert_int_equal(rd_u8(&r, "later"), 0);
	rd_copy(&r, to, 2, "copy");
	assert_int_equal(to[0] | to[1], 0);
	assert_null(rd_bytes(&r, 0, "none"));
	assert_int_equal(rd_left(&r), 0);
	assert_string_equal(r.what, "too much");
	assert_int_equal(r.bad_at, 0);
}

static void a_length_near_SIZE_MAX_is_refused(void **state)
{
	struct rd r = rd_new(octets, sizeof(octets), 0);

	(void)state;
	rd_skip(&r, 2, "two");
	rd_skip(&r, SIZE_MAX - 1, "huge");
	assert_false(rd_ok(&r));
	assert_int_equal(r.bad_at, 2);
}

static void a_sub_reader_ends_where_it_was_told(void **state)
{
	struct rd r = rd_new(octets, sizeof(octets), 10), sub;

	(void)state;
	rd_skip(&r, 2, "two");
	sub = rd_sub(&r, 3, "sub");
	assert_int_equal(rd_left(&sub), 3);
	assert_int_equal(rd_at(&sub), 12);
	assert_int_equal(rd_u32(&sub, "four"), 0);
	assert_int_equal(sub.bad_at, 12);
	assert_true(rd_ok(&r));
	assert_int_equal(rd_u8(&r, "next"), 6);
}

static void a_sub_reader_that_does_not_fit_has_failed_from_the_start(void **state)
{
	struct rd r = rd_new(octets, 4, 0), sub = rd_sub(&r, 5, "sub");

	(void)state;
	assert_false(rd_ok(&sub));
	assert_false(rd_ok(&r));
	assert_string_equal(sub.what, "sub");
	assert_int_equal(rd_u8(&sub, "x"), 0);
}

static void addresses_have_their_family_and_zeros_behind(void **state)
{
	struct rd r = rd_new(octets, sizeof(octets), 0);
	struct addr ipv4 = rd_ipv4(&r, "ipv4"), ipv6;
	struct mac mac;

	(void)state;
	assert_int_equal(ipv4.family, ADDR_IPV4);
	assert_memory_equal(ipv4.b, octets, 4);
	assert_int_equal(ipv4.b[4] | ipv4.b[15], 0);
	mac = rd_mac(&r, "mac");
	assert_memory_equal(mac.b, octets + 4, 6);
	r = rd_new(octets, sizeof(octets), 0);
	ipv6 = rd_ipv6(&r, "ipv6");
	assert_int_equal(ipv6.family, ADDR_IPV6);
	assert_memory_equal(ipv6.b, octets, 16);
}

static void the_writer_writes_what_the_reader_reads(void **state)
{
	uint8_t buf[16];
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	wr_u8(&w, 1);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_u64(&w, 0x08090a0b0c0d0e0full);
	wr_u8(&w, 16);
	assert_true(wr_ok(&w));
	assert_memory_equal(buf, octets, 16);
	wr_set_u16(&w, 0, 0xabcd);
	assert_int_equal(buf[0] << 8 | buf[1], 0xabcd);
}

static void the_writer_stops_at_its_end_and_stays_full(void **state)
{
	uint8_t buf[4] = { 0xee, 0xee, 0xee, 0xee };
	struct wr w = wr_new(buf, 3);

	(void)state;
	wr_u16(&w, 1);
	wr_u16(&w, 2);
	assert_false(wr_ok(&w));
	wr_u8(&w, 3);
	assert_false(wr_ok(&w));
	assert_int_equal(w.at, 2);
	assert_int_equal(buf[3], 0xee);
	wr_set_u16(&w, 0, 9);
	assert_int_equal(buf[1], 1);
	wr_zero(&w, SIZE_MAX);
	assert_int_equal(w.at, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(a_read_past_the_end_gives_zero_and_says_where),
		cmocka_unit_test(
			after_a_failure_all_reads_give_zero_and_the_first_reason_stays),
		cmocka_unit_test(a_length_near_SIZE_MAX_is_refused),
		cmocka_unit_test(a_sub_reader_ends_where_it_was_told),
		cmocka_unit_test(
			a_sub_reader_that_does_not_fit_has_failed_from_the_start),
		cmocka_unit_test(addresses_have_their_family_and_zeros_behind),
		cmocka_unit_test(the_writer_writes_what_the_reader_reads),
		cmocka_unit_test(the_writer_stops_at_its_end_and_stays_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
