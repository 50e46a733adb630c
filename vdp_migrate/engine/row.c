/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed text (link.h): raw values; how a person reads them is the
 * companion's business.
 */
#include "row.h"

#include <inttypes.h>
#include <stdio.h>

static char *room(struct row *row);

void row_text(struct row *row, const char *text)
{
	if (row->n < LINK_COLUMNS_MAX)
		row->field[row->n++] = text ? text : "";
}

void row_number(struct row *row, uint64_t value)
{
	char *text = room(row);

	snprintf(text, sizeof(row->room[0]), "%" PRIu64, value);
	row_text(row, text);
}

void row_flag(struct row *row, bool value)
{
	row_text(row, value ? "yes" : "no");
}

void row_none(struct row *row)
{
	row_text(row, "");
}

void row_duration(struct row *row, ms_t from, ms_t to)
{
	if (to == MS_NEVER)
		row_none(row);
	else
		row_number(row, to > from ? (uint64_t)(to - from) / 1000 : 0);
}

void row_mac(struct row *row, const struct mac *mac)
{
	row_text(row, mac_is_zero(mac) ? "" : mac_text(mac, room(row)));
}

void row_addr(struct row *row, const struct addr *addr)
{
	row_text(row, addr->family ? addr_text(addr, room(row)) : "");
}

void row_vsi(struct row *row, const struct vsi_id *id)
{
	row_text(row, id->format ? vsi_id_text(id, room(row)) : "");
}

void row_send(const struct row *row, struct link_client *client, uint32_t seq)
{
	link_row(client, seq, row->field, row->n);
}

/* For the field that comes next. */
static char *room(struct row *row)
{
	return row->room[row->n < LINK_COLUMNS_MAX ? row->n : LINK_COLUMNS_MAX - 1];
}
