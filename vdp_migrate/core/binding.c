/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The binding table (RFC 7513 section 3): hosts in a hash, each with its bindings
 * in a chain; lease ends in a binary heap, so that thousands of them cost nothing
 * until one is due. Every change is told, once; what is told is what stands here.
 */
#include "binding.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "wire/text.h"

/* A lease end that moves by less is none worth telling: leases are whole seconds. */
#define RENEW_MS 1000

#define NOT_IN_HEAP SIZE_MAX

struct host {
	struct binding_host key;
	struct binding *first;
	UT_hash_handle hh;
};

struct slot {
	struct binding binding; /* first: a struct binding is its slot */
	struct host *host;
	struct slot *prev, *next; /* all of the table */
	size_t heap_at;		  /* NOT_IN_HEAP: no lease end */
};

struct binding_table {
	const struct binding_ops *ops;
	void *arg;
	struct host *hosts;
	struct slot *all;
	unsigned n;
	struct slot **heap; /* soonest lease end first */
	size_t heap_n, heap_size;
};

_Static_assert(sizeof(struct binding_host) == 12, "a hash key has no padding");

static struct slot *slot_of(const struct binding *binding);
static struct binding *put_new(struct binding_table *table, const struct binding *like);
static void update(struct binding_table *table, struct binding *binding,
		   const struct binding *like);
static void renew_elsewhere(struct binding_table *table, const struct binding *binding);
static void set_lease_end(struct binding_table *table, struct binding *binding,
			  ms_t lease_end);
static void tell_changed(struct binding_table *table, const struct binding *binding,
			 uint8_t old_state);
static bool is_weak(const struct binding *like);
static struct host *host_get(struct binding_table *table, const struct binding_host *key);
static struct slot *unlink_slot(struct binding_table *table, struct binding *binding);
static bool heap_reserve(struct binding_table *table);
static void heap_update(struct binding_table *table, struct slot *slot);
static void heap_remove(struct binding_table *table, struct slot *slot);

struct binding_table *binding_table_new(const struct binding_ops *ops, void *arg)
{
	struct binding_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->ops = ops;
	table->arg = arg;
	return table;
}

void binding_table_free(struct binding_table *table)
{
	if (!table)
		return;
	while (table->all)
		free(unlink_slot(table, &table->all->binding));
	free(table->heap);
	free(table);
}

struct binding *binding_first(struct binding_table *table,
			      const struct binding_host *host)
{
	struct host *found;

	HASH_FIND(hh, table->hosts, host, sizeof(*host), found);
	return found ? found->first : NULL;
}

struct binding *binding_find(struct binding_table *table, const struct binding_host *host,
			     const struct addr *ip, uint16_t port)
{
	for (struct binding *b = binding_first(table, host); b; b = b->next)
		if (b->port == port && addr_equal(&b->ip, ip))
			return b;
	return NULL;
}

struct binding *binding_put(struct binding_table *table, const struct binding *like)
{
	struct binding *binding = binding_find(table, &like->host, &like->ip, like->port);

	if (binding) {
		update(table, binding, like);
		return binding;
	}
	binding = put_new(table, like);
	if (binding && !is_weak(like) && like->origin != BINDING_STATIC)
		renew_elsewhere(table, binding);
	return binding;
}

unsigned binding_renew(struct binding_table *table, const struct binding_host *host,
		       const struct addr *ip, ms_t lease_end)
{
	unsigned n = 0;

	for (struct binding *b = binding_first(table, host); b; b = b->next)
		if (addr_equal(&b->ip, ip)) {
			n++;
			set_lease_end(table, b, lease_end);
		}
	return n;
}

void binding_set_state(struct binding_table *table, struct binding *binding,
		       enum binding_state state)
{
	uint8_t old_state = binding->state;

	if (old_state == state)
		return;
	binding->state = (uint8_t)state;
	tell_changed(table, binding, old_state);
}

void binding_set_vsi(struct binding_table *table, struct binding *binding,
		     const struct vsi_id *vsi)
{
	if (vsi_id_equal(&binding->vsi, vsi))
		return;
	binding->vsi = *vsi;
	tell_changed(table, binding, binding->state);
}

void binding_remove(struct binding_table *table, struct binding *binding)
{
	struct slot *slot = unlink_slot(table, binding);

	table->ops->drop(table->arg, &slot->binding);
	free(slot);
}

ms_t binding_deadline(const struct binding_table *table)
{
	return table->heap_n ? table->heap[0]->binding.lease_end : MS_NEVER;
}

unsigned binding_expire(struct binding_table *table, ms_t now, unsigned most)
{
	unsigned n = 0;

	for (; n < most && table->heap_n && table->heap[0]->binding.lease_end <= now; n++)
		binding_remove(table, &table->heap[0]->binding);
	return n;
}

unsigned binding_count(const struct binding_table *table)
{
	return table->n;
}

void binding_each(struct binding_table *table,
		  void (*cb)(void *arg, struct binding *binding), void *arg)
{
	struct slot *next;

	for (struct slot *s = table->all; s; s = next) {
		next = s->next;
		cb(arg, &s->binding);
	}
}

const char *binding_state_text(enum binding_state state)
{
	static const char *const text[] = {
		[BINDING_STAGED] = "staged",
		[BINDING_ACTIVE] = "active",
		[BINDING_LEAVING] = "leaving",
		[BINDING_DORMANT] = "dormant",
	};

	return state < sizeof(text) / sizeof(text[0]) ? text[state] : "?";
}

const char *binding_origin_text(enum binding_origin origin)
{
	static const char *const text[] = {
		[BINDING_SNOOPED] = "snooped", [BINDING_LEASEQUERY] = "leasequery",
		[BINDING_HELP] = "help",       [BINDING_MOVED] = "moved",
		[BINDING_STATIC] = "static",   [BINDING_KERNEL] = "kernel",
	};

	return origin < sizeof(text) / sizeof(text[0]) ? text[origin] : "?";
}

static struct binding *put_new(struct binding_table *table, const struct binding *like)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	struct binding **at;

	if (!slot || !heap_reserve(table)) {
		free(slot);
		return NULL;
	}
	slot->host = host_get(table, &like->host);
	if (!slot->host) {
		free(slot);
		return NULL;
	}
	slot->binding = *like;
	slot->binding.next = NULL;
	for (at = &slot->host->first; *at; at = &(*at)->next)
		;
	*at = &slot->binding;

	slot->next = table->all;
	if (table->all)
		table->all->prev = slot;
	table->all = slot;
	table->n++;
	slot->heap_at = NOT_IN_HEAP;
	heap_update(table, slot);
	table->ops->put(table->arg, &slot->binding);
	return &slot->binding;
}

static void update(struct binding_table *table, struct binding *binding,
		   const struct binding *like)
{
	struct binding old = *binding;

	if (like->state == BINDING_ACTIVE || like->state == BINDING_LEAVING)
		binding->state = like->state;
	if (!is_weak(like) && old.origin != BINDING_STATIC)
		binding->origin = like->origin;
	if (like->vsi.format)
		binding->vsi = like->vsi;
	if (like->server.family)
		binding->server = like->server;
	if (like->origin == BINDING_STATIC) {
		set_lease_end(table, binding, like->lease_end);
	} else if (!is_weak(like) || like->origin == old.origin) {
		set_lease_end(table, binding, like->lease_end);
		renew_elsewhere(table, binding);
	}
	if (binding->state != old.state || binding->origin != old.origin ||
	    !vsi_id_equal(&binding->vsi, &old.vsi))
		tell_changed(table, binding, old.state);
}

/* Other anchors of the same key: where the VM is, is expected, or was a moment ago.
 * A dormant one is where nobody has seen it for long: it ends with its lease. */
static void renew_elsewhere(struct binding_table *table, const struct binding *binding)
{
	for (struct binding *b = binding_first(table, &binding->host); b; b = b->next)
		if (b != binding && addr_equal(&b->ip, &binding->ip) &&
		    b->state != BINDING_DORMANT)
			set_lease_end(table, b, binding->lease_end);
}

static void set_lease_end(struct binding_table *table, struct binding *binding,
			  ms_t lease_end)
{
	ms_t old = binding->lease_end;

	if (binding->origin == BINDING_STATIC)
		lease_end = MS_NEVER;
	if (lease_end == old)
		return;
	if (lease_end != MS_NEVER && old != MS_NEVER && lease_end - old < RENEW_MS &&
	    old - lease_end < RENEW_MS)
		return;
	binding->lease_end = lease_end;
	heap_update(table, slot_of(binding));
	table->ops->renew(table->arg, binding);
}

/* What it says is only what another binding, or the kernel, has said before. */
static bool is_weak(const struct binding *like)
{
	return like->origin == BINDING_MOVED || like->origin == BINDING_KERNEL;
}

static void tell_changed(struct binding_table *table, const struct binding *binding,
			 uint8_t old_state)
{
	if (table->ops->changed)
		table->ops->changed(table->arg, binding, old_state);
}

static struct slot *slot_of(const struct binding *binding)
{
	return (struct slot *)(uintptr_t)binding;
}

static struct host *host_get(struct binding_table *table, const struct binding_host *key)
{
	struct host *host;

	HASH_FIND(hh, table->hosts, key, sizeof(*key), host);
	if (host)
		return host;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	host->key = *key;
	HASH_ADD(hh, table->hosts, key, sizeof(host->key), host);
	if (!host->hh.tbl) {
		free(host);
		return NULL;
	}
	return host;
}

/* Out of every list; the slot itself is the caller's then. */
static struct slot *unlink_slot(struct binding_table *table, struct binding *binding)
{
	struct slot *slot = slot_of(binding);
	struct binding **at = &slot->host->first;

	while (*at != binding)
		at = &(*at)->next;
	*at = binding->next;
	binding->next = NULL;
	if (!slot->host->first) {
		HASH_DEL(table->hosts, slot->host);
		free(slot->host);
	}
	slot->host = NULL;

	if (slot->prev)
		slot->prev->next = slot->next;
	else
		table->all = slot->next;
	if (slot->next)
		slot->next->prev = slot->prev;
	table->n--;
	heap_remove(table, slot);
	return slot;
}

/* Room in the heap for all that the table will hold with one more: later changes of
 * a lease end cannot fail then. */
static bool heap_reserve(struct binding_table *table)
{
	size_t size = table->heap_size ? table->heap_size * 2 : 64;
	struct slot **heap;

	if (table->n < table->heap_size)
		return true;
	heap = calloc(size, sizeof(struct slot *));
	if (!heap)
		return false;
	if (table->heap_n)
		memcpy(heap, table->heap, table->heap_n * sizeof(struct slot *));
	free(table->heap);
	table->heap = heap;
	table->heap_size = size;
	return true;
}

static void heap_set(struct binding_table *table, size_t at, struct slot *slot)
{
	table->heap[at] = slot;
	slot->heap_at = at;
}

static bool sooner(const struct slot *a, const struct slot *b)
{
	return a->binding.lease_end < b->binding.lease_end;
}

/* Let a slot rise or sink from `at` to its place. */
static void heap_settle(struct binding_table *table, size_t at, struct slot *slot)
{
	while (at && sooner(slot, table->heap[(at - 1) / 2])) {
		heap_set(table, at, table->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (size_t child; (child = 2 * at + 1) < table->heap_n; at = child) {
		if (child + 1 < table->heap_n &&
		    sooner(table->heap[child + 1], table->heap[child]))
			child++;
		if (!sooner(table->heap[child], slot))
			break;
		heap_set(table, at, table->heap[child]);
	}
	heap_set(table, at, slot);
}

static void heap_update(struct binding_table *table, struct slot *slot)
{
	if (slot->binding.lease_end == MS_NEVER) {
		heap_remove(table, slot);
		return;
	}
	if (slot->heap_at == NOT_IN_HEAP)
		heap_settle(table, table->heap_n++, slot);
	else
		heap_settle(table, slot->heap_at, slot);
}

static void heap_remove(struct binding_table *table, struct slot *slot)
{
	size_t at = slot->heap_at;
	struct slot *last;

	if (at == NOT_IN_HEAP)
		return;
	slot->heap_at = NOT_IN_HEAP;
	last = table->heap[--table->heap_n];
	if (last != slot)
		heap_settle(table, at, last);
}
