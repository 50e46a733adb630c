/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests, the server's side: what is known of a VM's lease, of the mark and of
 * what was seen on this server, and which VSIs there are on the uplinks. core/help
 * decides.
 */
#include "station_help.h"

#include <stdlib.h>

#include "wire/text.h"

#define VSIS_MAX 4096
#define HOSTS_MAX 3

static enum help_verdict decide(struct station *s, const struct vsi_key *key,
				const struct vsi_entry *entry, struct help_facts *facts,
				struct help_known *ret_lease);
static bool mark_speaks(const struct station_mark *mark, const struct help_vsi *vsi,
			const struct vsi_entry *entry);
static bool is_vms_own(struct station *s, const struct station_mark *mark,
		       const struct station_lease *lease);
static unsigned times(const struct help_vsi *vsi, const struct mac *mac);
static struct help_vsi *find(const struct station_help *h, const struct vsi_key *key);
static struct help_vsi *get(struct station *s, const struct vsi_key *key);
static bool is_anothers(struct station *s, const struct vsi_key *key,
			const struct vsi_entry *entry, const struct addr *ip);
static unsigned hosts_of(struct station *s, const char *port,
			 const struct vsi_entry *entry,
			 struct binding_host ret_hosts[HOSTS_MAX]);

enum help_verdict station_know_decide(struct station *s, const struct link_help *help,
				      const struct vsi_entry *entry,
				      struct help_known *ret_lease)
{
	const struct vsi_key key = station_key(&help->id, help->port);
	const struct station_mark *mark = station_mark_of(s, &help->id);
	const struct help_vsi *vsi = find(s->help, &key);
	struct help_known known;
	struct help_facts facts = {
		.dhcp4 = help->dhcp4, .mac = entry->mac, .giaddr = help->giaddr,
	};
	enum help_verdict verdict = decide(s, &key, entry, &facts, &known);

	if (verdict == HELP_NO_ADDRESS && mark && mark->spent)
		return HELP_SPENT;
	if (verdict == HELP_NO_ADDRESS && mark && mac_equal(&mark->what.mac, &entry->mac) &&
	    times(vsi, &entry->mac) > 1)
		return HELP_VLANS;
	if (verdict != HELP_REQUEST)
		return verdict;
	if (is_anothers(s, &key, entry, &known.ip))
		return HELP_ANOTHERS;
	*ret_lease = known;
	return HELP_REQUEST;
}

void station_know_vsi(struct station *s, const struct vsi_key *key,
		      const struct link_vsi *seen)
{
	struct help_vsi *vsi = get(s, key);
	size_t size = seen->n_entries * sizeof(*vsi->entries);
	struct vsi_entry *entries = vsi && size ? realloc(vsi->entries, size) : NULL;

	if (!vsi)
		return;
	vsi->n = 0;
	if (!entries)
		return;
	vsi->entries = entries;
	vsi->n = seen->n_entries;
	memcpy(entries, seen->entries, size);
}

void station_know_forget(struct station_help *h, const struct vsi_key *key)
{
	struct help_vsi *vsi = find(h, key);

	if (!vsi)
		return;
	HASH_DEL(h->vsis, vsi);
	free(vsi->entries);
	free(vsi);
}

/* It may have another lease when it is back, and who brings it back says so. */
void station_know_left(struct station *s, const struct vsi_key *key)
{
	const struct help_vsi *vsi = find(s->help, key);
	struct station_mark *mark = station_mark_of(s, &key->id);
	struct binding_host hosts[HOSTS_MAX];

	for (unsigned i = 0; vsi && i < vsi->n; i++)
		for (unsigned n = hosts_of(s, key->port, &vsi->entries[i], hosts); n; n--)
			station_leases_left(s->help->leases, &hosts[n - 1]);
	if (vsi && mark)
		mark->spent = true;
	station_know_forget(s->help, key);
}

void station_know_done(struct station_help *h)
{
	while (h->vsis) {
		const struct vsi_key key = h->vsis->key;

		station_know_forget(h, &key);
	}
}

/* Statics. */

/* What was seen here of this MAC any guest here can have made look so, before the VM has
 * come. So it is a reason to ask only where the mark names its interface. Of another one
 * it is a reason not to ask, if it began after the VSI was announced: it may be the VM's
 * own newer lease. */
static enum help_verdict decide(struct station *s, const struct vsi_key *key,
				const struct vsi_entry *entry, struct help_facts *facts,
				struct help_known *ret_lease)
{
	const struct station_mark *mark = station_mark_of(s, &key->id);
	const struct help_vsi *vsi = find(s->help, key);
	const struct station_lease *lease = NULL;
	struct help_known marked, snooped;
	struct binding_host hosts[HOSTS_MAX];
	bool several = false;

	if (mark && mark_speaks(mark, vsi, entry)) {
		marked = (struct help_known){
			.ip = mark->what.ip, .client_id = mark->what.client_id,
			.no_client_id = mark->what.no_client_id,
		};
		facts->mark = &marked;
	}
	for (unsigned n = hosts_of(s, key->port, entry, hosts); n; n--) {
		const struct station_lease *found =
			station_leases_find(s->help->leases, &hosts[n - 1]);

		several |= found && lease;
		if (found && (!lease || is_vms_own(s, mark, found)))
			lease = found;
	}
	if (!lease)
		return help_decide(facts, ret_lease);
	snooped = (struct help_known){
		.ip = lease->ip, .client_id = lease->client_id,
		.no_client_id = !lease->client_id.len && !lease->odd_client_id,
		.ended = lease->ends <= s->now,
		.contested = several || lease->contested_until > s->now,
	};
	if (is_vms_own(s, mark, lease))
		facts->snooped = &snooped;
	else if (!(mark && *mark->what.tap) && (!vsi || lease->since > vsi->since))
		facts->doubtful = &snooped;
	return help_decide(facts, ret_lease);
}

/* One without MAC speaks of a VSI's only entry; and none where its address may be that of
 * another VLAN, or of another time. */
static bool mark_speaks(const struct station_mark *mark, const struct help_vsi *vsi,
			const struct vsi_entry *entry)
{
	if (!vsi || mark->spent || times(vsi, &entry->mac) != 1)
		return false;
	return mac_is_zero(&mark->what.mac) ? vsi->n == 1
					    : mac_equal(&mark->what.mac, &entry->mac);
}

static bool is_vms_own(struct station *s, const struct station_mark *mark,
		       const struct station_lease *lease)
{
	return mark && *mark->what.tap &&
	       !strcmp(mark->what.tap, station_leases_tap(s->help->leases, lease));
}

static unsigned times(const struct help_vsi *vsi, const struct mac *mac)
{
	unsigned n = 0;

	for (unsigned i = 0; vsi && i < vsi->n; i++)
		n += mac_equal(&vsi->entries[i].mac, mac);
	return n;
}

static struct help_vsi *find(const struct station_help *h, const struct vsi_key *key)
{
	struct help_vsi *vsi;

	HASH_FIND(hh, h->vsis, key, sizeof(*key), vsi);
	return vsi;
}

/* NULL: no memory, or too many. */
static struct help_vsi *get(struct station *s, const struct vsi_key *key)
{
	struct help_vsi *vsi = find(s->help, key);

	if (vsi || HASH_COUNT(s->help->vsis) >= VSIS_MAX)
		return vsi;
	vsi = calloc(1, sizeof(*vsi));
	if (!vsi)
		return NULL;
	vsi->key = *key;
	vsi->since = s->now;
	HASH_ADD(hh, s->help->vsis, key, sizeof(vsi->key), vsi);
	if (vsi->hh.tbl)
		return vsi;
	free(vsi);
	return NULL;
}

/* By what was seen of another VM here, or by the mark of another VSI in the same VLAN. */
static bool is_anothers(struct station *s, const struct vsi_key *key,
			const struct vsi_entry *entry, const struct addr *ip)
{
	struct binding_host hosts[HOSTS_MAX];

	for (unsigned n = hosts_of(s, key->port, entry, hosts); n; n--)
		if (station_leases_others(s->help->leases, s->now, &hosts[n - 1], ip))
			return true;
	for (const struct station_mark *i = s->marks; i; i = i->hh.next) {
		struct vsi_key other = station_key(&i->what.id, key->port);
		const struct help_vsi *vsi = find(s->help, &other);

		if (station_key_equal(&other, key) || !addr_equal(&i->what.ip, ip))
			continue;
		for (unsigned n = 0; vsi && n < vsi->n; n++)
			if (vsi->entries[n].vlan == entry->vlan &&
			    !mac_equal(&vsi->entries[n].mac, &entry->mac) &&
			    (mac_is_zero(&i->what.mac) ||
			     mac_equal(&vsi->entries[n].mac, &i->what.mac)))
				return true;
	}
	return false;
}

/* Where its VM may be: in the bridge that the uplink is a port of, or that the
 * interface of its VLAN there is a port of; or on the uplink itself, by a macvtap. */
static unsigned hosts_of(struct station *s, const char *port,
			 const struct vsi_entry *entry,
			 struct binding_host ret_hosts[HOSTS_MAX])
{
	struct bridge_place place, uplink, tagged;
	char name[VM_IFNAME_MAX];
	unsigned n = 0;

	if (s->io->place(s->arg, port, &place))
		ret_hosts[n++] = (struct binding_host){
			.bridge = place.bridge, .mac = entry->mac,
			.vlan = entry->vlan || !place.vlans ? entry->vlan : place.pvid,
		};
	(void)s->io->place(s->arg, place.anchor, &uplink);
	if (!uplink.bottom_ifindex)
		return n;
	ret_hosts[n++] = (struct binding_host){ .bridge = uplink.bottom_ifindex,
						.mac = entry->mac, .vlan = entry->vlan };
	if (entry->vlan && s->io->vlan_on &&
	    s->io->vlan_on(s->arg, uplink.bottom_ifindex, entry->vlan, name) &&
	    s->io->place(s->arg, name, &tagged))
		ret_hosts[n++] = (struct binding_host){
			.bridge = tagged.bridge, .mac = entry->mac,
			.vlan = tagged.vlans ? tagged.pvid : 0,
		};
	return n;
}
