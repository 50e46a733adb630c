/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MACs that a VSI stands for: those of its filter info, and for an entry without
 * one (VID only) those that were found out. The guard is told them: RARP is let through
 * for announced MACs.
 */
#include "bridge_private.h"
#include "wire/text.h"

struct learning {
	const struct bridge *b;
	struct vsi *vsi;
};

static void learn_mac(void *arg, struct binding *binding);
static bool is_shared(struct bridge *b, const struct vsi *vsi, const struct mac *mac);

void bridge_announce(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		unsigned n;
		const struct mac *macs = vsi_macs(&vsi->leases[i], &n);

		for (unsigned j = 0; j < n; j++)
			b->io->announce(b->arg, bridge_port_name(b, vsi->port), &macs[j]);
	}
}

bool bridge_learn_mac(struct bridge *b, const struct vsi *vsi, struct vsi_lease *lease,
		      const struct mac *mac)
{
	unsigned n = lease->n_macs;

	if (!vsi_learn_mac(lease, mac))
		return false;
	if (lease->n_macs != n)
		b->io->announce(b->arg, bridge_port_name(b, vsi->port), mac);
	return true;
}

bool bridge_next_host(const struct bridge *b, const struct vsi *vsi,
		      struct bridge_hosts *at)
{
	for (; at->lease < vsi->n_leases; at->lease++, at->mac = 0) {
		unsigned n;
		const struct mac *macs = vsi_macs(&vsi->leases[at->lease], &n);

		if (at->mac < n) {
			const struct vsi_entry entry = {
				macs[n - ++at->mac], vsi->leases[at->lease].entry.vlan };

			at->host = bridge_host(b, vsi, &entry);
			return true;
		}
	}
	return false;
}

void bridge_renounce(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		bridge_renounce_lease(b, vsi, &vsi->leases[i]);
}

void bridge_renounce_lease(struct bridge *b, const struct vsi *vsi,
			   const struct vsi_lease *lease)
{
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++)
		if (!is_shared(b, vsi, &macs[i]))
			b->io->renounce(b->arg, bridge_port_name(b, vsi->port), &macs[i]);
}

void bridge_learn_macs(struct bridge *b, struct vsi *vsi)
{
	struct learning learning = { b, vsi };

	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (mac_is_zero(&vsi->leases[i].entry.mac)) {
			binding_each(b->bindings, learn_mac, &learning);
			return;
		}
}

/* Statics. */

static void learn_mac(void *arg, struct binding *binding)
{
	const struct learning *learning = arg;
	struct vsi *vsi = learning->vsi;

	if (binding->port != vsi->port ||
	    (binding->vsi.format && !vsi_id_equal(&binding->vsi, &vsi->id)))
		return;
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		const struct binding_host host =
			bridge_host(learning->b, vsi, &vsi->leases[i].entry);

		if (mac_is_zero(&vsi->leases[i].entry.mac) &&
		    host.bridge == binding->host.bridge && host.vlan == binding->host.vlan)
			(void)vsi_learn_mac(&vsi->leases[i], &binding->host.mac);
	}
}

static bool is_shared(struct bridge *b, const struct vsi *vsi, const struct mac *mac)
{
	for (struct vsi *other = vsi_first(b->vsis); other; other = other->next)
		for (unsigned i = 0; i < other->n_leases && other != vsi &&
				     other->port == vsi->port; i++) {
			unsigned n;
			const struct mac *macs = vsi_macs(&other->leases[i], &n);

			while (n)
				if (mac_equal(&macs[--n], mac))
					return true;
		}
	return false;
}
