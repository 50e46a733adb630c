/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: the switch as a whole. T is the time, P a port:
 *
 *   T port P …                                   on_settings.c
 *   T place …, T wire …                          on_place.c
 *   T P …                                        on_port.c, on_groups.c
 *   T kept|bind|unbind …                         on_store.c
 *   T SERVER …                                   script.h
 *   T help SERVER …                              on_help.c
 *   T local dhcp …               what this machine itself sends into the bridge
 *   T replay begin|end | module gone | all forgotten | guard emptied | opened | shut
 *   T guard refused|taken        the kernel, what it is told of the binding table
 *   T watch on                   from now on events happen too: "told …"
 *   T restore P VM IP SECONDS|forever | restore mode P G     what the kernel still has
 *
 * What happens: of the binding table, "stage|put|activate|leaving|dormant|drop P IP";
 * of the kernel, "renew P IP SECONDS", "mode P G", "announce|renounce P"; of a VSI,
 * "P STATE"; "ask mac SERVER", "rejected WHAT", "help P [N entries] [from GIADDR]",
 * "help-end P", "log P: TEXT", of groups on_groups.c,
 * "cases P N [complete]" (what speaks against guard=enforce), "ready P" (the module need
 * not hold its answer any longer), "probe P IP" (does the VM still answer there?).
 * After each line the kernel must hold what the table does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "on_switch.h"
#include "wire/arp.h"
#include "wire/text.h"

static bool restore(struct on_switch *s, char **words, unsigned n);
static bool whole(struct on_switch *s, char **words, unsigned n);

static const char *const guards[] = {"off", "monitor", "enforce"};

/* What the story does to the world. */

static int io_put(void *arg, const struct guard_element *element)
{
	struct on_switch *s = arg;

	mirror_put(&s->mirror, element);
	return 0;
}

static int io_renew(void *arg, const struct guard_element *element)
{
	struct on_switch *s = arg;

	mirror_renew(&s->mirror, element);
	return 0;
}

static int io_drop(void *arg, const struct guard_element *element)
{
	struct on_switch *s = arg;

	mirror_drop(&s->mirror, element);
	return 0;
}

static int io_announce(void *arg, const char *port, const struct mac *mac)
{
	struct on_switch *s = arg;

	mirror_announce(&s->mirror, port, mac, true);
	return 0;
}

static int io_renounce(void *arg, const char *port, const struct mac *mac)
{
	struct on_switch *s = arg;

	mirror_announce(&s->mirror, port, mac, false);
	return 0;
}

static int io_mode(void *arg, const char *port, enum link_guard mode)
{
	struct on_switch *s = arg;

	script_happen(s->script, "mode %s %s", port, guards[mode]);
	return 0;
}

static int io_send(void *arg, const struct addr *giaddr, const struct addr *server,
		   const uint8_t *msg, size_t len)
{
	struct on_switch *s = arg;

	query_sent(s->script, giaddr, server, msg, len);
	return 0;
}

static bool io_giaddr(void *arg, const char *port, struct addr *ret_giaddr)
{
	(void)arg;
	(void)port;
	(void)ret_giaddr;
	return false;
}

static void io_cases(void *arg, const struct link_cases *cases)
{
	struct on_switch *s = arg;

	script_happen(s->script, "cases %s %u%s", cases->port, cases->n,
		      cases->complete ? " complete" : "");
}

/* Of what is told to those who watch: "told PLACE WHAT OLD>NEW (WHY)". */
static void io_event(void *arg, const struct bridge_event *event)
{
	struct on_switch *s = arg;
	char ip[ADDR_TEXT_MAX];

	if (!s->watched)
		return;
	script_happen(s->script, "told %s%s%s%s%s%s%s%s%s%s", event->port ? event->port : "",
		      event->port ? " " : "",
		      event->ip ? addr_text(event->ip, ip) : event->what, " ",
		      event->from ? event->from : "", event->from ? ">" : "", event->to,
		      event->why ? " (" : "", event->why ? event->why : "",
		      event->why ? ")" : "");
}

static void io_tell_module(void *arg, const struct link_msg *msg)
{
	struct on_switch *s = arg;

	if (msg->type == LINK_READY)
		script_happen(s->script, "ready %s", msg->u.vsi_of.port);
	else
		on_help_tell(arg, msg);
}

/* Unicast, from a link-local address: RFC 4861 7.2.2. */
static bool is_solicitation(const struct inet_frame *frame)
{
	struct rd r = frame->payload;

	return frame->protocol == INET_ICMPV6 && rd_u8(&r, "ICMPv6 type") == 135 &&
	       frame->hop_limit == 255 && frame->saddr.b[0] == 0xfe &&
	       frame->daddr.b[0] != 0xff;
}

/* Of frames the probe of an old place; it must be nobody else's business. */
static int io_frame_send(void *arg, const char *interface, const uint8_t *frame, size_t len)
{
	struct on_switch *s = arg;
	struct inet_frame decoded;
	struct arp arp;
	char ip[ADDR_TEXT_MAX];

	if (inet_decode(frame, len, &decoded, NULL))
		return on_groups_frame(arg, interface, frame, len);
	if (is_solicitation(&decoded)) {
		if (decoded.dst.b[0] & 1)
			script_fail(s->script, "a solicitation to many");
		script_happen(s->script, "probe %s %s", interface,
			      addr_text(&decoded.daddr, ip));
		return 0;
	}
	if (decoded.ethertype != ETHERTYPE_ARP)
		return on_groups_frame(arg, interface, frame, len);
	if (arp_decode(decoded.payload, &arp, NULL) || arp.op != ARP_REQUEST ||
	    !addr_is_any(&arp.sender_ip) || decoded.dst.b[0] & 1)
		script_fail(s->script, "no ARP probe to one MAC");
	else
		script_happen(s->script, "probe %s %s", interface,
			      addr_text(&arp.target_ip, ip));
	return 0;
}

static int io_hear_probed(void *arg, bool on)
{
	struct on_switch *s = arg;

	if (!on)
		script_happen(s->script, "no more arp");
	return 0;
}

static uint32_t io_random(void *arg)
{
	struct on_switch *s = arg;

	s->random = s->random * 1664525 + 1013904223;
	return s->random;
}

/* A state's change is its debug line, "EVENT: OLD -> NEW". */
static void io_log(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		   const char *text)
{
	struct on_switch *s = arg;
	const char *to = strstr(text, " -> ");

	(void)vsi;
	if (priority == LOG_DEBUG && to && port)
		script_happen(s->script, "%s %s", port, to + 4);
	else if (priority != LOG_DEBUG)
		script_happen(s->script, "log %s: %s", port ? port : "-", text);
}

static const struct bridge_io io = {
	.put = io_put, .renew = io_renew, .drop = io_drop, .announce = io_announce,
	.renounce = io_renounce, .mode = io_mode, .lq_send = io_send,
	.frame_send = io_frame_send, .own_mac = on_groups_own_mac,
	.mdb_put = on_groups_put, .mdb_drop = on_groups_drop, .fdb_move = on_groups_fdb,
	.fdb_back = on_groups_fdb_back, .place = on_place_io, .tell_module = io_tell_module,
	.giaddr_listen = on_help_listen, .giaddr_apart = on_help_apart,
	.giaddr = io_giaddr, .keep = on_store_keep, .forget = on_store_forget,
	.hear_probed = io_hear_probed, .fdb_quiet = on_groups_quiet, .cases = io_cases,
	.event = io_event, .random = io_random, .log = io_log,
};

static void *begin(struct script *script)
{
	struct on_switch *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->script = script;
	s->loading = true;
	s->bridge = bridge_new(&io, s);
	mirror_init(&s->mirror, script, s->bridge);
	return s;
}

static void end(void *arg)
{
	struct on_switch *s = arg;

	bridge_free(s->bridge);
	free(s);
}

static void committed(struct on_switch *s, ms_t now)
{
	if (s->refused) {
		bridge_not_committed(s->bridge, now);
		return;
	}
	bridge_ready_say(s->bridge, now);
	bridge_committed(s->bridge, now);
}

static ms_t deadline(void *arg)
{
	struct on_switch *s = arg;

	return bridge_deadline(s->bridge);
}

static void tick(void *arg, ms_t now)
{
	struct on_switch *s = arg;

	bridge_tick(s->bridge, now);
	committed(s, now);
}

static void look(void *arg)
{
	struct on_switch *s = arg;

	committed(s, s->script->now);
	mirror_look(&s->mirror);
	on_store_look(s);
}

static enum lq_reject input(void *arg, const struct addr *giaddr,
			    const struct addr *server, const uint8_t *msg, size_t len)
{
	struct on_switch *s = arg;

	return bridge_lq_input(s->bridge, s->script->now, giaddr, server, DHCP4_SERVER_PORT,
			       msg, len);
}

/* What the script says. */

static bool line(void *arg, char **words, unsigned n)
{
	struct on_switch *s = arg;
	struct on_port *port = port_named(s, words[0]);

	if (port)
		return n > 1 && on_port(s, port, words + 1, n - 1);
	if (!strcmp(words[0], "local"))
		return n > 2 && !strcmp(words[1], "dhcp") &&
		       on_port_dhcp(s, NULL, words + 2, n - 2);
	if (!strcmp(words[0], "port"))
		return n > 2 && on_settings(s, words + 1, n - 1);
	if (!strcmp(words[0], "place"))
		return n > 1 && on_place(s, words + 1, n - 1);
	if (!strcmp(words[0], "wire"))
		return on_place_wire(s, words + 1, n - 1);
	if (!strcmp(words[0], "help"))
		return on_help(s, words + 1, n - 1);
	if (!strcmp(words[0], "kept"))
		return on_store_kept(s, words + 1, n - 1);
	if (!strcmp(words[0], "bind") || !strcmp(words[0], "unbind"))
		return on_store_bind(s, words, n);
	if (!strcmp(words[0], "restore"))
		return restore(s, words + 1, n - 1);
	return whole(s, words, n) || query_answer(s->script, words, n, input);
}

const struct part switch_part = {begin, end, line, deadline, tick, look};

static bool restore(struct on_switch *s, char **words, unsigned n)
{
	struct guard_element element = {.timeout_ms = MS_NEVER};
	const struct vm *vm;

	if (n == 3 && !strcmp(words[0], "mode")) {
		int mode = number_of(words[2], guards, 3);

		if (mode >= 0)
			bridge_restore_mode(s->bridge, words[1], (enum link_guard)mode);
		return mode >= 0;
	}
	if (n != 4 || !(vm = vm_named(s->script, words[1])) ||
	    addr_parse(words[2], &element.ip))
		return false;
	snprintf(element.port, sizeof(element.port), "%s", words[0]);
	element.mac = vm->entries[0].mac;
	element.vlan = vm->entries[0].vlan;
	if (strcmp(words[3], "forever"))
		element.timeout_ms = strtol(words[3], NULL, 10) * 1000 + BRIDGE_GRACE_MS;
	mirror_put(&s->mirror, &element);
	bridge_restore(s->bridge, s->script->now, &element);
	return true;
}

static bool whole(struct on_switch *s, char **words, unsigned n)
{
	ms_t now = s->script->now;

	if (n != 2)
		return false;
	if (!strcmp(words[0], "replay"))
		bridge_replay(s->bridge, now, !strcmp(words[1], "end"));
	else if (!strcmp(words[0], "module"))
		bridge_module_gone(s->bridge, now);
	else if (!strcmp(words[0], "watch"))
		s->watched = true;
	else if (!strcmp(words[0], "all"))
		bridge_forgotten(s->bridge, now, "");
	else if (!strcmp(words[0], "guard") && strstr("opened shut", words[1]))
		bridge_open(s->bridge, now, !strcmp(words[1], "opened"));
	else if (!strcmp(words[0], "guard") && !strcmp(words[1], "emptied"))
		mirror_empty(&s->mirror), bridge_say_all(s->bridge, now);
	else if (!strcmp(words[0], "guard"))
		s->refused = !strcmp(words[1], "refused");
	else
		return false;
	return true;
}

struct on_port *port_named(struct on_switch *s, const char *name)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (!strcmp(s->ports[i].set.name, name))
			return &s->ports[i];
	return NULL;
}
