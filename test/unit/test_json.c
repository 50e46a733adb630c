/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of typed text as JSON: RFC 8259. */
#include "companion/json.h"

#include <jansson.h>
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

static void assert_printed(const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *read;

	assert_int_equal(json_print(&table, to), 0);
	fclose(to);
	assert_string_equal(text, expected);
	read = json_loads(text, 0, NULL);
	assert_true(json_is_array(read));
	json_decref(read);
	free(text);
}

static int forget(void **state)
{
	(void)state;
	table_done(&table);
	return 0;
}

static void a_table_is_an_array_of_objects_in_the_order_of_its_columns(void **state)
{
	(void)state;
	add("port:s", "vlan:n", "detail:s+", NULL);
	add("p2", "10", "x", NULL);
	add("p1", "0", "y", NULL);
	assert_printed("[\n  {\"port\": \"p2\", \"vlan\": 10, \"detail\": \"x\"},\n"
		       "  {\"port\": \"p1\", \"vlan\": 0, \"detail\": \"y\"}\n]\n");
}

static void a_table_without_rows_is_an_empty_array(void **state)
{
	(void)state;
	assert_printed("[]\n");
	add("port:s", NULL);
	assert_printed("[]\n");
}

static void values_have_the_type_of_their_column(void **state)
{
	(void)state;
	add("d:d", "b:b", "c:b", "u:u", "n:n", "s:s", "t:t", NULL);
	add("3600", "yes", "no", "412", "9007199254740993", "12", "1795522271007", NULL);
	assert_printed("[\n  {\"d\": 3600, \"b\": true, \"c\": false, \"u\": 412, "
		       "\"n\": 9007199254740993, \"s\": \"12\", "
		       "\"t\": \"2026-11-24T12:11:11.007Z\"}\n]\n");
}

static void what_is_not_known_or_without_end_is_null(void **state)
{
	(void)state;
	add("d:d", "b:b", "n:n", "s:s", "t:t", NULL);
	add("", "", "", "", "-1", NULL);
	assert_printed("[\n  {\"d\": null, \"b\": null, \"n\": null, \"s\": null, "
		       "\"t\": null}\n]\n");
}

static void what_is_no_number_in_a_column_of_numbers_stays_text(void **state)
{
	(void)state;
	add("n:n", "d:d", "b:b", NULL);
	add("many", "99999999999999999999", "perhaps", NULL);
	assert_printed("[\n  {\"n\": \"many\", \"d\": \"99999999999999999999\", "
		       "\"b\": \"perhaps\"}\n]\n");
}

static void octets_that_are_no_text_are_still_valid_JSON(void **state)
{
	(void)state;
	add("port:s", NULL);
	add("p\"\\\n\x01", NULL);
	add("p\xff\xc3", NULL);
	assert_printed("[\n  {\"port\": \"p\\\"\\\\\\n\\u0001\"},\n"
		       "  {\"port\": \"p??\"}\n]\n");
}

static void a_row_alone_is_one_object_on_one_line(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	add("what:s", "to:s", NULL);
	add("vsi", "arrived", NULL);
	assert_int_equal(json_print_row(&table, 1, to), 0);
	fclose(to);
	assert_string_equal(text, "{\"what\": \"vsi\", \"to\": \"arrived\"}");
	free(text);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_teardown(t, forget)
	const struct CMUnitTest tests[] = {
		TEST(a_table_is_an_array_of_objects_in_the_order_of_its_columns),
		TEST(a_table_without_rows_is_an_empty_array),
		TEST(values_have_the_type_of_their_column),
		TEST(what_is_not_known_or_without_end_is_null),
		TEST(what_is_no_number_in_a_column_of_numbers_stays_text),
		TEST(octets_that_are_no_text_are_still_valid_JSON),
		TEST(a_row_alone_is_one_object_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
