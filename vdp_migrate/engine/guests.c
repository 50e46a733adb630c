/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MACs whose groups the story has an eye on, found by (port, VLAN, MAC). What is to
 * happen to them, and when, it does not know.
 */
#include "bridge_groups.h"
#include "wire/text.h"

static struct guest *find(const struct guests *guests, const struct guest_key *key);

struct guest *guests_get(struct guests *guests, const struct guest_key *key,
			 const struct vsi_id *vsi)
{
	struct guest *guest = find(guests, key);

	if (guest) {
		if (!vsi_id_equal(&guest->vsi, vsi))
			guest->taken = guest->accepted = false;
		guest->vsi = *vsi;
		return guest;
	}
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return NULL;
	guest->key = *key;
	guest->vsi = *vsi;
	guests_reset(guest);
	HASH_ADD(hh, guests->by_key, key, sizeof(guest->key), guest);
	if (!guest->hh.tbl) {
		free(guest);
		return NULL;
	}
	guest->next = guests->first;
	if (guest->next)
		guest->next->prev = guest;
	guests->first = guest;
	return guest;
}

struct guest *guests_find(struct guests *guests, const struct guest_key *key)
{
	struct guest *guest = find(guests, key);
	const struct guest_key any = { .vlan = key->vlan, .port = key->port };

	return guest ? guest : find(guests, &any);
}

void guests_remove(struct guests *guests, struct guest *guest)
{
	HASH_DEL(guests->by_key, guest);
	if (guest->prev)
		guest->prev->next = guest->next;
	else
		guests->first = guest->next;
	if (guest->next)
		guest->next->prev = guest->prev;
	free(guest);
}

void guests_reset(struct guest *guest)
{
	guest->querying = (struct querying){ .sign = MS_NEVER };
	guest->arrived = guest->ask_again_at = guest->confirm_at = MS_NEVER;
	guest->reported = false;
	guest->asked = 0;
}

void guests_done(struct guests *guests)
{
	while (guests->first)
		guests_remove(guests, guests->first);
}

static struct guest *find(const struct guests *guests, const struct guest_key *key)
{
	struct guest *guest;

	HASH_FIND(hh, guests->by_key, key, sizeof(*key), guest);
	return guest;
}
