/* SPDX-License-Identifier: GPL-2.0-only */
/* wire/arp: the probe to the octet, and what is no ARP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/arp.h"
#include "wire/inet.h"

static const struct mac ours = {{2, 0, 0, 0, 0, 1}}, vm = {{0x52, 0x54, 0, 0, 0, 7}};
static const struct addr ip = {ADDR_IPV4, {10, 0, 0, 7}};

static void probe_asks_the_vm_alone_and_names_no_sender_address(void **state)
{
	static const uint8_t expected[60] = {
		0x52, 0x54, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1, 0x08, 0x06,
		0, 1, 8, 0, 6, 4, 0, 1,
		2, 0, 0, 0, 0, 1, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 7,
	};
	uint8_t frame[ARP_FRAME_MAX];

	(void)state;
	assert_int_equal(arp_probe(frame, sizeof(frame), &ours, &vm, 0, &ip), 60);
	assert_memory_equal(frame, expected, 60);
}

static void probe_in_a_vlan_is_tagged(void **state)
{
	uint8_t frame[ARP_FRAME_MAX];
	struct inet_frame decoded;
	struct arp arp;
	size_t len = arp_probe(frame, sizeof(frame), &ours, &vm, 42, &ip);

	(void)state;
	assert_int_equal(len, 60);
	assert_int_equal(inet_decode(frame, len, &decoded, NULL), 0);
	assert_int_equal(decoded.vlan, 42);
	assert_int_equal(decoded.ethertype, ETHERTYPE_ARP);
	assert_int_equal(arp_decode(decoded.payload, &arp, NULL), 0);
	assert_int_equal(arp.op, ARP_REQUEST);
	assert_memory_equal(&arp.sender_mac, &ours, 6);
	assert_memory_equal(&arp.target_ip, &ip, sizeof(ip));
	assert_int_equal(arp_probe(frame, 45, &ours, &vm, 42, &ip), 0);
}

static void what_is_no_ipv4_over_ethernet_is_refused_where_it_begins(void **state)
{
	static const uint8_t good[28] = {0, 1, 8, 0, 6, 4, 0, 2, 1, 2, 3, 4, 5, 6, 10, 0, 0, 7};
	static const struct {
		size_t at;
		const char *what;
	} bad[] = {
		{1, "ARP hardware type"}, {2, "ARP protocol type"},
		{4, "ARP hardware length"}, {5, "ARP protocol length"},
	};
	struct rd_error error;
	struct arp arp;

	(void)state;
	assert_int_equal(arp_decode(rd_new(good, 28, 14), &arp, NULL), 0);
	assert_int_equal(arp.op, ARP_REPLY);
	assert_int_equal(arp.sender_ip.b[3], 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint8_t copy[28];

		memcpy(copy, good, sizeof(copy));
		copy[bad[i].at] ^= 0x40;
		assert_true(arp_decode(rd_new(copy, 28, 14), &arp, &error) < 0);
		assert_string_equal(error.what, bad[i].what);
	}
	for (size_t len = 0; len < 28; len++)
		assert_true(arp_decode(rd_new(good, len, 14), &arp, &error) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_asks_the_vm_alone_and_names_no_sender_address),
		cmocka_unit_test(probe_in_a_vlan_is_tagged),
		cmocka_unit_test(what_is_no_ipv4_over_ethernet_is_refused_where_it_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
