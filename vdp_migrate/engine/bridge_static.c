/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Static bindings: what an operator has bound, without an end. They follow their VSI
 * like any binding; one that no port holds stays in the table without a port (number
 * 0), until a VSI with its VLAN and MAC is accepted somewhere. One that was bound
 * without a port is for any bridge (number 0). What is unbound is bound by its lease
 * again, if DHCP has given it one that goes on.
 */
#include <errno.h>
#include <stdio.h>

#include "bridge_private.h"
#include "wire/text.h"

/* A search for all bindings of one address of one MAC, on any bridge and port. */
struct of_key {
	struct bridge *b;
	const struct link_bind *bind;
	uint16_t port; /* 0 = any */
	unsigned n_static, n_dynamic, n_leased;
	const struct binding *dynamic;
};

static int check(const struct link_bind *bind, char *ret_text, size_t size);
/* A bond stands for its slaves; a port that has left its bridge may come back. */
static struct port *port_named(struct bridge *b, const char *name);
static void bind_at(struct bridge *b, const struct link_bind *bind, struct port *port);
static bool bind_at_vsis(struct bridge *b, const struct link_bind *bind);
static void bind_nowhere(struct bridge *b, const struct link_bind *bind);
static void make_static(void *arg, struct binding *binding);
static void remove_static(void *arg, struct binding *binding);
static void take_up(struct bridge *b, const struct vsi *vsi,
		    const struct binding_host *from, const struct binding_host *host,
		    enum binding_state state);
static bool is_of(const struct of_key *key, const struct binding *binding);
static bool same_vlan(const struct bridge *b, const struct binding *binding,
		      uint16_t vlan);
static struct vsi *vsi_with(struct bridge *b, const struct link_bind *bind,
			    const struct port *port, struct vsi *after);
static void put(struct bridge *b, const struct binding *binding);

int bridge_bind_static(struct bridge *b, ms_t now, const struct link_bind *bind,
		       char *ret_text, size_t size)
{
	struct of_key found = { .b = b, .bind = bind };
	struct port *port = NULL;
	int err = check(bind, ret_text, size);

	b->now = now;
	if (!err && *bind->port && !(port = port_named(b, bind->port))) {
		snprintf(ret_text, size, "no port %s of a bridge here", bind->port);
		err = ENOENT;
	}
	if (err)
		return err;
	b->why = "bind";
	binding_each(b->bindings, make_static, &found);
	if (port)
		bind_at(b, bind, port);
	else if (!bind_at_vsis(b, bind) && !found.n_static)
		bind_nowhere(b, bind);
	b->why = NULL;
	snprintf(ret_text, size, "%s",
		 found.n_dynamic  ? "was bound by DHCP; is static now"
		 : found.n_static ? "is static already"
				  : "");
	return 0;
}

int bridge_unbind_static(struct bridge *b, ms_t now, const struct link_bind *bind,
			 char *ret_text, size_t size)
{
	struct of_key found = { .b = b, .bind = bind };
	const struct port *port = *bind->port ? port_named(b, bind->port) : NULL;
	int err = check(bind, ret_text, size);

	b->now = now;
	if (err)
		return err;
	if (*bind->port && !port) {
		snprintf(ret_text, size, "no port %s of a bridge here", bind->port);
		return ENOENT;
	}
	found.port = port ? port->number : 0;
	b->why = "unbind";
	binding_each(b->bindings, remove_static, &found);
	b->why = NULL;
	snprintf(ret_text, size, "%s",
		 found.n_leased ? "is bound by its lease again" : "");
	if (found.n_static)
		return 0;
	if (!found.dynamic) {
		snprintf(ret_text, size, "is not bound%s%s", port ? " on " : "",
			 port ? port->name : "");
		return ENOENT;
	}
	snprintf(ret_text, size, "is no static binding: %s on %s; it ends with its lease",
		 binding_origin_text(found.dynamic->origin),
		 bridge_port_name(b, found.dynamic->port));
	return EINVAL;
}

void bridge_static_take_up(struct bridge *b, const struct vsi *vsi,
			   const struct binding_host *host, enum binding_state state)
{
	const struct port *port = ports_number(b, vsi->port);
	struct binding_host anywhere = { 0, host->vlan, host->mac };

	take_up(b, vsi, host, host, state);
	take_up(b, vsi, &anywhere, host, state);
	/* It was bound as untagged. */
	anywhere.vlan = ports_vlan_out(port, host->vlan);
	if (anywhere.vlan != host->vlan)
		take_up(b, vsi, &anywhere, host, state);
}

void bridge_static_leave(struct bridge *b, const struct binding *binding)
{
	struct binding nowhere = *binding;

	if (binding->origin != BINDING_STATIC)
		return;
	for (const struct binding *i = binding_first(b->bindings, &binding->host); i;
	     i = i->next)
		if (i != binding && i->origin == BINDING_STATIC &&
		    addr_equal(&i->ip, &binding->ip))
			return;
	nowhere.host.bridge = 0;
	nowhere.port = 0;
	nowhere.state = BINDING_DORMANT;
	nowhere.vsi = (struct vsi_id){ 0 };
	put(b, &nowhere);
}

/* Statics. */

static int check(const struct link_bind *bind, char *ret_text, size_t size)
{
	const char *wrong = NULL;

	if (bind->vlan > 4094)
		wrong = "no VLAN ID: 0 (untagged) to 4094";
	else if (mac_is_zero(&bind->mac) || bind->mac.b[0] & 1)
		wrong = "no host has this MAC address";
	else if (bind->ip.family != ADDR_IPV4)
		wrong = "only IPv4 addresses are bound";
	else if (addr_is_any(&bind->ip) || bind->ip.b[0] >= 224)
		wrong = "no host has this IP address";
	if (wrong)
		snprintf(ret_text, size, "%s", wrong);
	return wrong ? EINVAL : 0;
}

static struct port *port_named(struct bridge *b, const char *name)
{
	struct bridge_place place;

	if (b->io->place(b->arg, name, &place))
		return ports_get(b, place.anchor);
	return ports_find(b, name);
}

static void bind_at(struct bridge *b, const struct link_bind *bind, struct port *port)
{
	const struct vsi *vsi = vsi_with(b, bind, port, NULL);
	struct binding binding = {
		.host = { port->bridge, ports_vlan_in(port, bind->vlan), bind->mac },
		.ip = bind->ip,
		.port = port->number,
		.state = BINDING_ACTIVE,
		.origin = BINDING_STATIC,
		.lease_end = MS_NEVER,
	};
	const uint16_t vlans[] = { bind->vlan, binding.host.vlan };

	if (vsi)
		binding.vsi = vsi->id;
	put(b, &binding);
	for (unsigned i = 0; i < 2; i++) {
		const struct binding_host nowhere = { 0, vlans[i], bind->mac };
		struct binding *waits = binding_find(b->bindings, &nowhere, &bind->ip, 0);

		if (waits)
			binding_remove(b->bindings, waits);
	}
}

/* Wherever its VSI is. True: some port holds it, and not only until it has come. */
static bool bind_at_vsis(struct bridge *b, const struct link_bind *bind)
{
	static const enum binding_state states[MIGRATION_N_STATES] = {
		[MIGRATION_EXPECTED] = BINDING_STAGED,
		[MIGRATION_ARRIVED] = BINDING_ACTIVE,
		[MIGRATION_SETTLED] = BINDING_ACTIVE,
		[MIGRATION_DORMANT] = BINDING_DORMANT,
		[MIGRATION_GONE] = BINDING_LEAVING,
	};
	bool held = false;

	for (struct vsi *vsi = NULL; (vsi = vsi_with(b, bind, NULL, vsi));) {
		const struct port *port = ports_number(b, vsi->port);
		const struct binding binding = {
			.host = { port->bridge, ports_vlan_in(port, bind->vlan),
				  bind->mac },
			.ip = bind->ip,
			.port = vsi->port,
			.state = (uint8_t)states[vsi->state],
			.origin = BINDING_STATIC,
			.vsi = vsi->id,
			.lease_end = MS_NEVER,
		};

		if (vsi->state == MIGRATION_ABSENT)
			continue;
		put(b, &binding);
		held |= binding.state == BINDING_ACTIVE ||
			binding.state == BINDING_DORMANT;
	}
	return held;
}

static void bind_nowhere(struct bridge *b, const struct link_bind *bind)
{
	const struct binding binding = {
		.host = { 0, bind->vlan, bind->mac },
		.ip = bind->ip,
		.state = BINDING_DORMANT,
		.origin = BINDING_STATIC,
		.lease_end = MS_NEVER,
	};

	put(b, &binding);
}

static void make_static(void *arg, struct binding *binding)
{
	struct of_key *found = arg;
	struct binding like = *binding;

	if (!is_of(found, binding))
		return;
	if (binding->origin == BINDING_STATIC) {
		found->n_static++;
		return;
	}
	found->n_dynamic++;
	found->n_static += binding->state != BINDING_STAGED;
	like.origin = BINDING_STATIC;
	like.lease_end = MS_NEVER;
	like.lease_s = 0;
	put(found->b, &like);
}

static void remove_static(void *arg, struct binding *binding)
{
	struct of_key *found = arg;

	if (!is_of(found, binding) || (found->port && binding->port != found->port))
		return;
	if (binding->origin == BINDING_STATIC) {
		found->n_static++;
		found->n_leased += binding_unbind(found->b->bindings, binding,
						  found->b->now);
	} else {
		found->dynamic = binding;
	}
}

/* What is bound to this host elsewhere is bound here too; once it is active here, that
 * stays elsewhere for which a VSI stands. */
static void take_up(struct bridge *b, const struct vsi *vsi,
		    const struct binding_host *from, const struct binding_host *host,
		    enum binding_state state)
{
	struct binding *next;

	for (struct binding *i = binding_first(b->bindings, from); i; i = next) {
		struct binding here = *i;

		next = i->next;
		if (i->port == vsi->port || i->origin != BINDING_STATIC ||
		    i->state == BINDING_STAGED)
			continue;
		here.host = *host;
		here.port = vsi->port;
		here.vsi = vsi->id;
		here.state = (uint8_t)state;
		put(b, &here);
		next = i->next; /* it may be there, at the end */
		if (state == BINDING_ACTIVE &&
		    (!i->port || !vsi_find(b->vsis, i->port, &i->vsi)))
			binding_remove(b->bindings, i);
	}
}

static bool is_of(const struct of_key *key, const struct binding *binding)
{
	return mac_equal(&binding->host.mac, &key->bind->mac) &&
	       addr_equal(&binding->ip, &key->bind->ip) &&
	       same_vlan(key->b, binding, key->bind->vlan);
}

/* Untagged is a port's PVID where its bridge filters VLANs; of a binding without a port
 * any port's. */
static bool same_vlan(const struct bridge *b, const struct binding *binding,
		      uint16_t vlan)
{
	if (binding->host.vlan == vlan)
		return true;
	for (unsigned i = 0; i < b->n_ports; i++)
		if ((!binding->port || binding->port == b->ports[i]->number) &&
		    binding->host.vlan == ports_vlan_in(b->ports[i], vlan))
			return true;
	return false;
}

/* The next VSI of this host, on this port or (NULL) any. */
static struct vsi *vsi_with(struct bridge *b, const struct link_bind *bind,
			    const struct port *port, struct vsi *after)
{
	for (struct vsi *vsi = after ? after->next : vsi_first(b->vsis); vsi;
	     vsi = vsi->next) {
		uint16_t vlan = ports_vlan_in(ports_number(b, vsi->port), bind->vlan);

		if ((!port || vsi->port == port->number) &&
		    vsi_lease_of(vsi, vlan, &bind->mac))
			return vsi;
	}
	return NULL;
}

static void put(struct bridge *b, const struct binding *binding)
{
	if (!binding_put(b->bindings, binding))
		b->io->log(b->arg, LOG_ERR, bridge_port_name(b, binding->port), NULL,
			   "static binding not kept: no memory");
}
