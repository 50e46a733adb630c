/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: a port comes, or its settings change. What a line does
 * not name stays as it was; at first a port has igmp and 0 of groups and schedule,
 * leasequery of assist, and is in bridge 1.
 *
 *   T port P bridge|station [guard=G] [assist=A] [trusted] [servers=[VID:]A,…]
 *     [giaddr=[VID:]A,…] [keys=K,…] [remote-id=text|binary] [keepalive=MS] [nowhere]
 *     [peer=help|none] [groups=off|igmp|mld|both] [schedule=MS,…] [hold=MS]
 *     [max-rate=N] [conflict=accept|verify]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "on_switch.h"
#include "wire/orgtlv.h"
#include "wire/text.h"

static bool set_option(struct on_port *port, char *word);
static int set_word(struct link_port *set, const char *name, const char *value);
static bool set_number(struct link_port *set, const char *name, const char *value);
static bool set_list(struct link_port *set, const char *name, char *value);
static bool set_addrs(char *value, struct link_vlan_addr *ret_addrs, uint8_t *ret_n);

static const char *const keys[] = {"mac", "ip", "client-id", "remote-id"};

bool on_settings(struct on_switch *s, char **words, unsigned n)
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

static bool set_option(struct on_port *port, char *word)
{
	char *value = strchr(word, '=');
	int done;

	if (!value) {
		port->set.trusted |= !strcmp(word, "trusted");
		port->nowhere |= !strcmp(word, "nowhere");
		return !strcmp(word, "trusted") || !strcmp(word, "nowhere");
	}
	*value++ = 0;
	done = set_word(&port->set, word, value);
	if (done)
		return done > 0;
	return set_number(&port->set, word, value) || set_list(&port->set, word, value);
}

/* Of a few words one. 0: the setting is none of these, -1: nor is the word. */
static int set_word(struct link_port *set, const char *name, const char *value)
{
	const struct {
		const char *name;
		uint8_t *value;
		const char *words[5];
	} all[] = {
		{ "guard", &set->guard, { "off", "monitor", "enforce" } },
		{ "assist", &set->assist, { "off", "leasequery", "help", "auto" } },
		{ "groups", &set->groups, { "off", "igmp", "mld", "both" } },
		{ "conflict", &set->conflict, { "accept", "verify" } },
	};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(name, all[i].name))
			continue;
		for (uint8_t word = 0; all[i].words[word]; word++)
			if (!strcmp(value, all[i].words[word])) {
				*all[i].value = word;
				return 1;
			}
		return -1;
	}
	return 0;
}

static bool set_number(struct link_port *set, const char *name, const char *value)
{
	bool helps = !strcmp(value, "help");

	if (!strcmp(name, "keepalive")) {
		set->keepalive_ms = (uint32_t)strtoul(value, NULL, 10);
	} else if (!strcmp(name, "hold")) {
		set->hold_ms = (uint16_t)strtoul(value, NULL, 10);
	} else if (!strcmp(name, "max-rate")) {
		set->max_rate = (uint16_t)strtoul(value, NULL, 10);
	} else if (!strcmp(name, "remote-id")) {
		set->remote_id_text = !strcmp(value, "text");
	} else if (!strcmp(name, "peer")) {
		set->peer_version = set->peer_role = helps;
		set->peer_flags = helps ? ORGTLV_HELP : 0;
	} else {
		return false;
	}
	return true;
}

static bool set_list(struct link_port *set, const char *name, char *value)
{
	if (!strcmp(name, "giaddr"))
		return set_addrs(value, set->giaddrs, &set->n_giaddrs);
	if (!strcmp(name, "servers"))
		return set_addrs(value, set->servers, &set->n_servers);
	if (!strcmp(name, "schedule")) {
		set->n_schedule = 0;
		for (char *one; set->n_schedule < LINK_SCHEDULE_MAX &&
				(one = strsep(&value, ","));)
			set->schedule[set->n_schedule++] =
				(uint32_t)strtoul(one, NULL, 10);
		return !value;
	}
	if (strcmp(name, "keys"))
		return false;
	set->n_keys = 0;
	for (char *one; (one = strsep(&value, ","));) {
		int number = number_of(one, keys, 4);

		if (number < 0 || set->n_keys == LINK_KEYS_MAX)
			return false;
		set->keys[set->n_keys++] = (uint8_t)number;
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
