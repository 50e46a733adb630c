/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports of the switch: what the module has reported of each, where the
 * kernel has it, and which guard is in force on it. A port keeps its number and
 * its settings for as long as the engine runs: bindings outlive lldpad.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "wire/text.h"

static void find_place(struct bridge *b, struct port *port);
static enum link_guard wanted_mode(const struct port *port);
static bool for_vlan(const struct link_vlan_addr *candidate, uint16_t vlan);

struct port *ports_find(struct bridge *b, const char *name)
{
	for (unsigned i = 0; i < b->n_ports; i++)
		if (!strcmp(b->ports[i]->name, name))
			return b->ports[i];
	return NULL;
}

struct port *ports_get(struct bridge *b, const char *name)
{
	struct port *port = ports_find(b, name);
	struct port **grown;

	if (port)
		return port;
	if (b->n_ports == UINT16_MAX - 1)
		return NULL;
	grown = realloc(b->ports, (b->n_ports + 1) * sizeof(struct port *));
	if (!grown)
		return NULL;
	b->ports = grown;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	memcpy(port->name, name, strnlen(name, sizeof(port->name) - 1));
	find_place(b, port);
	grown[b->n_ports++] = port;
	port->number = (uint16_t)b->n_ports;
	return port;
}

struct port *ports_number(const struct bridge *b, uint16_t number)
{
	return number && number <= b->n_ports ? b->ports[number - 1] : NULL;
}

void ports_apply(struct bridge *b, struct port *port)
{
	enum link_guard mode = b->open ? LINK_GUARD_OFF : wanted_mode(port);

	find_place(b, port);
	if (!port->placed && mode != LINK_GUARD_OFF) {
		if (!port->placed_logged)
			b->io->log(b->arg, LOG_WARNING, port->name, NULL,
				   port->mode == LINK_GUARD_OFF
					   ? "no port of a bridge: no guard here"
					   : "no port of a bridge any more: its bindings "
					     "and guard wait for it");
		port->placed_logged = true;
		/* Where it was in force it stays: when the port is back, not a frame is
		 * to pass before we have heard of it. */
		mode = port->mode;
	} else if (port->placed) {
		if (port->placed_logged)
			b->io->log(b->arg, LOG_NOTICE, port->name, NULL,
				   "a port of a bridge again: its guard is in force");
		port->placed_logged = false;
	}
	if (port->offloaded && mode != LINK_GUARD_OFF) {
		if (!port->offloaded_logged)
			b->io->log(b->arg, LOG_WARNING, port->name, NULL,
				   "a switch chip forwards its traffic past the kernel: no "
				   "guard here");
		port->offloaded_logged = true;
		mode = LINK_GUARD_OFF;
	} else if (!port->offloaded) {
		port->offloaded_logged = false;
	}
	if ((port->known || b->open) && mode != port->mode) {
		if (b->io->mode(b->arg, port->name, mode))
			b->io->log(b->arg, LOG_ERR, port->name, NULL, "guard: no memory");
		else {
			bridge_tell_guard(b, port->name, port->mode, mode);
			port->mode = mode;
		}
	}
	bridge_groups_port(b, port);
	bridge_cases_port(b, port);
}

/* An untagged frame is in its port's PVID, and so is what a VSI says to be untagged. */
uint16_t ports_vlan_in(const struct port *port, uint16_t vlan)
{
	return vlan || !port->vlans ? vlan : port->pvid;
}

uint16_t ports_vlan_out(const struct port *port, uint16_t vlan)
{
	return port->vlans && vlan == port->pvid && !port->pvid_tagged ? 0 : vlan;
}

unsigned ports_servers(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_servers, struct addr *ret_giaddr)
{
	const struct link_port *set = &port->settings;
	unsigned n = 0;

	for (unsigned i = 0; i < set->n_servers && n < LQ_SERVERS_MAX; i++)
		if (for_vlan(&set->servers[i], vlan))
			ret_servers[n++] = set->servers[i].addr;
	return n && ports_giaddr(b, port, vlan, ret_giaddr) ? n : 0;
}

bool ports_giaddr(struct bridge *b, const struct port *port, uint16_t vlan,
		  struct addr *ret_giaddr)
{
	const struct link_port *set = &port->settings;

	for (unsigned i = 0; i < set->n_giaddrs; i++) {
		if (!for_vlan(&set->giaddrs[i], vlan))
			continue;
		*ret_giaddr = set->giaddrs[i].addr;
		return true;
	}
	return b->io->giaddr(b->arg, port->name, ret_giaddr);
}

bool ports_may_query(const struct port *port)
{
	return port->settings.assist == LINK_ASSIST_LEASEQUERY ||
	       port->settings.assist == LINK_ASSIST_AUTO;
}

/* Statics. */

/* In no bridge: what was true there stays, it may come back. */
static void find_place(struct bridge *b, struct port *port)
{
	struct bridge_place place;

	port->placed = b->io->place(b->arg, port->name, &place);
	port->offloaded = place.offloaded;
	if (port->placed)
		bridge_moved(b, port, &place);
}

static enum link_guard wanted_mode(const struct port *port)
{
	if (!port->known || port->settings.gone)
		return LINK_GUARD_OFF;
	return (enum link_guard)port->settings.guard;
}

static bool for_vlan(const struct link_vlan_addr *candidate, uint16_t vlan)
{
	return candidate->vlan == LINK_VLAN_ANY || candidate->vlan == vlan;
}
