/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the server's story, begun by the line "server". T is the time, P a port
 * of the bridge: the uplink, or a VM's interface, which needs no line of its own:
 *
 *   T station P | bridge P | none P | gone P the module's port; of no role; no longer
 *   T module new | told                      an engine anew; all ports have been told
 *   T place P nowhere|N [pvid=V] [on IF] [vlan=V] [macvtap=VM] [mode=bridge] [in=BOND]
 *                                            the kernel has it in no bridge, in bridge N;
 *                                            on another, as its VLAN, or as a macvtap
 *                                            with a VM's MAC; as the slave of a bond
 *   T mark VM [IP] [id CLIENT-ID|no-id] [tap P] [no-mac] [for SECONDS] | unmark VM
 *   T asked P VM XID [giaddr A [apart]] [v6] the switch's help TLV
 *   T P request|accepted|refused|deassoc VM  of a VSI on the uplink
 *   T P forgotten | module gone
 *   T P dhcp request|ack|nak|release|decline XID VM [IP [SECONDS]] [from MAC]
 *     [id CLIENT-ID|long] [vlan V]
 *   T IF in|out request|ack|…                seen at any interface; out segments
 *   T P rarp VM
 *   T watch on
 *
 * What happens: "send P IP xid XID [vlan V] [id CLIENT-ID] [giaddr A] [subnet IP] [secs N]", a
 * DHCPREQUEST in the form that is wanted; "log P: TEXT"; "told P IP|- OLD>NEW (WHY)".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "engine/station.h"
#include "fake/dhcp.h"
#include "script.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define PLACES_MAX 16

struct on_station {
	struct script *script;
	struct station *station;
	bool watched;
	uint32_t random;
	unsigned n_places;
	struct {
		char name[VM_IFNAME_MAX];
		struct bridge_place place;
	} places[PLACES_MAX];
};

static const struct mac uplink_mac = { { 2, 0, 0, 0, 0, 9 } };
static const struct mac server_mac = { { 2, 0, 0, 0, 0, 2 } };

/* What the story does to the world. */

/* Each name is a port of bridge 1, unless said otherwise. */
static bool io_place(void *arg, const char *port, struct bridge_place *ret_place)
{
	const struct on_station *s = arg;

	*ret_place = (struct bridge_place){ .bridge = 1 };
	for (unsigned i = 0; i < s->n_places; i++)
		if (!strcmp(s->places[i].name, port))
			*ret_place = s->places[i].place;
	if (!*ret_place->anchor)
		snprintf(ret_place->anchor, sizeof(ret_place->anchor), "%s", port);
	return ret_place->bridge;
}

static bool io_vlan_on(void *arg, uint32_t bottom, uint16_t vlan,
		       char ret_name[VM_IFNAME_MAX])
{
	const struct on_station *s = arg;

	for (unsigned i = 0; i < s->n_places; i++) {
		const struct bridge_place *place = &s->places[i].place;

		if (place->direct || place->bottom_vlan != vlan ||
		    place->bottom_ifindex != bottom)
			continue;
		memcpy(ret_name, s->places[i].name, VM_IFNAME_MAX);
		return true;
	}
	return false;
}

static bool io_own_mac(void *arg, const char *interface, struct mac *ret_mac)
{
	(void)arg;
	*ret_mac = uplink_mac;
	return strncmp(interface, "down", 4) != 0;
}

static uint16_t udp_sum(const struct inet_frame *frame, const uint8_t *octets, size_t len)
{
	size_t at = len - rd_left(&frame->payload) - 8;
	uint32_t sum = 17 + (uint32_t)(len - at);

	for (unsigned i = 0; i < 4; i += 2)
		sum += ((uint32_t)frame->saddr.b[i] << 8) + frame->saddr.b[i + 1] +
		       ((uint32_t)frame->daddr.b[i] << 8) + frame->daddr.b[i + 1];
	return inet_checksum(octets + at, len - at, sum);
}

static int io_frame_send(void *arg, const char *interface, const uint8_t *octets, size_t len)
{
	static const struct mac all = { { 255, 255, 255, 255, 255, 255 } };
	static const struct addr any = { .family = ADDR_IPV4 };
	struct on_station *s = arg;
	char ip[ADDR_TEXT_MAX], id[CLIENT_ID_TEXT_MAX], text[600];
	struct client_id client_id = { 0 };
	struct inet_frame frame;
	struct addr asked;
	struct dhcp4 m;
	const uint8_t *p;
	size_t n = 0, id_len;

	if (inet_decode(octets, len, &frame, NULL) || !frame.udp || frame.sport != 68 ||
	    frame.dport != 67 || dhcp4_decode(frame.payload, &m, NULL) ||
	    !mac_equal(&frame.src, &uplink_mac) || !mac_equal(&frame.dst, &all) ||
	    !addr_equal(&frame.saddr, &any) || frame.daddr.b[0] != 255 ||
	    udp_sum(&frame, octets, len) || m.type != DHCP4_REQUEST ||
	    m.op != DHCP4_BOOTREQUEST || m.opt_seen[DHCP4_OPT_SERVER_ID] ||
	    !addr_is_any(&m.ciaddr) ||
	    !dhcp4_opt_addr(&m, DHCP4_OPT_REQUESTED_ADDRESS, &asked)) {
		script_fail(s->script, "what was sent is not the request that is wanted");
		return 0;
	}
	p = dhcp4_opt(&m, DHCP4_OPT_CLIENT_ID, &id_len);
	if (p) {
		client_id.len = (uint8_t)id_len;
		memcpy(client_id.b, p, id_len);
	}
	n += (size_t)snprintf(text, sizeof(text), "send %s %s xid %u", interface,
			      addr_text(&asked, ip), m.xid);
	if (frame.vlan)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " vlan %u", frame.vlan);
	if (p)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " id %s",
				      client_id_text(&client_id, id));
	if (!addr_is_any(&m.giaddr))
		n += (size_t)snprintf(text + n, sizeof(text) - n, " giaddr %s",
				      addr_text(&m.giaddr, ip));
	if (dhcp4_opt_addr(&m, DHCP4_OPT_SUBNET, &asked))
		n += (size_t)snprintf(text + n, sizeof(text) - n, " subnet %s",
				      addr_text(&asked, ip));
	if (m.secs)
		snprintf(text + n, sizeof(text) - n, " secs %u", m.secs);
	script_happen(s->script, "%s", text);
	return 0;
}

static void io_event(void *arg, const struct bridge_event *event)
{
	struct on_station *s = arg;
	char ip[ADDR_TEXT_MAX];

	if (s->watched)
		script_happen(s->script, "told %s %s %s%s%s%s", event->port,
			      event->ip ? addr_text(event->ip, ip) : "-", event->to,
			      event->why ? " (" : "", event->why ? event->why : "",
			      event->why ? ")" : "");
}

/* Always the middle: waits are 4, 8, 16 s. */
static uint32_t io_random(void *arg)
{
	(void)arg;
	return 1000;
}

static void io_log(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		   const char *text)
{
	struct on_station *s = arg;

	(void)vsi;
	if (priority != LOG_DEBUG)
		script_happen(s->script, "log %s: %s", port ? port : "-", text);
}

static const struct bridge_io io = {
	.place = io_place, .vlan_on = io_vlan_on, .own_mac = io_own_mac,
	.frame_send = io_frame_send, .event = io_event, .random = io_random,
	.log = io_log,
};

static void *begin(struct script *script)
{
	struct on_station *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->script = script;
	s->station = station_new(&io, s);
	station_replayed(s->station, 0);
	return s;
}

static void end(void *arg)
{
	struct on_station *s = arg;

	station_free(s->station);
	free(s);
}

static ms_t deadline(void *arg)
{
	struct on_station *s = arg;

	return station_deadline(s->station);
}

static void tick(void *arg, ms_t now)
{
	struct on_station *s = arg;

	station_tick(s->station, now);
}

static void look(void *arg)
{
	(void)arg;
}

/* What the script says. */

static bool set_port(struct on_station *s, const char *what, const char *name)
{
	struct link_port port = {
		.role = *what == 'b'   ? LINK_ROLE_BRIDGE
			: *what == 'n' ? LINK_ROLE_NONE
				       : LINK_ROLE_STATION,
		.gone = *what == 'g',
	};

	snprintf(port.name, sizeof(port.name), "%s", name);
	station_port(s->station, s->script->now, &port);
	return true;
}

static unsigned place_number(struct on_station *s, const char *name)
{
	unsigned i = 0;

	while (i < s->n_places && strcmp(s->places[i].name, name))
		i++;
	if (i == PLACES_MAX)
		abort();
	if (i == s->n_places)
		s->n_places++;
	snprintf(s->places[i].name, sizeof(s->places[i].name), "%s", name);
	return i;
}

static bool set_place(struct on_station *s, char **words, unsigned n)
{
	struct bridge_place place = {
		.bridge = (uint32_t)strtoul(words[1], NULL, 10), /* nowhere: 0 */
	};
	const char *bottom = words[0];
	unsigned at = 2;

	for (; at < n; at++) {
		const char *value = strchr(words[at], '=');
		const struct vm *vm;

		if (!strcmp(words[at], "on") && at + 1 < n) {
			bottom = words[++at];
		} else if (!strncmp(words[at], "pvid=", 5)) {
			place.vlans = true;
			place.pvid = (uint16_t)strtoul(value + 1, NULL, 10);
		} else if (!strncmp(words[at], "vlan=", 5)) {
			place.bottom_vlan = (uint16_t)strtoul(value + 1, NULL, 10);
		} else if (!strncmp(words[at], "macvtap=", 8)) {
			vm = vm_named(s->script, value + 1);
			place.direct = vm;
			place.mac = vm ? vm->entries[0].mac : uplink_mac;
		} else if (!strncmp(words[at], "in=", 3)) {
			snprintf(place.anchor, sizeof(place.anchor), "%s", value + 1);
		} else {
			place.beside = !strcmp(words[at], "mode=bridge");
			if (!place.beside)
				return false;
		}
	}
	snprintf(place.bottom, sizeof(place.bottom), "%s", bottom);
	place.ifindex = 100 + place_number(s, words[0]);
	place.bottom_ifindex = 100 + place_number(s, bottom);
	s->places[place_number(s, words[0])].place = place;
	station_links_changed(s->station, s->script->now);
	return true;
}

static bool set_mark(struct on_station *s, const struct vm *vm, char **words, unsigned n)
{
	struct link_mark mark = { .id = vm->id, .mac = vm->entries[0].mac, .ttl_s = 86400 };
	unsigned at = 0;

	if (at < n && !addr_parse(words[at], &mark.ip))
		at++;
	if (word_is(words, n, &at, "no-id"))
		mark.no_client_id = true;
	else if (at + 1 < n && word_is(words, n, &at, "id") &&
		 client_id_parse(words[at++], &mark.client_id))
		return false;
	if (at + 1 < n && word_is(words, n, &at, "tap"))
		snprintf(mark.tap, sizeof(mark.tap), "%s", words[at++]);
	if (word_is(words, n, &at, "no-mac"))
		mark.mac = (struct mac){ 0 };
	if (at + 1 < n && word_is(words, n, &at, "for"))
		mark.ttl_s = (uint32_t)strtoul(words[at++], NULL, 10);
	station_mark(s->station, s->script->now, &mark);
	return at == n;
}

static bool asked(struct on_station *s, char **words, unsigned n)
{
	struct link_help help = { .dhcp4 = true };
	const struct vm *vm = n >= 3 ? vm_named(s->script, words[1]) : NULL;
	unsigned at = 3;

	if (!vm)
		return false;
	snprintf(help.port, sizeof(help.port), "%s", words[0]);
	help.id = vm->id;
	help.n_entries = (uint16_t)vm->n;
	memcpy(help.entries, vm->entries, sizeof(vm->entries));
	help.xid = (uint32_t)strtoul(words[2], NULL, 10);
	if (at + 1 < n && word_is(words, n, &at, "giaddr") &&
	    addr_parse(words[at++], &help.giaddr))
		return false;
	help.apart = word_is(words, n, &at, "apart");
	if (word_is(words, n, &at, "v6")) {
		help.dhcp4 = false;
		help.dhcp6 = true;
	}
	station_help_asked(s->station, s->script->now, &help);
	return at == n;
}

static bool see_vsi(struct on_station *s, const char *port, const char *what,
		    const struct vm *vm)
{
	struct link_vsi seen = { .what = LINK_VSI_REQUEST, .mode = VDP22_PRE };

	if (!strcmp(what, "deassoc"))
		seen.mode = VDP22_DEASSOC;
	else if (!strcmp(what, "accepted") || !strcmp(what, "refused")) {
		seen.what = LINK_VSI_RESPONSE;
		seen.status = VDP_STATUS_ACK | (*what == 'r' ? 2 : 0);
	} else if (strcmp(what, "request")) {
		return false;
	}
	snprintf(seen.port, sizeof(seen.port), "%s", port);
	seen.id = vm->id;
	seen.n_entries = (uint16_t)vm->n;
	memcpy(seen.entries, vm->entries, sizeof(vm->entries));
	station_vsi(s->station, s->script->now, &seen);
	return true;
}

/* way: in, out, or NULL: on a bridge port; beside: to a third party. */
static bool dhcp(struct on_station *s, const char *port, const char *way, char **words,
		 unsigned n)
{
	static const char *const types[] = { "",	"discover", "offer", "request",
					     "decline", "ack",	    "nak",   "release" };
	struct fake_dhcp fake = { .op = DHCP4_BOOTREQUEST };
	struct inet_frame seen = { .ethertype = ETHERTYPE_IPV4, .udp = true, .sport = 68,
				   .dport = 67 };
	const struct vm *vm = n > 2 ? vm_named(s->script, words[2]) : NULL;
	unsigned at = 3;
	uint8_t buf[800];

	if (!vm)
		return false;
	for (uint8_t i = 1; i < 8; i++)
		if (!strcmp(words[0], types[i]))
			fake.type = i;
	fake.xid = (uint32_t)strtoul(words[1], NULL, 10);
	seen.src = fake.chaddr = vm->entries[0].mac;
	memset(&seen.dst, 0xff, sizeof(seen.dst));
	if (at < n && !addr_parse(words[at], &fake.requested))
		fake.yiaddr = fake.ciaddr = fake.requested, at++;
	if (at < n && *words[at] >= '0' && *words[at] <= '9') {
		fake.has_lease = true;
		fake.lease_s = (uint32_t)strtoul(words[at++], NULL, 10);
	}
	if (fake.type == DHCP4_ACK || fake.type == DHCP4_NAK) {
		fake.op = DHCP4_BOOTREPLY;
		seen.src = server_mac;
		seen.sport = 67;
		seen.dport = 68;
	}
	if (at + 1 < n && word_is(words, n, &at, "from") && mac_parse(words[at++], &seen.src))
		return false;
	if (at + 1 < n && word_is(words, n, &at, "id") &&
	    !(fake.long_client_id = !strcmp(words[at], "long")) &&
	    client_id_parse(words[at], &fake.client_id))
		return false;
	at += fake.long_client_id || fake.client_id.len;
	if (at + 1 < n && word_is(words, n, &at, "vlan"))
		seen.vlan = (uint16_t)strtoul(words[at++], NULL, 10);
	if (at < n && word_is(words, n, &at, "beside"))
		memset(&seen.dst, 2, sizeof(seen.dst));
	seen.payload = rd_new(buf, fake_dhcp(buf, sizeof(buf), &fake), 0);
	if (way)
		station_dhcp(s->station, s->script->now, port, !strcmp(way, "out"),
			     &seen);
	else
		station_frame(s->station, s->script->now, port, &seen);
	return at == n;
}

static bool line(void *arg, char **words, unsigned n)
{
	struct on_station *s = arg;
	const char *what = words[0];
	const struct vm *vm;

	if (n == 2 && (!strcmp(what, "station") || !strcmp(what, "bridge") ||
		       !strcmp(what, "none") || !strcmp(what, "gone")))
		return set_port(s, what, words[1]);
	if (n > 2 && !strcmp(what, "place"))
		return set_place(s, words + 1, n - 1);
	if (n > 2 && !strcmp(what, "asked"))
		return asked(s, words + 1, n - 1);
	if (n == 2 && !strcmp(what, "watch"))
		return s->watched = true;
	if (n == 2 && !strcmp(what, "module") && !strcmp(words[1], "new")) {
		station_free(s->station);
		s->station = station_new(&io, s);
		return true;
	}
	if (n == 2 && !strcmp(what, "module") && !strcmp(words[1], "told")) {
		station_replayed(s->station, s->script->now);
		return true;
	}
	if (n == 2 && !strcmp(what, "module")) {
		station_module_gone(s->station, s->script->now);
		return true;
	}
	if (n == 2 && !strcmp(words[1], "forgotten")) {
		station_forgotten(s->station, s->script->now, what);
		return true;
	}
	if (n > 2 && !strcmp(words[1], "dhcp"))
		return dhcp(s, what, NULL, words + 2, n - 2);
	if (n == 3 && !strcmp(words[1], "out") && !strcmp(words[2], "segments")) {
		station_dhcp_doubt(s->station, s->script->now, what);
		return true;
	}
	if (n > 2 && (!strcmp(words[1], "in") || !strcmp(words[1], "out")))
		return dhcp(s, what, words[1], words + 2, n - 2);
	vm = n > 1 ? vm_named(s->script, words[strstr(what, "mark") ? 1 : n - 1]) : NULL;
	if (!vm)
		return false;
	if (!strcmp(what, "mark"))
		return set_mark(s, vm, words + 2, n - 2);
	if (!strcmp(what, "unmark")) {
		station_unmark(s->station, s->script->now, &vm->id);
		return n == 2;
	}
	if (n == 3 && !strcmp(words[1], "rarp")) {
		const struct inet_frame seen = { .src = vm->entries[0].mac,
						 .ethertype = ETHERTYPE_RARP };

		station_frame(s->station, s->script->now, what, &seen);
		return true;
	}
	return n == 3 && see_vsi(s, what, words[1], vm);
}

const struct part station_part = { begin, end, line, deadline, tick, look };
