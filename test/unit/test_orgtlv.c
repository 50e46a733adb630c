/* SPDX-License-Identifier: GPL-2.0-only */
/* The capability TLV, octet by octet. */
#include "wire/orgtlv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t bridge[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 0x08 };

static void assert_bad(const uint8_t *value, size_t len, const char *what, size_t at)
{
	struct orgtlv_capability untouched = { .version = 77 };
	struct rd_error error;

	assert_int_equal(orgtlv_get_capability(value, len, &untouched, &error), -EBADMSG);
	assert_string_equal(error.what, what);
	assert_int_equal(error.at, at);
	assert_int_equal(untouched.version, 77);
}

static void it_is_written_as_the_layout_says(void **state)
{
	const struct orgtlv_capability said = { 1, ORGTLV_BRIDGE, ORGTLV_LEASEQUERY };
	uint8_t buf[ORGTLV_CAPABILITY_LEN];
	struct wr w = wr_new(buf, sizeof(buf)), narrow = wr_new(buf, sizeof(buf) - 1);

	(void)state;
	orgtlv_put_capability(&w, &said);
	assert_true(wr_ok(&w));
	assert_int_equal(w.at, sizeof(bridge));
	assert_memory_equal(buf, bridge, sizeof(bridge));
	orgtlv_put_capability(&narrow, &said);
	assert_false(wr_ok(&narrow));
}

static void it_is_read_back(void **state)
{
	struct orgtlv_capability got;
	struct rd_error error;

	(void)state;
	assert_int_equal(orgtlv_get_capability(bridge, sizeof(bridge), &got, &error), 0);
	assert_int_equal(got.version, 1);
	assert_int_equal(got.role, ORGTLV_BRIDGE);
	assert_int_equal(got.flags, ORGTLV_LEASEQUERY);
}

static void other_tlvs_are_none_of_ours(void **state)
{
	const uint8_t evb[] = { 0x00, 0x80, 0xc2, 0x0d, 1, 2, 3 };
	const uint8_t help[] = { 0x02, 0x56, 0x4d, 0x02, 1, 2, 3 };
	struct orgtlv_capability got;

	(void)state;
	assert_int_equal(orgtlv_get_capability(evb, sizeof(evb), &got, NULL), -ENOENT);
	assert_int_equal(orgtlv_get_capability(help, sizeof(help), &got, NULL), -ENOENT);
}

static void each_cut_is_refused_and_where(void **state)
{
	(void)state;
	assert_bad(bridge, 0, "OUI and subtype", 0);
	assert_bad(bridge, 3, "OUI and subtype", 0);
	assert_bad(bridge, 4, "version", 4);
	assert_bad(bridge, 5, "role", 5);
	assert_bad(bridge, 6, "flags", 6);
}

static void values_out_of_range_are_refused(void **state)
{
	const uint8_t version[] = { 0x02, 0x56, 0x4d, 0x01, 0, 2, 0 };
	const uint8_t role[] = { 0x02, 0x56, 0x4d, 0x01, 1, 3, 0 };
	const uint8_t longer[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 0, 0 };

	(void)state;
	assert_bad(version, sizeof(version), "version", 5);
	assert_bad(role, sizeof(role), "role", 6);
	assert_bad(longer, sizeof(longer), "end of capability", 7);
}

static void what_a_later_version_adds_is_passed_over(void **state)
{
	const uint8_t later[] = { 0x02, 0x56, 0x4d, 0x01, 2, 1, 0xff, 9, 9 };
	struct orgtlv_capability got;
	struct rd_error error;

	(void)state;
	assert_int_equal(orgtlv_get_capability(later, sizeof(later), &got, &error), 0);
	assert_int_equal(got.version, 2);
	assert_int_equal(got.role, ORGTLV_STATION);
	assert_int_equal(got.flags, 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_written_as_the_layout_says),
		cmocka_unit_test(it_is_read_back),
		cmocka_unit_test(other_tlvs_are_none_of_ours),
		cmocka_unit_test(each_cut_is_refused_and_where),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(what_a_later_version_adds_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
