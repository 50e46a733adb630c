/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MACs behind the ports whose guard is `monitor`, each with who has it there and
 * whether it has been asked about. What a VM can forge (source MACs) fills its own
 * port's list alone, and no further than CASES_MAX.
 */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "wire/text.h"

#define NEIGHBOURS_MAX 8 /* a port's: one, or one for each slave of a bond */

struct item_key {
	uint16_t port, vlan;
	struct mac mac;
};

struct slot {
	struct cases_item item; /* first: an item is its slot */
	struct item_key key;
	struct port *of;
	struct slot *prev;
	UT_hash_handle hh;
};

struct port {
	uint16_t number;
	bool watched, read, full, told;
	unsigned n;
	struct cases_item *first;
	struct mac neighbours[NEIGHBOURS_MAX];
	unsigned n_neighbours; /* ever seen; the last ones count */
	struct link_cases last;
	UT_hash_handle hh;
};

struct cases {
	struct port *ports;
	unsigned watched;
	struct slot *slots;
};

_Static_assert(sizeof(struct item_key) == 10, "a hash key has no padding");

static struct port *get_port(struct cases *cases, uint16_t number);
static struct port *find_port(const struct cases *cases, uint16_t number);
static struct slot *get_slot(struct cases *cases, struct port *port, uint16_t vlan,
			     const struct mac *mac);
static struct slot *find_slot(struct cases *cases, uint16_t port, uint16_t vlan,
			      const struct mac *mac);
static bool is_neighbour(const struct port *port, const struct mac *mac);
static void count(struct link_cases *cases, const struct mac *mac);
static void sweep(struct cases *cases, struct cases_item *item);
static void drop_slot(struct cases *cases, struct slot *slot);
static void drop_items(struct cases *cases, struct port *port);
static void drop_port(struct cases *cases, struct port *port);

struct cases *cases_new(void)
{
	return calloc(1, sizeof(struct cases));
}

void cases_free(struct cases *cases)
{
	struct port *port, *next;

	if (!cases)
		return;
	HASH_ITER(hh, cases->ports, port, next)
		drop_port(cases, port);
	free(cases);
}

bool cases_watch(struct cases *cases, uint16_t number, bool on)
{
	struct port *port = find_port(cases, number);

	if (on && port)
		return true;
	if (on) {
		port = get_port(cases, number);
		if (!port)
			return false;
		port->watched = true;
		cases->watched++;
		return true;
	}
	if (!port)
		return true;
	drop_items(cases, port);
	cases->watched--;
	port->watched = port->read = port->full = port->told = false;
	port->last = (struct link_cases){ .complete = false };
	return true;
}

bool cases_watches(const struct cases *cases, uint16_t port)
{
	return find_port(cases, port);
}

bool cases_watches_any(const struct cases *cases)
{
	return cases->watched;
}

void cases_fdb(struct cases *cases, uint16_t number, uint16_t vlan, const struct mac *mac,
	       enum cases_fdb what)
{
	const bool gone = what == CASES_FDB_GONE;
	struct port *port = find_port(cases, number);
	struct slot *slot;

	if (!port)
		return;
	if (!vlan)
		vlan = LINK_VLAN_ANY;
	slot = gone ? find_slot(cases, number, vlan, mac)
		    : is_neighbour(port, mac) ? NULL : get_slot(cases, port, vlan, mac);
	if (!slot)
		return;
	slot->item.fdb = !gone;
	slot->item.by_hand = what == CASES_FDB_BY_HAND;
	sweep(cases, &slot->item);
}

void cases_fdb_read(struct cases *cases, uint16_t number, bool before)
{
	struct port *port = find_port(cases, number);

	if (!port)
		return;
	port->read = !before;
	if (!before)
		return;
	port->full = false;
	for (struct cases_item *item = port->first, *next; item; item = next) {
		next = item->next;
		item->fdb = item->by_hand = false;
		sweep(cases, item);
	}
}

bool cases_is_neighbour(const struct cases *cases, uint16_t number, const struct mac *mac)
{
	const struct port *port;

	HASH_FIND(hh, cases->ports, &number, sizeof(number), port);
	return port && is_neighbour(port, mac);
}

void cases_neighbour(struct cases *cases, uint16_t number, const struct mac *mac)
{
	struct port *port = get_port(cases, number);

	if (!port || is_neighbour(port, mac))
		return;
	port->neighbours[port->n_neighbours++ % NEIGHBOURS_MAX] = *mac;
	for (struct cases_item *item = port->first, *next; item; item = next) {
		next = item->next;
		if (!mac_equal(&item->mac, mac))
			continue;
		item->fdb = item->by_hand = false;
		sweep(cases, item);
	}
}

void cases_vsis_begin(struct cases *cases)
{
	for (struct port *port = cases->ports; port; port = port->hh.next)
		for (struct cases_item *item = port->first; item; item = item->next)
			item->vsi = item->covered = false;
}

void cases_vsi(struct cases *cases, uint16_t number, const struct vsi_entry *entry)
{
	struct port *port = find_port(cases, number);
	struct slot *slot;

	if (!port || mac_is_zero(&entry->mac))
		return;
	slot = get_slot(cases, port, entry->vlan, &entry->mac);
	if (slot)
		slot->item.vsi = true;
	slot = find_slot(cases, number, LINK_VLAN_ANY, &entry->mac);
	if (slot)
		slot->item.covered = true;
}

void cases_vsis_end(struct cases *cases)
{
	for (struct port *port = cases->ports; port; port = port->hh.next)
		for (struct cases_item *item = port->first, *next; item; item = next) {
			next = item->next;
			sweep(cases, item);
		}
}

struct cases_item *cases_first(struct cases *cases, uint16_t number)
{
	struct port *port = find_port(cases, number);

	return port ? port->first : NULL;
}

struct cases_item *cases_find(struct cases *cases, uint16_t port, uint16_t vlan,
			      const struct mac *mac)
{
	struct slot *slot = find_slot(cases, port, vlan, mac);

	return slot ? &slot->item : NULL;
}

bool cases_due(const struct cases_item *item, ms_t now, ms_t *ret_when)
{
	*ret_when = MS_NEVER;
	if (item->asking || item->covered || !item->open)
		return false;
	*ret_when = item->ask_at;
	return item->ask_at <= now;
}

struct link_cases cases_count(struct cases *cases, uint16_t number, bool *ret_changed)
{
	struct port *port = find_port(cases, number);
	struct link_cases now = { .complete = false };

	*ret_changed = false;
	if (!port)
		return now;
	now.complete = port->read && !port->full;
	for (struct cases_item *item = port->first; item; item = item->next) {
		if (item->covered)
			continue;
		now.complete &= item->asked || !item->open;
		if (item->open)
			count(&now, &item->mac);
	}
	*ret_changed = !port->told || now.complete != port->last.complete ||
		       now.n != port->last.n || now.n_named != port->last.n_named ||
		       memcmp(now.named, port->last.named, sizeof(now.named)) != 0;
	port->told = true;
	port->last = now;
	return now;
}

struct link_cases cases_told(const struct cases *cases, uint16_t number)
{
	const struct port *port = find_port(cases, number);

	return port ? port->last : (struct link_cases){ .complete = false };
}

void cases_tell_again(struct cases *cases)
{
	for (struct port *port = cases->ports; port; port = port->hh.next)
		port->told = false;
}

static struct port *get_port(struct cases *cases, uint16_t number)
{
	struct port *port;

	HASH_FIND(hh, cases->ports, &number, sizeof(number), port);
	if (port)
		return port;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	port->number = number;
	HASH_ADD(hh, cases->ports, number, sizeof(port->number), port);
	if (port->hh.tbl)
		return port;
	free(port);
	return NULL;
}

/* That is watched; of others only the neighbours are known. */
static struct port *find_port(const struct cases *cases, uint16_t number)
{
	struct port *port;

	HASH_FIND(hh, cases->ports, &number, sizeof(number), port);
	return port && port->watched ? port : NULL;
}

static struct slot *get_slot(struct cases *cases, struct port *port, uint16_t vlan,
			     const struct mac *mac)
{
	struct slot *slot = find_slot(cases, port->number, vlan, mac);

	if (slot)
		return slot;
	slot = port->n < CASES_MAX ? calloc(1, sizeof(*slot)) : NULL;
	if (!slot) {
		port->full = true;
		return NULL;
	}
	slot->key = (struct item_key){ port->number, vlan, *mac };
	HASH_ADD(hh, cases->slots, key, sizeof(slot->key), slot);
	if (!slot->hh.tbl) {
		free(slot);
		port->full = true;
		return NULL;
	}
	slot->of = port;
	slot->item = (struct cases_item){
		.port = port->number, .vlan = vlan, .mac = *mac, .open = true,
		.next = port->first,
	};
	if (port->first)
		((struct slot *)(void *)port->first)->prev = slot;
	port->first = &slot->item;
	port->n++;
	return slot;
}

static struct slot *find_slot(struct cases *cases, uint16_t port, uint16_t vlan,
			      const struct mac *mac)
{
	const struct item_key key = { port, vlan, *mac };
	struct slot *slot;

	HASH_FIND(hh, cases->slots, &key, sizeof(key), slot);
	return slot;
}

static bool is_neighbour(const struct port *port, const struct mac *mac)
{
	for (unsigned i = 0; i < port->n_neighbours && i < NEIGHBOURS_MAX; i++)
		if (mac_equal(&port->neighbours[i], mac))
			return true;
	return false;
}

/* The oldest come last, and are named. */
static void count(struct link_cases *cases, const struct mac *mac)
{
	cases->n++;
	memmove(cases->named + 1, cases->named, sizeof(cases->named) - sizeof(*mac));
	cases->named[0] = *mac;
	if (cases->n_named < LINK_CASES_NAMED)
		cases->n_named++;
}

/* Behind the port no longer? */
static void sweep(struct cases *cases, struct cases_item *item)
{
	if (!item->fdb && !item->vsi)
		drop_slot(cases, (struct slot *)(void *)item);
}

static void drop_slot(struct cases *cases, struct slot *slot)
{
	struct slot *next = (struct slot *)(void *)slot->item.next;

	if (slot->prev)
		slot->prev->item.next = slot->item.next;
	else
		slot->of->first = slot->item.next;
	if (next)
		next->prev = slot->prev;
	slot->of->n--;
	HASH_DEL(cases->slots, slot);
	free(slot);
}

static void drop_items(struct cases *cases, struct port *port)
{
	while (port->first)
		drop_slot(cases, (struct slot *)(void *)port->first);
}

static void drop_port(struct cases *cases, struct port *port)
{
	drop_items(cases, port);
	HASH_DEL(cases->ports, port);
	free(port);
}
