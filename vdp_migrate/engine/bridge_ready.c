/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LINK_READY: the module may hold its bridge's answer to a transition with M until the
 * VSI's bindings are in the kernel (its setting `hold`). It is told as soon as nothing
 * more can come for that answer: each entry has a binding on the port, or no question is
 * out for it (nobody to ask, all servers have answered, all tries are used, or it waits
 * for the port's max-rate: longer than any answer is held).
 *
 * What may have become true is noted here as it happens, and looked at once in a wake-up,
 * after the guard's commit: so "in the kernel" is true when it is said, and all that is
 * said in a wake-up is one datagram. A server that stays silent is waited for by the
 * module, for as long as its setting says.
 *
 * The same moments say how long a VM has waited for its bindings (restoration.h).
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/announced.h"
#include "wire/vdp22.h"

struct ready {
	uint16_t port;
	struct vsi_id id;
};

static bool all_bound(struct bridge *b, const struct vsi *vsi);
static void look_restored(struct bridge *b, struct vsi *vsi, ms_t now);
static bool nothing_more(struct bridge *b, const struct vsi *vsi);
static void tell(struct bridge *b, const struct vsi *vsi);

void bridge_ready_owe(struct bridge *b, struct vsi *vsi, const struct member *member)
{
	vsi->owed |= 1u << member->number;
	if (!vsi->restoring && !all_bound(b, vsi)) {
		vsi->restoring = true;
		vsi->restoring_since = b->now;
	}
	bridge_ready_touch(b, vsi);
}

void bridge_ready_touch(struct bridge *b, struct vsi *vsi)
{
	struct ready *grown;

	if ((!vsi->owed && !vsi->restoring) || vsi->touched)
		return;
	if (b->n_ready == b->ready_size) {
		unsigned size = b->ready_size ? 2 * b->ready_size : 16;

		/* No memory: the module's own deadline ends its wait. */
		grown = realloc(b->ready, size * sizeof(*grown));
		if (!grown)
			return;
		b->ready = grown;
		b->ready_size = size;
	}
	vsi->touched = true;
	b->ready[b->n_ready++] = (struct ready){ vsi->port, vsi->id };
}

void bridge_ready_say(struct bridge *b, ms_t now)
{
	for (unsigned i = 0; i < b->n_ready; i++) {
		struct vsi *vsi = vsi_find(b->vsis, b->ready[i].port, &b->ready[i].id);

		if (!vsi)
			continue;
		vsi->touched = false;
		look_restored(b, vsi, now);
		if (!vsi->owed || !nothing_more(b, vsi))
			continue;
		tell(b, vsi);
		vsi->owed = 0;
	}
	b->n_ready = 0;
}

const struct restoration *bridge_restorations(const struct bridge *b)
{
	return &b->restoration;
}

/* Statics. */

static bool all_bound(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (!bridge_lease_holds(b, vsi, &vsi->leases[i], BRIDGE_ANY_STATE))
			return false;
	return true;
}

/* A migration that has failed, or a VM that has gone on, waits for nothing any more. */
static void look_restored(struct bridge *b, struct vsi *vsi, ms_t now)
{
	if (!vsi->restoring)
		return;
	if (vsi->state == MIGRATION_EXPECTED || vsi->state == MIGRATION_ARRIVED ||
	    vsi->state == MIGRATION_SETTLED) {
		if (!all_bound(b, vsi))
			return;
		restoration_add(&b->restoration, now - vsi->restoring_since);
	}
	vsi->restoring = false;
}

static bool nothing_more(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (vsi->leases[i].tag && !asking_waits(b, &vsi->leases[i]) &&
		    !bridge_lease_holds(b, vsi, &vsi->leases[i], BRIDGE_ANY_STATE))
			return false;
	return true;
}

/* Each member whose station has asked has an answer of its own. */
static void tell(struct bridge *b, const struct vsi *vsi)
{
	struct link_msg msg = { .type = LINK_READY, .u.vsi_of.id = vsi->id };

	for (unsigned i = 0; i < b->n_members && b->io->tell_module; i++) {
		const struct member *member = b->members[i];

		if (member->port->number != vsi->port || !member->settings.hold_ms ||
		    !(vsi->owed >> member->number & 1))
			continue;
		memcpy(msg.u.vsi_of.port, member->name, sizeof(msg.u.vsi_of.port));
		b->io->tell_module(b->arg, &msg);
	}
}
