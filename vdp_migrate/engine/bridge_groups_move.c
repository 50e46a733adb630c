/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's FDB entry and its multicast groups go with it to another port: when it has
 * stopped where it was, and not before (what reaches the queue of a VM that is still being
 * copied is old when it resumes, and what is new finds no room there). From the old port
 * the groups go when that lets go of the VM. If the migration fails, all goes back.
 *
 * The FDB entry is a plain dynamic one: whoever sends from elsewhere has it there. At the
 * mere request only those MACs are moved that the VSI had where it was; whatever else its
 * station says it has, when the bridge has let it in.
 */
#include "bridge_groups.h"
#include "wire/text.h"

static struct vsi *where_it_was(struct bridge *b, const struct vsi *vsi);
static void take_over(struct bridge *b, const struct vsi *vsi, const struct vsi *was);
static void move_groups(struct bridge *b, const struct groups_place *here,
			const struct port *from);
static void put(struct bridge *b, const struct groups_member *m);
static void give_back_lease(struct bridge *b, const struct vsi *vsi,
			    const struct vsi_lease *lease, const struct vsi *there);
static bool has_mac(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
		    const struct mac *mac);
static struct guest *guest_at(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
			      const struct mac *mac);
static void end_here(struct bridge *b, const struct vsi *vsi,
		     const struct vsi_lease *lease, bool moved_alone);
static void forget_guest(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
			 const struct mac *mac);

void bridge_groups_take_over(struct bridge *b, const struct vsi *vsi)
{
	take_over(b, vsi, where_it_was(b, vsi));
}

void bridge_groups_hand_over(struct bridge *b, const struct vsi *vsi)
{
	const struct vsi *there = vsi_elsewhere(b->vsis, vsi, 1u << MIGRATION_EXPECTED);

	if (there)
		take_over(b, there, vsi);
}

void bridge_groups_give_back(struct bridge *b, const struct vsi *vsi)
{
	struct vsi *there = where_it_was(b, vsi);

	if (there)
		vsi_resumed(there);
	for (unsigned i = 0; i < vsi->n_leases; i++)
		give_back_lease(b, vsi, &vsi->leases[i], there);
	for (unsigned i = 0; i < vsi->n_leases; i++)
		end_here(b, vsi, &vsi->leases[i], true);
	bridge_groups_quiet(b, vsi);
}

void bridge_groups_withdraw(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		bridge_groups_withdraw_lease(b, vsi, &vsi->leases[i]);
	bridge_groups_quiet(b, vsi);
}

void bridge_groups_withdraw_lease(struct bridge *b, const struct vsi *vsi,
				  const struct vsi_lease *lease)
{
	uint16_t vlan = bridge_host(b, vsi, &lease->entry).vlan;
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	if (vsi->state == MIGRATION_EXPECTED)
		give_back_lease(b, vsi, lease, where_it_was(b, vsi));
	end_here(b, vsi, lease, false);
	forget_guest(b, vsi, vlan, &lease->entry.mac);
	while (n)
		forget_guest(b, vsi, vlan, &macs[--n]);
}

/* Statics. */

static struct vsi *where_it_was(struct bridge *b, const struct vsi *vsi)
{
	const unsigned in_turn[] = {
		1u << MIGRATION_ARRIVED | 1u << MIGRATION_SETTLED,
		1u << MIGRATION_DORMANT,
		1u << MIGRATION_GONE,
	};
	struct vsi *found = NULL;

	for (unsigned i = 0; i < sizeof(in_turn) / sizeof(*in_turn) && !found; i++)
		found = vsi_elsewhere(b->vsis, vsi, in_turn[i]);
	return found;
}

static void take_over(struct bridge *b, const struct vsi *vsi, const struct vsi *was)
{
	const struct port *port = ports_number(b, vsi->port);
	const struct port *from = was ? ports_number(b, was->port) : NULL;

	if (!port->known || port->settings.gone || !port->placed)
		return;
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		const struct vsi_lease *lease = &vsi->leases[i];
		uint16_t vlan = bridge_host(b, vsi, &lease->entry).vlan;
		unsigned n;
		const struct mac *macs = vsi_macs(lease, &n);

		for (unsigned j = 0; j < n; j++) {
			const struct groups_place here =
				bridge_groups_place(b, vsi->port, vlan, &macs[j]);

			struct guest *guest = guest_at(b, vsi, vlan, &macs[j]);

			if (!vsi->confirmed && !(guest && guest->taken) &&
			    !has_mac(b, was, vlan, &macs[j]))
				continue;
			guest = bridge_groups_guest(b, vsi, vlan, &macs[j]);
			if (guest && vsi->confirmed) {
				guest->accepted = true;
				if (guest->taken)
					continue;
			}
			if (guest)
				guest->taken = true;
			bridge_kernel_fdb(b, vsi->port, vlan, &macs[j]);
			if (from)
				move_groups(b, &here, from);
		}
	}
}

/* What it was in here before, when it comes back, has to be confirmed anew, too. */
static void move_groups(struct bridge *b, const struct groups_place *here,
			const struct port *from)
{
	uint8_t families = bridge_groups_families(ports_number(b, here->port));
	struct groups_place there = *here;
	struct groups *members = b->groups->members;

	there.port = from->number;
	for (const struct groups_member *m = families ? groups_first(members, &there) : NULL;
	     m; m = m->next) {
		const struct groups_member *known = groups_find(members, here, &m->group);
		const struct groups_member *moved;

		/* Done at the source's S-bit. */
		if (!(families & 1u << m->group.family) ||
		    (known && known->origin == GROUPS_MOVED))
			continue;
		moved = groups_move(members, b->now, m, here);
		if (!moved)
			continue;
		b->groups->counts.moved++;
		put(b, moved);
		bridge_groups_tell(b, moved, NULL, "moved", from->name);
	}
	for (struct groups_member *m = groups_first(members, here); m; m = m->next)
		m->origin = GROUPS_MOVED;
}

static void put(struct bridge *b, const struct groups_member *m)
{
	bridge_kernel_put(b, m->place.port, m->place.host.vlan, &m->group);
}

/* there: where it runs on, as far as we know; NULL. What has let its VM in here has the
 * entry for its own. */
static void give_back_lease(struct bridge *b, const struct vsi *vsi,
			    const struct vsi_lease *lease, const struct vsi *there)
{
	uint16_t vlan = bridge_host(b, vsi, &lease->entry).vlan;
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++) {
		struct guest *guest = guest_at(b, vsi, vlan, &macs[i]);
		bool back = has_mac(b, there, vlan, &macs[i]);
		struct groups_place place;

		if (!guest || (!back && (!guest->taken || guest->accepted)))
			continue;
		guest->taken = false;
		bridge_kernel_fdb_back(b, vsi->port, back ? there->port : 0, vlan, &macs[i]);
		if (!back)
			continue;
		place = bridge_groups_place(b, there->port, vlan, &macs[i]);
		for (const struct groups_member *m = groups_first(b->groups->members, &place);
		     m; m = m->next)
			put(b, m);
	}
}

static bool has_mac(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
		    const struct mac *mac)
{
	for (unsigned i = 0; vsi && i < vsi->n_leases; i++) {
		unsigned n;
		const struct mac *macs = vsi_macs(&vsi->leases[i], &n);

		if (bridge_host(b, vsi, &vsi->leases[i].entry).vlan != vlan)
			continue;
		while (n)
			if (mac_equal(&macs[--n], mac))
				return true;
	}
	return false;
}

static struct guest *guest_at(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
			      const struct mac *mac)
{
	const struct guest_key key = { .mac = *mac, .vlan = vlan, .port = vsi->port };
	struct guest *guest = guests_find(&b->groups->guests, &key);

	return guest && mac_equal(&guest->key.mac, mac) && vsi_id_equal(&guest->vsi, &vsi->id)
		       ? guest
		       : NULL;
}

static void forget_guest(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
			 const struct mac *mac)
{
	const struct guest_key key = { .mac = *mac, .vlan = vlan, .port = vsi->port };
	struct guest *guest = guest_at(b, vsi, vlan, mac);

	bridge_groups_departed(b, &key);
	if (guest)
		guests_remove(&b->groups->guests, guest);
}

static void end_here(struct bridge *b, const struct vsi *vsi,
		     const struct vsi_lease *lease, bool moved_alone)
{
	uint16_t vlan = bridge_host(b, vsi, &lease->entry).vlan;
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++) {
		const struct groups_place place =
			bridge_groups_place(b, vsi->port, vlan, &macs[i]);
		struct groups_member *m = groups_first(b->groups->members, &place), *next;

		for (; m; m = next) {
			next = m->next;
			if (!moved_alone || m->origin == GROUPS_MOVED)
				bridge_groups_end(b, m, b->why);
		}
	}
}
