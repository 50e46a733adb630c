/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The binding table (RFC 7513 section 3): hosts in a hash, each with its bindings in a
 * chain; what is due and when stands in core/binding_heap. Every change is told, once.
 */
#include "binding.h"

#include <stdlib.h>
#include <string.h>

#include "binding_heap.h"
#include "hash.h"
#include "wire/text.h"

/* A lease end that moves by less is none worth telling: leases are whole seconds. */
#define RENEW_MS 1000

struct id { /* a client-id as long as it is */
	uint8_t len;
	uint8_t b[];
};

struct host {
	struct binding_host key;
	struct binding *first;
	struct id *id; /* NULL: none known; &usual: hardware type 1 and the MAC */
	UT_hash_handle hh;
};

struct binding_table {
	const struct binding_ops *ops;
	void *arg;
	struct host *hosts;
	unsigned n;
	struct binding_heap heap; /* those with a lease end */
};

/* What most clients send: it needs no room. */
static struct id usual;
#define USUAL_LEN 7

_Static_assert(sizeof(struct binding_host) == 12, "a hash key has no padding");

static struct slot *slot_of(const struct binding *binding);
static struct binding *put_new(struct binding_table *table, const struct binding *like);
static void update(struct binding_table *table, struct binding *binding,
		   const struct binding *like);
static void make_static(struct binding_table *table, struct binding *binding,
			const struct binding *like);
static bool replaces(const struct binding *like, uint8_t old_origin);
static void set_under(struct binding_table *table, struct binding *binding,
		      struct binding_under under);
static void renew_elsewhere(struct binding_table *table, const struct binding *binding,
			    ms_t lease_end, uint32_t lease_s);
static void set_lease(struct binding_table *table, struct binding *binding,
		      ms_t lease_end, uint32_t lease_s);
static void set_end(struct binding_table *table, struct binding *binding,
		    ms_t lease_end, uint32_t lease_s);
static void plan_refresh(struct slot *slot);
static void tell_refresh(struct binding_table *table, struct slot *slot);
static void forget_id(struct host *host);
static void tell_changed(struct binding_table *table, const struct binding *binding,
			 uint8_t old_state, uint8_t old_origin);
static bool is_weak(const struct binding *like);
static struct host *host_get(struct binding_table *table, const struct binding_host *key);
static struct slot *unlink_slot(struct binding_table *table, struct binding *binding);

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
	while (table->hosts)
		free(unlink_slot(table, table->hosts->first));
	free(table->heap.slots);
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
		renew_elsewhere(table, binding, like->lease_end, like->lease_s);
	return binding;
}

unsigned binding_renew(struct binding_table *table, const struct binding_host *host,
		       const struct addr *ip, ms_t lease_end, uint32_t lease_s)
{
	unsigned n = 0;

	for (struct binding *b = binding_first(table, host); b; b = b->next)
		if (addr_equal(&b->ip, ip)) {
			n++;
			set_lease(table, b, lease_end, lease_s);
		}
	return n;
}

void binding_refresh_at(struct binding_table *table, struct binding *binding, ms_t at)
{
	struct slot *slot = slot_of(binding);
	ms_t before = (binding->lease_end - at) / 1000;

	if (binding->lease_end == MS_NEVER || before < 1)
		return;
	slot->refresh_s = before < UINT32_MAX ? (uint32_t)before : UINT32_MAX;
	binding_heap_update(&table->heap, slot);
}

void binding_set_state(struct binding_table *table, struct binding *binding,
		       enum binding_state state)
{
	uint8_t old_state = binding->state;

	if (old_state == state)
		return;
	binding->state = (uint8_t)state;
	tell_changed(table, binding, old_state, binding->origin);
}

void binding_set_vsi(struct binding_table *table, struct binding *binding,
		     const struct vsi_id *vsi)
{
	if (vsi_id_equal(&binding->vsi, vsi))
		return;
	binding->vsi = *vsi;
	tell_changed(table, binding, binding->state, binding->origin);
}

void binding_remove(struct binding_table *table, struct binding *binding)
{
	struct slot *slot = unlink_slot(table, binding);

	table->ops->drop(table->arg, &slot->binding);
	free(slot);
}

bool binding_unbind(struct binding_table *table, struct binding *binding, ms_t now)
{
	const struct binding_under under = binding->under;

	if (!under.known || under.lease_end <= now || !binding->port) {
		binding_remove(table, binding);
		return false;
	}
	binding->under.known = false;
	binding->origin = under.origin;
	set_end(table, binding, under.lease_end, under.lease_s);
	tell_changed(table, binding, binding->state, BINDING_STATIC);
	return true;
}

void binding_forget_under(struct binding_table *table, struct binding *binding)
{
	set_under(table, binding, (struct binding_under){ .known = false });
}

void binding_set_client_id(struct binding_table *table, const struct binding_host *key,
			   const struct client_id *id)
{
	struct host *host;

	HASH_FIND(hh, table->hosts, key, sizeof(*key), host);
	if (!host || !id->len)
		return;
	forget_id(host);
	if (id->len == USUAL_LEN && id->b[0] == 1 &&
	    !memcmp(id->b + 1, key->mac.b, sizeof(key->mac.b))) {
		host->id = &usual;
		return;
	}
	host->id = calloc(1, sizeof(*host->id) + id->len);
	if (!host->id)
		return;
	host->id->len = id->len;
	memcpy(host->id->b, id->b, id->len);
}

bool binding_client_id(struct binding_table *table, const struct binding_host *key,
		       struct client_id *ret_id)
{
	struct host *host;

	HASH_FIND(hh, table->hosts, key, sizeof(*key), host);
	if (!host || !host->id)
		return false;
	memset(ret_id, 0, sizeof(*ret_id));
	if (host->id == &usual) {
		ret_id->len = USUAL_LEN;
		ret_id->b[0] = 1;
		memcpy(ret_id->b + 1, key->mac.b, sizeof(key->mac.b));
	} else {
		ret_id->len = host->id->len;
		memcpy(ret_id->b, host->id->b, host->id->len);
	}
	return true;
}

ms_t binding_deadline(const struct binding_table *table)
{
	return binding_heap_deadline(&table->heap);
}

unsigned binding_expire(struct binding_table *table, ms_t now, unsigned most)
{
	unsigned n = 0;

	for (; n < most && binding_heap_deadline(&table->heap) <= now; n++) {
		struct slot *first = table->heap.slots[0];

		if (first->binding.lease_end <= now)
			binding_remove(table, &first->binding);
		else
			tell_refresh(table, first);
	}
	return n;
}

unsigned binding_count(const struct binding_table *table)
{
	return table->n;
}

void binding_each(struct binding_table *table,
		  void (*cb)(void *arg, struct binding *binding), void *arg)
{
	for (struct host *host = table->hosts, *next_host; host; host = next_host) {
		next_host = host->hh.next;
		for (struct binding *b = host->first, *next; b; b = next) {
			next = b->next;
			cb(arg, b);
		}
	}
}

static struct binding *put_new(struct binding_table *table, const struct binding *like)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	struct binding **at;

	if (!slot || !binding_heap_reserve(&table->heap, table->n + 1)) {
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
	slot->binding.under.known &= like->origin == BINDING_STATIC;
	for (at = &slot->host->first; *at; at = &(*at)->next)
		;
	*at = &slot->binding;

	table->n++;
	slot->heap_at = BINDING_NOT_IN_HEAP;
	plan_refresh(slot);
	binding_heap_update(&table->heap, slot);
	table->ops->put(table->arg, &slot->binding);
	return &slot->binding;
}

static void update(struct binding_table *table, struct binding *binding,
		   const struct binding *like)
{
	struct binding old = *binding;

	if (like->state == BINDING_ACTIVE || like->state == BINDING_LEAVING)
		binding->state = like->state;
	if (replaces(like, old.origin))
		binding->origin = like->origin;
	if (like->vsi.format)
		binding->vsi = like->vsi;
	if (like->server.family)
		binding->server = like->server;
	if (like->origin == BINDING_STATIC) {
		make_static(table, binding, &old);
	} else if (old.origin == BINDING_STATIC && !is_weak(like)) {
		set_under(table, binding,
			  (struct binding_under){ true, like->origin, like->lease_s,
						  like->lease_end });
		renew_elsewhere(table, binding, like->lease_end, like->lease_s);
	} else if (!is_weak(like) || like->origin == old.origin) {
		set_lease(table, binding, like->lease_end, like->lease_s);
		renew_elsewhere(table, binding, like->lease_end, like->lease_s);
	}
	if (binding->state != old.state || binding->origin != old.origin ||
	    !vsi_id_equal(&binding->vsi, &old.vsi))
		tell_changed(table, binding, old.state, old.origin);
}

/* old: as it was. */
static void make_static(struct binding_table *table, struct binding *binding,
			const struct binding *old)
{
	if (old->origin == BINDING_STATIC)
		return;
	binding->under = (struct binding_under){ true, old->origin, old->lease_s,
						 old->lease_end };
	set_end(table, binding, MS_NEVER, 0);
}

static bool replaces(const struct binding *like, uint8_t old_origin)
{
	if (is_weak(like) || old_origin == BINDING_STATIC)
		return false;
	return old_origin != BINDING_SNOOPED || like->origin == BINDING_STATIC;
}

/* Here, too, what was snooped stays snooped. */
static void set_under(struct binding_table *table, struct binding *binding,
		      struct binding_under under)
{
	const struct binding_under *old = &binding->under;

	if (old->known && old->origin == BINDING_SNOOPED)
		under.origin = BINDING_SNOOPED;
	if (old->known == under.known &&
	    (!old->known ||
	     (old->origin == under.origin && old->lease_end == under.lease_end)))
		return;
	binding->under = under;
	tell_changed(table, binding, binding->state, binding->origin);
}

/* Other anchors of the same key: where the VM is, is expected, or was a moment ago.
 * A dormant one is where nobody has seen it for long: it ends with its lease. */
static void renew_elsewhere(struct binding_table *table, const struct binding *binding,
			    ms_t lease_end, uint32_t lease_s)
{
	for (struct binding *b = binding_first(table, &binding->host); b; b = b->next)
		if (b != binding && addr_equal(&b->ip, &binding->ip) &&
		    b->state != BINDING_DORMANT)
			set_lease(table, b, lease_end, lease_s);
}

static void set_lease(struct binding_table *table, struct binding *binding,
		      ms_t lease_end, uint32_t lease_s)
{
	struct binding_under under = binding->under;

	if (binding->origin != BINDING_STATIC) {
		set_end(table, binding, lease_end, lease_s);
	} else if (under.known) {
		under.lease_end = lease_end;
		under.lease_s = lease_s;
		set_under(table, binding, under);
	}
}

static void set_end(struct binding_table *table, struct binding *binding,
		    ms_t lease_end, uint32_t lease_s)
{
	ms_t old = binding->lease_end;

	if (lease_s && !binding->lease_s) {
		binding->lease_s = lease_s;
		slot_of(binding)->refresh_s = lease_s / 8;
		binding_heap_update(&table->heap, slot_of(binding));
	}
	if (lease_end == old)
		return;
	if (lease_end != MS_NEVER && old != MS_NEVER && lease_end - old < RENEW_MS &&
	    old - lease_end < RENEW_MS)
		return;
	binding->lease_end = lease_end;
	binding->lease_s = lease_s;
	slot_of(binding)->refresh_s = lease_s / 8;
	binding_heap_update(&table->heap, slot_of(binding));
	table->ops->renew(table->arg, binding);
}

/* A copy for another port: what has been asked for its key is not asked again. */
static void plan_refresh(struct slot *slot)
{
	const struct binding *binding = &slot->binding;

	slot->refresh_s = binding->lease_s / 8;
	if (!is_weak(binding))
		return;
	for (const struct binding *b = slot->host->first; b; b = b->next)
		if (b != binding && addr_equal(&b->ip, &binding->ip))
			slot->refresh_s = slot_of(b)->refresh_s;
}

static void tell_refresh(struct binding_table *table, struct slot *slot)
{
	for (struct binding *b = slot->host->first; b; b = b->next) {
		struct slot *same = slot_of(b);

		if (!addr_equal(&b->ip, &slot->binding.ip))
			continue;
		same->refresh_s = 0;
		binding_heap_update(&table->heap, same);
	}
	if (table->ops->refresh)
		table->ops->refresh(table->arg, &slot->binding);
}

static void forget_id(struct host *host)
{
	if (host->id != &usual)
		free(host->id);
	host->id = NULL;
}

/* What it says is only what another binding, or the kernel, has said before. */
static bool is_weak(const struct binding *like)
{
	return like->origin == BINDING_MOVED || like->origin == BINDING_KERNEL;
}

static void tell_changed(struct binding_table *table, const struct binding *binding,
			 uint8_t old_state, uint8_t old_origin)
{
	if (table->ops->changed)
		table->ops->changed(table->arg, binding, old_state, old_origin);
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
		forget_id(slot->host);
		free(slot->host);
	}
	slot->host = NULL;
	table->n--;
	binding_heap_remove(&table->heap, slot);
	return slot;
}
