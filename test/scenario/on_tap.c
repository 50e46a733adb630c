/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the server's story, what it does for a VM's tap ("tap" as their first
 * line). T is the time, IF an interface, VM a VM's name (left out: the one last named on
 * that port):
 *
 *   T uplink IF [bridge=N] [pvid=V] [gone]      a station port of the module's
 *   T link IF [bridge=N] [mac=MAC] [gone]       an interface, its bridge (none: 0), its
 * MAC T mark VM [tap=IF] [mac] [ttl=SECONDS] | unmark VM T IF
 * preassoc|preassoc-rr|assoc|deassoc VM          a request that leaves there T IF
 * preassoc|preassoc-rr|assoc accepted|refused|kept [VM]      the bridge's answer T IF
 * replayed preassoc|assoc VM | timeout [VM] | forgotten T IF igmp|mld report|leave|query
 * VM                 a frame that comes in there T module gone | all forgotten | deaf |
 * hearing      the kernel refuses, or not
 *   T IF frame VM                                a frame to the VM that comes in there
 *
 * What happens: "router IF on|off", "fdb IF MAC VLAN", "log IF: TEXT" (but debug), "pass
 * IF": the frame goes on there (the first one alone is heard).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/station_private.h"
#include "script.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define LINKS_MAX 16
#define HEARD_MAX 8
#define FRAME_LEN 128

struct on_link {
	char name[VM_IFNAME_MAX];
	bool gone;
	struct mac mac;
	struct bridge_place place;
	const struct vm *vm; /* last named here */
};

struct on_tap {
	struct script *script;
	struct station *station;
	bool deaf;
	unsigned n_heard; /* first frames that are waited for */
	struct {
		char interface[VM_IFNAME_MAX];
		struct mac mac;
	} heard[HEARD_MAX];
	unsigned n_links;
	struct on_link links[LINKS_MAX];
};

static struct on_link *link_named(struct on_tap *s, const char *name);
static bool link_line(struct on_tap *s, char **words, unsigned n);
static bool uplink_line(struct on_tap *s, char **words, unsigned n);
static bool mark_line(struct on_tap *s, char **words, unsigned n);
static bool whole_line(struct on_tap *s, char **words, unsigned n);
static bool port_line(struct on_tap *s, struct on_link *link, char **words, unsigned n);
static bool vdp_line(struct on_tap *s, struct on_link *link, char **words, unsigned n);
static bool frame_line(struct on_tap *s, struct on_link *link, char **words, unsigned n);
static bool first_line(struct on_tap *s, struct on_link *link, char **words, unsigned n);

/* What the story does to the world. */

static bool io_place(void *arg, const char *name, struct bridge_place *ret_place)
{
	const struct on_link *link = link_named(arg, name);

	*ret_place = link ? link->place : (struct bridge_place){ 0 };
	snprintf(ret_place->anchor, sizeof(ret_place->anchor), "%s", name);
	return link && !link->gone && link->place.bridge;
}

static bool io_port_of_mac(void *arg, uint32_t bridge, const struct mac *mac,
			   char ret_name[VM_IFNAME_MAX])
{
	struct on_tap *s = arg;

	for (unsigned i = 0; i < s->n_links; i++) {
		const struct on_link *link = &s->links[i];

		if (link->gone || link->place.bridge != bridge ||
		    !mac_equal(&link->mac, mac))
			continue;
		memcpy(ret_name, link->name, sizeof(link->name));
		return true;
	}
	return false;
}

static int io_router_port(void *arg, const char *interface, bool on)
{
	struct on_tap *s = arg;

	script_happen(s->script, "router %s %s", interface, on ? "on" : "off");
	return s->deaf ? -1 : 0;
}

static int io_fdb_move(void *arg, const char *port, uint16_t vlan, const struct mac *mac)
{
	struct on_tap *s = arg;
	char text[MAC_TEXT_MAX];

	script_happen(s->script, "fdb %s %s %u", port, mac_text(mac, text), vlan);
	return 0;
}

/* What is waited for twice would be told twice. */
static int io_hear_first(void *arg, const char *interface, const struct mac *mac, bool on)
{
	struct on_tap *s = arg;
	unsigned i = 0;

	while (i < s->n_heard && (strcmp(s->heard[i].interface, interface) ||
				  !mac_equal(&s->heard[i].mac, mac)))
		i++;
	if (on && (i < s->n_heard || i == HEARD_MAX)) {
		script_fail(s->script, "heard already, or too many");
	} else if (on) {
		snprintf(s->heard[i].interface, sizeof(s->heard[i].interface), "%s",
			 interface);
		s->heard[i].mac = *mac;
		s->n_heard++;
	} else if (i < s->n_heard) {
		s->heard[i] = s->heard[--s->n_heard];
	}
	return 0;
}

static void io_log(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		   const char *text)
{
	struct on_tap *s = arg;

	(void)vsi;
	if (priority < LOG_DEBUG)
		script_happen(s->script, "log %s: %s", port ? port : "-", text);
}

static const struct bridge_io io = {
	.place = io_place,
	.port_of_mac = io_port_of_mac,
	.router_port = io_router_port,
	.fdb_move = io_fdb_move,
	.hear_first = io_hear_first,
	.log = io_log,
};

/* The part. */

static void *begin(struct script *script)
{
	struct on_tap *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->script = script;
	s->station = station_new(&io, s);
	return s;
}

static void end(void *arg)
{
	struct on_tap *s = arg;

	station_free(s->station);
	free(s);
}

static bool line(void *arg, char **words, unsigned n)
{
	struct on_tap *s = arg;

	if (!strcmp(words[0], "link"))
		return n > 1 && link_line(s, words + 1, n - 1);
	if (!strcmp(words[0], "uplink"))
		return n > 1 && uplink_line(s, words + 1, n - 1);
	if (!strcmp(words[0], "mark") || !strcmp(words[0], "unmark"))
		return mark_line(s, words, n);
	if (link_named(s, words[0]))
		return n > 1 && port_line(s, link_named(s, words[0]), words + 1, n - 1);
	return whole_line(s, words, n);
}

static ms_t deadline(void *arg)
{
	struct on_tap *s = arg;

	return station_deadline(s->station);
}

static void tick(void *arg, ms_t now)
{
	struct on_tap *s = arg;

	station_tick(s->station, now);
}

static void look(void *arg)
{
	(void)arg;
}

const struct part tap_part = { begin, end, line, deadline, tick, look };

/* The lines. */

static struct on_link *link_named(struct on_tap *s, const char *name)
{
	for (unsigned i = 0; i < s->n_links; i++)
		if (!strcmp(s->links[i].name, name))
			return &s->links[i];
	return NULL;
}

static bool link_line(struct on_tap *s, char **words, unsigned n)
{
	struct on_link *link = link_named(s, words[0]);

	if (!link && s->n_links == LINKS_MAX)
		return false;
	if (!link) {
		link = &s->links[s->n_links++];
		snprintf(link->name, sizeof(link->name), "%s", words[0]);
	}
	link->gone = false;
	for (unsigned i = 1; i < n; i++) {
		if (!strncmp(words[i], "bridge=", 7)) {
			link->place.bridge = (uint32_t)atoi(words[i] + 7);
		} else if (!strncmp(words[i], "pvid=", 5)) {
			link->place.vlans = true;
			link->place.pvid = (uint16_t)atoi(words[i] + 5);
		} else if (!strcmp(words[i], "gone")) {
			link->gone = true;
		} else if (strncmp(words[i], "mac=", 4) ||
			   mac_parse(words[i] + 4, &link->mac)) {
			return false;
		}
	}
	station_links_changed(s->station, s->script->now);
	return true;
}

static bool uplink_line(struct on_tap *s, char **words, unsigned n)
{
	struct link_port port = { .role = LINK_ROLE_STATION, .up = true };

	if (!link_line(s, words, n))
		return false;
	snprintf(port.name, sizeof(port.name), "%s", words[0]);
	port.gone = link_named(s, words[0])->gone;
	station_port(s->station, s->script->now, &port);
	return true;
}

static bool mark_line(struct on_tap *s, char **words, unsigned n)
{
	struct link_mark mark = { .ttl_s = 86400 };
	const struct vm *vm = n > 1 ? vm_named(s->script, words[1]) : NULL;

	if (!vm)
		return false;
	mark.id = vm->id;
	if (words[0][0] == 'u') {
		station_unmark(s->station, s->script->now, &mark.id);
		return n == 2;
	}
	for (unsigned i = 2; i < n; i++) {
		if (!strcmp(words[i], "mac"))
			mark.mac = vm->entries[0].mac;
		else if (!strncmp(words[i], "tap=", 4))
			snprintf(mark.tap, sizeof(mark.tap), "%s", words[i] + 4);
		else if (!strncmp(words[i], "ttl=", 4))
			mark.ttl_s = (uint32_t)atoi(words[i] + 4);
		else
			return false;
	}
	station_mark(s->station, s->script->now, &mark);
	return true;
}

static bool whole_line(struct on_tap *s, char **words, unsigned n)
{
	if (n == 1 && (!strcmp(words[0], "deaf") || !strcmp(words[0], "hearing"))) {
		s->deaf = *words[0] == 'd';
		return true;
	}
	if (n != 2)
		return false;
	if (!strcmp(words[0], "module") && !strcmp(words[1], "gone"))
		station_module_gone(s->station, s->script->now);
	else if (!strcmp(words[0], "all") && !strcmp(words[1], "forgotten"))
		station_forgotten(s->station, s->script->now, "");
	else
		return false;
	return true;
}

static bool port_line(struct on_tap *s, struct on_link *link, char **words, unsigned n)
{
	if (!strcmp(words[0], "forgotten")) {
		station_forgotten(s->station, s->script->now, link->name);
		return n == 1;
	}
	if (!strcmp(words[0], "igmp") || !strcmp(words[0], "mld"))
		return frame_line(s, link, words, n);
	if (!strcmp(words[0], "frame"))
		return first_line(s, link, words, n);
	return vdp_line(s, link, words, n);
}

static bool vdp_line(struct on_tap *s, struct on_link *link, char **words, unsigned n)
{
	static const char *const modes[] = { "", "preassoc", "preassoc-rr", "assoc",
					     "deassoc" };
	struct link_vsi seen = { .what = LINK_VSI_REQUEST, .mode = VDP22_DEASSOC };
	unsigned at = 0;

	if (word_is(words, n, &at, "replayed"))
		seen.what = LINK_VSI_REPLAYED;
	if (word_is(words, n, &at, "timeout")) {
		seen.what = LINK_VSI_TIMEOUT;
	} else if (at < n) {
		for (seen.mode = VDP22_DEASSOC; seen.mode; seen.mode--)
			if (!strcmp(words[at], modes[seen.mode]))
				break;
		at++;
	}
	if (!seen.mode)
		return false;
	if (word_is(words, n, &at, "accepted") || word_is(words, n, &at, "refused") ||
	    word_is(words, n, &at, "kept")) {
		seen.what = LINK_VSI_RESPONSE;
		/* 802.1Q 41.2.3: insufficient resources; what was accepted stands */
		seen.status = *words[at - 1] == 'a' ? VDP_STATUS_ACK
			      : *words[at - 1] == 'r'
				      ? VDP_STATUS_ACK | 2
				      : VDP_STATUS_ACK | VDP_STATUS_KEEP | 2;
	}
	if (at < n)
		link->vm = vm_named(s->script, words[at++]);
	if (!link->vm || at != n)
		return false;
	memcpy(seen.port, link->name, sizeof(seen.port));
	seen.id = link->vm->id;
	seen.n_entries = (uint16_t)link->vm->n;
	memcpy(seen.entries, link->vm->entries, link->vm->n * sizeof(seen.entries[0]));
	station_vsi(s->station, s->script->now, &seen);
	return true;
}

/* Ethernet, IP, and a message of version 2 (IGMP) or 1 (MLD). */
static size_t make_frame(uint8_t frame[FRAME_LEN], const struct mac *src, bool mld,
			 uint8_t type)
{
	static const uint8_t igmp[] = {
		0x01, 0x00, 0x5e, 1, 2, 3, 0, 0, 0, 0, 0,   0, 0x08, 0x00, 0x46, 0xc0,
		0,    32,   0,	  1, 0, 0, 1, 2, 0, 0, 10,  9, 0,    7,	   239,	 1,
		2,    3,    0x94, 4, 0, 0, 0, 0, 0, 0, 239, 1, 2,    3,
	};
	static const uint8_t mld6[] = {
		0x33, 0x33, 0, 0,  1, 0x23, 0,	  0,	0, 0, 0, 0, 0x86, 0xdd, 0x60, 0,
		0,    0,    0, 32, 0, 1,    0xfe, 0x80, 0, 0, 0, 0, 0,	  0,	0,    0,
		0,    0,    0, 0,  0, 7,    0xff, 0x15, 0, 0, 0, 0, 0,	  0,	0,    0,
		0,    0,    0, 0,  1, 0x23, 58,	  0,	5, 2, 0, 0, 1,	  0,	0,    0,
		0,    0,    0, 0,  0, 0,    0xff, 0x15, 0, 0, 0, 0, 0,	  0,	0,    0,
		0,    0,    0, 0,  1, 0x23,
	};
	size_t len = mld ? sizeof(mld6) : sizeof(igmp), at = mld ? 62 : 38;
	uint32_t sum = mld ? 24 + 58 : 0;
	uint16_t checksum;

	memcpy(frame, mld ? mld6 : igmp, len);
	memcpy(frame + 6, src->b, sizeof(src->b));
	frame[at] = type;
	/* Of MLD with the pseudo-header: addresses, length, next header. */
	for (size_t i = 22; mld && i < 54; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	checksum = inet_checksum(frame + at, len - at, sum);
	frame[at + 2] = (uint8_t)(checksum >> 8);
	frame[at + 3] = (uint8_t)checksum;
	if (!mld) {
		checksum = inet_checksum(frame + 14, 24, 0);
		frame[24] = (uint8_t)(checksum >> 8);
		frame[25] = (uint8_t)checksum;
	}
	return len;
}

static bool frame_line(struct on_tap *s, struct on_link *link, char **words, unsigned n)
{
	static const struct {
		const char *what;
		uint8_t igmp, mld;
	} types[] = { { "query", 0x11, 130 },
		      { "report", 0x16, 131 },
		      { "leave", 0x17, 132 } };
	const struct vm *vm = n == 3 ? vm_named(s->script, words[2]) : NULL;
	bool mld = words[0][0] == 'm';
	struct inet_frame decoded;
	uint8_t frame[FRAME_LEN];
	unsigned i = 0;
	size_t len;

	while (i < 3 && n > 1 && strcmp(types[i].what, words[1]))
		i++;
	if (!vm || i == 3)
		return false;
	len = make_frame(frame, &vm->entries[0].mac, mld,
			 mld ? types[i].mld : types[i].igmp);
	if (inet_decode(frame, len, &decoded, NULL)) {
		script_fail(s->script, "the frame does not decode");
		return true;
	}
	station_frame(s->station, s->script->now, link->name, &decoded);
	return true;
}

/* It is heard once, as the engine's edge hears it. */
static bool first_line(struct on_tap *s, struct on_link *link, char **words, unsigned n)
{
	const struct vm *vm = n == 2 ? vm_named(s->script, words[1]) : NULL;
	const char *to = NULL;

	if (!vm)
		return false;
	for (unsigned i = 0; i < s->n_heard; i++)
		if (!strcmp(s->heard[i].interface, link->name) &&
		    mac_equal(&s->heard[i].mac, &vm->entries[0].mac)) {
			s->heard[i] = s->heard[--s->n_heard];
			to = station_turned(s->station, s->script->now, link->name,
					    &vm->entries[0].mac);
			break;
		}
	if (to)
		script_happen(s->script, "pass %s", to);
	return true;
}
