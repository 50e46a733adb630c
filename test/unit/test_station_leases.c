/* SPDX-License-Identifier: GPL-2.0-only */
/* The leases that a server has seen: how many, and whose interface is whose. */
#include "engine/station_leases.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fake/dhcp.h"

#define OF_TAP_MAX 64

static struct station_leases *leases;
static const char *gone;

static int fresh(void **state)
{
	(void)state;
	gone = NULL;
	leases = station_leases_new();
	return leases ? 0 : -1;
}

static int done(void **state)
{
	(void)state;
	station_leases_free(leases);
	return 0;
}

static struct binding_host host_of(unsigned n)
{
	return (struct binding_host){
		.bridge = 1, .mac = { { 2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n } } };
}

static void see(ms_t now, const char *port, bool network, uint8_t type, uint32_t xid,
		unsigned vm)
{
	const struct binding_host host = host_of(vm);
	const struct fake_dhcp fake = {
		.op = network ? DHCP4_BOOTREPLY : DHCP4_BOOTREQUEST, .type = type,
		.xid = xid, .chaddr = host.mac, .has_lease = true, .lease_s = 3600,
		.yiaddr = { ADDR_IPV4, { 10, 0, (uint8_t)(vm >> 8), (uint8_t)vm } },
	};
	struct dhcp4 message;
	const struct station_leases_seen seen = {
		.port = port, .network = network, .bridge = 1, .src = host.mac,
		.message = &message,
	};
	uint8_t buf[600];

	assert_int_equal(dhcp4_decode(rd_new(buf, fake_dhcp(buf, sizeof(buf), &fake), 0),
				      &message, NULL), 0);
	station_leases_see(leases, now, &seen);
}

static void lease(ms_t now, const char *tap, unsigned vm)
{
	see(now, tap, false, DHCP4_REQUEST, vm, vm);
	see(now, "e0", true, DHCP4_ACK, vm, vm);
}

static const char *tap_of(unsigned vm)
{
	const struct binding_host host = host_of(vm);
	const struct station_lease *found = station_leases_find(leases, &host);

	return found ? station_leases_tap(leases, found) : "";
}

static bool here(void *arg, const char *tap, uint32_t ifindex, uint32_t bridge)
{
	(void)arg;
	(void)ifindex;
	(void)bridge;
	return !gone || strcmp(tap, gone) != 0;
}

static void one_interface_does_not_fill_it_for_all(void **state)
{
	unsigned vm = 10;

	(void)state;
	lease(0, "vnet1", 1);
	while (vm < 10 + 3 * OF_TAP_MAX)
		lease(0, "vnet2", vm++);
	assert_int_equal(station_leases_count(leases), 1 + OF_TAP_MAX);
	assert_string_equal(tap_of(1), "vnet1");
	/* His own oldest have gone. */
	assert_string_equal(tap_of(10), "");
	assert_string_equal(tap_of(vm - OF_TAP_MAX - 1), "");
	assert_string_equal(tap_of(vm - OF_TAP_MAX), "vnet2");
	/* A renewal needs no room. */
	lease(0, "vnet2", vm - 1);
	assert_string_equal(tap_of(vm - OF_TAP_MAX), "vnet2");
}

static void what_one_interface_has_asked_for_is_not_the_next_ones(void **state)
{
	(void)state;
	see(0, "vnet1", false, DHCP4_REQUEST, 7, 7);
	gone = "vnet1";
	station_leases_check(leases, 0, here, NULL);
	gone = NULL;
	lease(1, "vnet2", 2);
	see(2, "e0", true, DHCP4_ACK, 7, 7);
	assert_string_not_equal(tap_of(7), "vnet2");
	assert_string_equal(tap_of(2), "vnet2");
	/* What was seen there is forgotten with it. */
	gone = "vnet2";
	station_leases_check(leases, 3, here, NULL);
	assert_string_equal(tap_of(2), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_interface_does_not_fill_it_for_all),
		TEST(what_one_interface_has_asked_for_is_not_the_next_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
