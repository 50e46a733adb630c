/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE STORY, switch side. A migration, top to bottom:
 *
 *   bridge_vsi     an association TLV as the module saw it
 *   vsi_see        core/vsi: is it news? -> event
 *   bridge_step    core/migration: (state, event) -> what to do, next state
 *   bridge_do      move, ask, stage, activate, withdraw (bridge_do.c)
 *   asking_entry   which servers, which key -> core/leasequery -> the socket
 *   … and back: bridge_lq_input -> asking_answer -> bridge_step -> binding_put
 *   binding_put    core/binding -> the guard in the kernel (bridge_guard.c)
 *
 * Snooped DHCP (bridge_frames.c) comes in at the last step. Nothing here touches
 * a socket or a clock; see bridge.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static const struct lq_ops lq_ops;
static struct vsi *meet(struct bridge *b, const struct port *port,
			const struct link_vsi *seen);
static void change_filter(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen);
static void renounce(struct bridge *b, const struct vsi *vsi);
static void sweep(struct bridge *b, struct vsi *vsi);
static unsigned facts(struct bridge *b, const struct vsi *vsi, enum migration_event event);

struct bridge *bridge_new(const struct bridge_io *io, void *arg)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct bridge){
		.io = io, .arg = arg, .vsi_due = MS_NEVER,
		.vsis = vsi_table_new(), .snoop = snoop_new(),
	};
	b->bindings = binding_table_new(&bridge_guard_ops, b);
	b->lq = lq_new(&lq_ops, b);
	if (b->vsis && b->bindings && b->snoop && b->lq)
		return b;
	bridge_free(b);
	return NULL;
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	asking_done(b);
	lq_free(b->lq);
	snoop_free(b->snoop);
	binding_table_free(b->bindings);
	vsi_table_free(b->vsis);
	for (unsigned i = 0; i < b->n_ports; i++)
		free(b->ports[i]);
	free(b->ports);
	free(b);
}

/* From the module. */

void bridge_port(struct bridge *b, ms_t now, const struct link_port *settings)
{
	struct port *port = ports_get(b, settings->name);

	b->now = now;
	if (!port)
		return;
	port->known = true;
	port->settings = *settings;
	ports_apply(b, port);
	if (settings->gone)
		bridge_forgotten(b, now, port->name);
}

void bridge_links_changed(struct bridge *b, ms_t now)
{
	b->now = now;
	for (unsigned i = 0; i < b->n_ports; i++)
		ports_apply(b, b->ports[i]);
}

void bridge_vsi(struct bridge *b, ms_t now, const struct link_vsi *seen)
{
	struct port *port = ports_get(b, seen->port);
	enum migration_event events[VSI_EVENTS_MAX];
	struct vsi *vsi;
	unsigned n;

	b->now = now;
	if (!port || port->settings.role != LINK_ROLE_BRIDGE)
		return;
	vsi = meet(b, port, seen);
	if (!vsi)
		return;
	n = vsi_see(vsi, seen, events);
	for (unsigned i = 0; i < n; i++)
		bridge_step(b, vsi, events[i], NULL, NULL);
	bridge_check_known(b, vsi);
	sweep(b, vsi);
}

void bridge_forgotten(struct bridge *b, ms_t now, const char *name)
{
	const struct port *port = *name ? ports_find(b, name) : NULL;

	b->now = now;
	if (*name && !port)
		return;
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		if ((port && vsi->port != port->number) || vsi->forgotten)
			continue;
		vsi_forget(vsi);
		bridge_step(b, vsi, MIGRATION_FORGOTTEN, NULL, NULL);
		sweep(b, vsi);
	}
}

/* What lldpad no longer names in a replay it has forgotten. */
void bridge_replay(struct bridge *b, ms_t now, bool end)
{
	b->now = now;
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		if (!end) {
			vsi->replayed = false;
		} else if (!vsi->replayed && !vsi->forgotten) {
			vsi_forget(vsi);
			bridge_step(b, vsi, MIGRATION_FORGOTTEN, NULL, NULL);
			sweep(b, vsi);
		}
	}
}

void bridge_module_gone(struct bridge *b, ms_t now)
{
	bridge_forgotten(b, now, "");
}

/* From giaddr's socket. */

enum lq_reject bridge_lq_input(struct bridge *b, ms_t now, const struct addr *giaddr,
			       const struct addr *server, const uint8_t *msg, size_t len)
{
	b->now = now;
	return lq_input(b->lq, now, giaddr, server, msg, len);
}

/* The steps. */

void bridge_step(struct bridge *b, struct vsi *vsi, enum migration_event event,
		 struct vsi_lease *lease, const struct known *known)
{
	const struct migration_row *row =
		migration_step(vsi->state, event, facts(b, vsi, event));
	enum migration_state old = vsi->state;

	if (row->ignored)
		return;
	if (event == MIGRATION_FIRST_FRAME)
		vsi->first_frame = true;
	if (row->to != old) {
		vsi->state = row->to;
		vsi->since = b->now;
		bridge_log(b, LOG_DEBUG, vsi, "%s: %s -> %s", migration_event_text(event),
			   migration_state_text(old), migration_state_text(row->to));
	}
	if (row->to == MIGRATION_ARRIVED && old != row->to)
		b->counts.arrived++;
	if (row->to == MIGRATION_DORMANT)
		bridge_due(b, b->now + DORMANT_MS);
	bridge_do(b, vsi, row->to_do, lease, known);
}

void bridge_check_known(struct bridge *b, struct vsi *vsi)
{
	if (vsi->state != MIGRATION_ARRIVED)
		return;
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (vsi->leases[i].tag ||
		    (!mac_is_zero(&vsi->leases[i].entry.mac) &&
		     !bridge_holds(b, vsi, &vsi->leases[i].entry, BRIDGE_ANY_STATE)))
			return;
	bridge_step(b, vsi, MIGRATION_ALL_KNOWN, NULL, NULL);
}

void bridge_due(struct bridge *b, ms_t at)
{
	if (at < b->vsi_due)
		b->vsi_due = at;
}

void bridge_log(struct bridge *b, int priority, const struct vsi *vsi, const char *format,
		...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	b->io->log(b->arg, priority, vsi ? bridge_port_name(b, vsi->port) : NULL,
		   vsi ? &vsi->id : NULL, text);
}

/* Time. */

ms_t bridge_deadline(const struct bridge *b)
{
	ms_t lq = lq_deadline(b->lq), bindings = binding_deadline(b->bindings);
	ms_t first = lq < bindings ? lq : bindings;

	return first < b->vsi_due ? first : b->vsi_due;
}

void bridge_tick(struct bridge *b, ms_t now)
{
	b->now = now;
	if (lq_deadline(b->lq) <= now)
		lq_tick(b->lq, now);
	if (binding_deadline(b->bindings) <= now)
		binding_expire(b->bindings, now, EXPIRE_MOST);
	if (b->vsi_due > now)
		return;
	b->vsi_due = MS_NEVER;
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		if (vsi->clock <= now) {
			vsi->clock = MS_NEVER;
			vsi->mode = 0;
			bridge_step(b, vsi, MIGRATION_TIMEOUT, NULL, NULL);
		}
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			struct vsi_lease *lease = &vsi->leases[i];

			if (lease->ask_at > now)
				continue;
			lease->ask_at = MS_NEVER;
			if (!bridge_holds(b, vsi, &lease->entry, BRIDGE_ANY_STATE))
				asking_entry(b, vsi, lease, LQ_RANK_REFRESH);
		}
		for (unsigned i = 0; i < vsi->n_leases; i++)
			bridge_due(b, vsi->leases[i].ask_at);
		bridge_due(b, vsi->clock);
		if (vsi->state == MIGRATION_DORMANT)
			bridge_due(b, now + DORMANT_MS);
		sweep(b, vsi);
	}
}

/* Statics: VSIs. */

/* The VSI of this sight, with its filter info; NULL where there is nothing to do. */
static struct vsi *meet(struct bridge *b, const struct port *port,
			const struct link_vsi *seen)
{
	bool request = seen->what == LINK_VSI_REQUEST || seen->what == LINK_VSI_REPLAYED;
	struct vsi *vsi = vsi_find(b->vsis, port->number, &seen->id);

	if (vsi && request && seen->mode != VDP22_DEASSOC && vsi_filter_changed(vsi, seen))
		change_filter(b, vsi, seen);
	if (vsi || !request || seen->mode == VDP22_DEASSOC)
		return vsi;
	vsi = vsi_get(b->vsis, port->number, &seen->id);
	if (!vsi || vsi_set_filter(vsi, seen)) {
		b->io->log(b->arg, LOG_ERR, port->name, &seen->id, "VSI not kept: no memory");
		if (vsi)
			vsi_remove(b->vsis, vsi);
		return NULL;
	}
	vsi->since = b->now;
	bridge_announce(b, vsi);
	/* What this port holds dormant for its entries is this VSI's. */
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (bridge_holds(b, vsi, &vsi->leases[i].entry, 1u << BINDING_DORMANT))
			vsi->state = MIGRATION_DORMANT;
	return vsi;
}

/* De-associate of the old entries; the new ones begin as a first request. */
static void change_filter(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen)
{
	bridge_step(b, vsi, MIGRATION_DEASSOC, NULL, NULL);
	renounce(b, vsi);
	vsi->mode = 0;
	vsi->confirmed = false;
	if (vsi_set_filter(vsi, seen))
		bridge_log(b, LOG_ERR, vsi, "filter info not kept: no memory");
	bridge_announce(b, vsi);
}

void bridge_announce(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (!mac_is_zero(&vsi->leases[i].entry.mac))
			b->io->announce(b->arg, bridge_port_name(b, vsi->port),
					&vsi->leases[i].entry.mac);
}

/* The MACs of this VSI that no other VSI on its port has. */
static void renounce(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		const struct mac *mac = &vsi->leases[i].entry.mac;
		bool shared = mac_is_zero(mac);

		for (struct vsi *other = vsi_first(b->vsis); other; other = other->next)
			for (unsigned j = 0; j < other->n_leases && other != vsi &&
					     other->port == vsi->port; j++)
				if (mac_equal(&other->leases[j].entry.mac, mac))
					shared = true;
		if (!shared)
			b->io->renounce(b->arg, bridge_port_name(b, vsi->port), mac);
	}
}

/* What the station no longer announces is nothing any more; a dormant one is, while
 * something is bound to it, and for an hour in any case. */
static void sweep(struct bridge *b, struct vsi *vsi)
{
	bool dormant = vsi->state == MIGRATION_DORMANT;

	if ((vsi->state != MIGRATION_ABSENT && !dormant) || (vsi->mode && !vsi->forgotten) ||
	    (dormant && b->now - vsi->since < DORMANT_MS))
		return;
	for (unsigned i = 0; dormant && i < vsi->n_leases; i++)
		if (bridge_holds(b, vsi, &vsi->leases[i].entry, BRIDGE_ANY_STATE))
			return;
	asking_forget(b, vsi);
	renounce(b, vsi);
	vsi_remove(b->vsis, vsi);
}

static unsigned facts(struct bridge *b, const struct vsi *vsi, enum migration_event event)
{
	unsigned active = 1u << MIGRATION_ARRIVED | 1u << MIGRATION_SETTLED;
	unsigned found = 0;

	/* For a keep-alive "active" counts, for an arrival whatever the table has. */
	if (event == MIGRATION_ACCEPTED)
		active |= 1u << MIGRATION_DORMANT;
	if (vsi_elsewhere(b->vsis, vsi, active))
		found |= MIGRATION_MOVED;
	if (vsi->held)
		found |= MIGRATION_HELD;
	return found;
}

/* Statics: what the parts call back. */

static int send_query(void *arg, const struct addr *giaddr, const struct addr *server,
		      const uint8_t *msg, size_t len)
{
	struct bridge *b = arg;

	return b->io->lq_send(b->arg, giaddr, server, msg, len);
}

static void take_answer(void *arg, const struct lq_answer *answer)
{
	asking_answer(arg, answer);
}

static void server_back(void *arg, const struct addr *server)
{
	asking_server_back(arg, server);
}

static uint32_t random_bits(void *arg)
{
	struct bridge *b = arg;

	return b->io->random(b->arg);
}

static const struct lq_ops lq_ops = {
	.send = send_query, .answer = take_answer, .back = server_back, .random = random_bits,
};
