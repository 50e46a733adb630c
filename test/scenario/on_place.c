/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: where the kernel has the ports, and what is on their
 * wires. T is the time, IF an interface; all of them are bridge ports of bridge 1, which
 * filters no VLANs, until it is said otherwise:
 *
 *   T place IF [in ANCHOR] [bridge=N] [pvid=V|pvid-tagged=V|no-vlans] [offloaded]
 *     [nowhere|here]
 *   T wire IF VM IP V|untagged         so the kernel's guard lets it pass
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "on_switch.h"
#include "wire/text.h"

static bool set_place(struct on_port *port, const char *word);

bool on_place(struct on_switch *s, char **words, unsigned n)
{
	struct on_port *port = port_get(s, words[0]);
	unsigned at = 1;

	if (!port)
		return false;
	if (word_is(words, n, &at, "in") && at < n) {
		snprintf(port->place.anchor, sizeof(port->place.anchor), "%s", words[at++]);
		if (!port_get(s, port->place.anchor))
			return false;
	}
	for (; at < n; at++)
		if (!set_place(port, words[at]))
			return false;
	bridge_links_changed(s->bridge, s->script->now);
	return true;
}

/* What the bridge says of a bond it says of the bond's slaves too. */
bool on_place_io(void *arg, const char *name, struct bridge_place *ret_place)
{
	const struct on_port *on = port_named(arg, name);
	const struct on_port *anchor = on ? port_named(arg, on->place.anchor) : NULL;

	*ret_place = (struct bridge_place){.bridge = 1};
	if (!anchor) {
		snprintf(ret_place->anchor, sizeof(ret_place->anchor), "%s", name);
		return true;
	}
	*ret_place = anchor->place;
	ret_place->offloaded |= on->place.offloaded;
	return !anchor->nowhere;
}

bool on_place_wire(struct on_switch *s, char **words, unsigned n)
{
	const struct vm *vm = n == 4 ? vm_named(s->script, words[1]) : NULL;
	struct addr ip;
	int vlan, wanted;

	if (!vm || addr_parse(words[2], &ip))
		return false;
	vlan = mirror_vlan(&s->mirror, words[0], &vm->entries[0].mac, &ip);
	wanted = strcmp(words[3], "untagged") ? atoi(words[3]) : 0;
	if (vlan != wanted)
		script_fail(s->script, "the kernel has it in VLAN %d", vlan);
	return true;
}

static bool set_place(struct on_port *port, const char *word)
{
	struct bridge_place *place = &port->place;
	const char *value = strchr(word, '=');
	unsigned long number = value ? strtoul(value + 1, NULL, 10) : 0;

	if (!strncmp(word, "bridge=", 7)) {
		place->bridge = (uint32_t)number;
	} else if (value) {
		place->vlans = true;
		place->pvid = (uint16_t)number;
		place->pvid_tagged = !strncmp(word, "pvid-tagged=", 12);
		return place->pvid_tagged || !strncmp(word, "pvid=", 5);
	} else if (!strcmp(word, "no-vlans")) {
		place->vlans = false;
		place->pvid = 0;
	} else if (!strcmp(word, "offloaded")) {
		place->offloaded = true;
	} else {
		port->nowhere = !strcmp(word, "nowhere");
		return port->nowhere || !strcmp(word, "here");
	}
	return true;
}
