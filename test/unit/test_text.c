/* SPDX-License-Identifier: GPL-2.0-only */
/* Values as text, both ways: RFC 4291 2.2 and RFC 5952 for IPv6. */
#include "wire/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_mac_is_six_pairs_of_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = { "", "52:54:00:12:34", "52:54:00:12:34:5",
					   "52-54-00-12-34-56", "52:54:00:12:34:56:78",
					   "52:54:00:12:34:5g", " 52:54:00:12:34:56",
					   "525400123456", "52:54:00:12:34:567" };
	struct mac mac, kept = { { 1, 2, 3, 4, 5, 6 } };
	char buf[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(mac_parse("52:54:00:AB:cd:0f", &mac), 0);
	assert_string_equal(mac_text(&mac, buf), "52:54:00:ab:cd:0f");
	mac = kept;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
	assert_true(mac_equal(&mac, &kept));
}

static void ipv4_is_four_decimal_numbers_without_leading_zeros(void **state)
{
	static const char *const good[] = { "0.0.0.0", "255.255.255.255", "10.77.1.100" };
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "-",
					   "1.2.3.", ".1.2.3", "01.2.3.4", "1.2.3.4 ",
					   "1..2.3", "0x1.2.3.4", "1.2.3.99999999999" };
	struct addr addr = { .family = 7 };
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(addr_parse(good[i], &addr), 0);
		assert_int_equal(addr.family, ADDR_IPV4);
		assert_string_equal(addr_text(&addr, buf), good[i]);
	}
	addr.family = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_parse(bad[i], &addr), -EINVAL);
	assert_int_equal(addr.family, 7);
}

static void ipv6_is_read_by_RFC_4291_and_written_by_RFC_5952(void **state)
{
	static const char *const pair[][2] = {
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0001:002:03:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "::ffff:c000:0201", "::ffff:192.0.2.1" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
		{ "::13.1.68.3", "::d01:4403" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct addr addr, again;

		assert_int_equal(addr_parse(pair[i][0], &addr), 0);
		assert_int_equal(addr.family, ADDR_IPV6);
		assert_string_equal(addr_text(&addr, buf), pair[i][1]);
		assert_int_equal(addr_parse(buf, &again), 0);
		assert_true(addr_equal(&addr, &again));
	}
}

static void what_is_no_ipv6_address_is_refused(void **state)
{
	static const char *const bad[] = {
		":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1%eth0",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "::1 ",
		"1:::2", "fe80:::1", "::256.1.1.1", "1:2:3:4:5:6:7:", "1::2:",
	};
	struct addr addr = { .family = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_parse(bad[i], &addr), -EINVAL);
	assert_int_equal(addr.family, 7);
}

static void no_address_is_a_dash(void **state)
{
	const struct addr none = { .family = ADDR_NONE };
	const struct client_id no_id = { .len = 0 };
	char buf[ADDR_TEXT_MAX], id_buf[CLIENT_ID_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_text(&none, buf), "-");
	assert_string_equal(client_id_text(&no_id, id_buf), "-");
}

static void a_vsi_id_is_read_in_the_format_that_it_is_written_in(void **state)
{
	static const struct {
		const char *in, *out;
		uint8_t format;
	} row[] = {
		{ "FA9B7FFF-b0a0-4893-abcd-beef4ff18f8f",
		  "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", VSI_ID_UUID },
		{ "52:54:00:00:00:01", "52:54:00:00:00:01", VSI_ID_MAC },
		{ "10.0.0.7", "10.0.0.7", VSI_ID_IPV4 },
		{ "2001:db8::7", "2001:db8::7", VSI_ID_IPV6 },
		{ "local:000102030405060708090a0b0c0d0e0f",
		  "local:000102030405060708090a0b0c0d0e0f", VSI_ID_LOCAL },
		{ "fa9b7fffb0a04893abcdbeef4ff18f8f",
		  "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", VSI_ID_UUID },
	};
	static const char *const bad[] = {
		"", "vm1", "fa9b7fff-b0a0-4893-abcd-beef4ff18f8", "{fa9b7fff}",
		"fa9b7fffb-0a0-4893-abcd-beef4ff18f8f", "000102030405060708090a0b0c0d0e0",
		"fa9b7fff-b0a0-4893-abcd-beef4ff18f8fa",
	};
	char buf[VSI_ID_TEXT_MAX];
	struct vsi_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(vsi_id_parse(row[i].in, &id), 0);
		assert_int_equal(id.format, row[i].format);
		assert_string_equal(vsi_id_text(&id, buf), row[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vsi_id_parse(bad[i], &id), -EINVAL);
}

static void a_vsi_id_that_breaks_its_format_is_shown_as_octets(void **state)
{
	struct vsi_id id = { .format = VSI_ID_MAC, .b = { [15] = 0xff } };
	char buf[VSI_ID_TEXT_MAX];

	(void)state;
	assert_string_equal(vsi_id_text(&id, buf), "000000000000000000000000000000ff");
	id.format = 99;
	assert_string_equal(vsi_id_text(&id, buf), "000000000000000000000000000000ff");
}

static void a_client_id_is_hex_with_or_without_colons(void **state)
{
	static const char *const bad[] = { "", "0", "01:", ":01", "01::52", "01 52",
					   "0x01" };
	char buf[CLIENT_ID_TEXT_MAX], longest[2 * 256 + 1];
	struct client_id id;

	(void)state;
	assert_int_equal(client_id_parse("01525400:00:0001", &id), 0);
	assert_int_equal(id.len, 7);
	assert_string_equal(client_id_text(&id, buf), "01:52:54:00:00:00:01");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(client_id_parse(bad[i], &id), -EINVAL);
	memset(longest, 'f', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(client_id_parse(longest, &id), -EINVAL);
	assert_int_equal(client_id_parse(longest + 2, &id), 0);
	assert_int_equal(id.len, 255);
	assert_int_equal(strlen(client_id_text(&id, buf)), CLIENT_ID_TEXT_MAX - 2);
}

static void equal_and_any_look_at_every_octet(void **state)
{
	struct addr a = { .family = ADDR_IPV4, .b = { 0, 0, 0, 1 } }, b = a;
	struct addr any = { .family = ADDR_IPV6 }, none = { .family = ADDR_NONE };
	struct vsi_entry e = { .mac = { { 1 } }, .vlan = 5 }, f = e;
	struct vsi_id i = { .format = VSI_ID_UUID }, j = i;
	struct mac zero = { { 0 } };

	(void)state;
	assert_true(addr_equal(&a, &b));
	assert_false(addr_is_any(&a));
	b.family = ADDR_IPV6;
	assert_false(addr_equal(&a, &b));
	assert_true(addr_is_any(&any));
	assert_true(addr_is_any(&none));
	assert_true(entry_equal(&e, &f));
	f.vlan = 6;
	assert_false(entry_equal(&e, &f));
	assert_true(vsi_id_equal(&i, &j));
	j.b[15] = 1;
	assert_false(vsi_id_equal(&i, &j));
	assert_true(mac_is_zero(&zero));
	assert_false(mac_is_zero(&e.mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_is_six_pairs_of_digits_and_nothing_else),
		cmocka_unit_test(ipv4_is_four_decimal_numbers_without_leading_zeros),
		cmocka_unit_test(ipv6_is_read_by_RFC_4291_and_written_by_RFC_5952),
		cmocka_unit_test(what_is_no_ipv6_address_is_refused),
		cmocka_unit_test(no_address_is_a_dash),
		cmocka_unit_test(a_vsi_id_is_read_in_the_format_that_it_is_written_in),
		cmocka_unit_test(a_vsi_id_that_breaks_its_format_is_shown_as_octets),
		cmocka_unit_test(a_client_id_is_hex_with_or_without_colons),
		cmocka_unit_test(equal_and_any_look_at_every_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
