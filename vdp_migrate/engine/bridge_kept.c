/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The binding table and the store: what was kept comes back at a start, where it is
 * held against what the guard in the kernel still has; and what changes is kept.
 *
 * What both have is one binding: the lease end is the kernel's (it is written first,
 * and no clock that was set moves it), all the rest the store's. What only the store
 * has, and has not ended, goes into the kernel.
 */
#include "bridge_private.h"
#include "wire/text.h"

/* Each rounds, and the kernel's time runs in ticks. */
#define SAME_MS 2000

static bool each_elsewhere(struct bridge *b, const struct vsi *vsi,
			   void (*cb)(struct bridge *b, struct binding *binding));
static bool each_of_host(struct bridge *b, const struct vsi *vsi,
			 const struct binding_host *host,
			 void (*cb)(struct bridge *b, struct binding *binding));
static void end_there(struct bridge *b, struct binding *binding);
static bool differ(const struct binding *a, const struct binding *b);

void bridge_restore_kept(struct bridge *b, ms_t now, const char *name,
			 const struct binding *kept, const struct client_id *id)
{
	struct port *port = *name ? ports_get(b, name) : NULL;
	struct binding binding = *kept, was = *kept, *there;
	bool in_kernel, ends_there;

	b->now = now;
	if (*name && !port)
		return;
	binding.next = NULL;
	binding.state = BINDING_DORMANT;
	binding.host.bridge = 0;
	if (port) {
		was.port = binding.port = port->number;
		binding.host.bridge = port->bridge;
		binding.host.vlan = ports_vlan_in(port, kept->host.vlan);
		if (kept->origin == BINDING_STATIC)
			binding.state = BINDING_ACTIVE;
	}
	there = binding_find(b->bindings, &binding.host, &binding.ip, binding.port);
	in_kernel = there && there->origin == BINDING_KERNEL;
	ends_there = there && there->lease_end != MS_NEVER;
	if (!there && binding.lease_end <= now) {
		bridge_forget(b, &was);
		return;
	}
	if (there && binding.origin != BINDING_STATIC)
		binding.lease_end = there->lease_end;
	/* Anew: of what the kernel cannot know nothing is to stay. */
	b->restoring = true;
	if (in_kernel)
		binding_remove(b->bindings, there);
	there = binding_put(b->bindings, &binding);
	b->restoring = false;
	if (!there)
		return;
	if (id)
		binding_set_client_id(b->bindings, &binding.host, id);
	if (!in_kernel)
		bridge_guard_put(b, there);
	else if (ends_there && there->lease_end == MS_NEVER)
		bridge_guard_renew(b, there);
	if (was.host.vlan != there->host.vlan)
		bridge_forget(b, &was);
	if (differ(&was, there))
		bridge_keep(b, there);
}

void bridge_keep(struct bridge *b, const struct binding *binding)
{
	if (b->io->keep && !b->restoring)
		b->io->keep(b->arg, binding);
}

void bridge_forget(struct bridge *b, const struct binding *binding)
{
	if (b->io->forget && !b->restoring)
		b->io->forget(b->arg, binding);
}

void bridge_keep_host(struct bridge *b, const struct binding_host *host)
{
	for (struct binding *i = binding_first(b->bindings, host); i; i = i->next)
		bridge_keep(b, i);
}

bool bridge_kept_elsewhere(struct bridge *b, const struct vsi *vsi)
{
	return each_elsewhere(b, vsi, NULL);
}

void bridge_kept_settle(struct bridge *b)
{
	b->why = "associated elsewhere";
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next)
		if (vsi->state == MIGRATION_ARRIVED || vsi->state == MIGRATION_SETTLED)
			each_elsewhere(b, vsi, end_there);
	b->why = NULL;
}

/* Statics. */

static bool each_elsewhere(struct bridge *b, const struct vsi *vsi,
			   void (*cb)(struct bridge *b, struct binding *binding))
{
	struct bridge_hosts at = { 0 };
	bool found = false;

	while (bridge_next_host(b, vsi, &at))
		found |= each_of_host(b, vsi, &at.host, cb);
	return found;
}

static bool each_of_host(struct bridge *b, const struct vsi *vsi,
			 const struct binding_host *host,
			 void (*cb)(struct bridge *b, struct binding *binding))
{
	struct binding *next;
	bool found = false;

	for (struct binding *j = binding_first(b->bindings, host); j; j = next) {
		next = j->next;
		if (!j->port || j->port == vsi->port ||
		    !vsi_id_equal(&j->vsi, &vsi->id) ||
		    vsi_find(b->vsis, j->port, &j->vsi))
			continue;
		found = true;
		if (cb)
			cb(b, j);
	}
	return found;
}

static void end_there(struct bridge *b, struct binding *binding)
{
	bridge_static_leave(b, binding);
	binding_remove(b->bindings, binding);
}

static bool differ(const struct binding *a, const struct binding *b)
{
	ms_t later = b->lease_end - a->lease_end;

	return a->host.vlan != b->host.vlan || later > SAME_MS || later < -SAME_MS;
}
