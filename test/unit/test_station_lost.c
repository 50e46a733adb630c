/* SPDX-License-Identifier: GPL-2.0-only */
/* The associations of a server: which are lost, by what, and when that is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/station.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define DAY_MS (24 * 3600 * 1000)

static struct station *station;
static char shown[256];

static bool place(void *arg, const char *port, struct bridge_place *ret_place)
{
	(void)arg;
	(void)port;
	(void)ret_place;
	return false;
}

static void port(const char *name, uint8_t role, bool gone)
{
	struct link_port port = { .role = role, .gone = gone };

	strcpy(port.name, name);
	station_port(station, 0, &port);
}

static int fresh(void **state)
{
	static const struct bridge_io io = { .place = place };

	(void)state;
	station = station_new(&io, NULL);
	if (!station)
		return -1;
	port("e0", LINK_ROLE_STATION, false);
	port("e1", LINK_ROLE_STATION, false);
	port("p1", LINK_ROLE_BRIDGE, false);
	return 0;
}

static int done(void **state)
{
	(void)state;
	station_free(station);
	return 0;
}

static void see(ms_t now, const char *name, uint8_t what, uint8_t mode, uint8_t status,
		uint8_t vsi)
{
	struct link_vsi seen = {
		.what = what, .mode = mode, .status = status, .n_entries = 1,
		.id = { .format = 5, .b = { vsi } },
		.entries = { { .mac = { { 2, 0, 0, 0, 0, vsi } } } },
	};

	strcpy(seen.port, name);
	station_vsi(station, now, &seen);
}

static void associated_with(ms_t now, uint8_t id, uint8_t mac, uint16_t vlan)
{
	struct link_vsi seen = {
		.what = LINK_VSI_RESPONSE, .mode = VDP22_ASSOC, .status = VDP_STATUS_ACK,
		.n_entries = 1, .port = "e0", .id = { .format = 5, .b = { id } },
		.entries = { { .mac = { { 2, 0, 0, 0, 0, mac } }, .vlan = vlan } },
	};

	station_vsi(station, now, &seen);
}

static void associated(ms_t now, const char *name, uint8_t vsi)
{
	see(now, name, LINK_VSI_REQUEST, VDP22_ASSOC, 0, vsi);
	see(now, name, LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK, vsi);
}

static void show(void *arg, const struct station_lost_info *info)
{
	size_t at = strlen(shown);

	(void)arg;
	snprintf(shown + at, sizeof(shown) - at, "%s%s %u %u %s", at ? ", " : "",
		 info->port, info->id->b[0], info->entry.mac.b[5], info->why);
}

static const char *lost(ms_t now)
{
	*shown = 0;
	station_each_lost(station, now, show, NULL);
	return shown;
}

static void what_is_associated_is_lost_by_a_reload_of_lldpad(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	associated(2, "e0", 2);
	see(3, "e0", LINK_VSI_REQUEST, VDP22_DEASSOC, 0, 2);
	see(4, "e0", LINK_VSI_REQUEST, VDP22_ASSOC, 0, 3);
	see(4, "e0", LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK, 4);
	associated(5, "p1", 5);
	assert_string_equal(lost(5), "");
	station_forgotten(station, 6, "");
	assert_string_equal(lost(7), "e0 1 1 lldpad was reloaded");
	associated(8, "e0", 1);
	assert_string_equal(lost(9), "");
}

static void an_end_of_lldpad_is_told_from_a_reload(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	station_forgotten(station, 2, "");
	station_module_gone(station, 500);
	assert_string_equal(lost(501), "e0 1 1 lldpad has ended");
	/* A new one, that knows of a VSI: or the same, and the connection was gone. */
	port("e0", LINK_ROLE_STATION, false);
	see(600, "e0", LINK_VSI_REPLAYED, VDP22_ASSOC, VDP_STATUS_ACK, 1);
	assert_string_equal(lost(601), "");
	station_forgotten(station, 700, "");
	station_module_gone(station, 700 + 61000);
	assert_string_equal(lost(80000), "e0 1 1 lldpad was reloaded");
}

static void a_link_that_was_down_concerns_its_own_port(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	associated(1, "e1", 2);
	station_forgotten(station, 2, "e1");
	assert_string_equal(lost(3), "e1 2 2 the link was down");
	/* It is associated on the other uplink: what comes of the first is nothing. */
	associated(4, "e0", 2);
	see(5, "e1", LINK_VSI_REQUEST, VDP22_DEASSOC, 0, 2);
	station_forgotten(station, 6, "e1");
	assert_string_equal(lost(7), "");
	station_forgotten(station, 8, "e0");
	assert_string_equal(lost(9), "e0 1 1 the link was down, "
				     "e0 2 2 the link was down");
}

static void the_switch_ends_one_or_refuses_it(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	associated(1, "e0", 2);
	associated(1, "e0", 3);
	see(2, "e0", LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0, 1);
	/* Whoever has asked is told of a refusal; with Keep what was before stands. */
	see(2, "e0", LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK | 2, 2);
	see(2, "e0", LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK | VDP_STATUS_KEEP | 2,
	    3);
	station_forgotten(station, 3, "");
	assert_string_equal(lost(4), "e0 1 1 the switch has ended it, "
				     "e0 3 3 lldpad was reloaded");
	/* That it is refused when it is asked for again makes it no less lost. */
	see(5, "e0", LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK | 2, 3);
	see(5, "e0", LINK_VSI_REQUEST, VDP22_DEASSOC, 0, 1);
	assert_string_equal(lost(6), "e0 3 3 lldpad was reloaded");
}

static void a_day_or_the_end_of_use_makes_it_forgotten(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	associated(1, "e1", 2);
	station_forgotten(station, 1000, "");
	assert_string_equal(lost(DAY_MS), "e0 1 1 lldpad was reloaded, "
					  "e1 2 2 lldpad was reloaded");
	port("e1", LINK_ROLE_STATION, true);
	assert_string_equal(lost(DAY_MS), "e0 1 1 lldpad was reloaded");
	assert_string_equal(lost(DAY_MS + 1000), "");
}

static void the_same_MAC_under_another_ID_is_not_lost_any_more(void **state)
{
	(void)state;
	associated(1, "e0", 1);
	associated(1, "e0", 2);
	station_forgotten(station, 2, "");
	associated_with(3, 9, 1, 7);
	assert_string_equal(lost(4), "e0 1 1 lldpad was reloaded, "
				     "e0 2 2 lldpad was reloaded");
	associated_with(5, 9, 1, 0);
	assert_string_equal(lost(6), "e0 2 2 lldpad was reloaded");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(what_is_associated_is_lost_by_a_reload_of_lldpad),
		TEST(an_end_of_lldpad_is_told_from_a_reload),
		TEST(a_link_that_was_down_concerns_its_own_port),
		TEST(the_switch_ends_one_or_refuses_it),
		TEST(the_same_MAC_under_another_ID_is_not_lost_any_more),
		TEST(a_day_or_the_end_of_use_makes_it_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
