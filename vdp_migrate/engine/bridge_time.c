/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clocks of the switch's story: when its next part is due, and whose turn it is
 * then. A VSI has two of its own: that of what the station has asked and lldpad does not
 * time out, and that of a lease which is to be asked for again. What follows is the
 * story's, bridge.c. Asks no clock: see bridge.h.
 */
#include "bridge_private.h"
#include "core/announced.h"

static void tick_vsi(struct bridge *b, struct vsi *vsi);

ms_t bridge_deadline(const struct bridge *b)
{
	ms_t lq = lq_deadline(b->lq), bindings = binding_deadline(b->bindings);
	ms_t first = lq < bindings ? lq : bindings, cases = bridge_cases_deadline(b);
	ms_t groups = bridge_groups_deadline(b);
	ms_t conflict = bridge_conflict_deadline(b);

	first = first < groups ? first : groups;
	first = first < conflict ? first : conflict;
	first = first < b->vsi_due ? first : b->vsi_due;
	first = first < helping_deadline(b) ? first : helping_deadline(b);
	return first < cases ? first : cases;
}

void bridge_tick(struct bridge *b, ms_t now)
{
	b->now = now;
	if (lq_deadline(b->lq) <= now)
		lq_tick(b->lq, now);
	b->why = "lease end";
	if (binding_deadline(b->bindings) <= now)
		binding_expire(b->bindings, now, EXPIRE_MOST);
	b->why = NULL;
	helping_tick(b);
	bridge_cases_tick(b);
	bridge_groups_tick(b);
	bridge_conflict_tick(b);
	if (b->vsi_due > now)
		return;
	b->vsi_due = MS_NEVER;
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		tick_vsi(b, vsi);
	}
}

void bridge_due(struct bridge *b, ms_t at)
{
	if (at < b->vsi_due)
		b->vsi_due = at;
}

static void tick_vsi(struct bridge *b, struct vsi *vsi)
{
	if (vsi->clock <= b->now) {
		vsi->clock = MS_NEVER;
		vsi->mode = 0;
		announced_end_all(vsi);
		bridge_step(b, vsi, MIGRATION_TIMEOUT, NULL, NULL);
	}
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];

		if (lease->ask_at > b->now)
			continue;
		lease->ask_at = MS_NEVER;
		if (!bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
			asking_entry(b, vsi, lease, LQ_RANK_REFRESH);
	}
	for (unsigned i = 0; i < vsi->n_leases; i++)
		bridge_due(b, vsi->leases[i].ask_at);
	bridge_due(b, vsi->clock);
	if (vsi->state == MIGRATION_DORMANT)
		bridge_due(b, b->now + DORMANT_MS);
	bridge_sweep(b, vsi);
}
