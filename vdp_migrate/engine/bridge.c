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
 *   helping_ask    nothing known: the station is asked; back by helping_input
 *   binding_put    core/binding -> the guard in the kernel (bridge_guard.c)
 *
 * Snooped DHCP (bridge_frames.c) comes in at the last step, what is due at the third
 * (bridge_time.c). Nothing here touches a socket or a clock; see bridge.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge_private.h"
#include "vdp_migrate/protocol.h"
#include "core/announced.h"
#include "wire/orgtlv.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static void forget_of(struct bridge *b, const struct port *port, unsigned member);
static void forget(struct bridge *b, struct vsi *vsi);
static unsigned facts(struct bridge *b, const struct vsi *vsi, enum migration_event event);

struct bridge *bridge_new(const struct bridge_io *io, void *arg)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct bridge){
		.io = io, .arg = arg, .vsi_due = MS_NEVER, .helping_due = MS_NEVER,
		.vsis = vsi_table_new(), .snoop = snoop_new(),
	};
	b->bindings = binding_table_new(&bridge_guard_ops, b);
	b->lq = lq_new(&bridge_lq_ops, b);
	b->cases = bridge_cases_new();
	b->groups = bridge_groups_new(b);
	if (b->vsis && b->bindings && b->snoop && b->lq && b->cases && b->groups)
		return b;
	bridge_free(b);
	return NULL;
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	asking_done(b);
	helping_done(b);
	bridge_conflict_done(b);
	bridge_cases_free(b->cases);
	bridge_groups_free(b->groups);
	lq_free(b->lq);
	snoop_free(b->snoop);
	binding_table_free(b->bindings);
	vsi_table_free(b->vsis);
	for (unsigned i = 0; i < b->n_ports; i++)
		free(b->ports[i]);
	free(b->ports);
	for (unsigned i = 0; i < b->n_members; i++)
		free(b->members[i]);
	free(b->members);
	free(b->ready);
	free(b);
}

/* From the module. */

void bridge_port(struct bridge *b, ms_t now, const struct link_port *settings)
{
	const struct member *before = members_find(b, settings->name);
	unsigned number = before ? before->number : 0;
	bool helped = before && before->settings.peer_flags & ORGTLV_HELP;
	struct port *old;
	struct member *member = members_set(b, settings, &old);
	struct port *port = member ? member->port : NULL;
	bool asked_before;

	b->now = now;
	if (!port)
		return;
	asked_before = port->known && port->settings.n_servers;
	if (old) {
		forget_of(b, old, number);
		members_settle(b, old);
	}
	members_settle(b, port);
	if (!asked_before)
		refresh_port(b, port);
	helping_port(b, port, !helped && settings->peer_flags & ORGTLV_HELP);
	if (settings->gone)
		bridge_forgotten(b, now, member->name);
}

/* A slave that has come to another bond announces there what it announced here. */
void bridge_links_changed(struct bridge *b, ms_t now)
{
	struct port *old;

	b->now = now;
	for (unsigned i = 0; i < b->n_members; i++) {
		unsigned number = b->members[i]->number;

		if (members_anchor(b, b->members[i], &old) && old)
			forget_of(b, old, number);
	}
	for (unsigned i = 0; i < b->n_ports; i++)
		members_settle(b, b->ports[i]);
}

void bridge_vsi(struct bridge *b, ms_t now, const struct link_vsi *on_wire)
{
	const struct member *member = members_find(b, on_wire->port);
	struct link_vsi in_bridge = *on_wire, *seen = &in_bridge;
	enum migration_event events[VSI_EVENTS_MAX];
	struct vsi *vsi;
	unsigned n = 0;

	b->now = now;
	if (!member || member->settings.role != LINK_ROLE_BRIDGE)
		return;
	for (unsigned i = 0; i < seen->n_entries; i++)
		seen->entries[i].vlan = ports_vlan_in(member->port, seen->entries[i].vlan);
	vsi = bridge_meet(b, member->port, seen);
	if (!vsi)
		return;
	if (seen->what == LINK_VSI_RESPONSE && !(seen->status & VDP_STATUS_ERROR))
		vsi->clock = MS_NEVER;
	if (seen->what == LINK_VSI_REQUEST && seen->mode != VDP22_DEASSOC &&
	    seen->status & VDP_STATUS_M && announced_news(vsi, member->number, seen->mode))
		bridge_ready_owe(b, vsi, member);
	if (announced_see(vsi, member->number, seen))
		n = vsi_see(vsi, seen, events);
	for (unsigned i = 0; i < n; i++) {
		if (events[i] == MIGRATION_ACCEPTED)
			bridge_conflict_accepted(b, vsi);
		else
			bridge_step(b, vsi, events[i], NULL, NULL);
	}
	if (seen->what == LINK_VSI_REQUEST && seen->mode == VDP22_ASSOC)
		asking_hurry(b, vsi);
	bridge_conflict_seen(b, vsi, seen);
	if (n)
		bridge_conflict_twin(b, vsi);
	/* What stock swallows (it has room for one VDPDU a port) it neither answers nor
	 * times out: our own clock runs until the answer. */
	if (seen->what == LINK_VSI_REQUEST && vsi->mode && vsi->clock == MS_NEVER)
		bridge_do(b, vsi, DO_START_CLOCK, NULL, NULL);
	if (seen->what == LINK_VSI_REPLAYED)
		bridge_groups_take_stock(b, vsi);
	helping_vsi(b, vsi);
	bridge_check_known(b, vsi);
	bridge_sweep(b, vsi);
	bridge_cases_touch(b);
}

void bridge_forgotten(struct bridge *b, ms_t now, const char *name)
{
	const struct member *member = *name ? members_find(b, name) : NULL;

	b->now = now;
	if (member)
		forget_of(b, member->port, member->number);
	if (*name)
		return;
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		announced_end_all(vsi);
		forget(b, vsi);
	}
}

/* What lldpad no longer names in a replay it has forgotten. */
void bridge_replay(struct bridge *b, ms_t now, bool end)
{
	b->now = now;
	if (end)
		bridge_cases_tell_again(b);
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		if (!end)
			announced_replay(vsi);
		else if (announced_replayed(vsi))
			forget(b, vsi);
	}
	if (end) {
		bridge_kept_settle(b);
		helping_say_again(b);
	}
}

void bridge_module_gone(struct bridge *b, ms_t now)
{
	bridge_forgotten(b, now, "");
}

/* From giaddr's socket. */

enum lq_reject bridge_lq_input(struct bridge *b, ms_t now, const struct addr *giaddr,
			       const struct addr *server, uint16_t sport,
			       const uint8_t *msg, size_t len)
{
	b->now = now;
	if (helping_input(b, giaddr, server, sport, msg, len))
		return LQ_TAKEN;
	return lq_input(b->lq, now, giaddr, server, msg, len);
}

/* The steps. */

void bridge_step(struct bridge *b, struct vsi *vsi, enum migration_event event,
		 struct vsi_lease *lease, const struct known *known)
{
	const struct migration_row *row =
		migration_step(vsi->state, event, facts(b, vsi, event));
	enum migration_state old = vsi->state;
	const char *why;

	if (row->ignored)
		return;
	if (event == MIGRATION_FIRST_FRAME)
		vsi->first_frame = true;
	if (row->to != old) {
		vsi->state = row->to;
		vsi->since = b->now;
		bridge_log(b, LOG_DEBUG, vsi, "%s: %s -> %s", migration_event_text(event),
			   migration_state_text(old), migration_state_text(row->to));
		bridge_tell_vsi(b, vsi, old, event);
	}
	if (row->to == MIGRATION_ARRIVED && old != row->to)
		b->counts.arrived++;
	if (row->to == MIGRATION_DORMANT)
		bridge_due(b, b->now + DORMANT_MS);
	why = b->why;
	b->why = migration_event_text(event);
	bridge_do(b, vsi, row->to_do, lease, known);
	b->why = why;
	if (row->to != old && (old == MIGRATION_ARRIVED || old == MIGRATION_SETTLED))
		bridge_conflict_left(b, vsi);
	if (row->to == MIGRATION_ABSENT &&
	    (event == MIGRATION_DEASSOC ||
	     (event == MIGRATION_TIMEOUT && old == MIGRATION_GONE)))
		bridge_cases_left(b, vsi);
	bridge_ready_touch(b, vsi);
}

void bridge_check_known(struct bridge *b, struct vsi *vsi)
{
	helping_look(b, vsi);
	if (vsi->state != MIGRATION_ARRIVED)
		return;
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (vsi->leases[i].tag ||
		    (!mac_is_zero(&vsi->leases[i].entry.mac) &&
		     !bridge_lease_holds(b, vsi, &vsi->leases[i], BRIDGE_ANY_STATE)))
			return;
	bridge_step(b, vsi, MIGRATION_ALL_KNOWN, NULL, NULL);
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

/* Statics. */

/* What this member of the anchor has announced. */
static void forget_of(struct bridge *b, const struct port *port, unsigned member)
{
	for (struct vsi *vsi = vsi_first(b->vsis), *next; vsi; vsi = next) {
		next = vsi->next;
		if (vsi->port == port->number && announced_end(vsi, member))
			forget(b, vsi);
	}
}

static void forget(struct bridge *b, struct vsi *vsi)
{
	if (vsi->forgotten)
		return;
	vsi_forget(vsi);
	bridge_step(b, vsi, MIGRATION_FORGOTTEN, NULL, NULL);
	bridge_sweep(b, vsi);
}

static unsigned facts(struct bridge *b, const struct vsi *vsi, enum migration_event event)
{
	unsigned active = 1u << MIGRATION_ARRIVED | 1u << MIGRATION_SETTLED;
	unsigned found = 0;

	/* For a keep-alive "active" counts, for an arrival whatever the table has. */
	if (event == MIGRATION_ACCEPTED)
		active |= 1u << MIGRATION_DORMANT;
	if (vsi_elsewhere(b->vsis, vsi, active) ||
	    (event == MIGRATION_ACCEPTED && bridge_kept_elsewhere(b, vsi)))
		found |= MIGRATION_MOVED;
	if (vsi->held)
		found |= MIGRATION_HELD;
	if (vsi_elsewhere(b->vsis, vsi, 1u << MIGRATION_EXPECTED))
		found |= MIGRATION_AWAITED;
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (bridge_lease_holds(b, vsi, &vsi->leases[i], 1u << BINDING_LEAVING))
			found |= MIGRATION_LEFT;
	return found;
}
