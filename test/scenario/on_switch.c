/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: the switch as a whole. T is the time, P a port:
 *
 *   T port P bridge|station [guard=G] [assist=A] [trusted] [servers=[VID:]A,…]
 *     [giaddr=[VID:]A,…] [keys=K,…] [remote-id=text|binary] [keepalive=MS] [nowhere]
 *     [peer=help|none]
 *     [groups=off|igmp|mld|both] [schedule=MS,…] (igmp and 0 where nothing is said)
 *     [hold=MS] [max-rate=N] [conflict=accept|verify]
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
#include "wire/orgtlv.h"
#include "wire/text.h"

static bool set_port(struct on_switch *s, char **words, unsigned n);
static bool set_option(struct on_port *port, char *word);
static bool set_addrs(char *value, struct link_vlan_addr *ret_addrs, uint8_t *ret_n);
static bool restore(struct on_switch *s, char **words, unsigned n);
static bool whole(struct on_switch *s, char **words, unsigned n);

static const char *const guards[] = {"off", "monitor", "enforce"};
static const char *const keys[] = {"mac", "ip", "client-id", "remote-id"};
static const char *const groups[] = {"off", "igmp", "mld", "both"};
static const char *const conflicts[] = {"accept", "verify"};
static const char *const assists[] = {"off", "leasequery", "help", "auto"};

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

/* Of frames the probe of an old place; it must be nobody else's business. */
static int io_frame_send(void *arg, const char *interface, const uint8_t *frame, size_t len)
{
	struct on_switch *s = arg;
	struct inet_frame decoded;
	struct arp arp;
	char ip[ADDR_TEXT_MAX];

	if (inet_decode(frame, len, &decoded, NULL) || decoded.ethertype != ETHERTYPE_ARP)
		return on_groups_frame(arg, interface, frame, len);
	if (arp_decode(decoded.payload, &arp, NULL) || arp.op != ARP_REQUEST ||
	    !addr_is_any(&arp.sender_ip) || decoded.dst.b[0] & 1)
		script_fail(s->script, "no ARP probe to one MAC");
	else
		script_happen(s->script, "probe %s %s", interface,
			      addr_text(&arp.target_ip, ip));
	return 0;
}

static int io_hear_arp(void *arg, bool on)
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
	.hear_arp = io_hear_arp, .cases = io_cases, .event = io_event, .random = io_random,
	.log = io_log,
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
		return n > 2 && set_port(s, words + 1, n - 1);
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

static bool set_port(struct on_switch *s, char **words, unsigned n)
{
	struct on_port *port = port_get(s, words[0]);

	if (!port)
		return false;
	port->set.gone = false;
	port->set.role =
		!strcmp(words[1], "bridge") ? LINK_ROLE_BRIDGE : LINK_ROLE_STATION;
	for (unsigned i = 2; i < n; i++)
		if (!set_option(port, words[i]))
			return false;
	bridge_port(s->bridge, s->script->now, &port->set);
	return true;
}

static bool set_option(struct on_port *port, char *word)
{
	char *value = strchr(word, '=');
	int number;

	if (!value) {
		port->set.trusted |= !strcmp(word, "trusted");
		port->nowhere |= !strcmp(word, "nowhere");
		return !strcmp(word, "trusted") || !strcmp(word, "nowhere");
	}
	*value++ = 0;
	if (!strcmp(word, "guard")) {
		number = number_of(value, guards, 3);
		port->set.guard = (uint8_t)number;
		return number >= 0;
	}
	if (!strcmp(word, "assist")) {
		number = number_of(value, assists, 4);
		port->set.assist = (uint8_t)number;
		return number >= 0;
	}
	if (!strcmp(word, "groups")) {
		number = number_of(value, groups, 4);
		port->set.groups = (uint8_t)number;
		return number >= 0;
	}
	if (!strcmp(word, "schedule")) {
		port->set.n_schedule = 0;
		for (char *one; port->set.n_schedule < LINK_SCHEDULE_MAX &&
				(one = strsep(&value, ","));)
			port->set.schedule[port->set.n_schedule++] =
				(uint32_t)strtoul(one, NULL, 10);
		return !value;
	}
	if (!strcmp(word, "keepalive")) {
		port->set.keepalive_ms = (uint32_t)strtoul(value, NULL, 10);
		return true;
	}
	if (!strcmp(word, "hold")) {
		port->set.hold_ms = (uint16_t)strtoul(value, NULL, 10);
		return true;
	}
	if (!strcmp(word, "max-rate")) {
		port->set.max_rate = (uint16_t)strtoul(value, NULL, 10);
		return true;
	}
	if (!strcmp(word, "conflict")) {
		number = number_of(value, conflicts, 2);
		port->set.conflict = (uint8_t)number;
		return number >= 0;
	}
	if (!strcmp(word, "giaddr"))
		return set_addrs(value, port->set.giaddrs, &port->set.n_giaddrs);
	if (!strcmp(word, "servers"))
		return set_addrs(value, port->set.servers, &port->set.n_servers);
	if (!strcmp(word, "remote-id")) {
		port->set.remote_id_text = !strcmp(value, "text");
		return true;
	}
	if (!strcmp(word, "peer")) {
		bool helps = !strcmp(value, "help");

		port->set.peer_version = port->set.peer_role = helps;
		port->set.peer_flags = helps ? ORGTLV_HELP : 0;
		return true;
	}
	if (strcmp(word, "keys"))
		return false;
	port->set.n_keys = 0;
	for (char *one; (one = strsep(&value, ","));) {
		number = number_of(one, keys, 4);
		if (number < 0 || port->set.n_keys == LINK_KEYS_MAX)
			return false;
		port->set.keys[port->set.n_keys++] = (uint8_t)number;
	}
	return true;
}

static bool set_addrs(char *value, struct link_vlan_addr *ret_addrs, uint8_t *ret_n)
{
	*ret_n = 0;
	for (char *one; (one = strsep(&value, ","));) {
		struct link_vlan_addr *addr = &ret_addrs[(*ret_n)++];
		char *colon = strchr(one, ':');

		addr->vlan = colon ? (uint16_t)strtoul(one, NULL, 10) : LINK_VLAN_ANY;
		if (*ret_n == LINK_SERVERS_MAX ||
		    addr_parse(colon ? colon + 1 : one, &addr->addr))
			return false;
	}
	return true;
}

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

struct on_port *port_get(struct on_switch *s, const char *name)
{
	struct on_port *port = port_named(s, name);

	if (port || s->n_ports == PORTS_MAX)
		return port;
	port = &s->ports[s->n_ports++];
	snprintf(port->set.name, sizeof(port->set.name), "%s", name);
	port->set.up = true;
	port->set.assist = LINK_ASSIST_LEASEQUERY;
	port->set.keepalive_ms = 20000;
	port->set.groups = LINK_GROUPS_IGMP;
	port->set.n_schedule = 1;
	port->place.bridge = 1;
	memcpy(port->place.anchor, port->set.name, sizeof(port->place.anchor));
	return port;
}

struct on_port *port_named(struct on_switch *s, const char *name)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (!strcmp(s->ports[i].set.name, name))
			return &s->ports[i];
	return NULL;
}
