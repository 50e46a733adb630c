/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: what is seen on one port. T is the time, P a port,
 * VM a VM's name (left out: the one last named on that port):
 *
 *   T P preassoc|preassoc-rr|assoc|deassoc [M] [S] VM          a request
 *   T P preassoc|preassoc-rr|assoc accepted|refused [VM]       our bridge's answer
 *   T P replayed preassoc|preassoc-rr|assoc [M] VM
 *   T P timeout [VM] | forgotten | gone | conflict [VM]
 *   T P dhcp request|decline|ack|nak|release XID VM [IP [SECONDS]] [from MAC]
 *     [id CLIENT-ID] [vlan V]    XID "help": that of the help request for VM
 *   T P rarp|frame VM
 *   T P answers VM IP              an ARP reply to a probe comes in
 *   T P lldp VM                    the neighbour's own
 *   T P fdb VM [gone|static] | fdb read
 *                                  what the kernel's FDB has there; that this is all
 */
#include <stdlib.h>
#include <string.h>

#include "engine/bridge_private.h"
#include "fake/dhcp.h"
#include "on_switch.h"
#include "vdp_migrate/protocol.h"
#include "wire/arp.h"
#include "wire/icmp6.h"
#include "wire/nd.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static bool conflict(struct on_switch *s, const struct on_port *port);
static bool vdp(struct on_switch *s, struct on_port *port, char **words, unsigned n);
static bool advertise(struct on_switch *s, const struct on_port *port,
		      const struct mac *mac, const struct addr *ip);
static bool arp(struct on_switch *s, const struct on_port *port, char **words,
		unsigned n);
static void accept_at_once(struct on_switch *s, struct link_vsi *seen);
static bool fdb(struct on_switch *s, const struct on_port *port, char **words,
		unsigned n);
static void frame(struct on_switch *s, const struct on_port *port, const struct mac *src,
		  uint16_t ethertype);

static const struct mac server_mac = {{2, 0, 0, 0, 0, 2}};

bool on_port(struct on_switch *s, struct on_port *port, char **words, unsigned n)
{
	const char *what = words[0];

	if (!strcmp(what, "dhcp"))
		return on_port_dhcp(s, port, words + 1, n - 1);
	if (!strcmp(what, "fdb"))
		return fdb(s, port, words + 1, n - 1);
	if (!strcmp(what, "report") || !strcmp(what, "groups") ||
	    !strcmp(what, "flood") || !strcmp(what, "deaf") || !strcmp(what, "hears") ||
	    !strcmp(what, "quiet") || !strcmp(what, "loud"))
		return on_groups(s, port, words, n);
	if (!strcmp(what, "answers"))
		return arp(s, port, words + 1, n - 1);
	if (!strcmp(what, "forgotten")) {
		bridge_forgotten(s->bridge, s->script->now, port->set.name);
		return n == 1;
	}
	if (!strcmp(what, "gone")) {
		port->set.gone = true;
		bridge_port(s->bridge, s->script->now, &port->set);
		return n == 1;
	}
	if (strcmp(what, "conflict") && strcmp(what, "rarp") && strcmp(what, "frame") &&
	    strcmp(what, "lldp"))
		return vdp(s, port, words, n);
	if (n == 2)
		port->vm = vm_named(s->script, words[1]);
	if (!port->vm)
		return false;
	if (!strcmp(what, "conflict"))
		return conflict(s, port);
	frame(s, port, &port->vm->entries[0].mac,
	      !strcmp(what, "rarp")   ? ETHERTYPE_RARP
	      : !strcmp(what, "lldp") ? ETHERTYPE_LLDP
				      : ETHERTYPE_ARP);
	return true;
}

int number_of(const char *word, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(word, names[i]))
			return (int)i;
	return -1;
}

/* The old place has answered: who finds that out is not here. */
static bool conflict(struct on_switch *s, const struct on_port *port)
{
	uint16_t number = ports_find(s->bridge, port->set.name)->number;
	struct vsi *vsi = vsi_find(s->bridge->vsis, number, &port->vm->id);

	s->bridge->now = s->script->now;
	if (vsi)
		bridge_step(s->bridge, vsi, MIGRATION_CONFLICT, NULL, NULL);
	return vsi;
}

/* An association TLV as the module tells it. */
static bool vdp(struct on_switch *s, struct on_port *port, char **words, unsigned n)
{
	static const char *const modes[] = {"", "preassoc", "preassoc-rr", "assoc",
					    "deassoc"};
	struct link_vsi seen = {.what = LINK_VSI_REQUEST};
	unsigned at = 0;
	int mode = VDP22_DEASSOC;
	bool answered;

	if (word_is(words, n, &at, "replayed"))
		seen.what = LINK_VSI_REPLAYED;
	if (word_is(words, n, &at, "timeout"))
		seen.what = LINK_VSI_TIMEOUT;
	else if (at == n || (mode = number_of(words[at++], modes, 5)) < 1)
		return false;
	seen.mode = (uint8_t)mode;
	if (word_is(words, n, &at, "M"))
		seen.status |= VDP_STATUS_M;
	if (word_is(words, n, &at, "S"))
		seen.status |= VDP_STATUS_S;
	if (word_is(words, n, &at, "accepted") || word_is(words, n, &at, "refused")) {
		seen.what = LINK_VSI_RESPONSE;
		/* 802.1Q 41.2.3: insufficient resources */
		seen.status = VDP_STATUS_ACK | (*words[at - 1] == 'r' ? 2 : 0);
	}
	answered = !word_is(words, n, &at, "unanswered");
	if (at < n)
		port->vm = vm_named(s->script, words[at++]);
	if (!port->vm || at != n)
		return false;
	memcpy(seen.port, port->set.name, sizeof(seen.port));
	seen.id = port->vm->id;
	seen.n_entries = (uint16_t)port->vm->n;
	memcpy(seen.entries, port->vm->entries, sizeof(port->vm->entries));
	bridge_vsi(s->bridge, s->script->now, &seen);
	if (answered && seen.what == LINK_VSI_REQUEST)
		accept_at_once(s, &seen);
	return true;
}

/* What decides nothing, a pre-associate or a keep-alive, the bridge accepts without a
 * line of the script; an associate that waits for its answer has one. */
static void accept_at_once(struct on_switch *s, struct link_vsi *seen)
{
	const struct member *member = members_find(s->bridge, seen->port);
	const struct vsi *vsi = member ? vsi_find(s->bridge->vsis, member->port->number,
						  &seen->id)
				       : NULL;

	if (!vsi || seen->mode == VDP22_DEASSOC ||
	    (seen->mode == VDP22_ASSOC && (vsi->state == MIGRATION_ABSENT ||
					   vsi->state == MIGRATION_EXPECTED)))
		return;
	seen->what = LINK_VSI_RESPONSE;
	seen->status = VDP_STATUS_ACK;
	bridge_vsi(s->bridge, s->script->now, seen);
}

/* A solicitation of it, made the advertisement that answers ours. */
static bool advertise(struct on_switch *s, const struct on_port *port,
		      const struct mac *mac, const struct addr *ip)
{
	static const struct mac own = {{2, 0, 0, 0, 0, 1}};
	uint8_t frame[ND_FRAME_MAX], *icmp = frame + 54;
	size_t len = nd_solicit(frame, sizeof(frame), mac, &own, 0, ip);
	struct inet_frame seen;
	uint16_t sum;

	icmp[0] = 136;
	icmp[4] = 0x60;
	icmp[24] = 2;
	memset(icmp + 2, 0, 2);
	if (inet_decode(frame, len, &seen, NULL))
		return false;
	sum = icmp6_checksum(&seen.saddr, &seen.daddr, icmp, len - 54);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	bridge_probed(s->bridge, s->script->now, port->set.name, &seen);
	return true;
}

static bool arp(struct on_switch *s, const struct on_port *port, char **words, unsigned n)
{
	static const struct mac own = {{2, 0, 0, 0, 0, 1}};
	const struct vm *vm = n == 2 ? vm_named(s->script, words[0]) : NULL;
	struct inet_frame seen;
	uint8_t frame[ARP_FRAME_MAX];
	struct addr ip;

	if (!vm || addr_parse(words[1], &ip))
		return false;
	if (ip.family == ADDR_IPV6)
		return advertise(s, port, &vm->entries[0].mac, &ip);
	/* A probe that the VM sends, made a reply to one of ours. */
	if (!arp_probe(frame, sizeof(frame), &vm->entries[0].mac, &own, 0, &ip))
		return false;
	frame[21] = ARP_REPLY;
	memcpy(frame + 28, ip.b, 4);
	memset(frame + 38, 0, 4);
	if (inet_decode(frame, sizeof(frame) - 4, &seen, NULL))
		return false;
	bridge_probed(s->bridge, s->script->now, port->set.name, &seen);
	return true;
}

/* A bridge without VLANs has its MACs in VLAN 0. */
static bool fdb(struct on_switch *s, const struct on_port *port, char **words, unsigned n)
{
	static const char *const whats[] = {"gone", "learned", "static"};
	int what = n == 2 ? number_of(words[1], whats, 3) : CASES_FDB_LEARNED;
	const struct vm *vm;

	if (n == 1 && !strcmp(words[0], "read")) {
		bridge_fdb_read(s->bridge, s->script->now, port->set.name, false);
		return true;
	}
	vm = n && n <= 2 && what >= 0 ? vm_named(s->script, words[0]) : NULL;
	if (vm)
		bridge_fdb(s->bridge, s->script->now, port->set.name, 0,
			   &vm->entries[0].mac, (enum cases_fdb)what);
	return vm;
}

bool on_port_dhcp(struct on_switch *s, struct on_port *port, char **words, unsigned n)
{
	static const char *const types[] = {"",	       "discover", "offer", "request",
					    "decline", "ack",	   "nak",   "release"};
	struct fake_dhcp fake = {.op = DHCP4_BOOTREQUEST};
	struct inet_frame seen = {.ethertype = ETHERTYPE_IPV4,
				  .udp = true,
				  .sport = DHCP4_CLIENT_PORT,
				  .dport = DHCP4_SERVER_PORT};
	int type = n > 2 ? number_of(words[0], types, 8) : -1;
	const struct vm *vm = type > 0 ? vm_named(s->script, words[2]) : NULL;
	uint8_t buf[600];
	unsigned at = 3;
	size_t len;

	if (!vm)
		return false;
	fake.type = (uint8_t)type;
	fake.xid = (uint32_t)strtoul(words[1], NULL, 10);
	seen.src = fake.chaddr = vm->entries[0].mac;
	if (!strcmp(words[1], "help"))
		fake.xid = on_help_xid(s, &fake.chaddr);
	if (at < n && !addr_parse(words[at], &fake.requested))
		fake.yiaddr = fake.ciaddr = fake.requested, at++;
	if (at < n && strcmp(words[at], "from") && strcmp(words[at], "id") &&
	    strcmp(words[at], "vlan")) {
		fake.has_lease = true;
		fake.lease_s = (uint32_t)strtoul(words[at++], NULL, 10);
	}
	if (type == DHCP4_OFFER || type == DHCP4_ACK || type == DHCP4_NAK) {
		fake.op = DHCP4_BOOTREPLY;
		seen.src = server_mac;
		seen.sport = DHCP4_SERVER_PORT;
		seen.dport = DHCP4_CLIENT_PORT;
	}
	if (word_is(words, n, &at, "from") &&
	    (at == n || mac_parse(words[at++], &seen.src)))
		return false;
	if (word_is(words, n, &at, "id") &&
	    (at == n || client_id_parse(words[at++], &fake.client_id)))
		return false;
	if (word_is(words, n, &at, "vlan") && at < n)
		seen.vlan = (uint16_t)strtoul(words[at++], NULL, 10);
	len = fake_dhcp(buf, sizeof(buf), &fake);
	seen.payload = rd_new(buf, len, 0);
	if (port)
		bridge_frame(s->bridge, s->script->now, port->set.name, &seen);
	else
		bridge_frame_local(s->bridge, s->script->now, 1, &seen);
	return at == n;
}

static void frame(struct on_switch *s, const struct on_port *port, const struct mac *src,
		  uint16_t ethertype)
{
	const struct inet_frame seen = {.src = *src, .ethertype = ethertype};

	bridge_frame(s->bridge, s->script->now, port->set.name, &seen);
}
