/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of typed text as a table for people. */
#include "companion/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct table table;

/* Fields end with NULL. */
static void add(const char *first, ...)
{
	struct link_row row = { 0 };
	va_list args;

	va_start(args, first);
	for (const char *s = first; s; s = va_arg(args, const char *)) {
		row.field[row.n].s = s;
		row.field[row.n++].len = (uint16_t)strlen(s);
	}
	va_end(args);
	assert_int_equal(table_add(&table, &row), 0);
}

static void assert_printed(bool details, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	table_print(&table, details, to);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static int forget(void **state)
{
	(void)state;
	table_done(&table);
	return 0;
}

static void columns_are_aligned_under_names_in_upper_case(void **state)
{
	(void)state;
	add("port:s", "lease_left:d", "in-force:s", NULL);
	add("p1", "3599", "enforce", NULL);
	add("port-channel1", "", "off", NULL);
	assert_printed(false, "PORT           LEASE-LEFT  IN-FORCE\n"
			      "p1             59 min      enforce\n"
			      "port-channel1  infinite    off\n");
}

static void what_is_not_known_is_a_dash(void **state)
{
	(void)state;
	add("a:s", "b:n", "c:b", "e:u", "f", NULL);
	add("", "", "", "", "", NULL);
	assert_printed(false, "A  B  C  E  F\n-  -  -  -  -\n");
}

static void details_are_shown_when_asked_for(void **state)
{
	(void)state;
	add("port:s", "keys:s+", "vsis:n", "giaddr:s+", NULL);
	add("p1", "mac", "2", "192.0.2.9", NULL);
	assert_printed(false, "PORT  VSIS\np1    2\n");
	assert_printed(true, "PORT  KEYS  VSIS  GIADDR\np1    mac   2     192.0.2.9\n");
}

static void control_characters_from_the_network_do_not_reach_the_terminal(void **state)
{
	(void)state;
	add("port:s", NULL);
	add("\033[2Jp\x7f\n", NULL);
	assert_printed(false, "PORT\n?[2Jp??\n");
}

static void a_row_shorter_or_longer_than_the_head_does_no_harm(void **state)
{
	(void)state;
	add("a:s", "b:s", NULL);
	add("1", NULL);
	add("1", "2", "3", NULL);
	assert_printed(false, "A  B\n1  -\n1  2\n");
}

static void a_head_without_columns_prints_nothing(void **state)
{
	struct link_row none = { 0 };

	(void)state;
	assert_printed(false, "");
	assert_int_equal(table_add(&table, &none), 0);
	assert_int_equal(table_add(&table, &none), 0);
	assert_printed(true, "");
}

static void values_are_formatted_by_their_type(void **state)
{
	static const struct {
		char type;
		const char *field, *text;
	} is[] = {
		{ 'd', "0", "0 s" },	       { 'd', "119", "119 s" },
		{ 'd', "120", "2 min" },       { 'd', "7199", "119 min" },
		{ 'd', "7200", "2 h" },	       { 'd', "", "infinite" },
		{ 'd', "soon", "soon" },       { 'u', "412", "412 us" },
		{ 'u', "", "-" },	       { 'n', "18446744073709551615",
						 "18446744073709551615" },
		{ 'b', "yes", "yes" },	       { 's', "12", "12" },
		{ 't', "", "-" },	       { 't', "-5", "-" },
		{ 't', "86399007", "23:59:59.007" },
	};
	char buf[TABLE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++)
		assert_string_equal(table_text(is[i].type, is[i].field, buf), is[i].text);
}

static void a_field_is_found_by_its_column_and_rows_can_be_dropped(void **state)
{
	(void)state;
	add("port:s", "to:s", NULL);
	add("p1", "active", NULL);
	assert_string_equal(table_field(&table, 1, "to"), "active");
	assert_string_equal(table_field(&table, 1, "from"), "");
	assert_string_equal(table_field(&table, 2, "to"), "");
	table_drop_rows(&table);
	table_drop_rows(&table);
	assert_string_equal(table_field(&table, 1, "to"), "");
	add("p2", "staged", NULL);
	assert_string_equal(table_field(&table, 1, "port"), "p2");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_teardown(t, forget)
	const struct CMUnitTest tests[] = {
		TEST(columns_are_aligned_under_names_in_upper_case),
		TEST(what_is_not_known_is_a_dash),
		TEST(details_are_shown_when_asked_for),
		TEST(control_characters_from_the_network_do_not_reach_the_terminal),
		TEST(a_row_shorter_or_longer_than_the_head_does_no_harm),
		TEST(a_head_without_columns_prints_nothing),
		TEST(values_are_formatted_by_their_type),
		TEST(a_field_is_found_by_its_column_and_rows_can_be_dropped),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
