/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the switch's story takes from the frames that the VMs and the DHCP
 * servers send: leases (core/snoop says what a message changes) and a VM's first
 * sign of life. It knows nothing of sockets, nor of which frames are captured.
 *
 * Supported standards: RFC 2131, RFC 7513 (DHCP snooping).
 */
#include "bridge_private.h"
#include "wire/text.h"

static void snooped(struct bridge *b, const struct port *port, const struct inet_frame *frame);
static void apply_change(struct bridge *b, const struct snoop_change *change);
static void first_frame(struct bridge *b, const struct port *port, const struct mac *mac);
static struct vsi *vsi_of_host(struct bridge *b, uint16_t port,
			       const struct binding_host *host, struct vsi_lease **ret_lease);

void bridge_frame(struct bridge *b, ms_t now, const char *name,
		  const struct inet_frame *frame)
{
	const struct port *port = ports_find(b, name);

	b->now = now;
	if (!port || !port->known || port->settings.gone || !port->placed)
		return;
	first_frame(b, port, &frame->src);
	if (frame->udp && (frame->dport == DHCP4_SERVER_PORT ||
			   frame->dport == DHCP4_CLIENT_PORT))
		snooped(b, port, frame);
}

/* Statics. */

static void snooped(struct bridge *b, const struct port *port, const struct inet_frame *frame)
{
	struct dhcp4 message;
	struct snoop_change change;
	const struct snoop_seen seen = {
		.bridge = port->bridge, .vlan = frame->vlan, .port = port->number,
		.trusted = port->settings.trusted, .src = frame->src, .message = &message,
	};

	if (dhcp4_decode(frame->payload, &message, NULL))
		return;
	snoop_see(b->snoop, b->now, &seen, &change);
	apply_change(b, &change);
}

static void apply_change(struct bridge *b, const struct snoop_change *change)
{
	const struct known known = {
		.ip = change->ip, .server = change->server, .lease_s = change->lease_s,
		.origin = BINDING_SNOOPED,
	};
	struct vsi_lease *lease;
	struct binding *binding;
	struct vsi *vsi;

	switch (change->what) {
	case SNOOP_NOTHING:
		return;
	case SNOOP_RENEWED:
		binding_renew(b->bindings, &change->host, &change->ip,
			      bridge_lease_end(b->now, change->lease_s));
		return;
	case SNOOP_ENDED:
		binding = binding_find(b->bindings, &change->host, &change->ip, change->port);
		if (binding && binding->origin != BINDING_STATIC)
			binding_remove(b->bindings, binding);
		return;
	case SNOOP_BOUND:
		break;
	}
	vsi = vsi_of_host(b, change->port, &change->host, &lease);
	binding = binding_find(b->bindings, &change->host, &change->ip, change->port);
	/* A VM that leaves may renew; it goes on leaving. */
	bridge_bind(b, vsi, change->port, &change->host, &known,
		    binding && binding->state == BINDING_LEAVING ? BINDING_LEAVING
								 : BINDING_ACTIVE);
	if (!vsi)
		return;
	bridge_step(b, vsi, MIGRATION_LEASE_KNOWN, lease, &known);
	bridge_check_known(b, vsi);
}

static void first_frame(struct bridge *b, const struct port *port, const struct mac *mac)
{
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		if (vsi->port != port->number || vsi->first_frame)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++)
			if (mac_equal(&vsi->leases[i].entry.mac, mac)) {
				bridge_step(b, vsi, MIGRATION_FIRST_FRAME, NULL, NULL);
				break;
			}
	}
}

static struct vsi *vsi_of_host(struct bridge *b, uint16_t port,
			       const struct binding_host *host, struct vsi_lease **ret_lease)
{
	const struct vsi_entry entry = { .mac = host->mac, .vlan = host->vlan };

	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next)
		for (unsigned i = 0; vsi->port == port && i < vsi->n_leases; i++)
			if (entry_equal(&vsi->leases[i].entry, &entry)) {
				*ret_lease = &vsi->leases[i];
				return vsi;
			}
	return NULL;
}
