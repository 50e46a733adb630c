/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The binding table's mirror in the kernel: each change of the table becomes a
 * call to the guard, and what the guard still holds at a start becomes bindings
 * again. It knows nothing of nftables.
 */
#include <string.h>

#include "bridge_private.h"

static struct guard_element element_of(struct bridge *b, const struct binding *binding);
static void say(struct bridge *b, const struct binding *binding,
		int (*how)(void *arg, const struct guard_element *element));
static void say_again(void *arg, struct binding *binding);

void bridge_restore(struct bridge *b, ms_t now, const struct guard_element *element)
{
	struct port *port = ports_get(b, element->port);
	struct binding binding = {
		.ip = element->ip, .state = BINDING_DORMANT, .origin = BINDING_KERNEL,
		.lease_end = MS_NEVER,
	};

	b->now = now;
	if (!port)
		return;
	if (element->timeout_ms != MS_NEVER)
		binding.lease_end = now + element->timeout_ms - BRIDGE_GRACE_MS;
	binding.port = port->number;
	binding.host = (struct binding_host){
		port->bridge, ports_vlan_in(port, element->vlan), element->mac,
	};
	b->restoring = true;
	binding_put(b->bindings, &binding);
	b->restoring = false;
}

void bridge_restore_mode(struct bridge *b, const char *name, enum link_guard mode)
{
	struct port *port = ports_get(b, name);

	if (port)
		port->mode = mode;
}

bool bridge_wants(struct bridge *b, const struct guard_element *element)
{
	const struct port *port = ports_find(b, element->port);
	struct binding_host host = { .mac = element->mac };

	if (!port)
		return false;
	host.bridge = port->bridge;
	host.vlan = ports_vlan_in(port, element->vlan);
	return binding_find(b->bindings, &host, &element->ip, port->number);
}

void bridge_say_all(struct bridge *b, ms_t now)
{
	b->now = now;
	for (unsigned i = 0; i < b->n_ports; i++)
		if (b->ports[i]->mode != LINK_GUARD_OFF)
			b->io->mode(b->arg, b->ports[i]->name, b->ports[i]->mode);
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next)
		if (!vsi->refused_by)
			bridge_announce(b, vsi);
	binding_each(b->bindings, say_again, b);
}

void bridge_open(struct bridge *b, ms_t now, bool open)
{
	b->now = now;
	if (b->open == open)
		return;
	b->open = open;
	for (unsigned i = 0; i < b->n_ports; i++)
		ports_apply(b, b->ports[i]);
}

void bridge_loading(struct bridge *b, ms_t now, bool begin)
{
	b->now = now;
	b->loading = begin;
	if (!begin && b->unsaid)
		binding_each(b->bindings, say_again, b);
	b->unsaid = false;
}

void bridge_guard_put(struct bridge *b, const struct binding *binding)
{
	b->unsaid |= b->loading;
	if (!b->loading)
		say(b, binding, b->io->put);
}

void bridge_guard_renew(struct bridge *b, const struct binding *binding)
{
	say(b, binding, b->io->renew);
}

void bridge_guard_drop(struct bridge *b, const struct binding *binding)
{
	say(b, binding, b->io->drop);
}

/* The one place where a VLAN becomes again what it is on the wire: the guard sees
 * frames before the bridge has put the untagged ones into their PVID. */
static struct guard_element element_of(struct bridge *b, const struct binding *binding)
{
	const struct port *port = ports_number(b, binding->port);
	struct guard_element element = {
		.vlan = ports_vlan_out(port, binding->host.vlan), .mac = binding->host.mac,
		.ip = binding->ip, .timeout_ms = MS_NEVER,
	};

	memcpy(element.port, port->name, sizeof(element.port));
	if (binding->lease_end != MS_NEVER)
		element.timeout_ms = binding->lease_end - b->now + BRIDGE_GRACE_MS;
	return element;
}

static void say(struct bridge *b, const struct binding *binding,
		int (*how)(void *arg, const struct guard_element *element))
{
	struct guard_element element;

	if (b->restoring || !binding->port)
		return;
	element = element_of(b, binding);
	if (how(b->arg, &element))
		b->io->log(b->arg, LOG_ERR, element.port, &binding->vsi, "guard: no memory");
}

static void say_put(void *arg, const struct binding *binding)
{
	struct bridge *b = arg;

	bridge_cases_bound(b, binding->host.vlan);
	say(b, binding, b->io->put);
	bridge_keep(b, binding);
	bridge_tell_binding(b, binding, NULL, binding_state_text(binding->state),
			    binding_origin_text(binding->origin));
}

static void say_renew(void *arg, const struct binding *binding)
{
	struct bridge *b = arg;

	say(b, binding, b->io->renew);
	bridge_keep(b, binding);
	bridge_tell_binding(b, binding, NULL, "renewed", binding_origin_text(binding->origin));
}

static void say_drop(void *arg, const struct binding *binding)
{
	struct bridge *b = arg;

	bridge_cases_touch(b);
	bridge_conflict_let_go(b, &binding->host);
	say(b, binding, b->io->drop);
	bridge_forget(b, binding);
	bridge_tell_binding(b, binding, binding_state_text(binding->state), "dropped", b->why);
}

static void say_changed(void *arg, const struct binding *binding, uint8_t old_state,
			uint8_t old_origin)
{
	struct bridge *b = arg;

	bridge_keep(b, binding);
	if (binding->state == BINDING_DORMANT || binding->state == BINDING_LEAVING)
		bridge_conflict_let_go(b, &binding->host);
	if (binding->state != old_state)
		bridge_tell_binding(b, binding, binding_state_text(old_state),
				    binding_state_text(binding->state),
				    b->why ? b->why : binding_origin_text(binding->origin));
	if (binding->origin != old_origin)
		bridge_tell_binding(b, binding, binding_origin_text(old_origin),
				    binding_origin_text(binding->origin),
				    b->why ? b->why : "origin");
}

static void say_refresh(void *arg, struct binding *binding)
{
	refresh_due(arg, binding);
}

const struct binding_ops bridge_guard_ops = {
	.put = say_put, .renew = say_renew, .drop = say_drop,
	.changed = say_changed, .refresh = say_refresh,
};

static void say_again(void *arg, struct binding *binding)
{
	struct bridge *b = arg;

	say(b, binding, b->io->put);
}
