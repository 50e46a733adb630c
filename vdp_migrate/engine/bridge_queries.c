/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queries that leave: IGMPv3 and MLDv2 general queries out of one port, to one VM's
 * MAC. So neither its neighbours behind that port hear it, nor does a bridge on the way
 * take it for the word of a querier (it looks at frames to a group's MAC alone). Only
 * before a group is taken from a port all there are asked, once: of who has said what it
 * says unasked before we listened, or keeps back what a neighbour has reported, no MAC is
 * known.
 */
#include <errno.h>
#include <stdio.h>

#include "bridge_groups.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/text.h"

#define NOT_COMMITTED_MS 1000	/* the guard is tried again as often */

static void ask_guest(struct bridge *b, struct guest *guest);
static void ask_all(struct bridge *b);
static void ask_port(struct bridge *b, const struct group_drop *drop, uint8_t families);
static void ask_again(struct bridge *b, struct guest *guest);
static void send(struct bridge *b, struct guest *guest, const struct querying_due *due);
static void send_one(struct bridge *b, const struct guest *guest, struct port *port,
		     uint8_t family, const struct report_query *query);
static void failed(struct bridge *b, const struct guest *guest, struct port *port, int err);

void bridge_committed(struct bridge *b, ms_t now)
{
	b->now = now;
	bridge_kernel_flush(b);
	if (b->groups->due > now)
		return;
	b->groups->due = MS_NEVER;
	ask_all(b);
	for (struct guest *guest; (guest = guests_due(&b->groups->guests, b->now));)
		ask_guest(b, guest);
	bridge_groups_due(b, guests_deadline(&b->groups->guests));
}

void bridge_not_committed(struct bridge *b, ms_t now)
{
	b->now = now;
	bridge_kernel_flush(b);
	if (b->groups->due <= now)
		b->groups->due = now + NOT_COMMITTED_MS;
}

static void ask_guest(struct bridge *b, struct guest *guest)
{
	const struct link_port *set = &ports_number(b, guest->key.port)->settings;
	const struct querying_schedule schedule = { set->n_schedule, set->schedule };
	struct querying_due due;
	ms_t next;

	if (querying_due(&guest->querying, b->now, &schedule, &due))
		send(b, guest, &due);
	if (guest->ask_again_at <= b->now)
		ask_again(b, guest);
	next = querying_deadline(&guest->querying, &schedule);
	next = next < guest->ask_again_at ? next : guest->ask_again_at;
	next = next < guest->confirm_at ? next : guest->confirm_at;
	/* What bridge_groups_tick() has not come to is its own at the next wake-up. */
	guests_sleep(&b->groups->guests, guest, next > b->now ? next : b->now + 1);
}

static void ask_all(struct bridge *b)
{
	for (struct group_drop *drop = b->groups->drops; drop; drop = drop->next) {
		uint8_t families = 0;

		if (drop->asked != MS_NEVER)
			continue;
		for (struct group_drop *like = drop; like; like = like->next) {
			if (like->asked != MS_NEVER || like->port != drop->port ||
			    like->vlan != drop->vlan)
				continue;
			families |= (uint8_t)(1u << like->group.family);
			bridge_groups_drop_asked(b, like);
		}
		ask_port(b, drop, families);
	}
}

/* Where the bridge filters no VLANs a group is one in all: the VLANs of all whom we know
 * there, and untagged. */
static void ask_port(struct bridge *b, const struct group_drop *drop, uint8_t families)
{
	const struct querying_due due = { families, 1 };
	struct guest all = { .key = { .port = drop->port, .vlan = drop->vlan } };
	uint8_t asked[4096 / 8] = { 0 };

	asked[drop->vlan % 4096 / 8] |= (uint8_t)(1u << drop->vlan % 8);
	send(b, &all, &due);
	if (ports_number(b, drop->port)->vlans)
		return;
	for (const struct guest *i = b->groups->guests.first; i; i = i->next) {
		uint8_t *bits = &asked[i->key.vlan % 4096 / 8];

		if (i->key.port != drop->port || *bits & 1u << i->key.vlan % 8)
			continue;
		*bits |= (uint8_t)(1u << i->key.vlan % 8);
		all.key.vlan = i->key.vlan;
		send(b, &all, &due);
	}
	if (asked[0] & 1)
		return;
	all.key.vlan = 0;
	send(b, &all, &due);
}

/* Before what it has not reported is taken away: a report may have been lost, or kept
 * back because of a neighbour's. */
static void ask_again(struct bridge *b, struct guest *guest)
{
	const struct querying_due due = {
		bridge_groups_unconfirmed(b, guest), 1,
	};

	guest->ask_again_at = MS_NEVER;
	send(b, guest, &due);
}

static void send(struct bridge *b, struct guest *guest, const struct querying_due *due)
{
	struct port *port = ports_number(b, guest->key.port);
	uint8_t families = due->families & bridge_groups_families(port);
	struct report_query query = {
		.dst = guest->key.mac, .vlan = ports_vlan_out(port, guest->key.vlan),
		.code = due->code,
	};

	if (!families)
		return;
	if (!b->io->own_mac(b->arg, port->name, &query.src)) {
		failed(b, guest, port, -ENODEV);
		return;
	}
	for (uint8_t family = ADDR_IPV4; family <= ADDR_IPV6; family++)
		if (families & 1u << family)
			send_one(b, guest, port, family, &query);
}

static void send_one(struct bridge *b, const struct guest *guest, struct port *port,
		     uint8_t family, const struct report_query *query)
{
	uint8_t frame[REPORT_QUERY_MAX];
	size_t len = family == ADDR_IPV6 ? mld_query(frame, sizeof(frame), query)
					 : igmp_query(frame, sizeof(frame), query);
	int err = b->io->frame_send(b->arg, port->name, frame, len);
	char why[24];

	if (err) {
		failed(b, guest, port, err);
		return;
	}
	port->query_failed = false;
	b->groups->counts.queries[family == ADDR_IPV6]++;
	snprintf(why, sizeof(why), "%s code %u", family == ADDR_IPV6 ? "mld" : "igmp",
		 query->code);
	bridge_groups_tell_guest(b, guest, "query", "sent", why);
}

/* Once, until one succeeds there. */
static void failed(struct bridge *b, const struct guest *guest, struct port *port, int err)
{
	char text[80];

	b->groups->counts.queries_failed++;
	snprintf(text, sizeof(text), "group query not sent: %s", strerror(-err));
	if (!port->query_failed)
		b->io->log(b->arg, LOG_WARNING, port->name,
			   mac_is_zero(&guest->key.mac) ? NULL : &guest->vsi, text);
	port->query_failed = true;
}
