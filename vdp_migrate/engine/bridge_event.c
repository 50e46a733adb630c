/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch's story told to those who watch: what changes of VSIs, of their
 * bindings and groups, of help requests, of the guard and of the DHCP servers. Decides
 * nothing. What is taken back after a start is no event.
 */
#include "bridge_groups.h"

static void tell(struct bridge *b, const struct bridge_event *event);

void bridge_tell_vsi(struct bridge *b, const struct vsi *vsi, enum migration_state old,
		     enum migration_event why)
{
	const struct vsi_entry *first = vsi->n_leases ? &vsi->leases[0].entry : NULL;
	const struct bridge_event event = {
		.what = "vsi",
		.vlan = first ? first->vlan : 0,
		.mac = first ? &first->mac : NULL,
		.port = bridge_port_name(b, vsi->port),
		.vsi = &vsi->id,
		.from = migration_state_text(old),
		.to = migration_state_text(vsi->state),
		.why = migration_event_text(why),
	};

	tell(b, &event);
}

void bridge_tell_binding(struct bridge *b, const struct binding *binding, const char *from,
			 const char *to, const char *why)
{
	const struct bridge_event event = {
		.what = "binding",
		.port = binding->port ? bridge_port_name(b, binding->port) : NULL,
		.vsi = &binding->vsi,
		.vlan = binding->host.vlan,
		.mac = &binding->host.mac,
		.ip = &binding->ip,
		.from = from,
		.to = to,
		.why = why,
	};

	tell(b, &event);
}

void bridge_tell_help(struct bridge *b, const struct vsi *vsi, const struct vsi_lease *lease,
		      const struct addr *ip, const char *from, const char *why)
{
	const struct bridge_event event = {
		.what = "help",
		.port = bridge_port_name(b, vsi->port),
		.vsi = &vsi->id,
		.vlan = lease->entry.vlan,
		.mac = &lease->entry.mac,
		.ip = ip,
		.from = from,
		.to = lease->help ? vsi_help_text((enum vsi_help)lease->help) : "ended",
		.why = why,
	};

	tell(b, &event);
}

void bridge_tell_server(struct bridge *b, const struct addr *server, bool silent)
{
	const struct bridge_event event = {
		.what = "server",
		.ip = server,
		.from = silent ? "answers" : "silent",
		.to = silent ? "silent" : "answers",
	};

	tell(b, &event);
}

void bridge_tell_guard(struct bridge *b, const char *port, enum link_guard old,
		       enum link_guard mode)
{
	static const char *const modes[] = { "off", "monitor", "enforce" };
	const struct bridge_event event = {
		.what = "guard", .port = port, .from = modes[old], .to = modes[mode],
	};

	tell(b, &event);
}

void bridge_groups_tell(struct bridge *b, const struct groups_member *member,
			const char *from, const char *to, const char *why)
{
	const struct bridge_event event = {
		.what = "group",
		.port = bridge_port_name(b, member->place.port),
		.vlan = member->place.host.vlan,
		.mac = &member->place.host.mac,
		.ip = &member->group,
		.from = from,
		.to = to,
		.why = why,
	};

	tell(b, &event);
}

void bridge_groups_tell_guest(struct bridge *b, const struct guest *guest, const char *what,
			      const char *to, const char *why)
{
	const struct bridge_event event = {
		.what = what,
		.port = bridge_port_name(b, guest->key.port),
		.vsi = &guest->vsi,
		.vlan = guest->key.vlan,
		.mac = &guest->key.mac,
		.to = to,
		.why = why,
	};

	tell(b, &event);
}

bool bridge_may_warn(struct bridge *b, struct port *port)
{
	if (b->now - port->warned_since >= 60000) {
		port->warned_since = b->now;
		port->warned = 0;
	}
	if (++port->warned == WARNINGS_MOST)
		b->io->log(b->arg, LOG_WARNING, port->name, NULL,
			   "more warnings of its VSIs: not logged for a minute; see "
			   "vdp-migrate show vsis");
	return port->warned < WARNINGS_MOST;
}

static void tell(struct bridge *b, const struct bridge_event *event)
{
	if (b->io->event && !b->restoring)
		b->io->event(b->arg, event);
}
