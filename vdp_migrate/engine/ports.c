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
	grown[b->n_ports++] = port;
	port->number = (uint16_t)b->n_ports;
	memcpy(port->name, name, strnlen(name, sizeof(port->name) - 1));
	port->placed = b->io->place(b->arg, port->name, &port->bridge);
	return port;
}

struct port *ports_number(const struct bridge *b, uint16_t number)
{
	return number && number <= b->n_ports ? b->ports[number - 1] : NULL;
}

void ports_apply(struct bridge *b, struct port *port)
{
	enum link_guard mode = wanted_mode(port);

	port->placed = b->io->place(b->arg, port->name, &port->bridge);
	if (!port->placed && mode != LINK_GUARD_OFF) {
		if (!port->placed_logged)
			b->io->log(b->arg, LOG_WARNING, port->name, NULL,
				   "no port of a bridge: no guard here");
		port->placed_logged = true;
		mode = LINK_GUARD_OFF;
	} else if (port->placed) {
		port->placed_logged = false;
	}
	if (!port->known || mode == port->mode)
		return;
	if (b->io->mode(b->arg, port->name, mode))
		b->io->log(b->arg, LOG_ERR, port->name, NULL, "guard: no memory");
	else
		port->mode = mode;
}

unsigned ports_servers(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_servers, struct addr *ret_giaddr)
{
	const struct link_port *set = &port->settings;
	unsigned n = 0;

	for (unsigned i = 0; i < set->n_servers && n < LQ_SERVERS_MAX; i++)
		if (for_vlan(&set->servers[i], vlan))
			ret_servers[n++] = set->servers[i].addr;
	if (!n)
		return 0;
	for (unsigned i = 0; i < set->n_giaddrs; i++) {
		if (!for_vlan(&set->giaddrs[i], vlan))
			continue;
		*ret_giaddr = set->giaddrs[i].addr;
		return n;
	}
	return b->io->giaddr(b->arg, port->name, ret_giaddr) ? n : 0;
}

/* Statics. */

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
