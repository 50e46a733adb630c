/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group is taken from a port of the kernel's bridge when nobody there wants it any more.
 * Of that we are not sure before we have asked: a host of IGMPv2 or MLDv1 that hears its
 * neighbour's report keeps its own back (RFC 2236 3, RFC 2710 4), and what others have said
 * before we listened we have not heard. So all there are asked once, and the group goes
 * when none has answered for it. Where they could not be asked, or not all answers were
 * taken, it is the kernel's to let it grow too old.
 */
#include "bridge_groups.h"
#include "wire/text.h"

static bool is_sure(const struct port *port, const struct group_drop *due);
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

		if (due->at > b->now) {
			at = &due->next;
			continue;
		}
		*at = due->next;
		if (is_sure(port, due) &&
		    !bridge_groups_wanted(b, due->port, due->vlan, &due->group) &&
		    bridge_groups_families(port) & 1u << due->group.family)
			bridge_kernel_drop(b, due->port, due->vlan, &due->group);
		free(due);
	}
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

static bool is_sure(const struct port *port, const struct group_drop *due)
{
	return !port->query_failed &&
	       (!port->reports_lost || port->reports_lost < due->asked);
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
	due->asked = due->at = MS_NEVER;
	bridge_groups_due(b, b->now);
}
