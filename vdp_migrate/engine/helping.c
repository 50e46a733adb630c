/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests, the switch's side: for entries of a VSI of which nothing is known the
 * station is asked to send the VM's DHCPREQUEST (module: the help TLV), and the DHCP
 * server's answer is taken for the binding. It comes to giaddr's socket, or, asked
 * without giaddr, by a trusted port or from this machine itself.
 *
 * giaddr is used where servers are set for the VLAN: anybody can send to it, and those
 * alone are believed.
 *
 * One request a VSI at a time, for all its entries that lack a binding and have one
 * giaddr; what has another, or comes when it has gone on for long, waits for its end. The
 * station sends once, so it is asked again, with new xids, as RFC 2131 4.1 has it: after
 * 4 s, and after 8 s more, each one more or less; and of an entry HELP_MS after it came
 * nothing is known. An entry that comes later makes all that are open be asked for again.
 * Ended ones are remembered for a while: what is still under way to us is then known for
 * what it is.
 *
 * Supported standards: RFC 2131 (4.1 retransmission).
 */
#include <stdio.h>
#include <string.h>

#include "helping.h"
#include "core/help.h"
#include "wire/orgtlv.h"
#include "wire/text.h"

#define HELP_MS 16000
#define GATHER_MS 20	/* what comes later within this time is one more request */

static const struct member *helper(const struct bridge *b, const struct vsi *vsi);
static void giaddr_for(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_giaddr);
static bool has_member(struct bridge *b, struct helping *h, const struct vsi *vsi);
static void gather(struct bridge *b, struct vsi *vsi, struct helping *h);
static bool add(struct bridge *b, struct vsi *vsi, struct helping *h,
		struct vsi_lease *lease);
static void due(struct bridge *b, ms_t at);
static void say(struct bridge *b, struct helping *h, struct vsi *vsi);
static void attempt_over(struct bridge *b, struct helping *h, struct vsi *vsi);
static void end(struct bridge *b, struct helping *h);
static void tell_end(struct bridge *b, const struct helping *h);

bool helping_ask(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease)
{
	const struct port *port = ports_number(b, vsi->port);
	const struct member *member = helper(b, vsi);
	struct addr giaddr;
	struct helping *h;

	if (lease->help == VSI_HELP_ASKED || lease->help == VSI_HELP_WAITS)
		return true;
	/* Some servers end the VM's real lease at each request for another one: not again. */
	if (lease->help == VSI_HELP_CONTRADICTED)
		return false;
	lease->help = VSI_HELP_NONE;
	if (mac_is_zero(&lease->entry.mac) || !member || !b->io->tell_module)
		return false;
	h = helping_get(b, vsi);
	if (!h)
		return false;
	giaddr_for(b, port, lease->entry.vlan, &giaddr);
	if (!h->open) {
		memcpy(h->member, member->name, sizeof(h->member));
		h->giaddr = giaddr;
		h->apart = giaddr.family && b->io->giaddr_apart &&
			   b->io->giaddr_apart(b->arg, &giaddr);
		h->n = h->tries = 0;
		h->began = h->say_at = b->now;
		h->ends = MS_NEVER;
		helping_open(b, h);
	}
	if (!addr_equal(&h->giaddr, &giaddr) || !add(b, vsi, h, lease)) {
		lease->help = VSI_HELP_WAITS;
		return true;
	}
	/* Where servers are not asked, the others that lack one go in the same request. */
	if (port->settings.assist == LINK_ASSIST_HELP)
		gather(b, vsi, h);
	if (h->say_at <= b->now) {
		say(b, h, vsi);
		return true;
	}
	h->tries = 0;
	if (h->say_at > b->now + GATHER_MS)
		h->say_at = b->now + GATHER_MS;
	due(b, h->say_at);
	return true;
}

void helping_look(struct bridge *b, struct vsi *vsi)
{
	struct helping *h = helping_find(b, vsi->port, &vsi->id);
	bool any = false;

	for (unsigned i = 0; h && h->open && i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];

		if (lease->help != VSI_HELP_ASKED ||
		    !bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
			continue;
		any = true;
		helping_over(b, vsi, lease, VSI_HELP_NONE, "known otherwise");
	}
	if (any)
		helping_settle(b, vsi, h);
}

void helping_forget(struct bridge *b, struct vsi *vsi)
{
	struct helping *h = helping_find(b, vsi->port, &vsi->id);

	for (unsigned i = 0; i < vsi->n_leases; i++)
		vsi->leases[i].help = VSI_HELP_NONE;
	if (h && h->open)
		end(b, h);
}

void helping_vsi(struct bridge *b, struct vsi *vsi)
{
	struct helping *h = helping_find(b, vsi->port, &vsi->id);
	const struct member *member = helper(b, vsi);
	bool again, open = false;

	if (!h || !h->open)
		return;
	again = member && strcmp(h->member, member->name);
	for (unsigned i = 0; i < h->n; i++) {
		struct wanted *wanted = &h->wanted[i];
		const struct vsi_lease *lease = vsi_lease_find(vsi, &wanted->entry);

		open |= lease && lease->help == VSI_HELP_ASKED;
		if (lease || wanted->gone)
			continue;
		/* The station takes no request that names what is not its VSI's. */
		wanted->gone = true;
		again |= wanted->said;
	}
	if (!open)
		helping_settle(b, vsi, h);
	else if (again)
		say(b, h, vsi);
}

/* The module may have forgotten what it was asked. */
void helping_say_again(struct bridge *b)
{
	for (struct helping *h = b->helping_open.first; h; h = h->next) {
		struct vsi *vsi = vsi_find(b->vsis, h->key.port, &h->key.id);

		if (vsi)
			say(b, h, vsi);
	}
}

/* Those that were given up while nobody here could help are asked for at once. */
void helping_port(struct bridge *b, const struct port *port, bool news)
{
	for (struct helping *h = b->helping_open.first, *next; h; h = next) {
		struct vsi *vsi = vsi_find(b->vsis, h->key.port, &h->key.id);

		next = h->next;
		if (vsi && vsi->port == port->number)
			helping_vsi(b, vsi);
	}
	for (struct vsi *vsi = vsi_first(b->vsis); vsi && news; vsi = vsi->next) {
		if (vsi->port != port->number || !helper(b, vsi))
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			if (vsi->leases[i].ask_at == MS_NEVER)
				continue;
			vsi->leases[i].ask_at = b->now;
			bridge_due(b, b->now);
		}
	}
}

ms_t helping_deadline(const struct bridge *b)
{
	return b->helping ? b->helping_due : MS_NEVER;
}

void helping_tick(struct bridge *b)
{
	if (helping_deadline(b) > b->now)
		return;
	b->helping_due = MS_NEVER;
	for (struct helping *h = b->helping_open.first, *next; h; h = next) {
		struct vsi *vsi = vsi_find(b->vsis, h->key.port, &h->key.id);

		next = h->next;
		if (h->ends <= b->now || !vsi)
			attempt_over(b, h, vsi);
		else if (h->say_at <= b->now)
			say(b, h, vsi);
		if (!h->open)
			continue;
		due(b, h->ends);
		due(b, h->say_at);
	}
	due(b, helping_fade(b));
}

void helping_over(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum vsi_help how, const char *why)
{
	const char *from = vsi_help_text((enum vsi_help)lease->help);

	lease->help = (uint8_t)how;
	bridge_tell_help(b, vsi, lease, NULL, from, why);
	if (how == VSI_HELP_NONE)
		return;
	b->counts.help_silent += how == VSI_HELP_SILENT;
	asking_tries_used(b, vsi, lease, why);
}

void helping_settle(struct bridge *b, struct vsi *vsi, struct helping *h)
{
	for (unsigned i = 0; i < h->n; i++) {
		const struct vsi_lease *lease = vsi_lease_find(vsi, &h->wanted[i].entry);

		if (lease && lease->help == VSI_HELP_ASKED)
			return;
	}
	if (!h->open)
		return;
	end(b, h);
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];

		if (lease->help != VSI_HELP_WAITS)
			continue;
		lease->help = VSI_HELP_NONE;
		if (!bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
			asking_nothing_known(b, vsi, lease, "its server does not help");
	}
}

/* Statics. */

/* The member that has announced the VSI and whose neighbour says that it helps; the one
 * that has associated it first. */
static const struct member *helper(const struct bridge *b, const struct vsi *vsi)
{
	const struct member *found = NULL;

	for (unsigned i = 0; i < b->n_members; i++) {
		const struct member *member = b->members[i];
		const struct link_port *set = &member->settings;

		if (member->port->number != vsi->port || set->gone ||
		    !(vsi->announced >> member->number & 1) || !set->peer_version ||
		    set->peer_role != ORGTLV_STATION || !(set->peer_flags & ORGTLV_HELP))
			continue;
		if (vsi->associated >> member->number & 1)
			return member;
		found = found ? found : member;
	}
	return found;
}

/* Of a bond the VSI may have gone to another member. False: nobody there helps. */
static bool has_member(struct bridge *b, struct helping *h, const struct vsi *vsi)
{
	const struct member *member = helper(b, vsi);

	if (member && !strcmp(h->member, member->name))
		return true;
	tell_end(b, h);
	memset(h->member, 0, sizeof(h->member));
	if (member)
		memcpy(h->member, member->name, sizeof(h->member));
	return member;
}

/* An address that answers can come to; family 0: none, then they are snooped. Where no
 * server is set for the VLAN, nobody could be believed that sends to it. */
static void giaddr_for(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_giaddr)
{
	struct addr servers[LQ_SERVERS_MAX];

	if (!ports_servers(b, port, vlan, servers, ret_giaddr) ||
	    ret_giaddr->family != ADDR_IPV4 ||
	    (b->io->giaddr_listen && !b->io->giaddr_listen(b->arg, ret_giaddr)))
		*ret_giaddr = (struct addr){ 0 };
}

static void gather(struct bridge *b, struct vsi *vsi, struct helping *h)
{
	const struct port *port = ports_number(b, vsi->port);
	int32_t vlan = -1;	/* giaddr's: to find it is dear */
	struct addr giaddr;

	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];

		if (lease->help == VSI_HELP_ASKED || lease->help == VSI_HELP_CONTRADICTED ||
		    mac_is_zero(&lease->entry.mac) ||
		    bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
			continue;
		if (vlan != lease->entry.vlan)
			giaddr_for(b, port, lease->entry.vlan, &giaddr);
		vlan = lease->entry.vlan;
		if (addr_equal(&h->giaddr, &giaddr))
			(void)add(b, vsi, h, lease);
	}
}

/* False: no room; or it has gone on for long enough. */
static bool add(struct bridge *b, struct vsi *vsi, struct helping *h,
		struct vsi_lease *lease)
{
	unsigned i = 0;

	while (i < h->n && !entry_equal(&h->wanted[i].entry, &lease->entry))
		i++;
	if (i == LINK_HELP_ENTRIES_MAX || b->now - h->began >= HELP_MS)
		return false;
	h->wanted[i] = (struct wanted){ .entry = lease->entry, .ends = b->now + HELP_MS };
	if (i == h->n)
		h->n++;
	if (h->ends > h->wanted[i].ends)
		h->ends = h->wanted[i].ends;
	due(b, h->ends);
	lease->help = VSI_HELP_ASKED;
	b->counts.help_asked++;
	bridge_tell_help(b, vsi, lease, NULL, NULL, NULL);
	return true;
}

static void due(struct bridge *b, ms_t at)
{
	if (at < b->helping_due)
		b->helping_due = at;
}

/* All entries that are open, under new xids. */
static void say(struct bridge *b, struct helping *h, struct vsi *vsi)
{
	const struct port *port = ports_number(b, vsi->port);
	struct link_msg msg = { .type = LINK_HELP };
	struct link_help *help = &msg.u.help;
	bool member = has_member(b, h, vsi);

	memcpy(help->port, h->member, sizeof(help->port));
	help->dhcp4 = true;
	help->giaddr = h->giaddr;
	help->apart = h->apart;
	help->xid = helping_new_xids(b, h);
	help->id = vsi->id;
	for (unsigned i = 0; i < h->n; i++) {
		struct wanted *wanted = &h->wanted[i];
		const struct vsi_lease *lease = vsi_lease_find(vsi, &wanted->entry);
		struct vsi_entry *entry = &help->entries[help->n_entries];

		if (!lease || lease->help != VSI_HELP_ASKED)
			continue;
		*entry = wanted->entry;
		entry->vlan = ports_vlan_out(port, entry->vlan);
		wanted->xid_before = wanted->xid;
		wanted->xid = help->xid + help->n_entries++;
		if (!wanted->said)
			wanted->xid_before = wanted->xid;
		wanted->said = true;
	}
	h->say_at = ++h->tries >= HELP_TRIES
			    ? MS_NEVER
			    : b->now + help_wait(h->tries, b->io->random(b->arg));
	due(b, h->say_at);
	if (help->n_entries && member)
		b->io->tell_module(b->arg, &msg);
}

/* For some nothing has come; or the VSI is gone. */
static void attempt_over(struct bridge *b, struct helping *h, struct vsi *vsi)
{
	ms_t ends = MS_NEVER;

	if (!vsi) {
		end(b, h);
		return;
	}
	helping_look(b, vsi);
	if (!h->open || h->ends > b->now)
		return;
	for (unsigned i = 0; i < h->n; i++) {
		const struct wanted *wanted = &h->wanted[i];
		struct vsi_lease *lease = vsi_lease_find(vsi, &wanted->entry);

		if (!lease || lease->help != VSI_HELP_ASKED)
			continue;
		if (wanted->ends <= b->now)
			helping_over(b, vsi, lease, VSI_HELP_SILENT,
				     "no answer to what its server has asked for");
		else if (wanted->ends < ends)
			ends = wanted->ends;
	}
	h->ends = ends;
	helping_settle(b, vsi, h);
}

static void end(struct bridge *b, struct helping *h)
{
	tell_end(b, h);
	helping_close(b, h);
	due(b, h->ends);
}

static void tell_end(struct bridge *b, const struct helping *h)
{
	struct link_msg msg = { .type = LINK_HELP_END };

	memcpy(msg.u.vsi_of.port, h->member, sizeof(msg.u.vsi_of.port));
	msg.u.vsi_of.id = h->key.id;
	if (*h->member)
		b->io->tell_module(b->arg, &msg);
}
