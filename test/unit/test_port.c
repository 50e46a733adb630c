/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports: role, keep-alive time-out, what the engine is told, room for new ones. */
#include "module/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake/host.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

static struct ports ports;

static int fresh(void **state)
{
	(void)state;
	fake_host_reset();
	return 0;
}

static int done(void **state)
{
	(void)state;
	ports_clear(&ports);
	return 0;
}

static void the_keepalive_timeout_follows_the_exponents(void **state)
{
	const struct host_evb none = { 0 };
	const struct host_evb usual = { .retries = 3, .rte = 8, .rka = 20, .rwd = 20 };
	const struct host_evb fast = { .retries = 3, .rte = 8, .rka = 16 };
	const struct host_evb longest = { .retries = 7, .rte = 31, .rka = 31 };

	(void)state;
	assert_int_equal(port_keepalive_ms(&none), 15755);
	assert_int_equal(port_keepalive_ms(&usual), 15755);
	assert_int_equal(port_keepalive_ms(&fast), 1009);
	assert_int_equal(port_keepalive_ms(&longest), 515396075);
}

static void the_role_is_first_what_the_file_says(void **state)
{
	(void)state;
	fake_host_evb_mode("p1", "bridge");
	fake_host_evb_mode("p2", "station");
	assert_int_equal(port_get(&ports, "p1")->role, LINK_ROLE_BRIDGE);
	assert_int_equal(port_get(&ports, "p2")->role, LINK_ROLE_STATION);
	assert_int_equal(port_get(&ports, "p3")->role, LINK_ROLE_NONE);
}

static void de_associates_without_ack_tell_nothing_of_the_role(void **state)
{
	struct port *port = port_get(&ports, "p1");

	(void)state;
	assert_false(port_note_role(port, true, VDP22_DEASSOC, 0));
	assert_false(port_note_role(port, false, VDP22_DEASSOC, 0));
	assert_int_equal(port->role, LINK_ROLE_NONE);
	assert_true(port_note_role(port, true, VDP22_DEASSOC, VDP_STATUS_ACK));
	assert_int_equal(port->role, LINK_ROLE_BRIDGE);
}

static void a_role_seen_on_the_wire_outlives_what_the_file_says(void **state)
{
	struct port *port = port_get(&ports, "p1");

	(void)state;
	assert_true(port_note_role(port, true, VDP22_ASSOC, 0));
	fake_host_evb_mode("p1", "bridge");
	port_read_role(port);
	assert_int_equal(port->role, LINK_ROLE_STATION);
}

static void a_port_is_described_as_its_settings_say(void **state)
{
	struct link_port said;
	struct port *port;

	(void)state;
	fake_host_set("p1", "guard", "monitor");
	fake_host_set("p1", "servers", "10.0.0.2");
	fake_host_set("p1", "giaddr", "10.0.0.1,7:10.0.7.1");
	fake_host_evb_mode("p1", "bridge");
	port = port_get(&ports, "p1");
	port_describe(port, &said);
	assert_true(said.gone);
	fake_host_set("p1", "use", "yes");
	port_read_settings(port);
	port->up = true;
	port_describe(port, &said);
	assert_string_equal(said.name, "p1");
	assert_false(said.gone);
	assert_true(said.up);
	assert_int_equal(said.role, LINK_ROLE_BRIDGE);
	assert_int_equal(said.guard, LINK_GUARD_MONITOR);
	assert_int_equal(said.assist, LINK_ASSIST_AUTO);
	assert_int_equal(said.n_servers, 1);
	assert_int_equal(said.n_giaddrs, 2);
	assert_int_equal(said.giaddrs[1].vlan, 7);
	assert_int_equal(said.keepalive_ms, 15755);
}

static void ports_are_bounded_and_one_that_is_down_makes_room(void **state)
{
	struct port *port, *last = NULL;
	char name[VM_IFNAME_MAX];
	uint64_t serial;
	unsigned i;

	(void)state;
	assert_null(port_get(&ports, "a-name-too-long-for-it"));
	for (i = 0; i < PORTS_MAX; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		assert_null(port_spare(&ports));
		last = port_get(&ports, name);
		assert_non_null(last);
		last->up = true;
	}
	assert_null(port_get(&ports, "more"));
	assert_null(port_spare(&ports));
	port = port_find(&ports, "p7");
	port->up = false;
	port->told = true;
	assert_ptr_equal(port_spare(&ports), port);
	last->up = false;
	assert_ptr_equal(port_spare(&ports), last);
	serial = last->serial;
	port_drop(&ports, last);
	assert_non_null(port_get(&ports, "more"));
	assert_null(port_find(&ports, "p2047"));
	assert_string_equal(port_after(&ports, serial)->name, "more");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_keepalive_timeout_follows_the_exponents),
		TEST(the_role_is_first_what_the_file_says),
		TEST(de_associates_without_ack_tell_nothing_of_the_role),
		TEST(a_role_seen_on_the_wire_outlives_what_the_file_says),
		TEST(a_port_is_described_as_its_settings_say),
		TEST(ports_are_bounded_and_one_that_is_down_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
