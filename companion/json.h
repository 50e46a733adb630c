/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed text (link.h) as JSON:
 *
 *   show --json    [ { column: value, … }, … ]	one object for each row
 *   watch --json   { column: value, … }	one object and newline for each event
 *
 * Keys are the columns' names. Their order, and that no key is left out, may be
 * relied on; new keys may come; doc/show.schema.json has them all. By the column's type:
 *
 *   s  text: string, null if not known
 *   n  number: integer, null if not known
 *   b  yes or no: true, false, null if not known
 *   d  duration in seconds: integer, null for one without end
 *   u  duration in microseconds: integer, null if not known
 *   t  point in time: string, RFC 3339, UTC, with milliseconds
 */
#ifndef COMPANION_JSON_H
#define COMPANION_JSON_H

#include "table.h"

/* 0, or -ENOMEM with the output cut off. */
int json_print(const struct table *table, FILE *to);
int json_print_row(const struct table *table, unsigned row, FILE *to);

#endif
