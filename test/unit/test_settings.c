/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings: what is taken, what is refused, whose value holds. */
#include "module/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake/host.h"
#include "vdp_migrate/leasequery.h"
#include "wire/text.h"

#define EIGHT "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5,6.6.6.6,7.7.7.7,8.8.8.8"

static unsigned complained;
static struct settings settings;

static int reset(void **state)
{
	(void)state;
	fake_host_reset();
	complained = 0;
	return 0;
}

static void read_port(void)
{
	settings_read("p1", &complained, &settings);
}

static void assert_servers(const char *value, const char *addr, uint16_t vlan)
{
	char text[ADDR_TEXT_MAX];

	fake_host_set("p1", "servers", value);
	read_port();
	assert_int_equal(settings.n_servers, 1);
	assert_string_equal(addr_text(&settings.servers[0].addr, text), addr);
	assert_int_equal(settings.servers[0].vlan, vlan);
}

static void assert_refused(const char *name, const char *value, const char *takes)
{
	const char *said = NULL;

	assert_int_equal(settings_check(name, value, &said), -EINVAL);
	assert_string_equal(said, takes);
}

static void without_any_value_the_defaults_hold(void **state)
{
	(void)state;
	read_port();
	assert_false(settings.use);
	assert_int_equal(settings.assist, LINK_ASSIST_AUTO);
	assert_int_equal(settings.guard, LINK_GUARD_OFF);
	assert_false(settings.trusted);
	assert_int_equal(settings.n_servers, 0);
	assert_int_equal(settings.n_giaddrs, 0);
	assert_string_equal(settings_value("p1", "servers", NULL), "none");
	assert_int_equal(settings.n_keys, 1);
	assert_int_equal(settings.keys[0], LQ_BY_MAC);
	assert_false(settings.remote_id_text);
	assert_true(settings.advertise);
	assert_int_equal(settings.groups, LINK_GROUPS_BOTH);
	assert_int_equal(settings.n_schedule, 5);
	assert_int_equal(settings.schedule[4], 3000);
	assert_int_equal(settings.conflict, LINK_CONFLICT_VERIFY);
	assert_true(settings.fast);
	assert_false(settings.infer);
	assert_int_equal(settings.hold_ms, 10);
	assert_int_equal(settings.max_rate, 100);
}

static void the_port_goes_before_the_group_and_the_group_before_the_default(void **state)
{
	(void)state;
	fake_host_set(NULL, "guard", "monitor");
	assert_string_equal(settings_value("p1", "guard", NULL), "monitor");
	fake_host_set("p1", "guard", "enforce");
	assert_string_equal(settings_value("p1", "guard", NULL), "enforce");
	assert_string_equal(settings_value("p2", "guard", NULL), "monitor");
	read_port();
	assert_int_equal(settings.guard, LINK_GUARD_ENFORCE);
}

static void each_word_of_a_setting_is_taken_and_no_other(void **state)
{
	const char *takes;

	(void)state;
	assert_int_equal(settings_check("use", "yes", &takes), 0);
	assert_int_equal(settings_check("use", "no", &takes), 0);
	assert_int_equal(settings_check("assist", "off", &takes), 0);
	assert_int_equal(settings_check("assist", "leasequery", &takes), 0);
	assert_int_equal(settings_check("assist", "help", &takes), 0);
	assert_int_equal(settings_check("assist", "auto", &takes), 0);
	assert_refused("use", "Yes", "yes, no");
	assert_refused("use", "", "yes, no");
	assert_refused("guard", "x",
		       "off, monitor, enforce, enforce! (open cases are accepted)");
	assert_refused("remote-id", "hex", "text, binary");
	assert_refused("advertise", "1", "yes, no");
	assert_refused("assist", "both", "off, leasequery, help, auto");
	assert_int_equal(settings_check("infer", "preassoc", &takes), 0);
	assert_refused("infer", "yes", "none, preassoc");
	assert_int_equal(settings_check("gaurd", "off", &takes), -ENOENT);
}

static void numbers_and_schedules_have_their_bounds(void **state)
{
	const char *takes;

	(void)state;
	assert_int_equal(settings_check("hold", "0", &takes), 0);
	assert_int_equal(settings_check("hold", "1000", &takes), 0);
	assert_refused("hold", "1001", "0 to 1000");
	assert_refused("hold", "-1", "0 to 1000");
	assert_refused("hold", "", "0 to 1000");
	assert_refused("hold", "4294967296", "0 to 1000");
	assert_refused("max-rate", "10001", "0 (no bound) to 10000");
	assert_int_equal(settings_check("group-schedule", "0", &takes), 0);
	assert_int_equal(settings_check("group-schedule", "1, 2,3,4,5,6,7,60000", &takes), 0);
	for (const char *const *bad = (const char *const[]){ "", "1,1", "2,1", "60001", "1,",
			"1,2,3,4,5,6,7,8,9", NULL }; *bad; bad++)
		assert_refused("group-schedule", *bad,
			       "up to 8 ascending times in ms, 0 to 60000");
}

static void servers_are_addresses_with_or_without_a_vlan(void **state)
{
	(void)state;
	assert_servers("10.0.0.2", "10.0.0.2", LINK_VLAN_ANY);
	assert_servers("10:10.0.0.2", "10.0.0.2", 10);
	assert_servers("0:10.0.0.2", "10.0.0.2", 0);
	assert_servers(" 4094:10.0.0.2 ", "10.0.0.2", 4094);
	assert_servers("2001:db8::1", "2001:db8::1", LINK_VLAN_ANY);
	assert_servers("[2001:db8::1]", "2001:db8::1", LINK_VLAN_ANY);
	assert_servers("10:[2001:db8::1]", "2001:db8::1", 10);
	/* Without brackets all of it is an address. */
	assert_servers("10:2001:db8::1", "10:2001:db8::1", LINK_VLAN_ANY);
}

static void lists_are_separated_by_commas_and_hold_eight(void **state)
{
	const char *takes;

	(void)state;
	fake_host_set("p1", "giaddr", "10.0.0.1, 20:10.0.2.1");
	read_port();
	assert_int_equal(settings.n_giaddrs, 2);
	assert_int_equal(settings.giaddrs[1].vlan, 20);
	assert_int_equal(settings_check("servers", EIGHT, &takes), 0);
	assert_int_equal(settings_check("servers", EIGHT ",9.9.9.9", &takes), -EINVAL);
	assert_int_equal(settings_check("servers", "none", &takes), 0);
	assert_int_equal(settings_check("servers", "", &takes), 0);
}

static void what_is_no_address_list_is_refused(void **state)
{
	static const char *const bad[] = {
		"x", "10.0.0", "10.0.0.2,", ",", "4095:10.0.0.2", ":10.0.0.2", "10:",
		"-1:1.2.3.4", "10:10:10.0.0.2", "0.0.0.0", "::", "[10.0.0.2]", "10:[",
		"[]", "10.0.0.2;10.0.0.3", "99999999999:10.0.0.2", "1.1.1.1,none",
	};
	char longest[2 * SETTINGS_VALUE_MAX];
	const char *takes;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(settings_check("servers", bad[i], &takes), -EINVAL);
	memset(longest, '1', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(settings_check("servers", longest, &takes), -EINVAL);
}

static void keys_are_one_or_more_in_their_order_each_once(void **state)
{
	static const char *const bad[] = { "", "none", "ip", "mac,mac", "mac,", ",mac",
					   "mac client-id", "MAC",
					   "mac,client-id,remote-id,mac" };
	const char *takes;
	unsigned i;

	(void)state;
	fake_host_set("p1", "keys", "remote-id, mac ,client-id");
	read_port();
	assert_int_equal(settings.n_keys, 3);
	assert_int_equal(settings.keys[0], LQ_BY_REMOTE_ID);
	assert_int_equal(settings.keys[1], LQ_BY_MAC);
	assert_int_equal(settings.keys[2], LQ_BY_CLIENT_ID);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(settings_check("keys", bad[i], &takes), -EINVAL);
}

static void enforce_anyway_is_enforce(void **state)
{
	(void)state;
	fake_host_set("p1", "guard", SETTINGS_ENFORCE_ANYWAY);
	read_port();
	assert_int_equal(settings.guard, LINK_GUARD_ENFORCE);
}

static void each_value_says_where_it_comes_from(void **state)
{
	enum settings_from from;

	(void)state;
	fake_host_set("p1", "remote-id", "text");
	fake_host_set(NULL, "advertise", "no");
	fake_host_set("p1", "keys", "nonsense");
	assert_string_equal(settings_source("p1", "remote-id", &from), "text");
	assert_int_equal(from, SETTINGS_PORT);
	assert_string_equal(settings_source("p1", "advertise", &from), "no");
	assert_int_equal(from, SETTINGS_GROUP);
	assert_string_equal(settings_source("p1", "keys", &from), "mac");
	assert_int_equal(from, SETTINGS_DEFAULT);
	assert_null(settings_source("p1", "nonsense", &from));
}

static void a_wrong_stored_value_is_logged_once_and_the_default_holds(void **state)
{
	const char *refused;

	(void)state;
	fake_host_set("p1", "guard", "hard");
	read_port();
	read_port();
	assert_int_equal(settings.guard, LINK_GUARD_OFF);
	assert_int_equal(fake_host_logged(""), 1);
	assert_string_equal(fake_host_last_log(),
			    "p1: setting guard: stored 'hard' refused: takes off, "
			    "monitor, enforce, enforce! (open cases are accepted); "
			    "off holds");
	assert_string_equal(settings_value("p1", "guard", &refused), "off");
	assert_string_equal(refused, "hard");
	fake_host_set("p1", "guard", "enforce");
	read_port();
	fake_host_set("p1", "guard", "soft");
	read_port();
	assert_int_equal(fake_host_logged(""), 2);
}

static void every_setting_has_a_name_a_help_and_a_default_that_it_takes(void **state)
{
	const char *name, *takes;
	unsigned n;

	(void)state;
	for (n = 0; (name = settings_name(n)); n++) {
		assert_non_null(settings_help(name));
		assert_non_null(settings_takes(name));
		assert_string_equal(settings_usual(name),
				    settings_value("p1", name, NULL));
		assert_int_equal(settings_check(name, settings_value("p1", name, NULL),
						&takes), 0);
	}
	assert_int_equal(n, 16);
	assert_null(settings_value("p1", "nonsense", NULL));
	assert_null(settings_help("nonsense"));
	assert_null(settings_takes("nonsense"));
	assert_null(settings_usual("nonsense"));
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_any_value_the_defaults_hold),
		TEST(the_port_goes_before_the_group_and_the_group_before_the_default),
		TEST(each_word_of_a_setting_is_taken_and_no_other),
		TEST(numbers_and_schedules_have_their_bounds),
		TEST(servers_are_addresses_with_or_without_a_vlan),
		TEST(lists_are_separated_by_commas_and_hold_eight),
		TEST(what_is_no_address_list_is_refused),
		TEST(keys_are_one_or_more_in_their_order_each_once),
		TEST(enforce_anyway_is_enforce),
		TEST(each_value_says_where_it_comes_from),
		TEST(a_wrong_stored_value_is_logged_once_and_the_default_holds),
		TEST(every_setting_has_a_name_a_help_and_a_default_that_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
