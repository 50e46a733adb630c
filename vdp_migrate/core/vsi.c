/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VSIs that the ports have announced, and how an association TLV becomes an
 * event. Knows the modes and the status octet of IEEE 802.1Q 41.2.3; what follows
 * from an event (core/migration) and what a VSI holds (core/binding) it does not.
 *
 * The VSIs of one instance ID, a few ports' at most, hang together: "active on
 * another port" is asked at each step of a migration.
 */
#include "vsi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

struct slot {
	struct vsi vsi; /* first: a struct vsi is its slot */
	struct vsi *prev;
	struct name *name;
	struct slot *sibling; /* of the same instance ID */
};

struct name {
	struct vsi_id id;
	struct slot *first;
	UT_hash_handle hh;
};

struct vsi_table {
	struct name *names;
	struct vsi *first, *last;
};

static struct slot *slot_of(struct vsi *vsi);
static struct name *name_get(struct vsi_table *table, const struct vsi_id *id);
static void name_put(struct vsi_table *table, struct name *name);
static bool is_association(uint8_t mode);
static bool is_pre(uint8_t mode);
static bool has_entry(const struct vsi *vsi, const struct vsi_entry *entry, unsigned hint,
		      unsigned *ret_at);
static enum migration_event see_request(struct vsi *vsi, const struct link_vsi *seen,
					bool m);
static unsigned see_response(struct vsi *vsi, const struct link_vsi *seen,
			     enum migration_event *ret_event);
static bool see_suspended(struct vsi *vsi, const struct link_vsi *seen, uint8_t before);
static void end(struct vsi *vsi);
static bool in_common(const struct vsi *a, const struct vsi *b);

struct vsi_table *vsi_table_new(void)
{
	return calloc(1, sizeof(struct vsi_table));
}

void vsi_table_free(struct vsi_table *table)
{
	if (!table)
		return;
	while (table->first)
		vsi_remove(table, table->first);
	free(table);
}

struct vsi *vsi_find(struct vsi_table *table, uint16_t port, const struct vsi_id *id)
{
	struct name *name;

	HASH_FIND(hh, table->names, id, sizeof(*id), name);
	for (struct slot *s = name ? name->first : NULL; s; s = s->sibling)
		if (s->vsi.port == port)
			return &s->vsi;
	return NULL;
}

struct vsi *vsi_get(struct vsi_table *table, uint16_t port, const struct vsi_id *id)
{
	struct vsi *vsi = vsi_find(table, port, id);
	struct slot *slot;

	if (vsi)
		return vsi;
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return NULL;
	slot->name = name_get(table, id);
	if (!slot->name) {
		free(slot);
		return NULL;
	}
	slot->sibling = slot->name->first;
	slot->name->first = slot;

	vsi = &slot->vsi;
	vsi->port = port;
	vsi->id = *id;
	vsi->state = MIGRATION_ABSENT;
	vsi->clock = MS_NEVER;
	slot->prev = table->last;
	if (table->last)
		table->last->next = vsi;
	else
		table->first = vsi;
	table->last = vsi;
	return vsi;
}

void vsi_remove(struct vsi_table *table, struct vsi *vsi)
{
	struct slot *slot = slot_of(vsi), **at = &slot->name->first;

	while (*at != slot)
		at = &(*at)->sibling;
	*at = slot->sibling;
	name_put(table, slot->name);

	if (slot->prev)
		slot->prev->next = vsi->next;
	else
		table->first = vsi->next;
	if (vsi->next)
		slot_of(vsi->next)->prev = slot->prev;
	else
		table->last = slot->prev;
	free(vsi->leases);
	free(slot);
}

struct vsi *vsi_first(struct vsi_table *table)
{
	return table->first;
}

struct vsi *vsi_elsewhere(struct vsi_table *table, const struct vsi *vsi, unsigned states)
{
	struct name *name;

	HASH_FIND(hh, table->names, &vsi->id, sizeof(vsi->id), name);
	for (struct slot *s = name ? name->first : NULL; s; s = s->sibling)
		if (s->vsi.port != vsi->port && states & 1u << s->vsi.state &&
		    in_common(&s->vsi, vsi))
			return &s->vsi;
	return NULL;
}

struct vsi *vsi_twin(struct vsi_table *table, const struct vsi *vsi)
{
	struct name *name;

	HASH_FIND(hh, table->names, &vsi->id, sizeof(vsi->id), name);
	for (struct slot *s = name ? name->first : NULL; s; s = s->sibling)
		if (s->vsi.port != vsi->port && s->vsi.mode && !in_common(&s->vsi, vsi))
			return &s->vsi;
	return NULL;
}

struct vsi_lease *vsi_lease_find(struct vsi *vsi, const struct vsi_entry *entry)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (entry_equal(&vsi->leases[i].entry, entry))
			return &vsi->leases[i];
	return NULL;
}

const char *vsi_help_text(enum vsi_help help)
{
	static const char *const text[] = {
		[VSI_HELP_NONE] = "none",	    [VSI_HELP_WAITS] = "waits",
		[VSI_HELP_ASKED] = "asked",	    [VSI_HELP_ANSWERED] = "answered",
		[VSI_HELP_REFUSED] = "refused",	    [VSI_HELP_SILENT] = "no answer",
		[VSI_HELP_CONTRADICTED] = "contradicted",
	};

	return help < sizeof(text) / sizeof(*text) ? text[help] : "?";
}

bool vsi_filter_changed(const struct vsi *vsi, const struct link_vsi *seen)
{
	bool named[VSI_ENTRIES_MAX] = {false};
	unsigned at, n = 0;

	if (!vsi->n_leases || !seen->n_entries)
		return false;
	for (unsigned i = 0; i < seen->n_entries; i++) {
		if (!has_entry(vsi, &seen->entries[i], i, &at))
			return true;
		n += !named[at];
		named[at] = true;
	}
	return n != vsi->n_leases;
}

int vsi_set_filter(struct vsi *vsi, const struct link_vsi *seen)
{
	struct vsi_lease *leases;
	unsigned n = 0;

	if (!seen->n_entries)
		return 0;
	leases = calloc(seen->n_entries, sizeof(*leases));
	if (!leases)
		return -ENOMEM;
	for (unsigned i = 0; i < seen->n_entries; i++) {
		const struct vsi_entry *entry = &seen->entries[i];
		const struct vsi so_far = {.n_leases = n, .leases = leases};
		unsigned at;

		if (has_entry(&so_far, entry, 0, &at))
			continue;
		if (has_entry(vsi, entry, i, &at))
			leases[n] = vsi->leases[at];
		else
			leases[n] =
				(struct vsi_lease){.entry = *entry, .ask_at = MS_NEVER};
		n++;
	}
	free(vsi->leases);
	vsi->leases = leases;
	vsi->n_leases = n;
	return 0;
}

unsigned vsi_see(struct vsi *vsi, const struct link_vsi *seen,
		 enum migration_event ret_events[VSI_EVENTS_MAX])
{
	uint8_t before = vsi->mode;
	unsigned n = 0;

	switch (seen->what) {
	case LINK_VSI_REQUEST:
		if (!is_association(seen->mode) && seen->mode != VDP22_DEASSOC)
			return 0;
		ret_events[n++] = see_request(vsi, seen, seen->status & VDP_STATUS_M);
		if (see_suspended(vsi, seen, before))
			ret_events[n++] = MIGRATION_SUSPENDED;
		return n;
	case LINK_VSI_REPLAYED:
		if (!is_association(seen->mode))
			return 0;
		/* Of an associate that lldpad holds the M says nothing: its moment is
		 * over. */
		ret_events[n++] = see_request(
			vsi, seen, is_pre(seen->mode) && seen->status & VDP_STATUS_M);
		if (seen->mode == VDP22_ASSOC && !vsi->confirmed) {
			vsi->confirmed = true;
			ret_events[n++] = MIGRATION_ACCEPTED;
		}
		return n;
	case LINK_VSI_RESPONSE:
		return see_response(vsi, seen, ret_events);
	case LINK_VSI_TIMEOUT:
		end(vsi);
		vsi->forgotten = true;
		ret_events[n++] = MIGRATION_TIMEOUT;
		return n;
	}
	return 0;
}

const struct mac *vsi_macs(const struct vsi_lease *lease, unsigned *ret_n)
{
	bool own = !mac_is_zero(&lease->entry.mac);

	*ret_n = own ? 1 : lease->n_macs;
	return own ? &lease->entry.mac : lease->macs;
}

bool vsi_learn_mac(struct vsi_lease *lease, const struct mac *mac)
{
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++)
		if (mac_equal(&macs[i], mac))
			return true;
	if (!mac_is_zero(&lease->entry.mac) || n == VSI_MACS_MAX || mac_is_zero(mac))
		return false;
	lease->macs[lease->n_macs++] = *mac;
	return true;
}

struct vsi_lease *vsi_lease_of(struct vsi *vsi, uint16_t vlan, const struct mac *mac)
{
	struct vsi_lease *any = NULL;

	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];

		if (lease->entry.vlan != vlan)
			continue;
		if (mac_equal(&lease->entry.mac, mac))
			return lease;
		if (mac_is_zero(&lease->entry.mac))
			any = lease;
	}
	return any;
}

void vsi_resumed(struct vsi *vsi)
{
	if (vsi->stopped)
		vsi->suspended = false;
	vsi->stopped = false;
	vsi->suspended_until = 0;
}

void vsi_forget(struct vsi *vsi)
{
	vsi->forgotten = true;
	vsi->confirmed = false;
}

static enum migration_event see_request(struct vsi *vsi, const struct link_vsi *seen,
					bool m)
{
	uint8_t before = vsi->mode;

	/* One that runs for want of an answer runs on. */
	if (vsi->forgotten || !before)
		vsi->clock = MS_NEVER;
	vsi->forgotten = false;
	/* M in a de-associate means nothing: stock stations repeat it there too. */
	if (seen->mode == VDP22_DEASSOC) {
		end(vsi);
		return MIGRATION_DEASSOC;
	}
	if (seen->mode == before)
		return MIGRATION_REQUEST;

	vsi->mode = seen->mode;
	vsi->confirmed = false;
	if (m)
		return is_pre(seen->mode) ? MIGRATION_PRE_M : MIGRATION_ASSOC_M;
	if (seen->mode == VDP22_ASSOC && is_pre(before))
		return MIGRATION_ASSOC_AFTER_PRE;
	return MIGRATION_REQUEST;
}

/* The edge, as with M: stock stations have S in the first request or never, and then in
 * all that follow. */
static bool see_suspended(struct vsi *vsi, const struct link_vsi *seen, uint8_t before)
{
	bool was = vsi->suspended;

	vsi->suspended = seen->mode == VDP22_ASSOC && seen->status & VDP_STATUS_S;
	if (!vsi->suspended || was || before != VDP22_ASSOC) {
		vsi->stopped &= vsi->suspended;
		return false;
	}
	vsi->stopped = true;
	return true;
}

/* In a response M's position means HARD and S's KEEP: only Ack and the error are
 * looked at. */
static unsigned see_response(struct vsi *vsi, const struct link_vsi *seen,
			     enum migration_event *ret_event)
{
	if (!is_association(seen->mode) || !(seen->status & VDP_STATUS_ACK))
		return 0;
	if (seen->status & VDP_STATUS_ERROR) {
		end(vsi);
		*ret_event = MIGRATION_REFUSED;
		return 1;
	}
	/* mode 0: the request went by before we were told of this port's VSIs. */
	if (seen->mode != VDP22_ASSOC || vsi->confirmed ||
	    (vsi->mode && vsi->mode != VDP22_ASSOC))
		return 0;
	vsi->mode = VDP22_ASSOC;
	vsi->confirmed = true;
	*ret_event = MIGRATION_ACCEPTED;
	return 1;
}

/* Its association has ended: whatever comes next is its first request. */
static void end(struct vsi *vsi)
{
	vsi->mode = 0;
	vsi->confirmed = false;
}

/* A MAC, or where one of them names none, nothing that speaks against it. */
static bool in_common(const struct vsi *a, const struct vsi *b)
{
	bool both = a->n_leases && b->n_leases;

	for (unsigned i = 0; i < a->n_leases && both; i++)
		for (unsigned j = 0; j < b->n_leases; j++)
			if (mac_is_zero(&a->leases[i].entry.mac) ||
			    mac_is_zero(&b->leases[j].entry.mac) ||
			    mac_equal(&a->leases[i].entry.mac, &b->leases[j].entry.mac))
				return true;
	return !both;
}

static bool is_association(uint8_t mode)
{
	return is_pre(mode) || mode == VDP22_ASSOC;
}

static bool is_pre(uint8_t mode)
{
	return mode == VDP22_PRE || mode == VDP22_PRE_RR;
}

/* hint: where it most likely is (stations repeat the filter info as it was). */
static bool has_entry(const struct vsi *vsi, const struct vsi_entry *entry, unsigned hint,
		      unsigned *ret_at)
{
	if (hint < vsi->n_leases && entry_equal(&vsi->leases[hint].entry, entry)) {
		*ret_at = hint;
		return true;
	}
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (entry_equal(&vsi->leases[i].entry, entry)) {
			*ret_at = i;
			return true;
		}
	return false;
}

static struct slot *slot_of(struct vsi *vsi)
{
	return (struct slot *)vsi;
}

static struct name *name_get(struct vsi_table *table, const struct vsi_id *id)
{
	struct name *name;

	HASH_FIND(hh, table->names, id, sizeof(*id), name);
	if (name)
		return name;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->id = *id;
	HASH_ADD(hh, table->names, id, sizeof(name->id), name);
	if (!name->hh.tbl) {
		free(name);
		return NULL;
	}
	return name;
}

/* Let go of it if nobody bears it any more. */
static void name_put(struct vsi_table *table, struct name *name)
{
	if (name->first)
		return;
	HASH_DEL(table->names, name);
	free(name);
}
