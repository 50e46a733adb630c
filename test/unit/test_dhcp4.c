/* SPDX-License-Identifier: GPL-2.0-only */
/* DHCP messages of udhcpc and isc-dhcpd; options split and overloaded; the query; the
 * request of a client that restarts. */
#include "wire/dhcp4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "wire/inet.h"
#include "wire/text.h"

#define SNAME_AT 44
#define FILE_AT 108
#define OPTIONS_AT 240

static uint8_t frame[2048], msg[2048];
static struct dhcp4 m;
static struct rd_error error;

/* The message of captured frame n in msg; its length. */
static size_t captured(unsigned n)
{
	size_t len = capture_get("dhcp4.pcap", n, frame, sizeof(frame));
	struct inet_frame f;

	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_true(f.udp);
	len = rd_left(&f.payload);
	memset(msg, 0, sizeof(msg));
	rd_copy(&f.payload, msg, len, "payload");
	return len;
}

static int decode(size_t len)
{
	error = (struct rd_error){ 0 };
	return dhcp4_decode(rd_new(msg, len, 0), &m, &error);
}

/* Options instead of those of captured frame 4. */
static size_t with_options(const void *options, size_t len)
{
	captured(4);
	memset(msg + OPTIONS_AT, 0, sizeof(msg) - OPTIONS_AT);
	memcpy(msg + OPTIONS_AT, options, len);
	return OPTIONS_AT + len;
}

static void assert_addr(const struct addr *addr, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	assert_string_equal(addr_text(addr, buf), text);
}

static void every_captured_message_has_its_type(void **state)
{
	static const uint8_t type[] = {
		DHCP4_DISCOVER, DHCP4_OFFER, DHCP4_REQUEST, DHCP4_ACK,
		DHCP4_LEASEQUERY, DHCP4_LEASEACTIVE,
		DHCP4_LEASEQUERY, DHCP4_LEASEUNKNOWN,
		DHCP4_LEASEQUERY, DHCP4_LEASEUNASSIGNED,
		DHCP4_REQUEST, DHCP4_ACK, DHCP4_REQUEST, DHCP4_ACK, DHCP4_RELEASE,
		DHCP4_DISCOVER, DHCP4_OFFER, DHCP4_REQUEST, DHCP4_ACK, DHCP4_DECLINE,
		DHCP4_REQUEST, DHCP4_NAK,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(type); i++) {
		assert_int_equal(decode(captured(i + 1)), 0);
		assert_int_equal(m.type, type[i]);
	}
}

static void an_ACK_of_dhcpd_gives_address_lease_and_server(void **state)
{
	const struct mac client = { { 0x52, 0x54, 0, 0, 0, 1 } };
	struct addr server;
	uint32_t lease;

	(void)state;
	assert_int_equal(decode(captured(4)), 0);
	assert_int_equal(m.op, DHCP4_BOOTREPLY);
	assert_int_equal(m.htype, 1);
	assert_int_equal(m.hlen, 6);
	assert_int_equal(m.xid, 0x7df395a);
	assert_true(mac_equal(&m.chaddr, &client));
	assert_addr(&m.yiaddr, "10.77.1.100");
	assert_addr(&m.giaddr, "0.0.0.0");
	assert_true(dhcp4_opt_u32(&m, DHCP4_OPT_LEASE_TIME, &lease));
	assert_int_equal(lease, 3600);
	assert_true(dhcp4_opt_addr(&m, DHCP4_OPT_SERVER_ID, &server));
	assert_addr(&server, "10.77.1.1");
	assert_false(dhcp4_opt_u32(&m, DHCP4_OPT_LAST_TRANSACTION, &lease));
}

static void a_LEASEACTIVE_of_dhcpd_names_the_lease(void **state)
{
	static const uint8_t id[] = { 1, 0x52, 0x54, 0, 0, 0, 1 };
	const uint8_t *p;
	uint32_t v;
	size_t len;

	(void)state;
	assert_int_equal(decode(captured(6)), 0);
	assert_addr(&m.ciaddr, "10.77.1.100");
	assert_addr(&m.giaddr, "10.77.1.254");
	assert_true(dhcp4_opt_u32(&m, DHCP4_OPT_LEASE_TIME, &v));
	assert_in_range(v, 3590, 3600);
	assert_true(dhcp4_opt_u32(&m, DHCP4_OPT_LAST_TRANSACTION, &v));
	p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len);
	assert_int_equal(len, sizeof(id));
	assert_memory_equal(p, id, sizeof(id));
	assert_null(dhcp4_opt(&m, DHCP4_OPT_ASSOCIATED_IP, &len));
}

static void a_NAK_and_the_request_before_it_decode(void **state)
{
	struct addr asked;

	(void)state;
	assert_int_equal(decode(captured(21)), 0);
	assert_true(dhcp4_opt_addr(&m, DHCP4_OPT_REQUESTED_ADDRESS, &asked));
	assert_addr(&asked, "10.99.9.9");
	assert_int_equal(decode(captured(22)), 0);
	assert_int_equal(m.xid, 0x00c0ffee);
	assert_addr(&m.yiaddr, "0.0.0.0");
}

static void every_cut_within_the_options_is_bad(void **state)
{
	/* LEASEACTIVE is not padded: its last octet is the End option. */
	size_t len = captured(6), bad = 0;

	(void)state;
	for (size_t cut = 0; cut < OPTIONS_AT; cut++)
		assert_int_equal(decode(cut), -EBADMSG);
	for (size_t cut = OPTIONS_AT; cut < len; cut++)
		bad += decode(cut) == -EBADMSG;
	/* Between two options a cut cannot be seen: 53 54 51 58 59 91 60 61. */
	assert_int_equal(len - OPTIONS_AT - bad, 9);
	assert_int_equal(decode(238), -EBADMSG);
	assert_string_equal(error.what, "magic cookie");
	assert_int_equal(error.at, 236);
	assert_int_equal(decode(OPTIONS_AT + 2), -EBADMSG);
	assert_string_equal(error.what, "option");
	assert_int_equal(error.at, OPTIONS_AT + 2);
}

static void without_the_magic_cookie_it_is_no_DHCP(void **state)
{
	size_t len = captured(4);

	(void)state;
	msg[236] ^= 1;
	assert_int_equal(decode(len), -EBADMSG);
	assert_string_equal(error.what, "magic cookie");
}

static void a_split_option_is_joined_in_order(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 61, 2, 1, 0x52, 0, 51, 4, 0, 0, 0x0e,
					   0x10, 61, 0, 61, 3, 0x54, 0, 9, 255, 61, 1,
					   7 };
	static const uint8_t id[] = { 1, 0x52, 0x54, 0, 9 };
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(decode(with_options(options, sizeof(options))), 0);
	p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len);
	assert_int_equal(len, sizeof(id));
	assert_memory_equal(p, id, sizeof(id));
}

static void overloaded_fields_follow_as_file_then_sname(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 52, 1, 3, 61, 1, 'a', 255 };
	static const uint8_t in_file[] = { 61, 1, 'b', 255 };
	static const uint8_t in_sname[] = { 61, 1, 'c', 51, 4, 0, 0, 0, 9, 255 };
	const uint8_t *p;
	uint32_t lease;
	size_t len;

	(void)state;
	for (uint8_t overload = 0; overload < 4; overload++) {
		static const char *const want[] = { "a", "ab", "ac", "abc" };
		size_t n = with_options(options, sizeof(options));

		msg[OPTIONS_AT + 5] = overload;
		memcpy(msg + FILE_AT, in_file, sizeof(in_file));
		memcpy(msg + SNAME_AT, in_sname, sizeof(in_sname));
		assert_int_equal(decode(n), 0);
		p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len);
		assert_int_equal(len, strlen(want[overload]));
		assert_memory_equal(p, want[overload], len);
		assert_int_equal(dhcp4_opt_u32(&m, DHCP4_OPT_LEASE_TIME, &lease),
				 overload >= 2);
	}
}

static void an_overload_within_a_field_counts_for_nothing(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 52, 1, 1, 255 };
	static const uint8_t in_file[] = { 52, 1, 2, 255 };
	static const uint8_t in_sname[] = { 61, 1, 'c', 255 };
	size_t n = with_options(options, sizeof(options)), len;

	(void)state;
	memcpy(msg + FILE_AT, in_file, sizeof(in_file));
	memcpy(msg + SNAME_AT, in_sname, sizeof(in_sname));
	assert_int_equal(decode(n), 0);
	assert_null(dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len));
}

static void an_option_cut_by_the_end_of_its_field_is_bad(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 52, 1, 1, 255 };
	size_t n = with_options(options, sizeof(options));

	(void)state;
	msg[FILE_AT + 126] = 61;
	msg[FILE_AT + 127] = 1;
	assert_int_equal(decode(n), -EBADMSG);
	assert_int_equal(error.at, FILE_AT + 128);
}

static void options_that_do_not_fit_are_bad(void **state)
{
	uint8_t options[1600] = { 53, 1, 5 };

	(void)state;
	/* 3 options octets, then as many of 255 as there are: 1 + 5 * 255 fit. */
	for (size_t i = 0; i < 6; i++) {
		options[3 + i * 257] = i & 1 ? 61 : 60;
		options[4 + i * 257] = 255;
	}
	assert_int_equal(decode(with_options(options, 3 + 5 * 257)), 0);
	assert_int_equal(m.opt_len[60] + m.opt_len[61], 5 * 255);
	assert_int_equal(decode(with_options(options, 3 + 6 * 257)), -EBADMSG);
	assert_string_equal(error.what, "room for options");
	for (size_t i = 0; i < 6; i++)
		options[3 + i * 257] = 61;
	assert_int_equal(decode(with_options(options, 3 + 6 * 257)), -EBADMSG);
	assert_string_equal(error.what, "room for options");
}

static void a_message_type_of_another_length_is_bad(void **state)
{
	(void)state;
	assert_int_equal(decode(with_options("\x35\x01\x05\x35\x01\x02\xff", 7)),
			 -EBADMSG);
	assert_string_equal(error.what, "message type");
	assert_int_equal(decode(with_options("\x35\x00\xff", 3)), -EBADMSG);
	assert_int_equal(decode(with_options("\xff", 1)), 0);
	assert_int_equal(m.type, 0);
}

static void a_missing_End_and_an_option_of_no_octets_are_forgiven(void **state)
{
	const uint8_t *p;
	size_t len = 9;

	(void)state;
	assert_int_equal(decode(with_options("\x35\x01\x05\x3d\x00", 5)), 0);
	p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len);
	assert_non_null(p);
	assert_int_equal(len, 0);
}

static void a_number_of_another_length_than_four_is_not_there(void **state)
{
	struct addr addr = { .family = 9 };
	uint32_t v = 7;

	(void)state;
	assert_int_equal(decode(with_options("\x33\x03\x01\x02\x03"
					     "\x36\x05\x01\x02\x03\x04\x05\xff", 13)),
			 0);
	assert_false(dhcp4_opt_u32(&m, DHCP4_OPT_LEASE_TIME, &v));
	assert_false(dhcp4_opt_addr(&m, DHCP4_OPT_SERVER_ID, &addr));
	assert_int_equal(v, 7);
	assert_int_equal(addr.family, 9);
}

static struct lq_question question(enum lq_key key)
{
	struct lq_question q = { .key = key };

	addr_parse("10.77.1.254", &q.giaddr);
	addr_parse("10.77.1.140", &q.ip);
	mac_parse("52:54:00:00:00:01", &q.mac);
	client_id_parse("01525400000001", &q.id);
	return q;
}

static void queries_are_octet_by_octet_those_that_dhcpd_answered(void **state)
{
	struct lq_question q = question(LQ_BY_MAC);
	uint8_t buf[LQ_MESSAGE_MAX];
	size_t len = captured(5);

	(void)state;
	assert_int_equal(dhcp4_leasequery(buf, sizeof(buf), &q, 0x1a2b3c73), len);
	assert_int_equal(len, 300);
	assert_memory_equal(buf, msg, len);
	len = captured(9);
	q = question(LQ_BY_IP);
	assert_int_equal(dhcp4_leasequery(buf, sizeof(buf), &q, 0x1a2b3d1f), len);
	assert_memory_equal(buf, msg, len);
}

static void a_query_by_client_id_or_remote_id_has_no_other_key(void **state)
{
	struct lq_question q = question(LQ_BY_CLIENT_ID);
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 300);
	assert_int_equal(decode(300), 0);
	assert_int_equal(m.htype | m.hlen, 0);
	assert_true(mac_is_zero(&m.chaddr));
	assert_addr(&m.ciaddr, "0.0.0.0");
	p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len);
	assert_int_equal(len, 7);
	assert_memory_equal(p, q.id.b, 7);
	assert_null(dhcp4_opt(&m, DHCP4_OPT_RELAY_AGENT, &len));

	q = question(LQ_BY_REMOTE_ID);
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 300);
	assert_int_equal(decode(300), 0);
	assert_int_equal(m.htype | m.hlen, 0);
	p = dhcp4_opt(&m, DHCP4_OPT_RELAY_AGENT, &len);
	assert_int_equal(len, 9);
	assert_int_equal(p[0], 2);
	assert_int_equal(p[1], 7);
	assert_memory_equal(p + 2, q.id.b, 7);
	assert_null(dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len));
}

static void a_question_without_its_key_or_room_makes_no_query(void **state)
{
	struct lq_question q = question(LQ_BY_MAC);

	(void)state;
	assert_int_equal(dhcp4_leasequery(msg, 299, &q, 1), 0);
	q.giaddr.family = ADDR_IPV6;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 0);
	q = question(LQ_BY_IP);
	q.ip.family = ADDR_NONE;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 0);
	q = question(LQ_BY_CLIENT_ID);
	q.id.len = 0;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 0);
	q.id.len = 255;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 511);
	q.key = LQ_BY_REMOTE_ID;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 0);
	q.id.len = 253;
	assert_int_equal(dhcp4_leasequery(msg, sizeof(msg), &q, 1), 511);
}

static void a_reboot_asks_for_the_address_and_names_no_server(void **state)
{
	struct dhcp4_reboot reboot = {
		.xid = 0x01020304, .secs = 12,
		.chaddr = { { 0x52, 0x54, 0, 0, 0, 1 } },
		.ip = { ADDR_IPV4, { 10, 77, 1, 100 } },
		.client_id = { 7, { 1, 0x52, 0x54, 0, 0, 0, 1 } },
		.giaddr = { ADDR_IPV4, { 10, 77, 1, 254 } },
	};
	struct addr addr;
	size_t len;

	(void)state;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 300);
	assert_int_equal(decode(300), 0);
	assert_int_equal(m.op, DHCP4_BOOTREQUEST);
	assert_int_equal(m.type, DHCP4_REQUEST);
	assert_int_equal(m.htype, 1);
	assert_int_equal(m.hlen, 6);
	assert_int_equal(m.hops, 1);
	assert_int_equal(m.xid, 0x01020304);
	assert_int_equal(m.secs, 12);
	assert_int_equal(m.flags, 0);
	assert_true(addr_is_any(&m.ciaddr) && addr_is_any(&m.yiaddr) &&
		    addr_is_any(&m.siaddr));
	assert_addr(&m.giaddr, "10.77.1.254");
	assert_true(mac_equal(&m.chaddr, &reboot.chaddr));
	assert_true(dhcp4_opt_addr(&m, DHCP4_OPT_REQUESTED_ADDRESS, &addr));
	assert_addr(&addr, "10.77.1.100");
	assert_memory_equal(dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len), reboot.client_id.b, 7);
	assert_int_equal(len, 7);
	assert_null(dhcp4_opt(&m, DHCP4_OPT_SUBNET, &len));
	assert_null(dhcp4_opt(&m, DHCP4_OPT_SERVER_ID, &len));
	assert_non_null(dhcp4_opt(&m, DHCP4_OPT_PARAMETERS, &len));
	reboot.select_subnet = true;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 300);
	assert_int_equal(decode(300), 0);
	assert_true(dhcp4_opt_addr(&m, DHCP4_OPT_SUBNET, &addr));
	assert_addr(&addr, "10.77.1.100");
}

static void a_reboot_leaves_out_what_the_client_has_not(void **state)
{
	struct dhcp4_reboot reboot = { .ip = { ADDR_IPV4, { 10, 77, 1, 100 } } };
	size_t len;

	(void)state;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 300);
	assert_int_equal(decode(300), 0);
	assert_int_equal(m.hops, 0);
	assert_true(addr_is_any(&m.giaddr));
	reboot.select_subnet = true;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 300);
	assert_int_equal(decode(300), 0);
	assert_null(dhcp4_opt(&m, DHCP4_OPT_SUBNET, &len));
	assert_null(dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &len));
	reboot.client_id.len = 255;
	len = dhcp4_reboot(msg, sizeof(msg), &reboot);
	assert_true(len > 300);
	assert_int_equal(decode(len), 0);
	for (size_t room = 0; room < len; room++)
		assert_int_equal(dhcp4_reboot(frame, room, &reboot), 0);
	reboot.ip.family = ADDR_IPV6;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 0);
	reboot.ip.family = ADDR_IPV4;
	reboot.giaddr.family = ADDR_IPV6;
	assert_int_equal(dhcp4_reboot(msg, sizeof(msg), &reboot), 0);
}

static void types_have_names(void **state)
{
	(void)state;
	assert_string_equal(dhcp4_type_text(DHCP4_ACK), "DHCPACK");
	assert_string_equal(dhcp4_type_text(DHCP4_LEASEACTIVE), "DHCPLEASEACTIVE");
	assert_string_equal(dhcp4_type_text(0), "BOOTP");
	assert_string_equal(dhcp4_type_text(9), "unknown DHCP message");
	assert_string_equal(dhcp4_type_text(255), "unknown DHCP message");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_captured_message_has_its_type),
		cmocka_unit_test(an_ACK_of_dhcpd_gives_address_lease_and_server),
		cmocka_unit_test(a_LEASEACTIVE_of_dhcpd_names_the_lease),
		cmocka_unit_test(a_NAK_and_the_request_before_it_decode),
		cmocka_unit_test(every_cut_within_the_options_is_bad),
		cmocka_unit_test(without_the_magic_cookie_it_is_no_DHCP),
		cmocka_unit_test(a_split_option_is_joined_in_order),
		cmocka_unit_test(overloaded_fields_follow_as_file_then_sname),
		cmocka_unit_test(an_overload_within_a_field_counts_for_nothing),
		cmocka_unit_test(an_option_cut_by_the_end_of_its_field_is_bad),
		cmocka_unit_test(options_that_do_not_fit_are_bad),
		cmocka_unit_test(a_message_type_of_another_length_is_bad),
		cmocka_unit_test(a_missing_End_and_an_option_of_no_octets_are_forgiven),
		cmocka_unit_test(a_number_of_another_length_than_four_is_not_there),
		cmocka_unit_test(queries_are_octet_by_octet_those_that_dhcpd_answered),
		cmocka_unit_test(a_query_by_client_id_or_remote_id_has_no_other_key),
		cmocka_unit_test(a_question_without_its_key_or_room_makes_no_query),
		cmocka_unit_test(a_reboot_asks_for_the_address_and_names_no_server),
		cmocka_unit_test(a_reboot_leaves_out_what_the_client_has_not),
		cmocka_unit_test(types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
