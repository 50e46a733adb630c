/* SPDX-License-Identifier: GPL-2.0-only */
/* wire/nd: what a Linux host says (nd.pcap), our solicitation to the octet, and what is
 * no advertisement. */
#include "wire/nd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "capture.h"
#include "wire/icmp6.h"
#include "wire/text.h"

#define HOP_LIMIT_AT 21
#define ICMP_AT 54

static const struct mac ours = {{2, 0, 0, 0, 0, 0xb1}}, vm = {{0x52, 0x54, 0, 0, 0, 1}};

static uint8_t octets[256];
static size_t len;
static struct inet_frame frame;
static struct nd_advert advert;
static struct rd_error error;

static void captured(unsigned n)
{
	len = capture_get("nd.pcap", n, octets, sizeof(octets));
	assert_true(len > 0);
}

static int decode(void)
{
	assert_int_equal(inet_decode(octets, len, &frame, NULL), 0);
	return nd_advert_decode(&frame, &advert, &error);
}

/* Of a frame that was changed: its checksum, so that it is refused for the change. */
static void sum_up(void)
{
	uint16_t sum;

	assert_int_equal(inet_decode(octets, len, &frame, NULL), 0);
	memset(octets + ICMP_AT + 2, 0, 2);
	sum = icmp6_checksum(&frame.saddr, &frame.daddr, octets + ICMP_AT, len - ICMP_AT);
	octets[ICMP_AT + 2] = (uint8_t)(sum >> 8);
	octets[ICMP_AT + 3] = (uint8_t)sum;
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void assert_target(const char *expected)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_text(&advert.target, text), expected);
}

static void solicitation_is_the_one_that_a_host_has_answered(void **state)
{
	static const struct {
		unsigned asked, answered;
		const char *target;
	} pairs[] = {{3, 4, "fe80::5054:ff:fe00:1"}, {7, 8, "2001:db8::7"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct addr target = address(pairs[i].target);
		uint8_t ask[ND_FRAME_MAX];

		captured(pairs[i].asked);
		assert_int_equal(nd_solicit(ask, sizeof(ask), &ours, &vm, 0, &target),
				 len);
		assert_memory_equal(ask, octets, len);
		captured(pairs[i].answered);
		assert_int_equal(decode(), 0);
		assert_memory_equal(&frame.src, &vm, sizeof(vm));
		assert_memory_equal(&frame.dst, &ours, sizeof(ours));
		assert_target(pairs[i].target);
		assert_true(advert.solicited);
		assert_true(mac_is_zero(&advert.mac));
	}
}

static void solicitation_in_a_vlan_is_tagged(void **state)
{
	const struct addr target = icmp6_link_local(&vm);
	uint8_t ask[ND_FRAME_MAX];
	struct rd all;

	(void)state;
	len = nd_solicit(ask, sizeof(ask), &ours, &vm, 42, &target);
	assert_int_equal(len, 90);
	assert_int_equal(inet_decode(ask, len, &frame, NULL), 0);
	assert_int_equal(frame.vlan, 42);
	assert_int_equal(frame.hop_limit, 255);
	all = frame.payload;
	assert_int_equal(icmp6_checksum(&frame.saddr, &frame.daddr, all.p, rd_left(&all)),
			 0);
	assert_int_equal(nd_solicit(ask, 89, &ours, &vm, 42, &target), 0);
}

static void what_is_said_to_all_has_the_mac_and_is_not_solicited(void **state)
{
	(void)state;
	captured(2);
	assert_int_equal(decode(), 0);
	assert_target("fe80::5054:ff:fe00:1");
	assert_memory_equal(&advert.mac, &vm, sizeof(vm));
	assert_false(advert.solicited);
	captured(6);
	assert_int_equal(decode(), 0);
	assert_target("2001:db8::7");
}

static void solicitations_and_other_messages_are_none(void **state)
{
	static const unsigned none[] = {1, 3, 5, 9, 10};
	static const uint8_t arp[60] = {[12] = 0x08, [13] = 0x06};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		captured(none[i]);
		assert_int_equal(decode(), -ENOENT);
	}
	len = capture_get("groups.pcap", 20, octets, sizeof(octets));
	assert_int_equal(decode(), -ENOENT);
	memcpy(octets, arp, len = sizeof(arp));
	assert_int_equal(decode(), -ENOENT);
}

static void invalid_ones_are_refused_and_it_is_said_why(void **state)
{
	static const struct {
		unsigned frame;
		size_t at;
		uint8_t value;
		const char *what;
	} bad[] = {
		/* RFC 4861 7.1.2, in its order. */
		{4, HOP_LIMIT_AT, 254, "hop limit of an advertisement"},
		{4, ICMP_AT + 1, 1, "ICMPv6 code"},
		{4, ICMP_AT + 8, 0xff, "advertisement target"},
		{2, ICMP_AT + 4, 0x60, "advertisement target"},
		{2, ICMP_AT + 25, 0, "option length"},
		{2, ICMP_AT + 25, 2, "option"},
	};

	(void)state;
	captured(4);
	octets[ICMP_AT + 23] ^= 1;
	assert_int_equal(decode(), -EBADMSG);
	assert_string_equal(error.what, "ICMPv6 checksum");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		captured(bad[i].frame);
		octets[bad[i].at] = bad[i].value;
		sum_up();
		assert_int_equal(decode(), -EBADMSG);
		assert_string_equal(error.what, bad[i].what);
	}
}

static void cut_one_is_refused_wherever_it_ends(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 24; cut++) {
		captured(4);
		len = ICMP_AT + cut;
		octets[18] = 0;
		octets[19] = (uint8_t)cut;
		if (cut >= 4)
			sum_up();
		assert_int_equal(decode(), -EBADMSG);
	}
	/* Its end is IPv6's, not the frame's. */
	captured(4);
	memset(octets + len, 0xee, 6);
	len += 6;
	assert_int_equal(decode(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicitation_is_the_one_that_a_host_has_answered),
		cmocka_unit_test(solicitation_in_a_vlan_is_tagged),
		cmocka_unit_test(what_is_said_to_all_has_the_mac_and_is_not_solicited),
		cmocka_unit_test(solicitations_and_other_messages_are_none),
		cmocka_unit_test(invalid_ones_are_refused_and_it_is_said_why),
		cmocka_unit_test(cut_one_is_refused_wherever_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
