/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of a table being filled, field by field in the order of its head (link.h).
 * Fields beyond LINK_COLUMNS_MAX are left out.
 */
#ifndef ENGINE_ROW_H
#define ENGINE_ROW_H

#include "link_server.h"
#include "wire/text.h"

struct row {
	unsigned n;
	const char *field[LINK_COLUMNS_MAX];
	char room[LINK_COLUMNS_MAX][VSI_ID_TEXT_MAX];
};

/* Borrowed until the row is sent. NULL: not known. */
void row_text(struct row *row, const char *text);
void row_number(struct row *row, uint64_t value);
void row_flag(struct row *row, bool value);
void row_none(struct row *row);
/* Whole seconds from one time to another, none below zero; `to` MS_NEVER: no end. */
void row_duration(struct row *row, ms_t from, ms_t to);
/* Zero, none: not known. */
void row_mac(struct row *row, const struct mac *mac);
void row_addr(struct row *row, const struct addr *addr);
void row_vsi(struct row *row, const struct vsi_id *id);

void row_send(const struct row *row, struct link_client *client, uint32_t seq);

#endif
