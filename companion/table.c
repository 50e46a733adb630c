/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of text laid out as an aligned table. Control characters of a field are
 * shown as '?': what is shown may come from the network.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *clean_copy(const struct link_field *field);

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
		grown[i] = i < row->n ? clean_copy(&row->field[i]) : strdup("");
	table->rows++;
	return 0;
}

void table_print(const struct table *table, FILE *to)
{
	size_t width[LINK_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < (size_t)table->rows * table->columns; i++) {
		size_t len = table->cells[i] ? strlen(table->cells[i]) : 0;

		if (len > width[i % table->columns])
			width[i % table->columns] = len;
	}
	for (size_t i = 0; i < (size_t)table->rows * table->columns; i++) {
		const char *cell = table->cells[i] ? table->cells[i] : "";
		unsigned column = (unsigned)(i % table->columns);

		if (column + 1 == table->columns)
			fprintf(to, "%s\n", cell);
		else
			fprintf(to, "%-*s  ", (int)width[column], cell);
	}
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < (size_t)table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ 0 };
}

static char *clean_copy(const struct link_field *field)
{
	char *copy = strndup(field->s, field->len);

	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return copy;
}
