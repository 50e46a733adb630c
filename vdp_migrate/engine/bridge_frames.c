/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the switch's story takes from the frames that the VMs and the DHCP
 * servers send: leases (core/snoop says what a message changes) and a VM's first
 * sign of life; reports of groups are bridge_groups.c's. It knows nothing of sockets, nor
 * of which frames are captured.
 *
 * Supported standards: RFC 2131, RFC 7513 (DHCP snooping).
 */
#include "bridge_private.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"

static void snooped(struct bridge *b, const struct port *port,
		    const struct inet_frame *frame);
static bool is_elsewhere(struct bridge *b, const struct port *port, uint16_t vlan,
			 const struct mac *mac);
static void apply_change(struct bridge *b, const struct snoop_change *change);
static void stage_elsewhere(struct bridge *b, uint16_t here,
			    const struct binding_host *host, const struct known *known);
static void first_frame(struct bridge *b, const struct port *port, const struct mac *mac);
static bool has_mac(const struct vsi_lease *lease, const struct mac *mac);
static struct vsi *vsi_of_host(struct bridge *b, uint16_t port,
			       const struct binding_host *host, struct vsi_lease **ret_lease);

void bridge_frame(struct bridge *b, ms_t now, const char *name,
		  const struct inet_frame *frame)
{
	struct port *port = ports_find(b, name);

	b->now = now;
	if (!port || !port->known || port->settings.gone || !port->placed)
		return;
	if (frame->ethertype == ETHERTYPE_LLDP) {
		bridge_cases_neighbour(b, port, &frame->src);
		return;
	}
	if (bridge_groups_flooded(b, port, frame))
		return;
	first_frame(b, port, &frame->src);
	bridge_groups_frame(b, port, frame);
	if (frame->udp && (frame->dport == DHCP4_SERVER_PORT ||
			   frame->dport == DHCP4_CLIENT_PORT))
		snooped(b, port, frame);
}

/* A relay or a DHCP server of this machine is as good as one behind a trusted port; of
 * what it says, only what servers say counts: a request of this machine is no VM's. */
void bridge_frame_local(struct bridge *b, ms_t now, uint32_t bridge_ifindex,
			const struct inet_frame *frame)
{
	struct dhcp4 message;
	struct snoop_change change;
	const struct snoop_seen seen = {
		.bridge = bridge_ifindex, .vlan = frame->vlan, .trusted = true,
		.src = frame->src, .message = &message,
	};

	b->now = now;
	if (!frame->udp || frame->sport != DHCP4_SERVER_PORT ||
	    dhcp4_decode(frame->payload, &message, NULL) || message.op != DHCP4_BOOTREPLY ||
	    helping_snooped(b, &seen, &frame->saddr))
		return;
	snoop_see(b->snoop, now, &seen, &change);
	apply_change(b, &change);
}

/* Statics. */

static void snooped(struct bridge *b, const struct port *port,
		    const struct inet_frame *frame)
{
	struct dhcp4 message;
	struct snoop_change change;
	struct snoop_seen seen = {
		.bridge = port->bridge, .vlan = ports_vlan_in(port, frame->vlan),
		.port = port->number,
		.trusted = port->settings.trusted, .src = frame->src, .message = &message,
	};

	if (dhcp4_decode(frame->payload, &message, NULL) ||
	    helping_snooped(b, &seen, &frame->saddr))
		return;
	seen.elsewhere = message.op == DHCP4_BOOTREQUEST &&
			 is_elsewhere(b, port, seen.vlan, &message.chaddr);
	snoop_see(b->snoop, b->now, &seen, &change);
	apply_change(b, &change);
}

/* Is the MAC that of a VSI on another port of this bridge, and of none on this one? Not
 * counted is one that VDP has lost sight of: its VM may be anywhere. */
static bool is_elsewhere(struct bridge *b, const struct port *port, uint16_t vlan,
			 const struct mac *mac)
{
	unsigned there = 1u << MIGRATION_EXPECTED | 1u << MIGRATION_ARRIVED |
			 1u << MIGRATION_SETTLED;
	bool elsewhere = false;

	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		const struct port *its = ports_number(b, vsi->port);

		if (its->bridge != port->bridge)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			if (!mac_equal(&vsi->leases[i].entry.mac, mac) ||
			    bridge_host(b, vsi, &vsi->leases[i].entry).vlan != vlan)
				continue;
			if (its == port)
				return false;
			elsewhere |= there >> vsi->state & 1;
		}
	}
	return elsewhere;
}

static void apply_change(struct bridge *b, const struct snoop_change *change)
{
	const struct known known = {
		.ip = change->ip, .server = change->server, .lease_s = change->lease_s,
		.origin = BINDING_SNOOPED,
	};
	struct binding *binding;

	switch (change->what) {
	case SNOOP_NOTHING:
		return;
	case SNOOP_RENEWED:
		binding_renew(b->bindings, &change->host, &change->ip,
			      bridge_lease_end(b->now, change->lease_s), change->lease_s);
		return;
	case SNOOP_ENDED:
		binding = binding_find(b->bindings, &change->host, &change->ip, change->port);
		b->why = "released or declined by the client";
		if (binding && binding->origin != BINDING_STATIC)
			binding_remove(b->bindings, binding);
		else if (binding)
			binding_forget_under(b->bindings, binding);
		b->why = NULL;
		return;
	case SNOOP_BOUND:
		bridge_found(b, change->port, &change->host, &known);
		binding_set_client_id(b->bindings, &change->host, &change->client_id);
		bridge_keep_host(b, &change->host);
		return;
	}
}

void bridge_found(struct bridge *b, uint16_t port, const struct binding_host *host,
		  const struct known *known)
{
	struct vsi_lease *lease;
	struct vsi *vsi = vsi_of_host(b, port, host, &lease);
	struct known of_host = *known;
	struct binding *binding = binding_find(b->bindings, host, &known->ip, port);

	/* A VM that leaves may renew; it goes on leaving. */
	bridge_bind(b, vsi, port, host, known,
		    binding && binding->state == BINDING_LEAVING ? BINDING_LEAVING
								 : BINDING_ACTIVE);
	of_host.mac = host->mac;
	if (vsi) {
		bridge_step(b, vsi, MIGRATION_LEASE_KNOWN, lease, &of_host);
		bridge_check_known(b, vsi);
	}
	of_host.origin = BINDING_MOVED;
	stage_elsewhere(b, port, host, &of_host);
}

/* A VM may get its address when it is on its way already: it is expected with that, too,
 * where its VSI names it. */
static void stage_elsewhere(struct bridge *b, uint16_t here,
			    const struct binding_host *host, const struct known *known)
{
	const struct vsi_entry entry = { .mac = host->mac, .vlan = host->vlan };

	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		const struct port *port = ports_number(b, vsi->port);

		if (vsi->port == here || vsi->state != MIGRATION_EXPECTED ||
		    port->bridge != host->bridge ||
		    port->settings.assist == LINK_ASSIST_OFF)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++)
			if (entry_equal(&vsi->leases[i].entry, &entry))
				bridge_step(b, vsi, MIGRATION_LEASE_KNOWN,
					    &vsi->leases[i], known);
	}
}

static void first_frame(struct bridge *b, const struct port *port, const struct mac *mac)
{
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		if (vsi->port != port->number || vsi->first_frame)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++)
			if (has_mac(&vsi->leases[i], mac)) {
				bridge_step(b, vsi, MIGRATION_FIRST_FRAME, NULL, NULL);
				break;
			}
	}
}

static bool has_mac(const struct vsi_lease *lease, const struct mac *mac)
{
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	while (n)
		if (mac_equal(&macs[--n], mac))
			return true;
	return false;
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
	/* A VSI that names no MAC has all that nobody else names in its VLAN. */
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		struct vsi_lease *lease = vsi->port == port
			? vsi_lease_of(vsi, host->vlan, &host->mac) : NULL;

		if (!lease || !bridge_learn_mac(b, vsi, lease, &host->mac))
			continue;
		*ret_lease = lease;
		return vsi;
	}
	return NULL;
}
