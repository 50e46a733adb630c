/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed text as JSON, one row at a time: a table may be long. The shape is
 * said in json.h.
 *
 * Supported standards: RFC 8259, RFC 3339.
 */
#include "json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *value(char type, const char *field);
static json_t *text(const char *field);
static json_t *point_in_time(long long ms);

int json_print(const struct table *table, FILE *to)
{
	fputc('[', to);
	for (unsigned row = 1; row < table->rows; row++) {
		fputs(row == 1 ? "\n  " : ",\n  ", to);
		if (json_print_row(table, row, to))
			return -ENOMEM;
	}
	fputs(table->rows > 1 ? "\n]\n" : "]\n", to);
	return 0;
}

int json_print_row(const struct table *table, unsigned row, FILE *to)
{
	json_t *object = json_object();
	int err = object ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < table->columns; i++) {
		const char *field = table->cells[(size_t)row * table->columns + i];

		if (json_object_set_new(object, table->column[i].name,
					value(table->column[i].type, field)))
			err = -ENOMEM;
	}
	if (!err && json_dumpf(object, to, JSON_PRESERVE_ORDER))
		err = -ENOMEM;
	json_decref(object);
	return err;
}

static json_t *value(char type, const char *field)
{
	char *end;
	long long number;

	if (!*field)
		return json_null();
	if (type == 's')
		return text(field);
	if (type == 'b')
		return !strcmp(field, "yes")  ? json_true()
		       : !strcmp(field, "no") ? json_false()
					      : text(field);
	errno = 0;
	number = strtoll(field, &end, 10);
	if (*end || errno)
		return text(field);
	return type == 't' ? point_in_time(number) : json_integer(number);
}

/* A port's name may be any octets; JSON is UTF-8. */
static json_t *text(const char *field)
{
	json_t *string = json_string(field);
	char *ascii = string ? NULL : strdup(field);

	if (!ascii)
		return string;
	for (char *p = ascii; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	string = json_string(ascii);
	free(ascii);
	return string;
}

static json_t *point_in_time(long long ms)
{
	const time_t s = (time_t)(ms / 1000);
	struct tm utc;
	char day[32];

	if (ms < 0 || !gmtime_r(&s, &utc) || !strftime(day, sizeof(day), "%FT%T", &utc))
		return json_null();
	return json_sprintf("%s.%03dZ", day, (int)(ms % 1000));
}
