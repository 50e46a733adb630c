/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of an old place, see conflict.h. */
#include "conflict.h"

#include <string.h>

void conflict_init(struct conflict *conflict, ms_t now)
{
	memset(conflict, 0, sizeof(*conflict));
	conflict->due = now;
}

bool conflict_add(struct conflict *conflict, const struct conflict_place *place)
{
	if (conflict->n_places == CONFLICT_PLACES_MAX)
		return false;
	conflict->places[conflict->n_places++] = *place;
	return true;
}

enum conflict_do conflict_tick(struct conflict *conflict, ms_t now)
{
	if (now < conflict->due)
		return CONFLICT_WAIT;
	if (conflict->sent == CONFLICT_PROBES || !conflict->n_places)
		return CONFLICT_OVER;
	conflict->sent++;
	conflict->due = now + CONFLICT_EVERY_MS;
	return CONFLICT_PROBE;
}

/* Only on the old port, and only where it has been asked: a VM that wanders, or a host
 * that answers for others from elsewhere, is none. */
int conflict_answer(const struct conflict *conflict, const struct conflict_place *from)
{
	for (unsigned i = 0; i < conflict->n_places && conflict->sent; i++) {
		const struct conflict_place *place = &conflict->places[i];

		if (place->port == from->port && place->vlan == from->vlan &&
		    !memcmp(&place->mac, &from->mac, sizeof(place->mac)) &&
		    !memcmp(&place->ip, &from->ip, sizeof(place->ip)))
			return (int)i;
	}
	return -1;
}
