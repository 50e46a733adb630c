/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server's story: associations that lldpad has lost. A station keeps a VSI alive, and
 * makes it anew for nobody: after a reload (SIGHUP) or an end of lldpad, or when the
 * uplink was down, the VM runs on and its switch ends the association within seconds.
 * What was associated is kept here until it is associated again, has ended in the regular
 * way, or a day is over, to be shown: nobody else knows of it any more.
 *
 * VDP: IEEE 802.1Q clause 41.
 */
#include "station_private.h"

#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define VSIS_MOST 4096
#define SHOWN_MS (24 * 3600 * 1000)
/* lldpad says at its end what it says at a reload, and is gone soon after. */
#define END_MS 60000

enum lost {
	LOST_NOT = 0,
	LOST_RELOAD,
	LOST_END,
	LOST_LINK,
	LOST_SWITCH,
};

struct station_assoc {
	struct vsi_id id;
	char port[VM_IFNAME_MAX];	/* the last that it was associated on */
	enum lost lost;
	ms_t since;		/* lost */
	unsigned n_entries;
	struct vsi_entry *entries;	/* owned */
	UT_hash_handle hh;	/* by id */
};

static void associated(struct station *s, const struct link_vsi *seen);
static void replace(struct station *s, const struct station_assoc *by);
static bool have_one_entry(const struct station_assoc *a, const struct station_assoc *b);
static struct station_assoc *find(const struct station *s, const struct vsi_id *id);
static struct station_assoc *get(struct station *s, const struct vsi_id *id);
static void lose(struct station *s, struct station_assoc *assoc, enum lost how);
static void make_room(struct station *s);
static void drop(struct station *s, struct station_assoc *assoc);
static bool is_station(const struct station *s, const char *port);

void station_lost_vsi(struct station *s, const struct link_vsi *seen)
{
	struct station_assoc *assoc = find(s, &seen->id);
	bool refused = seen->status & VDP_STATUS_ERROR;

	if (assoc && strcmp(assoc->port, seen->port) != 0 && seen->mode != VDP22_ASSOC)
		return;
	switch (seen->what) {
	case LINK_VSI_REPLAYED:
		if (seen->mode == VDP22_ASSOC)
			associated(s, seen);
		break;
	case LINK_VSI_RESPONSE:
		if (seen->mode == VDP22_ASSOC && !refused)
			associated(s, seen);
		else if (assoc && !assoc->lost && refused &&
			 !(seen->status & VDP_STATUS_KEEP))
			drop(s, assoc);
		break;
	case LINK_VSI_REQUEST:
		if (assoc && seen->mode == VDP22_DEASSOC)
			drop(s, assoc);
		break;
	case LINK_VSI_TIMEOUT:
		if (assoc && !assoc->lost)
			lose(s, assoc, LOST_SWITCH);
	}
}

/* Not ours any more: nobody tells what becomes of its VSIs. */
void station_lost_port(struct station *s, const struct link_port *port)
{
	for (struct station_assoc *i = s->assocs, *next; i; i = next) {
		next = i->hh.next;
		if (port->gone && !strcmp(port->name, i->port))
			drop(s, i);
	}
}

void station_lost_forgotten(struct station *s, const char *port)
{
	for (struct station_assoc *i = s->assocs; i; i = i->hh.next)
		if (!i->lost && (!*port || !strcmp(port, i->port)))
			lose(s, i, *port ? LOST_LINK : LOST_RELOAD);
}

void station_lost_module_gone(struct station *s)
{
	for (struct station_assoc *i = s->assocs; i; i = i->hh.next)
		if (!i->lost)
			lose(s, i, LOST_END);
		else if (i->lost == LOST_RELOAD && s->now - i->since < END_MS)
			i->lost = LOST_END;
}

void station_lost_free(struct station *s)
{
	while (s->assocs)
		drop(s, s->assocs);
}

void station_each_lost(struct station *s, ms_t now,
		       void (*cb)(void *arg, const struct station_lost_info *info),
		       void *arg)
{
	static const char *const why[] = {
		[LOST_RELOAD] = "lldpad was reloaded",
		[LOST_END] = "lldpad has ended",
		[LOST_LINK] = "the link was down",
		[LOST_SWITCH] = "the switch has ended it",
	};

	s->now = now;
	for (struct station_assoc *i = s->assocs, *next; i; i = next) {
		struct station_lost_info info = {
			.port = i->port, .id = &i->id, .since = i->since,
			.why = why[i->lost],
		};

		next = i->hh.next;
		if (!i->lost)
			continue;
		if (now - i->since >= SHOWN_MS) {
			drop(s, i);
			continue;
		}
		for (unsigned n = 0; n < i->n_entries; n++) {
			info.entry = i->entries[n];
			cb(arg, &info);
		}
	}
}

/* Statics. */

static void associated(struct station *s, const struct link_vsi *seen)
{
	struct station_assoc *assoc;
	struct vsi_entry *entries;
	size_t size = seen->n_entries * sizeof(*entries);

	if (!seen->n_entries || !is_station(s, seen->port))
		return;
	assoc = get(s, &seen->id);
	if (!assoc)
		return;
	assoc->lost = LOST_NOT;
	memcpy(assoc->port, seen->port, sizeof(assoc->port));
	if (assoc->n_entries != seen->n_entries) {
		entries = realloc(assoc->entries, size);
		if (!entries)
			return;
		assoc->entries = entries;
		assoc->n_entries = seen->n_entries;
	}
	memcpy(assoc->entries, seen->entries, size);
	replace(s, assoc);
}

/* What was lost and is associated under another ID now: libvirt makes a new one for an
 * interface that was given none. */
static void replace(struct station *s, const struct station_assoc *by)
{
	for (struct station_assoc *i = s->assocs, *next; i; i = next) {
		next = i->hh.next;
		if (i->lost && have_one_entry(i, by))
			drop(s, i);
	}
}

static bool have_one_entry(const struct station_assoc *a, const struct station_assoc *b)
{
	for (unsigned i = 0; i < a->n_entries; i++)
		for (unsigned k = 0; k < b->n_entries; k++)
			if (a->entries[i].vlan == b->entries[k].vlan &&
			    mac_equal(&a->entries[i].mac, &b->entries[k].mac))
				return true;
	return false;
}

static struct station_assoc *find(const struct station *s, const struct vsi_id *id)
{
	struct station_assoc *assoc;

	HASH_FIND(hh, s->assocs, id, sizeof(*id), assoc);
	return assoc;
}

/* Found, or made new; NULL: no memory, or too many. */
static struct station_assoc *get(struct station *s, const struct vsi_id *id)
{
	struct station_assoc *assoc = find(s, id);

	if (assoc)
		return assoc;
	if (HASH_COUNT(s->assocs) >= VSIS_MOST)
		make_room(s);
	if (HASH_COUNT(s->assocs) >= VSIS_MOST)
		return NULL;
	assoc = calloc(1, sizeof(*assoc));
	if (!assoc)
		return NULL;
	assoc->id = *id;
	HASH_ADD(hh, s->assocs, id, sizeof(assoc->id), assoc);
	if (assoc->hh.tbl)
		return assoc;
	free(assoc);
	return NULL;
}

static void lose(struct station *s, struct station_assoc *assoc, enum lost how)
{
	assoc->lost = how;
	assoc->since = s->now;
}

/* The one that has been lost for longest. */
static void make_room(struct station *s)
{
	struct station_assoc *oldest = NULL;

	for (struct station_assoc *i = s->assocs; i; i = i->hh.next)
		if (i->lost && (!oldest || i->since < oldest->since))
			oldest = i;
	if (oldest)
		drop(s, oldest);
}

static void drop(struct station *s, struct station_assoc *assoc)
{
	HASH_DEL(s->assocs, assoc);
	free(assoc->entries);
	free(assoc);
}

static bool is_station(const struct station *s, const char *port)
{
	const struct station_uplink *uplink;

	HASH_FIND(hh, s->uplinks, port, strlen(port), uplink);
	return uplink;
}
