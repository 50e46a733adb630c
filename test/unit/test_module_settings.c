/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's settings and what follows from them: ports told, guard, capability.
 */
#include "module_rig.h"

static void use_takes_effect_at_once_both_ways(void **state)
{
	(void)state;
	assert_int_equal(events->setting_set("p2", "use", "yes"), HOST_SET_OK);
	hear();
	assert_heard("port p2 up role 2 guard 0 keep-alive 15755");
	in("p2", PRE);
	hear();
	assert_heard("p2 request mode 1 status 00");
	assert_int_equal(events->setting_set("p2", "use", "no"), HOST_SET_OK);
	hear();
	assert_heard("port p2 up gone role 2 guard 0 keep-alive 15755");
	in("p2", PRE);
	assert_int_equal(events->setting_set("p2", "guard", "monitor"), HOST_SET_OK);
	hear();
	assert_int_equal(n_heard, 0);
}

static void a_wrong_value_is_refused_and_told_what_it_takes(void **state)
{
	(void)state;
	assert_int_equal(events->setting_test("p1", "guard", "x"), HOST_SET_BAD_VALUE);
	assert_string_equal(fake_host_last_log(),
			    "p1: setting guard: 'x' refused: takes off, monitor, "
			    "enforce, enforce! (open cases are accepted)");
	assert_int_equal(events->setting_set("p1", "guard", "x"), HOST_SET_BAD_VALUE);
	assert_int_equal(events->setting_test("p1", "gard", "off"),
			 HOST_SET_NO_SUCH_NAME);
	assert_null(events->setting_get("p1", "gard"));
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	assert_int_equal(events->setting_test("p1", "guard", "monitor"), HOST_SET_OK);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
}

static void what_cannot_be_stored_is_not_in_force(void **state)
{
	(void)state;
	fake_host_refuse_store(-EROFS);
	assert_int_equal(events->setting_set("p1", "guard", "monitor"), HOST_SET_FAILED);
	assert_int_equal(fake_host_logged("could not be stored"), 1);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	hear();
	assert_int_equal(n_heard, 0);
}

static void enforce_waits_for_an_engine_and_a_complete_and_empty_list(void **state)
{
	(void)state;
	assert_enforce_refused("looked for yet");
	cases("p1", false, 0);
	assert_enforce_refused("looked for yet");
	cases("p1", true, 2);
	assert_enforce_refused("2 open cases (02:00:00:00:00:01, 02:00:00:00:00:02): no");
	assert_enforce_refused("see vdp-migrate show cases");
	cases("p1", true, 4);
	assert_enforce_refused("02:00:00:00:00:03, ...): no");
	cases("p1", true, 2);
	cases("p2", true, 0);
	assert_enforce_refused("2 open cases");
	cases("p1", true, 0);
	assert_int_equal(events->setting_test("p1", "guard", "enforce"), HOST_SET_OK);
	/* What an engine has said holds while it is there. */
	engine_restarts();
	assert_enforce_refused("looked for yet");
	close(engine);
	engine = -1;
	fake_host_poll();
	assert_enforce_refused("engine not running");
	tick();
	cases("p1", true, 0);
	assert_int_equal(events->setting_set("p1", "guard", "enforce"), HOST_SET_OK);
	hear();
	assert_heard("port p1 up role 2 guard 2 keep-alive 15755");
	/* It is in force: said again, it is no question. */
	cases("p1", true, 9);
	assert_int_equal(events->setting_set("p1", "guard", "enforce"), HOST_SET_OK);
}

static void enforce_anyway_accepts_open_cases_and_is_kept_as_enforce(void **state)
{
	(void)state;
	cases("p1", true, 2);
	assert_int_equal(events->setting_set("p1", "guard", "enforce!"), HOST_SET_OK);
	assert_string_equal(events->setting_get("p1", "guard"), "enforce");
	assert_string_equal(host_setting("p1", "guard"), "enforce");
	hear();
	assert_heard("port p1 up role 2 guard 2 anyway keep-alive 15755");
	assert_int_equal(events->setting_set("p1", "guard", "off"), HOST_SET_OK);
	hear();
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
}

static void what_the_file_holds_at_a_start_is_applied_as_it_is(void **state)
{
	(void)state;
	events->detached();
	fake_host_set("p1", "guard", "enforce");
	events->attached();
	events->port_up("p1");
	hear();
	assert_heard("port p1 up role 2 guard 2 keep-alive 15755");
}

static void a_port_that_an_asic_forwards_gets_no_guard_and_is_told_so(void **state)
{
	(void)state;
	fake_host_offload("p1");
	assert_int_equal(events->setting_set("p1", "guard", "monitor"), HOST_SET_FAILED);
	assert_int_equal(events->setting_set("p1", "guard", "enforce!"), HOST_SET_FAILED);
	assert_non_null(strstr(fake_host_last_log(), "ASIC"));
	assert_int_equal(events->setting_set("p1", "guard", "off"), HOST_SET_OK);
	fake_host_set("p1", "guard", "enforce");
	hear();
	events->detached();
	events->attached();
	events->port_up("p1");
	events->port_up("p1");
	hear();
	assert_int_equal(heard_lines("port p1 up role 2 guard 2 keep-alive 15755"), 0);
	assert_int_equal(fake_host_logged("p1: no guard: an ASIC"), 1);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	fake_host_offload(NULL);
}

static void settings_of_the_group_hold_where_a_port_has_none_of_its_own(void **state)
{
	(void)state;
	fake_host_set("e0", "guard", "off");
	cases("p1", false, 0);
	set_group("guard", "monitor");
	assert_heard("port p1 up role 2 guard 1 keep-alive 15755");
	assert_heard("done 4 0 ");
	assert_int_equal(n_heard, 2);
	assert_string_equal(events->setting_get("p1", "guard"), "monitor");
	assert_string_equal(events->setting_get("e0", "guard"), "off");
	set_group("guard", "enforce");
	assert_heard("done 4 22 p1: setting guard: 'enforce' refused: no");
	set_group("guard", "hard");
	assert_heard("done 4 22 group vdp_migrate: setting guard: 'hard'");
	set_group("gard", "off");
	assert_heard("done 4 22 no setting 'gard'");
	set_group("gard", "");
	assert_heard("done 4 22 no setting 'gard'");
	set_group("guard", "");
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	assert_heard("done 4 0 ");
	assert_null(host_setting(NULL, "guard"));
	fake_host_set("e0", "guard", NULL);
}

static void the_table_of_settings_says_where_each_comes_from(void **state)
{
	(void)state;
	fake_host_set(NULL, "remote-id", "text");
	show("settings");
	assert_heard("row 9 port:s name:s value:s from:s ... ");
	assert_heard("row 9 p1 use yes port ... ");
	assert_heard("row 9 e0 remote-id text group ... ");
	assert_heard("row 9 p1 keys mac default ... ");
	assert_int_equal(n_heard, 1 + 2 * 16 + 1);
	fake_host_set(NULL, "remote-id", NULL);
}

static void the_capability_follows_settings_and_role_at_once(void **state)
{
	const uint8_t bridge[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 0x0e };
	uint8_t value[64];

	(void)state;
	assert_int_equal(events->tlv_out("p1", value, sizeof(value)), sizeof(bridge));
	assert_memory_equal(value, bridge, sizeof(bridge));
	assert_int_equal(events->tlv_out("e0", value, sizeof(value)), sizeof(bridge));
	assert_int_equal(value[5], 1);
	assert_int_equal(value[6], 0x02);
	assert_int_equal(events->tlv_out("p2", value, sizeof(value)), 0);
	assert_int_equal(events->tlv_out("p9", value, sizeof(value)), 0);
	fake_host_lldp_changes("p1");
	events->setting_set("p1", "trusted", "yes");
	assert_int_equal(fake_host_lldp_changes("p1"), 0);
	events->setting_set("p1", "assist", "off");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->tlv_out("p1", value, sizeof(value));
	assert_int_equal(value[6], 4);
	events->setting_set("p1", "groups", "off");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->tlv_out("p1", value, sizeof(value));
	assert_int_equal(value[6], 0);
	events->setting_set("p1", "assist", "help");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->tlv_out("p1", value, sizeof(value));
	assert_int_equal(value[6], 0x02);
	events->setting_set("e0", "assist", "leasequery");
	events->tlv_out("e0", value, sizeof(value));
	assert_int_equal(value[6], 0);
	events->setting_set("e0", "assist", "auto");
	events->setting_set("p1", "groups", "mld");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->setting_set("p1", "advertise", "no");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	assert_int_equal(events->tlv_out("p1", value, sizeof(value)), 0);
	events->setting_set("p1", "advertise", "yes");
	events->setting_set("p1", "assist", "leasequery");
	events->setting_set("p1", "use", "no");
	assert_int_equal(fake_host_lldp_changes("p1"), 3);
}

static void the_neighbours_capability_is_told_once_until_it_is_gone(void **state)
{
	const uint8_t station[] = { 0x02, 0x56, 0x4d, 0x01, 1, 1, 0 };
	const uint8_t bad[] = { 0x02, 0x56, 0x4d, 0x01, 0, 1, 0 };

	(void)state;
	events->tlv_in("p1", station, sizeof(station));
	events->tlv_in("p1", station, sizeof(station));
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755 peer 1 1 0");
	events->tlv_gone("p1");
	events->tlv_gone("p1");
	events->tlv_gone("p9");
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	events->tlv_in("p1", station, sizeof(station));
	events->tlv_in("p1", bad, sizeof(bad));
	hear();
	assert_int_equal(n_heard, 2);
	/* Of a port that is not ours it is known when it becomes ours. */
	events->tlv_in("p2", station, sizeof(station));
	hear();
	assert_int_equal(n_heard, 0);
	events->setting_set("p2", "use", "yes");
	hear();
	assert_heard("port p2 up role 2 guard 0 keep-alive 15755 peer 1 1 0");
	events->setting_set("p2", "use", "no");
	events->tlv_gone("p2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(use_takes_effect_at_once_both_ways),
		TEST(a_wrong_value_is_refused_and_told_what_it_takes),
		TEST(what_cannot_be_stored_is_not_in_force),
		TEST(enforce_waits_for_an_engine_and_a_complete_and_empty_list),
		TEST(enforce_anyway_accepts_open_cases_and_is_kept_as_enforce),
		TEST(what_the_file_holds_at_a_start_is_applied_as_it_is),
		TEST(a_port_that_an_asic_forwards_gets_no_guard_and_is_told_so),
		TEST(settings_of_the_group_hold_where_a_port_has_none_of_its_own),
		TEST(the_table_of_settings_says_where_each_comes_from),
		TEST(the_capability_follows_settings_and_role_at_once),
		TEST(the_neighbours_capability_is_told_once_until_it_is_gone),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
