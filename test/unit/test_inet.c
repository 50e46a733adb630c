/* SPDX-License-Identifier: GPL-2.0-only */
/* Ethernet, IPv4, UDP and IPv6 of captured frames, cut, padded, tagged and fragmented. */
#include "wire/inet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "wire/text.h"

#define IP_AT 14
#define UDP_AT 34

static uint8_t frame[2048];
static struct inet_frame f;
static struct rd_error error;

static size_t captured(unsigned n)
{
	size_t len = capture_get("dhcp4.pcap", n, frame, sizeof(frame));

	assert_true(len > 0);
	return len;
}

/* Make the IPv4 header checksum right after a change. */
static void seal(void)
{
	uint16_t sum;

	frame[IP_AT + 10] = frame[IP_AT + 11] = 0;
	sum = inet_checksum(frame + IP_AT, 20, 0);
	frame[IP_AT + 10] = (uint8_t)(sum >> 8);
	frame[IP_AT + 11] = (uint8_t)sum;
}

static void assert_bad(size_t len, const char *what)
{
	error = (struct rd_error){ 0 };
	assert_int_equal(inet_decode(frame, len, &f, &error), -EBADMSG);
	assert_string_equal(error.what, what);
}

static void a_captured_DHCPACK_decodes_down_to_its_payload(void **state)
{
	size_t len = captured(4);
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_int_equal(f.ethertype, ETHERTYPE_IPV4);
	assert_int_equal(f.vlan, 0);
	assert_int_equal(f.protocol, 17);
	assert_true(f.udp);
	assert_string_equal(addr_text(&f.saddr, text), "10.77.1.1");
	assert_string_equal(addr_text(&f.daddr, text), "10.77.1.100");
	assert_int_equal(f.sport, 67);
	assert_int_equal(f.dport, 68);
	assert_int_equal(rd_left(&f.payload), 300);
	assert_int_equal(rd_at(&f.payload), 42);
}

static void a_tag_is_taken_off(void **state)
{
	size_t len = captured(1);

	(void)state;
	memmove(frame + 16, frame + 12, len - 12);
	memcpy(frame + 12, (const uint8_t[]){ 0x81, 0x00, 0xb0, 0x07 }, 4);
	assert_int_equal(inet_decode(frame, len + 4, &f, NULL), 0);
	assert_int_equal(f.vlan, 7);
	assert_true(f.udp);
	assert_int_equal(f.dport, 67);
	assert_int_equal(rd_at(&f.payload), 46);
	assert_bad(15, "VLAN tag");
	assert_bad(17, "ethertype");
}

static void padding_behind_the_packet_is_not_payload(void **state)
{
	size_t len = captured(1);

	(void)state;
	assert_int_equal(inet_decode(frame, len + 20, &f, NULL), 0);
	assert_int_equal(rd_left(&f.payload), len - 42);
}

static void every_cut_is_bad(void **state)
{
	size_t len = captured(6);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(inet_decode(frame, cut, &f, &error), -EBADMSG);
	assert_bad(13, "ethertype");
	assert_bad(IP_AT + 3, "IPv4 header");
	assert_bad(len - 1, "IPv4 packet");
}

static void wrong_lengths_and_checksums_are_bad(void **state)
{
	size_t len = captured(6);

	(void)state;
	frame[IP_AT + 8]--;
	assert_bad(len, "IPv4 header checksum");
	frame[IP_AT] = 0x65;
	assert_bad(len, "IPv4 header");
	frame[IP_AT] = 0x44;
	assert_bad(len, "IPv4 header");
	frame[IP_AT] = 0x45;
	frame[IP_AT + 2] = 0;
	frame[IP_AT + 3] = 19;
	assert_bad(len, "IPv4 total length");
	captured(6);
	frame[UDP_AT + 4] = 0;
	frame[UDP_AT + 5] = 7;
	assert_bad(len, "UDP length");
	frame[UDP_AT + 4] = 0x40;
	assert_bad(len, "UDP datagram");
}

static void a_first_fragment_has_ports_and_a_later_one_has_not(void **state)
{
	size_t len = captured(6);

	(void)state;
	frame[IP_AT + 6] = 0x20;
	frame[IP_AT + 7] = 0;
	seal();
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_int_equal(f.protocol, 17);
	assert_int_equal(f.dport, 67);
	assert_false(f.udp);

	frame[IP_AT + 6] = 0;
	frame[IP_AT + 7] = 1;
	seal();
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_int_equal(f.protocol, 0);
	assert_int_equal(f.dport, 0);
	assert_int_equal(f.saddr.family, ADDR_IPV4);
	assert_int_equal(rd_at(&f.payload), UDP_AT);
}

static void other_protocols_decode_as_far_as_they_are_known(void **state)
{
	size_t len = captured(6);

	(void)state;
	frame[IP_AT + 9] = 6;
	seal();
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_int_equal(f.protocol, 6);
	assert_false(f.udp);
	assert_int_equal(rd_at(&f.payload), UDP_AT);

	frame[12] = 0x80;
	frame[13] = 0x35;
	assert_int_equal(inet_decode(frame, 14, &f, NULL), 0);
	assert_int_equal(f.ethertype, ETHERTYPE_RARP);
	assert_int_equal(f.saddr.family, ADDR_NONE);
	assert_int_equal(rd_left(&f.payload), 0);
	assert_int_equal(rd_at(&f.payload), 14);
}

/* An MLD report: 40 octets of header, 8 of hop-by-hop options with router alert. */
static size_t ipv6(void)
{
	size_t len = capture_get("groups.pcap", 20, frame, sizeof(frame));

	assert_int_equal(len, 90);
	return len;
}

static void ipv6_decodes_behind_its_hop_by_hop_header(void **state)
{
	size_t len = ipv6();
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(inet_decode(frame, len + 5, &f, NULL), 0);
	assert_int_equal(f.ethertype, ETHERTYPE_IPV6);
	assert_int_equal(f.protocol, INET_ICMPV6);
	assert_true(f.router_alert);
	assert_string_equal(addr_text(&f.saddr, text), "fe80::5054:ff:fe00:1");
	assert_string_equal(addr_text(&f.daddr, text), "ff02::16");
	assert_int_equal(rd_at(&f.payload), 62);
	assert_int_equal(rd_left(&f.payload), 28);
	frame[IP_AT + 6] = INET_ICMPV6;
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_false(f.router_alert);
	assert_int_equal(rd_at(&f.payload), 54);
	/* A jumbogram has no length. */
	frame[IP_AT + 4] = frame[IP_AT + 5] = 0;
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_int_equal(rd_left(&f.payload), 0);
}

static void ipv6_that_is_cut_or_bad_is_said_so(void **state)
{
	size_t len = ipv6();

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(inet_decode(frame, cut, &f, &error), -EBADMSG);
	assert_bad(len - 1, "IPv6 packet");
	assert_bad(IP_AT + 30, "IPv6 destination");
	frame[IP_AT + 41] = 5;
	assert_bad(len, "hop-by-hop options");
	frame[IP_AT + 41] = 0;
	frame[IP_AT + 43] = 9;
	assert_bad(len, "hop-by-hop option");
	frame[IP_AT] = 0x40;
	assert_bad(len, "IPv6 header");
}

static void padding_is_no_option(void **state)
{
	size_t len = ipv6();

	(void)state;
	memcpy(frame + IP_AT + 42, (const uint8_t[]){ 0, 0, 5, 2, 0, 0 }, 6);
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_true(f.router_alert);
	memcpy(frame + IP_AT + 42, (const uint8_t[]){ 1, 4, 5, 2, 0, 0 }, 6);
	assert_int_equal(inet_decode(frame, len, &f, NULL), 0);
	assert_false(f.router_alert);
}

static void the_checksum_is_that_of_RFC_1071(void **state)
{
	/* The example of RFC 1071 section 3: sum ddf2. */
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03,
					   0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(inet_checksum(example, 8, 0), 0xffff & ~0xddf2);
	assert_int_equal(inet_checksum(example + 2, 6, 1), 0xffff & ~0xddf2);
	assert_int_equal(inet_checksum(example, 3, 0), 0xffff & ~0xf201);
	assert_int_equal(inet_checksum(example, 0, 0xffffffff), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_captured_DHCPACK_decodes_down_to_its_payload),
		cmocka_unit_test(a_tag_is_taken_off),
		cmocka_unit_test(padding_behind_the_packet_is_not_payload),
		cmocka_unit_test(every_cut_is_bad),
		cmocka_unit_test(wrong_lengths_and_checksums_are_bad),
		cmocka_unit_test(a_first_fragment_has_ports_and_a_later_one_has_not),
		cmocka_unit_test(other_protocols_decode_as_far_as_they_are_known),
		cmocka_unit_test(ipv6_decodes_behind_its_hop_by_hop_header),
		cmocka_unit_test(ipv6_that_is_cut_or_bad_is_said_so),
		cmocka_unit_test(padding_is_no_option),
		cmocka_unit_test(the_checksum_is_that_of_RFC_1071),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
