/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What comes back to a help request: a DHCPACK or DHCPNAK with one of its xids and the
 * MAC of that entry, at giaddr's socket from port 67 of a server that is set for the VLAN,
 * or, asked without giaddr, in that VLAN by a trusted port or from this machine itself.
 * The request is broadcast, so each VM of the VLAN knows what an answer has to look like:
 * where it comes from decides. Taken only while it is waited for, and not against what the
 * table holds.
 *
 * Supported standards: RFC 2131 (4.3.2 INIT-REBOOT).
 */
#include <stdio.h>

#include "helping.h"
#include "core/help.h"
#include "wire/text.h"

static struct helping *of_answer(struct bridge *b, const struct dhcp4 *m,
				 const struct vsi_entry **ret_entry);
static bool is_server(struct bridge *b, const struct helping *h, const struct addr *server,
		      const struct vsi_entry *entry);
static bool is_there(struct bridge *b, const struct helping *h,
		     const struct vsi_entry *entry, const struct snoop_seen *seen);
static void take(struct bridge *b, struct helping *h, const struct vsi_entry *entry,
		 const struct dhcp4 *m, const struct addr *server);
static const char *no_lease(struct bridge *b, const struct helping *h,
			    const struct known *known, const struct addr *server);
static bool contradicted(struct bridge *b, const struct vsi *vsi,
			 const struct vsi_entry *entry, const struct addr *ip,
			 char *ret_text, size_t size);

bool helping_input(struct bridge *b, const struct addr *giaddr, const struct addr *server,
		   uint16_t sport, const uint8_t *msg, size_t len)
{
	const struct vsi_entry *entry;
	struct dhcp4 m;
	struct helping *h;

	if (!b->helping || dhcp4_decode(rd_new(msg, len, 0), &m, NULL) ||
	    m.op != DHCP4_BOOTREPLY || (m.type != DHCP4_ACK && m.type != DHCP4_NAK))
		return false;
	h = of_answer(b, &m, &entry);
	if (!h || !addr_equal(&h->giaddr, giaddr))
		return false;
	if (sport == DHCP4_SERVER_PORT && is_server(b, h, server, entry))
		take(b, h, entry, &m, server);
	else
		b->counts.help_rejected++;
	return true;
}

bool helping_snooped(struct bridge *b, const struct snoop_seen *seen,
		     const struct addr *saddr)
{
	const struct dhcp4 *m = seen->message;
	const struct vsi_entry *entry;
	struct helping *h = b->helping ? of_answer(b, m, &entry) : NULL;

	if (!h)
		return false;
	if (m->op == DHCP4_BOOTREQUEST)
		return m->type == DHCP4_REQUEST && seen->port == h->key.port;
	if ((m->type != DHCP4_ACK && m->type != DHCP4_NAK) || !seen->trusted)
		return false;
	/* On its way to giaddr's socket, which takes it. */
	if (!addr_is_any(&h->giaddr))
		return true;
	if (!is_there(b, h, entry, seen))
		return false;
	take(b, h, entry, m, saddr);
	return true;
}

/* Statics. */

/* Whose request, ended or not, this is or answers: xid and chaddr say so. */
static struct helping *of_answer(struct bridge *b, const struct dhcp4 *m,
				 const struct vsi_entry **ret_entry)
{
	struct helping *h = helping_of_xid(b, m->xid);

	if (m->htype != 1 || m->hlen != sizeof(m->chaddr.b))
		return NULL;
	for (unsigned i = 0; h && i < h->n; i++) {
		const struct wanted *wanted = &h->wanted[i];

		if (!wanted->said || !mac_equal(&wanted->entry.mac, &m->chaddr) ||
		    (m->xid != wanted->xid && m->xid != wanted->xid_before))
			continue;
		*ret_entry = &wanted->entry;
		return h;
	}
	return NULL;
}

/* Those that are set for the VLAN. */
static bool is_server(struct bridge *b, const struct helping *h, const struct addr *server,
		      const struct vsi_entry *entry)
{
	const struct link_port *set = &ports_number(b, h->key.port)->settings;

	for (unsigned i = 0; i < set->n_servers; i++)
		if ((set->servers[i].vlan == LINK_VLAN_ANY ||
		     set->servers[i].vlan == entry->vlan) &&
		    addr_equal(&set->servers[i].addr, server))
			return true;
	return false;
}

/* In the VM's own VLAN. */
static bool is_there(struct bridge *b, const struct helping *h,
		     const struct vsi_entry *entry, const struct snoop_seen *seen)
{
	return seen->bridge == ports_number(b, h->key.port)->bridge &&
	       seen->vlan == entry->vlan;
}

static void take(struct bridge *b, struct helping *h, const struct vsi_entry *entry,
		 const struct dhcp4 *m, const struct addr *server)
{
	struct vsi *vsi = vsi_find(b->vsis, h->key.port, &h->key.id);
	struct vsi_lease *lease = vsi ? vsi_lease_find(vsi, entry) : NULL;
	struct known known = { .ip = m->yiaddr, .server = *server, .origin = BINDING_HELP };
	char text[160], addr[ADDR_TEXT_MAX];
	const char *no;

	/* Only while it waits for it. */
	if (!h->open || !lease || lease->help != VSI_HELP_ASKED) {
		b->counts.help_late++;
		return;
	}
	if (m->type == DHCP4_NAK) {
		b->counts.help_naks++;
		snprintf(text, sizeof(text),
			 "DHCP server %s refuses its server's request (NAK)",
			 addr_text(server, addr));
		helping_over(b, vsi, lease, VSI_HELP_REFUSED, text);
	} else {
		if (addr_is_any(&m->yiaddr) ||
		    !dhcp4_opt_u32(m, DHCP4_OPT_LEASE_TIME, &known.lease_s) || !known.lease_s)
			return;
		(void)dhcp4_opt_addr(m, DHCP4_OPT_SERVER_ID, &known.server);
		no = no_lease(b, h, &known, server);
		if (no)
			snprintf(text, sizeof(text), "its server has asked for %s but that is %s",
				 addr_text(&known.ip, addr), no);
		if (no || contradicted(b, vsi, entry, &known.ip, text, sizeof(text))) {
			b->counts.help_contradicted++;
			helping_over(b, vsi, lease, VSI_HELP_CONTRADICTED, text);
		} else {
			b->counts.help_answered++;
			lease->help = VSI_HELP_ANSWERED;
			bridge_tell_help(b, vsi, lease, &known.ip, "asked", "DHCPACK");
			bridge_step(b, vsi, MIGRATION_LEASE_KNOWN, lease, &known);
		}
	}
	helping_settle(b, vsi, h);
	bridge_check_known(b, vsi);
}

/* What cannot be a VM's, whoever grants it: what that is; NULL. */
static const char *no_lease(struct bridge *b, const struct helping *h,
			    const struct known *known, const struct addr *server)
{
	const struct link_port *set = &ports_number(b, h->key.port)->settings;

	if (!help_is_host(&known->ip))
		return "no host's";
	if (addr_equal(&known->ip, &known->server) || addr_equal(&known->ip, server))
		return "the DHCP server's";
	for (unsigned i = 0; i < set->n_servers; i++)
		if (addr_equal(&known->ip, &set->servers[i].addr))
			return "a DHCP server's";
	if (addr_equal(&known->ip, &h->giaddr))
		return "giaddr";
	for (unsigned i = 0; i < set->n_giaddrs; i++)
		if (addr_equal(&known->ip, &set->giaddrs[i].addr))
			return "a giaddr";
	return NULL;
}

struct anothers {
	struct bridge *b;
	const struct binding_host *host;
	const struct addr *ip;
	const struct binding *found;
};

static void find_anothers(void *arg, struct binding *binding)
{
	struct anothers *a = arg;

	if (binding->host.bridge == a->host->bridge && binding->host.vlan == a->host->vlan &&
	    !mac_equal(&binding->host.mac, &a->host->mac) &&
	    addr_equal(&binding->ip, a->ip) && binding->lease_end > a->b->now)
		a->found = binding;
}

/* By what the table holds alive: another address of this MAC (a static one is one more),
 * or this address of another MAC. */
static bool contradicted(struct bridge *b, const struct vsi *vsi,
			 const struct vsi_entry *entry, const struct addr *ip,
			 char *ret_text, size_t size)
{
	const struct binding_host host = bridge_host(b, vsi, entry);
	struct anothers a = { .b = b, .host = &host, .ip = ip };
	char given[ADDR_TEXT_MAX], held[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];

	addr_text(ip, given);
	for (const struct binding *i = binding_first(b->bindings, &host); i; i = i->next) {
		if (addr_equal(&i->ip, ip) || i->ip.family != ip->family ||
		    i->origin == BINDING_STATIC || i->lease_end <= b->now)
			continue;
		snprintf(ret_text, size,
			 "its server has asked for %s but %s is bound to it on %s", given,
			 addr_text(&i->ip, held), bridge_port_name(b, i->port));
		return true;
	}
	binding_each(b->bindings, find_anothers, &a);
	if (a.found)
		snprintf(ret_text, size,
			 "its server has asked for %s but that is bound to %s on %s", given,
			 mac_text(&a.found->host.mac, mac),
			 bridge_port_name(b, a.found->port));
	return a.found;
}
