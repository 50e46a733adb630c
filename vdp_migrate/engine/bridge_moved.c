/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A port's place in the kernel has changed: it has come to another bridge (or to the same
 * one, made again), the bridge has begun or ceased to filter VLANs, or its PVID is
 * another one.
 *
 * Bindings go with their port into its bridge, and what was untagged is in the PVID once
 * VLANs are filtered. A binding does not go from one VLAN to another: where the PVID
 * changes, the VSI's next request names other entries than before (core/vsi). What has
 * another form on the wire now is told to the guard anew.
 */
#include <stdlib.h>

#include "bridge_private.h"

struct moving {
	struct bridge *b;
	struct port *port;
	struct move {
		struct binding binding;
		bool rekeyed;
		struct client_id client_id;
	} *list;
	unsigned n, size;
};

static void collect(void *arg, struct binding *binding);
static bool leave(struct bridge *b, struct move *move, const struct port *from,
		  const struct port *to);
static void arrive(struct bridge *b, const struct move *move);
static void move_vsis(struct bridge *b, const struct port *from, const struct port *to);
static uint16_t follow(const struct port *from, const struct port *to, uint16_t vlan);

void bridge_moved(struct bridge *b, struct port *port, const struct bridge_place *place)
{
	struct moving m = { .b = b, .port = port };
	struct port to = *port;
	const char *why = b->why;
	unsigned n = 0;

	to.bridge = place->bridge;
	to.vlans = place->vlans;
	to.pvid = place->vlans ? place->pvid : 0;
	to.pvid_tagged = place->vlans && place->pvid_tagged;
	if (port->bridge == to.bridge && port->vlans == to.vlans && port->pvid == to.pvid &&
	    port->pvid_tagged == to.pvid_tagged)
		return;
	if (!port->number) {	/* new: nothing is bound there */
		*port = to;
		return;
	}
	b->why = "another place in the kernel";
	binding_each(b->bindings, collect, &m);
	for (unsigned i = 0; i < m.n; i++)
		if (leave(b, &m.list[i], port, &to))
			m.list[n++] = m.list[i];
	move_vsis(b, port, &to);
	*port = to;
	for (unsigned i = 0; i < n; i++)
		arrive(b, &m.list[i]);
	bridge_groups_moved(b, port);
	b->why = why;
	free(m.list);
}

/* Statics. */

static void collect(void *arg, struct binding *binding)
{
	struct moving *m = arg;

	if (binding->port != m->port->number)
		return;
	if (m->n == m->size) {
		unsigned size = m->size * 2 + 16;
		struct move *grown = realloc(m->list, size * sizeof(*grown));

		if (!grown) {
			m->b->io->log(m->b->arg, LOG_ERR, m->port->name, NULL,
				      "a binding has not followed its port: no memory");
			return;
		}
		m->list = grown;
		m->size = size;
	}
	m->list[m->n++] = (struct move){ .binding = *binding };
}

/* What has to be told anew is taken away where it was. False: it stays as it is. */
static bool leave(struct bridge *b, struct move *move, const struct port *from,
		  const struct port *to)
{
	struct binding *binding = &move->binding, *there;
	const struct binding_host was = binding->host;

	binding->host.bridge = to->bridge;
	binding->host.vlan = follow(from, to, was.vlan);
	move->rekeyed = was.bridge != binding->host.bridge ||
			was.vlan != binding->host.vlan;
	if (!move->rekeyed) {
		if (ports_vlan_out(from, was.vlan) == ports_vlan_out(to, was.vlan))
			return false;
		bridge_guard_drop(b, binding);
		return true;
	}
	there = binding_find(b->bindings, &was, &binding->ip, binding->port);
	(void)binding_client_id(b->bindings, &was, &move->client_id);
	if (there)
		binding_remove(b->bindings, there);
	return there;
}

static void arrive(struct bridge *b, const struct move *move)
{
	const struct binding *binding = &move->binding;

	if (!move->rekeyed) {
		bridge_guard_put(b, binding);
		return;
	}
	if (!binding_put(b->bindings, binding))
		b->io->log(b->arg, LOG_ERR, bridge_port_name(b, binding->port), NULL,
			   "a binding has not followed its port: no memory");
	else if (move->client_id.len)
		binding_set_client_id(b->bindings, &binding->host, &move->client_id);
}

/* So that the next request finds them as it says them itself. */
static void move_vsis(struct bridge *b, const struct port *from, const struct port *to)
{
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		if (vsi->port != from->number)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			struct vsi_entry *entry = &vsi->leases[i].entry;
			uint16_t vlan = follow(from, to, entry->vlan);

			if (vlan == entry->vlan)
				continue;
			/* The question is about the entry as it was. */
			asking_forget(b, vsi);
			entry->vlan = vlan;
		}
	}
}

static uint16_t follow(const struct port *from, const struct port *to, uint16_t vlan)
{
	if (to->vlans)
		return ports_vlan_in(to, vlan);
	return from->vlans ? ports_vlan_out(from, vlan) : vlan;
}
