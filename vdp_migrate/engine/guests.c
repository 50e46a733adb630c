/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MACs whose groups the story has an eye on, found by (port, VLAN, MAC), and by when
 * something is due (a binary heap). What is to happen to them it does not know.
 */
#include <stdlib.h>

#include "bridge_groups.h"
#include "wire/text.h"

static struct guest *find(const struct guests *guests, const struct guest_key *key);
static bool reserve(struct guests *guests, unsigned n);
static void settle(struct guests *guests, unsigned at, struct guest *guest);
static void set(struct guests *guests, unsigned at, struct guest *guest);
static void each_due(const struct guests *guests, unsigned at, ms_t now,
		     void (*cb)(void *arg, struct guest *guest), void *arg);

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
	guest = reserve(guests, HASH_COUNT(guests->by_key) + 1) ? calloc(1, sizeof(*guest))
								: NULL;
	if (!guest)
		return NULL;
	guest->key = *key;
	guest->vsi = *vsi;
	guest->due = MS_NEVER;
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
	guests_sleep(guests, guest, MS_NEVER);
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
	free(guests->heap);
	*guests = (struct guests){ 0 };
}

void guests_wake(struct guests *guests, struct guest *guest, ms_t at)
{
	if (at < guest->due)
		guests_sleep(guests, guest, at);
}

void guests_sleep(struct guests *guests, struct guest *guest, ms_t at)
{
	bool was = guest->due != MS_NEVER;
	struct guest *last;

	guest->due = at;
	if (at != MS_NEVER) {
		settle(guests, was ? guest->heap_at : guests->n_due++, guest);
	} else if (was) {
		last = guests->heap[--guests->n_due];
		if (last != guest)
			settle(guests, guest->heap_at, last);
	}
}

struct guest *guests_due(const struct guests *guests, ms_t now)
{
	return guests_deadline(guests) <= now ? guests->heap[0] : NULL;
}

ms_t guests_deadline(const struct guests *guests)
{
	return guests->n_due ? guests->heap[0]->due : MS_NEVER;
}

void guests_each_due(const struct guests *guests, ms_t now,
		     void (*cb)(void *arg, struct guest *guest), void *arg)
{
	each_due(guests, 0, now, cb, arg);
}

static struct guest *find(const struct guests *guests, const struct guest_key *key)
{
	struct guest *guest;

	HASH_FIND(hh, guests->by_key, key, sizeof(*key), guest);
	return guest;
}

/* Room for all that there are: later changes of what is due cannot fail then. */
static bool reserve(struct guests *guests, unsigned n)
{
	unsigned size = guests->size ? 2 * guests->size : 64;
	struct guest **grown;

	if (n <= guests->size)
		return true;
	grown = realloc(guests->heap, size * sizeof(struct guest *));
	if (!grown)
		return false;
	guests->heap = grown;
	guests->size = size;
	return true;
}

/* Let it rise or sink from there to its place. */
static void settle(struct guests *guests, unsigned at, struct guest *guest)
{
	struct guest **heap = guests->heap;

	for (; at && guest->due < heap[(at - 1) / 2]->due; at = (at - 1) / 2)
		set(guests, at, heap[(at - 1) / 2]);
	for (unsigned child; (child = 2 * at + 1) < guests->n_due; at = child) {
		if (child + 1 < guests->n_due && heap[child + 1]->due < heap[child]->due)
			child++;
		if (heap[child]->due >= guest->due)
			break;
		set(guests, at, heap[child]);
	}
	set(guests, at, guest);
}

static void set(struct guests *guests, unsigned at, struct guest *guest)
{
	guests->heap[at] = guest;
	guest->heap_at = at;
}

static void each_due(const struct guests *guests, unsigned at, ms_t now,
		     void (*cb)(void *arg, struct guest *guest), void *arg)
{
	if (at >= guests->n_due || guests->heap[at]->due > now)
		return;
	cb(arg, guests->heap[at]);
	each_due(guests, 2 * at + 1, now, cb, arg);
	each_due(guests, 2 * at + 2, now, cb, arg);
}
