/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multicast groups in the switch's story: reports that come in on its ports, whom to ask
 * and until when, and the ends of what is not confirmed or too old. The kernel's bridge
 * snoops the same reports by itself: what a host says changes our knowledge alone.
 *
 * Supported standards: RFC 4541 (snooping), RFC 3376, RFC 3810.
 */
#include <errno.h>
#include <stdio.h>

#include "bridge_groups.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/text.h"

static const struct groups_ops groups_ops;
static void forget(struct bridge *b, const struct port *port, bool but_taken);
static void begin(struct bridge *b, struct guest *guest, uint8_t families);
static void wake(struct bridge *b, struct guest *guest, ms_t at);
static void each_mac(struct bridge *b, const struct vsi *vsi,
		     void (*cb)(struct bridge *b, const struct vsi *vsi, struct guest *guest));
static struct guest *guest_of(struct bridge *b, const struct port *port,
			      const struct inet_frame *frame);
static int decode(const struct inet_frame *frame, struct report *ret_report);
static bool within_lids(struct bridge *b, struct port *port, struct guest *guest);
static bool within(ms_t now, ms_t *since, unsigned *n, unsigned most);
static void reported(struct bridge *b, struct guest *guest, const struct report *report);
static void end_unconfirmed(void *arg, struct guest *guest);

struct bridge_groups *bridge_groups_new(struct bridge *b)
{
	struct bridge_groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return NULL;
	groups->due = MS_NEVER;
	groups->members = groups_new(&groups_ops, b);
	if (groups->members)
		return groups;
	free(groups);
	return NULL;
}

void bridge_groups_free(struct bridge_groups *groups)
{
	if (!groups)
		return;
	guests_done(&groups->guests);
	bridge_groups_drop_done(groups);
	bridge_kernel_done(groups);
	groups_free(groups->members);
	free(groups);
}

/* What the ports are. */

uint8_t bridge_groups_families(const struct port *port)
{
	static const uint8_t families[] = {
		[LINK_GROUPS_OFF] = 0,
		[LINK_GROUPS_IGMP] = 1u << ADDR_IPV4,
		[LINK_GROUPS_MLD] = 1u << ADDR_IPV6,
		[LINK_GROUPS_BOTH] = 1u << ADDR_IPV4 | 1u << ADDR_IPV6,
	};

	if (!port || !port->known || port->settings.gone || !port->placed ||
	    port->settings.role == LINK_ROLE_STATION ||
	    port->settings.groups > LINK_GROUPS_BOTH)
		return 0;
	return families[port->settings.groups];
}

void bridge_groups_port(struct bridge *b, struct port *port)
{
	uint8_t before = port->families, now = bridge_groups_families(port);

	port->families = now;
	for (struct guest *i = before & ~now ? b->groups->guests.first : NULL; i; i = i->next)
		if (i->key.port == port->number)
			i->asked &= now;
	if (!now && before) {
		forget(b, port, true);
	} else if (now & ~before) {
		for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next)
			if (vsi->port == port->number)
				bridge_groups_take_stock(b, vsi);
	}
}

/* What was true of it there is no longer. */
void bridge_groups_moved(struct bridge *b, struct port *port)
{
	port->families = 0;
	forget(b, port, false);
}

struct groups_place bridge_groups_place(const struct bridge *b, uint16_t port, uint16_t vlan,
					const struct mac *mac)
{
	return (struct groups_place){
		.host = { ports_number(b, port)->bridge, vlan, *mac },
		.port = port,
		.announced = true,
	};
}

/* Whom to ask. */

static void query(struct bridge *b, const struct vsi *vsi, struct guest *guest)
{
	if (vsi->first_frame && guest->querying.sign != MS_NEVER) {
		querying_again(&guest->querying, b->now);
		wake(b, guest, b->now);
		return;
	}
	if (!vsi->first_frame) {
		guest->arrived = b->now;
		guest->reported = false;
	}
	begin(b, guest, bridge_groups_families(ports_number(b, vsi->port)));
}

void bridge_groups_query(struct bridge *b, const struct vsi *vsi)
{
	if (bridge_groups_families(ports_number(b, vsi->port)))
		each_mac(b, vsi, query);
}

static void take_stock(struct bridge *b, const struct vsi *vsi, struct guest *guest)
{
	const struct groups_place place =
		bridge_groups_place(b, vsi->port, guest->key.vlan, &guest->key.mac);
	uint8_t families = bridge_groups_families(ports_number(b, vsi->port));

	if (!(families & ~guest->asked))
		return;
	families &= (uint8_t)~guest->asked;
	guest->asked |= families;
	for (const struct groups_member *m = groups_first(b->groups->members, &place); m;
	     m = m->next)
		families &= (uint8_t)~(1u << m->group.family);
	if (families)
		begin(b, guest, families | guest->querying.families);
}

void bridge_groups_take_stock(struct bridge *b, const struct vsi *vsi)
{
	if (bridge_groups_families(ports_number(b, vsi->port)) &&
	    (vsi->state == MIGRATION_ARRIVED || vsi->state == MIGRATION_SETTLED))
		each_mac(b, vsi, take_stock);
}

void bridge_groups_quiet(struct bridge *b, const struct vsi *vsi)
{
	for (struct guest *guest = b->groups->guests.first, *next; guest; guest = next) {
		next = guest->next;
		if (guest->key.port == vsi->port && vsi_id_equal(&guest->vsi, &vsi->id))
			guests_remove(&b->groups->guests, guest);
	}
}

struct guest *bridge_groups_guest(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
				  const struct mac *mac)
{
	const struct guest_key key = { .mac = *mac, .vlan = vlan, .port = vsi->port };
	struct guest *guest = guests_get(&b->groups->guests, &key, &vsi->id);

	if (!guest)
		bridge_log(b, LOG_ERR, vsi, "groups are not asked for: no memory");
	return guest;
}

void bridge_groups_due(struct bridge *b, ms_t at)
{
	if (at < b->groups->due)
		b->groups->due = at;
}

/* From the wire. */

bool bridge_groups_flooded(struct bridge *b, struct port *port,
			   const struct inet_frame *frame)
{
	if (!port->families ||
	    !(frame->ethertype == ETHERTYPE_IPV4 ? frame->protocol == INET_IGMP
						 : frame->protocol == INET_ICMPV6) ||
	    within_lids(b, port, guest_of(b, port, frame)))
		return false;
	b->groups->counts.limited++;
	port->reports_lost = b->now;
	return true;
}

void bridge_groups_frame(struct bridge *b, struct port *port,
			 const struct inet_frame *frame)
{
	const uint64_t *refused = &groups_counts(b->groups->members)->refused;
	uint64_t refused_before = *refused;
	struct groups_place place;
	struct report_record record;
	struct report report;
	struct guest *guest;
	int err = port->families ? decode(frame, &report) : -ENOENT;

	if (err == -EBADMSG) {
		b->groups->counts.bad++;
		port->reports_lost = b->now;
	}
	if (err || report.what != REPORT_RECORDS ||
	    !(port->families & 1u << report.family))
		return;
	guest = guest_of(b, port, frame);
	b->groups->counts.reports[report.family == ADDR_IPV6]++;
	place = bridge_groups_place(b, port->number, ports_vlan_in(port, frame->vlan),
				    &frame->src);
	place.announced = guest;
	for (struct report rest = report; report_next(&rest, &record);)
		groups_record(b->groups->members, b->now, &place, &record);
	if (*refused != refused_before)
		port->reports_lost = b->now;
	if (report.family == ADDR_IPV4 && report.version == 1)
		port->igmp1_until = b->now + GROUPS_INTERVAL_MS;
	if (guest)
		reported(b, guest, &report);
}

/* Time. */

ms_t bridge_groups_deadline(const struct bridge *b)
{
	ms_t first = groups_deadline(b->groups->members);
	ms_t drop = bridge_groups_drop_deadline(b);

	first = first < drop ? first : drop;
	return first < b->groups->due ? first : b->groups->due;
}

/* When the next is due is found out where the queries leave: bridge_committed(). */
void bridge_groups_tick(struct bridge *b)
{
	groups_expire(b->groups->members, b->now);
	bridge_groups_drop_due(b);
	if (b->groups->due > b->now)
		return;
	guests_each_due(&b->groups->guests, b->now, end_unconfirmed, b);
}

void bridge_groups_end(struct bridge *b, struct groups_member *m, const char *why)
{
	const struct groups_place place = m->place;
	const struct addr group = m->group;

	bridge_groups_tell(b, m, groups_origin_text(m->origin), "left", why);
	groups_remove(b->groups->members, m);
	bridge_groups_drop(b, &place, &group);
}

uint8_t bridge_groups_unconfirmed(struct bridge *b, const struct guest *guest)
{
	const struct groups_place place = bridge_groups_place(
		b, guest->key.port, guest->key.vlan, &guest->key.mac);
	uint8_t families = 0;

	for (const struct groups_member *m = groups_first(b->groups->members, &place); m;
	     m = m->next)
		if (m->origin == GROUPS_MOVED)
			families |= (uint8_t)(1u << m->group.family);
	return families;
}

struct groups *bridge_groups(struct bridge *b)
{
	return b->groups->members;
}

unsigned bridge_groups_of_entry(struct bridge *b, const struct vsi *vsi,
				const struct vsi_lease *lease)
{
	unsigned n_macs, n = 0;
	const struct mac *macs = vsi_macs(lease, &n_macs);

	while (n_macs) {
		const struct groups_place place = bridge_groups_place(
			b, vsi->port, lease->entry.vlan, &macs[--n_macs]);

		for (const struct groups_member *m = groups_first(b->groups->members, &place);
		     m; m = m->next)
			n++;
	}
	return n;
}

const struct bridge_groups_counts *bridge_groups_counts(const struct bridge *b)
{
	return &b->groups->counts;
}

/* Statics: whom to ask. */

/* but_taken: those whose FDB entry has been taken here stay, for it may have to go back. */
static void forget(struct bridge *b, const struct port *port, bool but_taken)
{
	groups_forget_port(b->groups->members, port->number);
	bridge_groups_drop_forget(b, port->number);
	for (struct guest *guest = b->groups->guests.first, *next; guest; guest = next) {
		next = guest->next;
		if (guest->key.port != port->number)
			continue;
		if (but_taken && guest->taken)
			guests_reset(guest);
		else
			guests_remove(&b->groups->guests, guest);
	}
}

static void begin(struct bridge *b, struct guest *guest, uint8_t families)
{
	guest->asked |= families;
	querying_begin(&guest->querying, b->now, families);
	wake(b, guest, b->now);
}

/* Something of it is due then. */
static void wake(struct bridge *b, struct guest *guest, ms_t at)
{
	guests_wake(&b->groups->guests, guest, at);
	bridge_groups_due(b, at);
}

/* Of an entry of which no MAC is known: whoever is in its VLAN. */
static void each_mac(struct bridge *b, const struct vsi *vsi,
		     void (*cb)(struct bridge *b, const struct vsi *vsi, struct guest *guest))
{
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		const struct vsi_lease *lease = &vsi->leases[i];
		unsigned n;
		const struct mac *macs = vsi_macs(lease, &n);

		for (unsigned j = 0; j < n + !n; j++) {
			struct guest *guest = bridge_groups_guest(
				b, vsi, bridge_host(b, vsi, &lease->entry).vlan,
				n ? &macs[j] : &lease->entry.mac);

			if (guest)
				cb(b, vsi, guest);
		}
	}
}

/* Statics: reports. */

static struct guest *guest_of(struct bridge *b, const struct port *port,
			      const struct inet_frame *frame)
{
	const struct guest_key key = {
		.mac = frame->src, .vlan = ports_vlan_in(port, frame->vlan),
		.port = port->number,
	};

	return guests_find(&b->groups->guests, &key);
}

static int decode(const struct inet_frame *frame, struct report *ret_report)
{
	/* A source that is a group, or none, is nobody's. */
	if (frame->src.b[0] & 1 || mac_is_zero(&frame->src))
		return -ENOENT;
	return frame->ethertype == ETHERTYPE_IPV6 ? mld_decode(frame, ret_report, NULL)
						  : igmp_decode(frame, ret_report, NULL);
}

/* A flood of one host's reports must not keep out another's. */
static bool within_lids(struct bridge *b, struct port *port, struct guest *guest)
{
	bool own = guest ? within(b->now, &guest->reports_since, &guest->reports,
				  REPORTS_OF_HOST)
			 : true;

	if (port->reports_since + 1000 <= b->now)
		port->reports_unannounced = 0;
	if (!own || (!guest && ++port->reports_unannounced > REPORTS_UNANNOUNCED))
		return false;
	return within(b->now, &port->reports_since, &port->reports, REPORTS_OF_PORT);
}

static bool within(ms_t now, ms_t *since, unsigned *n, unsigned most)
{
	if (*since + 1000 <= now) {
		*since = now;
		*n = 0;
	}
	return ++*n <= most;
}

static void reported(struct bridge *b, struct guest *guest, const struct report *report)
{
	struct bridge_groups_counts *counts = &b->groups->counts;
	char why[48] = "";

	if (report_is_state(report))
		querying_answered(&guest->querying, report->family);
	if (guest->reported)
		return;
	guest->reported = true;
	if (guest->arrived != MS_NEVER) {
		uint64_t after = (uint64_t)(b->now - guest->arrived);

		counts->first_reports++;
		counts->first_report_ms += after;
		if (after > counts->first_report_ms_max)
			counts->first_report_ms_max = after;
		snprintf(why, sizeof(why), "%llu ms after the associate",
			 (unsigned long long)after);
	}
	bridge_groups_tell_guest(b, guest, "report", "first report", *why ? why : NULL);
	if (!bridge_groups_unconfirmed(b, guest))
		return;
	guest->confirm_at = b->now + CONFIRM_MS;
	guest->ask_again_at = b->now + CONFIRM_MS / 2;
	wake(b, guest, guest->ask_again_at);
}

static void end_unconfirmed(void *arg, struct guest *guest)
{
	struct bridge *b = arg;
	const struct groups_place place = bridge_groups_place(
		b, guest->key.port, guest->key.vlan, &guest->key.mac);
	struct groups_member *m = groups_first(b->groups->members, &place), *next;

	if (guest->confirm_at > b->now)
		return;
	guest->confirm_at = MS_NEVER;
	for (; m; m = next) {
		next = m->next;
		if (m->origin != GROUPS_MOVED)
			continue;
		b->groups->counts.unconfirmed++;
		bridge_groups_end(b, m, "not confirmed");
	}
}

/* What the kernel's bridge makes of a leave it decides itself; but what it has from us
 * alone, nobody else will take away. */
static void changed(void *arg, const struct groups_member *m, enum groups_change change)
{
	struct bridge *b = arg;

	switch (change) {
	case GROUPS_JOINED:
		bridge_groups_tell(b, m, NULL, "joined", "reported");
		return;
	case GROUPS_CONFIRMED:
		b->groups->counts.confirmed++;
		bridge_groups_tell(b, m, "moved", "confirmed", "reported");
		return;
	case GROUPS_LEFT:
	case GROUPS_AGED:
		bridge_groups_tell(b, m, groups_origin_text(m->origin), "left",
				   change == GROUPS_LEFT ? "reported" : "too old");
		if (change == GROUPS_LEFT && m->origin == GROUPS_MOVED)
			bridge_groups_drop(b, &m->place, &m->group);
		return;
	}
}

static const struct groups_ops groups_ops = { .changed = changed };
