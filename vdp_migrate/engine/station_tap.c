/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server's story: the bridge of this hypervisor must not withhold from a VM that
 * comes in what its switch sends to it. Once it has heard any query a snooping bridge
 * prunes; and it has learned the VM's MAC on its uplink. So the tap of a marked VSI is a
 * multicast router port (it gets all groups) from when it is there until the VM has
 * reported its groups, and the VM's FDB entries go to the tap when the VM has stopped at
 * its source: with the first frame that the switch sends to here for it, or else with the
 * associate request.
 *
 * A macvtap stands in no bridge: nothing to do. RFC 4541 for what a bridge prunes.
 */
#include "station_private.h"

#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/text.h"
#include "wire/vdp22.h"

/* A VM without any group never reports. */
#define ASSOCIATED_MS 10000
/* IGMP and MLD are answered apart, and many groups take several reports. */
#define REPORTED_MS 1000

static struct station_uplink *uplink_of(const struct station *s, const char *name);
static void drop_uplink(struct station *s, struct station_uplink *uplink);
static void requested(struct station *s, struct station_mark *mark,
		      const struct link_vsi *seen);
static void answered(struct station *s, struct station_mark *mark,
		     const struct link_vsi *seen);
static void over(struct station *s, struct station_mark *mark);
static void keep_entries(struct station *s, struct station_mark *mark,
			 const struct link_vsi *seen);
static void look(struct station *s, struct station_mark *mark);
static bool find(struct station *s, const struct station_mark *mark,
		 struct bridge_place *ret_uplink, char ret_name[VM_IFNAME_MAX]);
static bool find_at(struct station *s, const struct station_mark *mark,
		    const struct bridge_place *uplink, char ret_name[VM_IFNAME_MAX]);
static bool has_tap(struct station *s, const struct bridge_place *uplink,
		    const struct mac *vm, char ret_name[VM_IFNAME_MAX]);
static void open_tap(struct station *s, struct station_mark *mark);
static void close_tap(struct station *s, struct station_mark *mark, const char *why);
static void hear(struct station *s, struct station_mark *mark, bool on);
static void move(struct station *s, struct station_mark *mark);
static const struct mac *mac_of(const struct station_mark *mark,
				const struct vsi_entry *entry);
static bool is_vms(const struct station_mark *mark, const struct mac *mac);

void station_tap_marked(struct station *s, struct station_mark *mark)
{
	struct station_tap *tap = &mark->tap;

	if (tap->name[0] && mark->what.tap[0] && strcmp(tap->name, mark->what.tap)) {
		close_tap(s, mark, "the VM has another");
		tap->name[0] = '\0';
	}
	if (tap->state == TAP_DONE) {
		tap->state = TAP_WANTED;
		tap->close_at = MS_NEVER;
	}
	s->tap_look = true;
}

void station_tap_unmarked(struct station *s, struct station_mark *mark)
{
	close_tap(s, mark, "no longer marked");
	free(mark->tap.entries);
	mark->tap = (struct station_tap){ 0 };
}

void station_tap_port(struct station *s, const struct link_port *port)
{
	struct station_uplink *uplink = uplink_of(s, port->name);
	bool wanted = port->role == LINK_ROLE_STATION && !port->gone;

	if (uplink && !wanted)
		drop_uplink(s, uplink);
	if (uplink || !wanted)
		return;
	uplink = calloc(1, sizeof(*uplink));
	if (!uplink)
		return;
	memcpy(uplink->name, port->name, sizeof(uplink->name));
	HASH_ADD(hh, s->uplinks, name, strlen(uplink->name), uplink);
	if (!uplink->hh.tbl)
		free(uplink);
	station_tap_links_changed(s);
}

void station_tap_forget_ports(struct station *s)
{
	while (s->uplinks)
		drop_uplink(s, s->uplinks);
}

void station_tap_vsi(struct station *s, const struct link_vsi *seen)
{
	struct station_mark *mark = station_mark_of(s, &seen->id);

	if (!mark || !uplink_of(s, seen->port))
		return;
	switch (seen->what) {
	case LINK_VSI_REQUEST:
	case LINK_VSI_REPLAYED:
		requested(s, mark, seen);
		break;
	case LINK_VSI_RESPONSE:
		answered(s, mark, seen);
		break;
	case LINK_VSI_TIMEOUT:
		over(s, mark);
	}
}

void station_tap_forgotten(struct station *s, const char *port)
{
	for (struct station_mark *mark = s->marks; mark; mark = mark->hh.next)
		if (mark->tap.mode && (!*port || !strcmp(port, mark->tap.uplink)))
			over(s, mark);
}

void station_tap_links_changed(struct station *s)
{
	s->tap_look |= s->marks != NULL;
}

void station_tap_frame(struct station *s, const char *port,
		       const struct inet_frame *frame)
{
	struct report report;

	if (!s->n_taps_open ||
	    (igmp_decode(frame, &report, NULL) && mld_decode(frame, &report, NULL)) ||
	    report.what != REPORT_RECORDS || !report_is_state(&report))
		return;
	for (struct station_mark *mark = s->marks; mark; mark = mark->hh.next) {
		struct station_tap *tap = &mark->tap;

		if (tap->state != TAP_OPEN || strcmp(tap->name, port) ||
		    !is_vms(mark, &frame->src))
			continue;
		tap->heard |= (uint8_t)(1 << report.family);
		if (tap->heard == (1 << ADDR_IPV4 | 1 << ADDR_IPV6))
			close_tap(s, mark, "it has reported its groups");
		else if (tap->close_at > s->now + REPORTED_MS)
			tap->close_at = s->now + REPORTED_MS;
	}
}

/* The VM may still be on its way, and be heard here by the uplink once more: the
 * associate moves it again. */
const char *station_turned(struct station *s, ms_t now, const char *interface,
			   const struct mac *mac)
{
	s->now = now;
	for (struct station_mark *mark = s->marks; mark; mark = mark->hh.next) {
		struct station_tap *tap = &mark->tap;

		if (!tap->hears || strcmp(tap->uplink, interface) || !is_vms(mark, mac))
			continue;
		move(s, mark);
		tap->moved = false;
		tap->turned = true;
		return tap->name;
	}
	return NULL;
}

ms_t station_tap_deadline(const struct station *s)
{
	ms_t first = s->tap_look ? s->now : MS_NEVER;

	if (s->n_taps_open)
		for (const struct station_mark *mark = s->marks; mark;
		     mark = mark->hh.next)
			if (mark->tap.state == TAP_OPEN && mark->tap.close_at < first)
				first = mark->tap.close_at;
	return first;
}

void station_tap_tick(struct station *s)
{
	bool all = s->tap_look;

	s->tap_look = false;
	for (struct station_mark *mark = s->marks; mark; mark = mark->hh.next) {
		if (all)
			look(s, mark);
		if (mark->tap.state == TAP_OPEN && mark->tap.close_at <= s->now)
			close_tap(s, mark,
				  mark->tap.heard ? "it has reported its groups"
						  : "no report in 10 s");
	}
}

static struct station_uplink *uplink_of(const struct station *s, const char *name)
{
	struct station_uplink *uplink;

	HASH_FIND(hh, s->uplinks, name, strlen(name), uplink);
	return uplink;
}

static void drop_uplink(struct station *s, struct station_uplink *uplink)
{
	HASH_DEL(s->uplinks, uplink);
	free(uplink);
}

/* A keep-alive repeats the mode; a pre-associate after an associate begins anew. */
static void requested(struct station *s, struct station_mark *mark,
		      const struct link_vsi *seen)
{
	struct station_tap *tap = &mark->tap;
	bool replayed = seen->what == LINK_VSI_REPLAYED;
	bool assoc = seen->mode == VDP22_ASSOC, was_assoc = tap->mode == VDP22_ASSOC;
	bool first = !tap->mode || (was_assoc && !assoc);

	if (seen->mode == VDP22_DEASSOC) {
		over(s, mark);
		return;
	}
	memcpy(tap->uplink, seen->port, sizeof(tap->uplink));
	keep_entries(s, mark, seen);
	tap->mode = seen->mode;
	if (assoc && replayed) { /* it was so before we came */
		tap->moved = true;
		close_tap(s, mark, "it is associated");
		return;
	}
	if (first) {
		tap->moved = tap->turned = false;
		tap->close_at = MS_NEVER;
		if (tap->state == TAP_DONE)
			tap->state = TAP_WANTED;
	}
	look(s, mark);
	if (!assoc)
		hear(s, mark, true);
	else if (!tap->moved)
		move(s, mark);
}

static void answered(struct station *s, struct station_mark *mark,
		     const struct link_vsi *seen)
{
	struct station_tap *tap = &mark->tap;

	if (seen->status & VDP_STATUS_ERROR) {
		if (!(seen->status & VDP_STATUS_KEEP))
			over(s, mark);
	} else if (seen->mode == VDP22_ASSOC && tap->mode == VDP22_ASSOC &&
		   tap->close_at == MS_NEVER) {
		tap->close_at = s->now + ASSOCIATED_MS;
	}
}

/* lldpad holds the VSI no longer. */
static void over(struct station *s, struct station_mark *mark)
{
	mark->tap.mode = 0;
	close_tap(s, mark, "its VSI has ended");
}

static void keep_entries(struct station *s, struct station_mark *mark,
			 const struct link_vsi *seen)
{
	struct station_tap *tap = &mark->tap;
	size_t size = seen->n_entries * sizeof(seen->entries[0]);
	struct vsi_entry *entries;

	if (tap->n_entries == seen->n_entries &&
	    (!size || !memcmp(tap->entries, seen->entries, size)))
		return;
	entries = malloc(size ? size : 1);
	if (!entries)
		return;
	memcpy(entries, seen->entries, size);
	hear(s, mark, false);
	free(tap->entries);
	tap->entries = entries;
	tap->n_entries = seen->n_entries;
}

/* Is its tap there, or still there? */
static void look(struct station *s, struct station_mark *mark)
{
	struct station_tap *tap = &mark->tap;
	struct bridge_place place;

	if (tap->name[0] &&
	    (!s->io->place(s->arg, tap->name, &place) || place.bridge != tap->bridge)) {
		if (tap->state == TAP_OPEN) {
			close_tap(s, mark, "it has left the bridge");
			tap->state = TAP_WANTED;
		}
		tap->name[0] = '\0';
	}
	if (tap->state != TAP_WANTED)
		return;
	if (!tap->name[0]) {
		if (!find(s, mark, &place, tap->name))
			return;
		tap->bridge = place.bridge;
	}
	open_tap(s, mark);
	if (tap->mode == VDP22_ASSOC && !tap->moved)
		move(s, mark);
	else if (tap->mode)
		hear(s, mark, true);
}

/* Of the bridge of the port where its VSI is announced, else of any uplink's. */
static bool find(struct station *s, const struct station_mark *mark,
		 struct bridge_place *ret_uplink, char ret_name[VM_IFNAME_MAX])
{
	for (struct station_uplink *up = s->uplinks; up; up = up->hh.next)
		if ((!mark->tap.mode || !strcmp(up->name, mark->tap.uplink)) &&
		    s->io->place(s->arg, up->name, ret_uplink) &&
		    find_at(s, mark, ret_uplink, ret_name))
			return true;
	return false;
}

static bool find_at(struct station *s, const struct station_mark *mark,
		    const struct bridge_place *uplink, char ret_name[VM_IFNAME_MAX])
{
	const struct station_tap *tap = &mark->tap;
	struct bridge_place place;

	if (mark->what.tap[0]) {
		if (!strcmp(mark->what.tap, uplink->anchor) ||
		    !s->io->place(s->arg, mark->what.tap, &place) ||
		    place.bridge != uplink->bridge)
			return false;
		memcpy(ret_name, mark->what.tap, VM_IFNAME_MAX);
		return true;
	}
	if (has_tap(s, uplink, &mark->what.mac, ret_name))
		return true;
	for (unsigned i = 0; i < tap->n_entries; i++)
		if (has_tap(s, uplink, &tap->entries[i].mac, ret_name))
			return true;
	return false;
}

/* libvirt gives a tap its VM's MAC with another first octet, so that the bridge takes
 * no such address for its own. */
static bool has_tap(struct station *s, const struct bridge_place *uplink,
		    const struct mac *vm, char ret_name[VM_IFNAME_MAX])
{
	struct mac own = *vm;

	own.b[0] = vm->b[0] == 0xfe ? 0xfa : 0xfe;
	return !mac_is_zero(vm) && s->io->port_of_mac &&
	       s->io->port_of_mac(s->arg, uplink->bridge, &own, ret_name) &&
	       strcmp(ret_name, uplink->anchor) != 0;
}

static void open_tap(struct station *s, struct station_mark *mark)
{
	struct station_tap *tap = &mark->tap;

	if (!s->io->router_port || s->io->router_port(s->arg, tap->name, true)) {
		tap->state = TAP_DONE; /* the kernel will not; said by io */
		return;
	}
	tap->state = TAP_OPEN;
	tap->heard = 0;
	s->n_taps_open++;
	s->io->log(s->arg, LOG_DEBUG, tap->name, &mark->what.id,
		   "gets all multicast until the VM has reported its groups");
}

static void close_tap(struct station *s, struct station_mark *mark, const char *why)
{
	struct station_tap *tap = &mark->tap;
	bool was_open = tap->state == TAP_OPEN;

	hear(s, mark, false);
	tap->state = TAP_DONE;
	if (!was_open)
		return;
	s->n_taps_open--;
	(void)s->io->router_port(s->arg, tap->name, false);
	s->io->log(s->arg, LOG_DEBUG, tap->name, &mark->what.id, why);
}

/* The first frame to one of its MACs that its switch sends to here; where the bridge has
 * VLANs the associate must do. */
static void hear(struct station *s, struct station_mark *mark, bool on)
{
	struct station_tap *tap = &mark->tap;
	struct bridge_place uplink;

	if (on == tap->hears || !s->io->hear_first ||
	    (on && (tap->state != TAP_OPEN || tap->mode == VDP22_ASSOC || tap->turned ||
		    !s->io->place(s->arg, tap->uplink, &uplink) ||
		    uplink.bridge != tap->bridge || uplink.vlans)))
		return;
	tap->hears = on;
	for (unsigned i = 0; i < tap->n_entries; i++) {
		const struct mac *mac = mac_of(mark, &tap->entries[i]);

		if (!mac_is_zero(mac))
			(void)s->io->hear_first(s->arg, tap->uplink, mac, on);
	}
}

/* Each of its entries goes to the tap, in the VLAN that the uplink's bridge has it in. */
static void move(struct station *s, struct station_mark *mark)
{
	struct station_tap *tap = &mark->tap;
	struct bridge_place uplink;

	if (!tap->name[0] || !s->io->fdb_move ||
	    !s->io->place(s->arg, tap->uplink, &uplink) || uplink.bridge != tap->bridge)
		return;
	tap->moved = true;
	for (unsigned i = 0; i < tap->n_entries; i++) {
		const struct vsi_entry *entry = &tap->entries[i];
		const struct mac *mac = mac_of(mark, entry);
		uint16_t vlan = 0;

		if (uplink.vlans)
			vlan = entry->vlan ? entry->vlan : uplink.pvid;
		if (!mac_is_zero(mac) && (vlan || !uplink.vlans))
			(void)s->io->fdb_move(s->arg, tap->name, vlan, mac);
	}
	hear(s, mark, false);
}

static const struct mac *mac_of(const struct station_mark *mark,
				const struct vsi_entry *entry)
{
	return mac_is_zero(&entry->mac) ? &mark->what.mac : &entry->mac;
}

static bool is_vms(const struct station_mark *mark, const struct mac *mac)
{
	const struct station_tap *tap = &mark->tap;

	for (unsigned i = 0; i < tap->n_entries; i++)
		if (mac_equal(&tap->entries[i].mac, mac))
			return true;
	return mac_equal(&mark->what.mac, mac);
}
