/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of text laid out as an aligned table.
 */
#ifndef COMPANION_TABLE_H
#define COMPANION_TABLE_H

#include <stdio.h>

#include "vdp_migrate/link.h"

struct table {
	char **cells;		/* rows * columns, owned */
	unsigned columns, rows;
};

/* The first row is the head. 0 or -ENOMEM; fields beyond the head's are left out. */
int table_add(struct table *table, const struct link_row *row);
void table_print(const struct table *table, FILE *to);
void table_done(struct table *table);

#endif
