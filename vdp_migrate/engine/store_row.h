/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of the store as text and numbers, both ways. Text, because a person may want
 * to read the store with sqlite3. Whatever the file holds: what does not parse whole
 * is refused.
 */
#ifndef ENGINE_STORE_ROW_H
#define ENGINE_STORE_ROW_H

#include "store.h"
#include "wire/text.h"

struct store_row {
	const char *bridge, *port, *mac, *ip, *state, *origin, *vsi, *server, *client_id;
	int64_t vlan;
	int64_t lease_s;	/* the lease's whole length, 0 = not known */
	bool ends;
	int64_t lease_end;	/* meant where it ends; of a static one that of the lease
				 * under it, whose origin stands behind a comma */
};

/* Where an encoded row's texts are. */
struct store_row_room {
	char mac[MAC_TEXT_MAX], ip[ADDR_TEXT_MAX], vsi[VSI_ID_TEXT_MAX];
	char server[ADDR_TEXT_MAX], client_id[CLIENT_ID_TEXT_MAX];
	char origin[24];
};

/* Texts borrow from record and room; what is not known is NULL. */
void store_row_encode(const struct store_record *record, struct store_row_room *room,
		      struct store_row *ret_row);
/* 0 or -EINVAL. lease_end is taken over as it is; a client-id is put into id. */
int store_row_decode(const struct store_row *row, struct client_id *id,
		     struct store_record *ret_record);

#endif
