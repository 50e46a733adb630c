/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of ports. Knows nothing of lldpad's own list: a port is made when the
 * host first speaks of it and stays, since the engine wants to hear of it also
 * while its link is down. Where too many names have come and gone, one that is
 * down makes room.
 */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define KEEPALIVE_DEFAULT_MS 15755	/* of stock's default exponents */

static struct port **bucket_of(struct ports *ports, const char *name);
static unsigned hash(const char *name);

void ports_clear(struct ports *ports)
{
	while (ports->first)
		port_drop(ports, ports->first);
}

struct port *port_find(const struct ports *ports, const char *name)
{
	struct port *port;

	for (port = ports->bucket[hash(name)]; port; port = port->chain)
		if (!strcmp(port->name, name))
			return port;
	return NULL;
}

struct port *port_get(struct ports *ports, const char *name)
{
	struct port *port = port_find(ports, name), **bucket;

	if (port)
		return port;
	if (strlen(name) >= VM_IFNAME_MAX || ports->n >= PORTS_MAX)
		return NULL;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	strcpy(port->name, name);
	port->serial = ++ports->serial;
	if (ports->last)
		ports->last->next = port;
	else
		ports->first = port;
	ports->last = port;
	bucket = bucket_of(ports, name);
	port->chain = *bucket;
	*bucket = port;
	ports->n++;
	port_read_role(port);
	port_read_settings(port);
	return port;
}

struct port *port_spare(const struct ports *ports)
{
	struct port *port, *spare = NULL;

	if (ports->n < PORTS_MAX)
		return NULL;
	for (port = ports->first; port; port = port->next) {
		if (port->up)
			continue;
		if (!port->told)
			return port;
		if (!spare)
			spare = port;
	}
	return spare;
}

void port_drop(struct ports *ports, struct port *port)
{
	struct port **at = bucket_of(ports, port->name), *before = NULL;

	while (*at != port)
		at = &(*at)->chain;
	*at = port->chain;
	for (at = &ports->first; *at != port; at = &(*at)->next)
		before = *at;
	*at = port->next;
	if (ports->last == port)
		ports->last = before;
	ports->n--;
	vsis_clear(&port->vsis);
	sequence_free(&port->sequence);
	free(port);
}

struct port *port_after(const struct ports *ports, uint64_t serial)
{
	struct port *port = ports->first;

	while (port && port->serial <= serial)
		port = port->next;
	return port;
}

void port_read_settings(struct port *port)
{
	struct settings *settings = &port->settings;
	bool told;

	settings_read(port->name, &port->complained, settings);
	if (settings->guard != LINK_GUARD_ENFORCE)
		port->guard_anyway = false;
	if (!settings->use || settings->guard == LINK_GUARD_OFF)
		return;
	told = port->offloaded;
	port->offloaded = host_offloaded(port->name);
	if (!port->offloaded)
		return;
	settings->guard = LINK_GUARD_OFF;
	if (!told)
		host_log(LOG_WARNING, "%s: no guard: an ASIC forwards past the kernel "
			 "what comes in here (phys_switch_id)", port->name);
}

void port_read_role(struct port *port)
{
	const char *mode = host_evb_mode(port->name);

	if (port->role_seen)
		return;
	port->role = LINK_ROLE_NONE;
	if (mode && !strcmp(mode, "bridge"))
		port->role = LINK_ROLE_BRIDGE;
	else if (mode && !strcmp(mode, "station"))
		port->role = LINK_ROLE_STATION;
}

bool port_note_role(struct port *port, bool out, uint8_t mode, uint8_t status)
{
	enum link_role before = port->role, shown;
	bool ack = status & VDP_STATUS_ACK;

	/* A de-associate without ACK comes from either. */
	if (mode == VDP22_DEASSOC && !ack)
		return false;
	shown = ack == out ? LINK_ROLE_BRIDGE : LINK_ROLE_STATION;
	if (!out && (port->role_seen ||
		     (shown == LINK_ROLE_STATION && port->role == LINK_ROLE_BRIDGE)))
		return false;
	port->role = shown;
	port->role_seen |= out;
	return shown != before;
}

enum host_pace port_pace(const struct port *port)
{
	if (!port->settings.use)
		return HOST_PACE_STOCK;
	return port->settings.fast ? HOST_PACE_AT_ONCE : HOST_PACE_QUEUED;
}

void port_describe(const struct port *port, struct link_port *ret_port)
{
	const struct settings *s = &port->settings;
	struct link_port said = {
		.role = (uint8_t)port->role,
		.up = port->up,
		.gone = !s->use,
		.assist = s->assist,
		.guard = s->guard,
		.guard_anyway = port->guard_anyway,
		.trusted = s->trusted,
		.remote_id_text = s->remote_id_text,
		.n_keys = s->n_keys,
		.keepalive_ms = port_keepalive_ms(&port->evb),
		.peer_version = port->peer.version,
		.peer_role = port->peer.role,
		.peer_flags = port->peer.flags,
		.n_servers = s->n_servers,
		.n_giaddrs = s->n_giaddrs,
		.groups = s->groups,
		.n_schedule = s->n_schedule,
		.conflict = s->conflict,
		.max_rate = s->max_rate,
		.hold_ms = s->hold_ms,
	};

	memcpy(said.name, port->name, sizeof(said.name));
	memcpy(said.keys, s->keys, sizeof(said.keys));
	memcpy(said.servers, s->servers, sizeof(said.servers));
	memcpy(said.giaddrs, s->giaddrs, sizeof(said.giaddrs));
	memcpy(said.schedule, s->schedule, sizeof(said.schedule));
	*ret_port = said;
}

uint32_t port_keepalive_ms(const struct host_evb *evb)
{
	/* The exponents have five bits, retries three. */
	uint64_t ecp = (1 + 2ull * (evb->retries & 7)) << (evb->rte & 31);
	uint64_t units = ecp + (1ull << (evb->rka & 31));
	uint64_t ms = units * 15 / 1000;	/* 1.5 times 10 us */

	if (!evb->rka)
		return KEEPALIVE_DEFAULT_MS;
	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static struct port **bucket_of(struct ports *ports, const char *name)
{
	return &ports->bucket[hash(name)];
}

static unsigned hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (h ^ h >> 16) % PORTS_BUCKETS;
}
