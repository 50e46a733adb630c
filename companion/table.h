/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed text (link.h) kept, and laid out as an aligned table for people.
 */
#ifndef COMPANION_TABLE_H
#define COMPANION_TABLE_H

#include <stdio.h>

#include "vdp_migrate/link.h"

#define TABLE_TEXT_MAX 64

struct table {
	char **cells;		/* rows * columns as they came, owned; the first row: names */
	unsigned columns, rows;
	struct table_column {
		char *name;	/* without its type: its cell of the first row */
		char type;	/* link.h */
		bool detail;
	} column[LINK_COLUMNS_MAX];
};

/* The first row is the head. 0 or -ENOMEM; fields beyond the head's are left out. */
int table_add(struct table *table, const struct link_row *row);
/* A field of a row (the head is row 0) as it came; "" where there is none of that
 * name. */
const char *table_field(const struct table *table, unsigned row, const char *name);
/* Without details unless asked for. */
void table_print(const struct table *table, bool details, FILE *to);
/* The head stays. */
void table_drop_rows(struct table *table);
void table_done(struct table *table);

/* A field as a person reads it; field itself, or buf. */
const char *table_text(char type, const char *field, char buf[TABLE_TEXT_MAX]);

#endif
