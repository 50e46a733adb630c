/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's lease from a file: what is taken, and what is refused by name and place. */
#include "companion/lease_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/text.h"

#define MAC "\"mac\": \"52:54:00:12:34:56\", "
#define IP "\"ip\": \"10.77.1.100\", "
#define ID "\"client-id\": \"01525400123456\", "
#define SERVER "\"server\": \"10.77.1.1\", "
#define END "\"expires\": 1764000000}"
#define VERSION "{\"version\": 1, "

static char why[LEASE_FILE_WHY_MAX];
static struct lease_file lease;

static int get(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int rc;

	assert_non_null(file);
	*why = '\0';
	rc = lease_file_read(file, &lease, why);
	fclose(file);
	return rc;
}

static void assert_refused(const char *text, const char *expected)
{
	const struct lease_file before = lease;

	assert_int_equal(get(text), -EBADMSG);
	if (!strstr(why, expected))
		fail_msg("'%s' is not said in '%s'", expected, why);
	assert_memory_equal(&lease, &before, sizeof(lease));
}

static void a_lease_is_taken_as_it_stands_there(void **state)
{
	char buf[CLIENT_ID_TEXT_MAX];

	(void)state;
	assert_int_equal(get(VERSION MAC IP ID SERVER "\"vlan\": 10, " END), 0);
	assert_string_equal(mac_text(&lease.mac, buf), "52:54:00:12:34:56");
	assert_string_equal(addr_text(&lease.ip, buf), "10.77.1.100");
	assert_string_equal(addr_text(&lease.server, buf), "10.77.1.1");
	assert_int_equal(lease.client_id.len, 7);
	assert_false(lease.no_client_id);
	assert_true(lease.has_vlan);
	assert_int_equal(lease.vlan, 10);
	assert_int_equal(lease.expires, 1764000000);
}

static void no_client_id_and_no_vlan_are_told_from_not_known(void **state)
{
	(void)state;
	assert_int_equal(get(VERSION MAC IP "\"client-id\": null, " SERVER END), 0);
	assert_true(lease.no_client_id);
	assert_int_equal(lease.client_id.len, 0);
	assert_false(lease.has_vlan);
	assert_refused(VERSION MAC IP SERVER END, "\"client-id\" is missing");
}

static void each_member_must_be_there(void **state)
{
	(void)state;
	assert_refused("{" MAC IP ID SERVER END, "\"version\" is missing");
	assert_refused(VERSION IP ID SERVER END, "\"mac\" is missing");
	assert_refused(VERSION MAC ID SERVER END, "\"ip\" is missing");
	assert_refused(VERSION MAC IP ID END, "\"server\" is missing");
	assert_refused(VERSION MAC IP ID "\"server\": \"10.77.1.1\"}",
		       "\"expires\" is missing");
}

static void wrong_values_are_named(void **state)
{
	(void)state;
	assert_refused("{\"version\": 2, \"new\": 1}", "\"version\" is not 1");
	assert_refused("{\"version\": \"1\", " MAC IP ID SERVER END, "\"version\" is not 1");
	assert_refused(VERSION "\"mac\": \"52:54\", " IP ID SERVER END, "\"mac\" is no MAC");
	assert_refused(VERSION "\"mac\": 7, " IP ID SERVER END, "\"mac\" is no MAC");
	assert_refused(VERSION "\"mac\": \"01:00:5e:00:00:01\", " IP ID SERVER END,
		       "\"mac\" is nobody's MAC");
	assert_refused(VERSION MAC "\"ip\": \"10.77.1\", " ID SERVER END,
		       "\"ip\" is no IP");
	assert_refused(VERSION MAC "\"ip\": \"0.0.0.0\", " ID SERVER END,
		       "\"ip\" is nobody's IP address: '0.0.0.0'");
	assert_refused(VERSION MAC IP "\"client-id\": \"xyz\", " SERVER END,
		       "\"client-id\" is neither");
	assert_refused(VERSION MAC IP "\"client-id\": \"\", " SERVER END,
		       "\"client-id\" is neither");
	assert_refused(VERSION MAC IP "\"client-id\": false, " SERVER END,
		       "\"client-id\" is neither");
	assert_refused(VERSION MAC IP ID "\"server\": \"dhcp\", " END, "\"server\" is no IP");
	assert_refused(VERSION MAC IP ID "\"server\": \"fd00::1\", " END,
		       "\"server\" is of another address family");
	assert_refused(VERSION MAC IP ID SERVER "\"vlan\": 4095, " END,
		       "\"vlan\" is no VLAN ID");
	assert_refused(VERSION MAC IP ID SERVER "\"vlan\": null, " END,
		       "\"vlan\" is no VLAN ID");
	assert_refused(VERSION MAC IP ID SERVER "\"expires\": \"2026-01-01\"}",
		       "\"expires\" is no number");
	assert_refused(VERSION MAC IP ID SERVER "\"expires\": 1.5}",
		       "\"expires\" is no number");
}

static void what_is_not_known_or_said_twice_is_refused(void **state)
{
	(void)state;
	assert_refused(VERSION MAC IP ID SERVER "\"hostname\": \"vm\", " END,
		       "\"hostname\" is not known");
	assert_refused(VERSION MAC IP IP ID SERVER END, "duplicate");
}

static void what_is_no_object_is_refused_by_line_and_column(void **state)
{
	(void)state;
	assert_refused("[1]", "\"the whole\" is no object");
	assert_refused("{\n  \"version\" 1}", "line 2, column ");
	assert_refused("{} {}", "line 1, column ");
	assert_refused("x", "line 1, column ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_taken_as_it_stands_there),
		cmocka_unit_test(no_client_id_and_no_vlan_are_told_from_not_known),
		cmocka_unit_test(each_member_must_be_there),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(what_is_not_known_or_said_twice_is_refused),
		cmocka_unit_test(what_is_no_object_is_refused_by_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
