/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group is taken from a port of the kernel's bridge when nobody there wants it any
 * more. Of that we are not sure before we have asked: a host of IGMPv2 or MLDv1 that
 * hears its neighbour's report keeps its own back (RFC 2236 3, RFC 2710 4), and what
 * others have said before we listened we have not heard. So all there are asked once,
 * and the group goes when none has answered for it. Where they could not be asked, or
 * not all answers were taken, it is the kernel's to let it grow too old.
 *
 * A host that is stopped for a while does not answer. Who is no VSI's and not the server
 * itself, and whom the kernel's FDB has there but has not heard since, may be such a one:
 * then the group stays until each of them has been heard, and all have been asked once
 * more. One that is never heard leaves it to the kernel as well.
 */
#include "bridge_groups.h"
#include "wire/text.h"

enum quiet {
	QUIET_NONE,
	QUIET_SOME,
	QUIET_LATER,	/* not known, not looked at now */
};

struct looking {
	struct bridge *b;
	const struct group_drop *due;
	bool found;
};

static bool is_over(struct bridge *b, struct group_drop *due);
static bool is_sure(const struct port *port, const struct group_drop *due);
static enum quiet look(struct bridge *b, const struct group_drop *due);
static void take_quiet(void *arg, const struct mac *mac);
static bool is_vsis(const struct bridge *b, const struct group_drop *due,
		    const struct mac *mac);
static void later(struct bridge *b, const struct groups_place *place,
		  const struct addr *group);

void bridge_groups_drop(struct bridge *b, const struct groups_place *place,
			const struct addr *group)
{
	const struct port *port = ports_number(b, place->port);

	if (bridge_groups_families(port) & 1u << group->family &&
	    (place->host.vlan || !port->vlans) &&
	    !bridge_groups_wanted(b, place->port, place->host.vlan, group))
		later(b, place, group);
}

bool bridge_groups_wanted(const struct bridge *b, uint16_t number, uint16_t vlan,
			  const struct addr *group)
{
	return groups_wanted(b->groups->members, number,
			     ports_number(b, number)->vlans ? vlan : GROUPS_ANY_VLAN,
			     group);
}

void bridge_groups_drop_asked(struct bridge *b, struct group_drop *drop)
{
	drop->asked = b->now;
	if (drop->first == MS_NEVER)
		drop->first = b->now;
	drop->at = b->now + (b->now < ports_number(b, drop->port)->igmp1_until
				     ? DROP_IGMP1_MS
				     : DROP_MS);
}

void bridge_groups_drop_due(struct bridge *b)
{
	struct group_drop **at = &b->groups->drops;

	while (*at) {
		struct group_drop *due = *at;
		const struct port *port = ports_number(b, due->port);

		if (due->at > b->now || !is_over(b, due)) {
			at = &due->next;
			continue;
		}
		*at = due->next;
		if (!due->waits && is_sure(port, due) &&
		    !bridge_groups_wanted(b, due->port, due->vlan, &due->group) &&
		    bridge_groups_families(port) & 1u << due->group.family)
			bridge_kernel_drop(b, due->port, due->vlan, &due->group);
		free(due);
	}
}

void bridge_groups_departed(struct bridge *b, const struct guest_key *key)
{
	b->groups->departed[b->groups->n_departed++ % DEPARTED] = *key;
}

void bridge_groups_drop_forget(struct bridge *b, uint16_t port)
{
	for (struct group_drop **at = &b->groups->drops; *at;) {
		struct group_drop *due = *at;

		if (due->port != port) {
			at = &due->next;
			continue;
		}
		*at = due->next;
		free(due);
	}
}

ms_t bridge_groups_drop_deadline(const struct bridge *b)
{
	ms_t first = MS_NEVER;

	for (const struct group_drop *due = b->groups->drops; due; due = due->next)
		if (due->at < first)
			first = due->at;
	return first;
}

void bridge_groups_drop_done(struct bridge_groups *groups)
{
	struct group_drop *next;

	for (; groups->drops; groups->drops = next) {
		next = groups->drops->next;
		free(groups->drops);
	}
}

/* Statics. */

/* False: not yet. Once it waits for more than a membership's time, it is the kernel's. */
static bool is_over(struct bridge *b, struct group_drop *due)
{
	if (due->heard || !is_sure(ports_number(b, due->port), due) ||
	    bridge_groups_wanted(b, due->port, due->vlan, &due->group))
		return true;
	switch (look(b, due)) {
	case QUIET_LATER:
		due->at = b->now + QUIET_NEXT_MS;
		return false;
	case QUIET_SOME:
		due->waits = true;
		due->at = b->now + QUIET_EVERY_MS;
		return b->now - due->first > GROUPS_INTERVAL_MS;
	case QUIET_NONE:
		break;
	}
	if (!due->waits)
		return true;
	due->waits = false;
	due->heard = true;
	due->asked = due->at = MS_NEVER;
	bridge_groups_due(b, b->now);
	return false;
}

static bool is_sure(const struct port *port, const struct group_drop *due)
{
	return !port->query_failed &&
	       (!port->reports_lost || port->reports_lost < due->asked);
}

/* The whole FDB is read for that. */
static enum quiet look(struct bridge *b, const struct group_drop *due)
{
	const struct port *port = ports_number(b, due->port);
	struct looking looking = { b, due, false };

	if (!b->io->fdb_quiet)
		return QUIET_NONE;
	/* Those of one VM come together. */
	if (b->groups->looked.at == b->now && b->groups->looked.port == due->port &&
	    b->groups->looked.vlan == due->vlan && b->groups->looked.since == due->first)
		return b->groups->looked.found ? QUIET_SOME : QUIET_NONE;
	if (b->now - b->groups->looked.at < QUIET_NEXT_MS)
		return QUIET_LATER;
	if (b->io->fdb_quiet(b->arg, port->name, port->vlans ? due->vlan : 0,
			     b->now - due->first + QUIET_BEFORE_MS, take_quiet,
			     &looking))
		looking.found = true;
	b->groups->looked.port = due->port;
	b->groups->looked.vlan = due->vlan;
	b->groups->looked.since = due->first;
	b->groups->looked.at = b->now;
	b->groups->looked.found = looking.found;
	return looking.found ? QUIET_SOME : QUIET_NONE;
}

static void take_quiet(void *arg, const struct mac *mac)
{
	struct looking *looking = arg;

	looking->found = looking->found || !is_vsis(looking->b, looking->due, mac);
}

/* A VSI's there, or was one's, or its server's own. A bridge that filters no VLANs has
 * them all in one. */
static bool is_vsis(const struct bridge *b, const struct group_drop *due,
		    const struct mac *mac)
{
	const struct guest_key key = { .mac = *mac, .vlan = due->vlan,
				       .port = due->port };
	const struct port *port = ports_number(b, due->port);
	bool any_vlan = !port->vlans;
	struct bridge_groups *groups = b->groups;
	unsigned n = groups->n_departed < DEPARTED ? groups->n_departed : DEPARTED;

	if (guests_find(&groups->guests, &key) || bridge_cases_is_neighbour(b, port, mac))
		return true;
	for (const struct guest *i = any_vlan ? groups->guests.first : NULL; i;
	     i = i->next)
		if (i->key.port == key.port && mac_equal(&i->key.mac, mac))
			return true;
	for (unsigned i = 0; i < n; i++) {
		const struct guest_key *was = &groups->departed[i];

		if (was->port == key.port && (any_vlan || was->vlan == key.vlan) &&
		    mac_equal(&was->mac, mac))
			return true;
	}
	return false;
}

/* No memory: it stays until it is too old, as without us. */
static void later(struct bridge *b, const struct groups_place *place,
		  const struct addr *group)
{
	struct group_drop *due = b->groups->drops;

	while (due && (due->port != place->port || due->vlan != place->host.vlan ||
		       !addr_equal(&due->group, group)))
		due = due->next;
	if (!due) {
		due = calloc(1, sizeof(*due));
		if (!due)
			return;
		due->next = b->groups->drops;
		b->groups->drops = due;
	}
	due->port = place->port;
	due->vlan = place->host.vlan;
	due->group = *group;
	due->asked = due->at = due->first = MS_NEVER;
	due->waits = due->heard = false;
	bridge_groups_due(b, b->now);
}
