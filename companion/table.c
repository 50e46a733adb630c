/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed text laid out as an aligned table for people: names in upper case,
 * times and durations in their unit, "-" for what is not known. Control characters of
 * a field are shown as '?': what is shown may come from the network.
 */
#include "table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void drop_cells(char **cells, size_t n);
static void split_head(struct table *table);
static const char *cell(const struct table *table, unsigned row, unsigned column,
			char buf[TABLE_TEXT_MAX]);
static void print_cell(const char *text, bool head, int width, FILE *to);
static const char *duration_text(long long s, char buf[TABLE_TEXT_MAX]);
static const char *clock_text(long long ms, char buf[TABLE_TEXT_MAX]);

int table_add(struct table *table, const struct link_row *row)
{
	char **grown;

	if (!table->rows)
		table->columns = row->n;
	grown = realloc(table->cells,
			(table->rows + 1) * (size_t)table->columns * sizeof(*grown) + 1);
	if (!grown)
		return -ENOMEM;
	table->cells = grown;
	grown += (size_t)table->rows * table->columns;
	for (unsigned i = 0; i < table->columns; i++)
		grown[i] = i < row->n ? strndup(row->field[i].s, row->field[i].len)
				      : strdup("");
	for (unsigned i = 0; i < table->columns; i++)
		if (!grown[i]) {
			drop_cells(grown, table->columns);
			return -ENOMEM;
		}
	if (!table->rows++)
		split_head(table);
	return 0;
}

const char *table_field(const struct table *table, unsigned row, const char *name)
{
	for (unsigned i = 0; i < table->columns && row < table->rows; i++)
		if (!strcmp(table->column[i].name, name))
			return table->cells[(size_t)row * table->columns + i];
	return "";
}

void table_print(const struct table *table, bool details, FILE *to)
{
	int width[LINK_COLUMNS_MAX] = { 0 };
	unsigned last = 0;
	char buf[TABLE_TEXT_MAX];

	for (unsigned column = 0; column < table->columns; column++) {
		if (!table->column[column].detail || details)
			last = column;
		for (unsigned row = 0; row < table->rows; row++) {
			int len = (int)strlen(cell(table, row, column, buf));

			if (len > width[column])
				width[column] = len;
		}
	}
	for (unsigned row = 0; row < table->rows; row++)
		for (unsigned column = 0; column <= last && table->columns; column++) {
			if (table->column[column].detail && !details)
				continue;
			print_cell(cell(table, row, column, buf), !row,
				   column == last ? 0 : width[column], to);
			fputs(column == last ? "\n" : "  ", to);
		}
}

void table_drop_rows(struct table *table)
{
	if (table->rows <= 1)
		return;
	drop_cells(table->cells + table->columns, (table->rows - 1) * (size_t)table->columns);
	table->rows = 1;
}

void table_done(struct table *table)
{
	drop_cells(table->cells, (size_t)table->rows * table->columns);
	free(table->cells);
	*table = (struct table){ 0 };
}

const char *table_text(char type, const char *field, char buf[TABLE_TEXT_MAX])
{
	char *end;
	long long value;

	if (!*field)
		return type == 'd' ? "infinite" : "-";
	value = strtoll(field, &end, 10);
	if (*end)
		return field;
	switch (type) {
	case 'd':
		return duration_text(value, buf);
	case 't':
		return clock_text(value, buf);
	case 'u':
		snprintf(buf, TABLE_TEXT_MAX, "%lld us", value);
		return buf;
	default:
		return field;
	}
}

/* Statics. */

static void drop_cells(char **cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(cells[i]);
}

/* `name:type` with a '+' behind it for a detail; without a type it is text. */
static void split_head(struct table *table)
{
	for (unsigned i = 0; i < table->columns; i++) {
		struct table_column *column = &table->column[i];
		char *colon = strchr(table->cells[i], ':');

		column->name = table->cells[i];
		column->type = colon && colon[1] ? colon[1] : 's';
		column->detail = colon && colon[1] && colon[2] == '+';
		if (colon)
			*colon = '\0';
	}
}

static const char *cell(const struct table *table, unsigned row, unsigned column,
			char buf[TABLE_TEXT_MAX])
{
	const char *field = table->cells[(size_t)row * table->columns + column];

	return row ? table_text(table->column[column].type, field, buf) : field;
}

/* lease_left is headed LEASE-LEFT. */
static void print_cell(const char *text, bool head, int width, FILE *to)
{
	int n = 0;

	for (; text[n]; n++) {
		unsigned char c = (unsigned char)text[n];

		fputc(head && c == '_'		  ? '-'
		      : head			  ? toupper(c)
		      : c < ' ' || c == 0x7f	  ? '?'
						  : c,
		      to);
	}
	for (; n < width; n++)
		fputc(' ', to);
}

static const char *duration_text(long long s, char buf[TABLE_TEXT_MAX])
{
	if (s < 120)
		snprintf(buf, TABLE_TEXT_MAX, "%lld s", s);
	else if (s < 7200)
		snprintf(buf, TABLE_TEXT_MAX, "%lld min", s / 60);
	else
		snprintf(buf, TABLE_TEXT_MAX, "%lld h", s / 3600);
	return buf;
}

/* Of this day, by the clock on the wall: as in the log. */
static const char *clock_text(long long ms, char buf[TABLE_TEXT_MAX])
{
	const time_t s = (time_t)(ms / 1000);
	struct tm local;
	char text[16];

	if (ms < 0 || !localtime_r(&s, &local) ||
	    !strftime(text, sizeof(text), "%H:%M:%S", &local))
		return "-";
	snprintf(buf, TABLE_TEXT_MAX, "%s.%03lld", text, ms % 1000);
	return buf;
}
