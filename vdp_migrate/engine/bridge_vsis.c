/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch's VSIs: a sight finds its VSI or makes it new, another filter info changes its
 * entries, and what is nothing any more goes. What happens to a VSI meanwhile is the
 * story's matter (bridge.c).
 */
#include "bridge_groups.h"
#include "core/announced.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static void change_filter(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen);

struct vsi *bridge_meet(struct bridge *b, struct port *port, const struct link_vsi *seen)
{
	bool request = seen->what == LINK_VSI_REQUEST || seen->what == LINK_VSI_REPLAYED;
	struct vsi *vsi = vsi_find(b->vsis, port->number, &seen->id);

	if (vsi && request && seen->mode != VDP22_DEASSOC && vsi_filter_changed(vsi, seen))
		change_filter(b, vsi, seen);
	if (vsi || !request || seen->mode == VDP22_DEASSOC)
		return vsi;
	if (port->n_vsis >= VSIS_MOST) {
		if (!port->full_logged)
			b->io->log(b->arg, LOG_WARNING, port->name, NULL,
				   "too many VSIs: more are not looked at");
		port->full_logged = true;
		return NULL;
	}
	vsi = vsi_get(b->vsis, port->number, &seen->id);
	if (!vsi || vsi_set_filter(vsi, seen)) {
		b->io->log(b->arg, LOG_ERR, port->name, &seen->id, "VSI not kept: no memory");
		if (vsi)
			vsi_remove(b->vsis, vsi);
		return NULL;
	}
	port->n_vsis++;
	vsi->since = b->now;
	bridge_learn_macs(b, vsi);
	bridge_announce(b, vsi);
	/* What this port holds dormant for its entries is this VSI's. */
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (bridge_lease_holds(b, vsi, &vsi->leases[i], 1u << BINDING_DORMANT))
			vsi->state = MIGRATION_DORMANT;
	return vsi;
}

void bridge_sweep(struct bridge *b, struct vsi *vsi)
{
	bool dormant = vsi->state == MIGRATION_DORMANT;

	if ((vsi->state != MIGRATION_ABSENT && !dormant) || (vsi->mode && !vsi->forgotten) ||
	    (dormant && b->now - vsi->since < DORMANT_MS))
		return;
	for (unsigned i = 0; dormant && i < vsi->n_leases; i++)
		if (bridge_lease_holds(b, vsi, &vsi->leases[i], BRIDGE_ANY_STATE))
			return;
	asking_forget(b, vsi);
	bridge_groups_quiet(b, vsi);
	bridge_renounce(b, vsi);
	ports_number(b, vsi->port)->n_vsis--;
	ports_number(b, vsi->port)->full_logged = false;
	vsi_remove(b->vsis, vsi);
}

/* Statics. */

/* De-associate of the old entries; the new ones begin as a first request. Entries that
 * stay are not touched, nor is then the VSI as a whole. */
static void change_filter(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen)
{
	bool any_stays = false;

	for (unsigned i = 0; i < vsi->n_leases; i++) {
		bool stays = false;

		for (unsigned j = 0; j < seen->n_entries && !stays; j++)
			stays = entry_equal(&vsi->leases[i].entry, &seen->entries[j]);
		any_stays |= stays;
		if (stays)
			continue;
		bridge_withdraw_lease(b, vsi, &vsi->leases[i]);
		bridge_groups_withdraw_lease(b, vsi, &vsi->leases[i]);
		bridge_renounce_lease(b, vsi, &vsi->leases[i]);
	}
	if (!any_stays) {
		bridge_step(b, vsi, MIGRATION_DEASSOC, NULL, NULL);
		vsi->mode = 0;
		vsi->confirmed = false;
		announced_end_all(vsi);
	}
	if (vsi_set_filter(vsi, seen))
		bridge_log(b, LOG_ERR, vsi, "filter info not kept: no memory");
	bridge_announce(b, vsi);
	if (any_stays && seen->status & VDP_STATUS_M)
		bridge_do(b, vsi, DO_ASK_MISSING, NULL, NULL);
}
