/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See ports.h. A list with the port that was last asked for in front.
 */
#include "ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct port *ports;

struct port *ports_find(const char *name)
{
	struct port *port;

	for (struct port **at = &ports; (port = *at); at = &port->next) {
		if (strncmp(port->name, name, sizeof(port->name)) != 0)
			continue;
		*at = port->next;
		port->next = ports;
		ports = port;
		return port;
	}
	return NULL;
}

struct port *ports_get(const char *name)
{
	struct port *port = ports_find(name);

	if (port)
		return port;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->next = ports;
	ports = port;
	return port;
}

struct port *ports_number(unsigned ifindex)
{
	struct port *port = ports;

	while (port && (!port->up || port->ifindex != ifindex))
		port = port->next;
	return port;
}

void ports_tidy(struct port *port)
{
	if (port->up || port->vdp_runs || port->voice || port->queue.n)
		return;
	for (struct port **at = &ports; *at; at = &(*at)->next)
		if (*at == port) {
			*at = port->next;
			queue_clear(&port->queue);
			free(port);
			return;
		}
}

void ports_forget_all(void)
{
	struct port **at = &ports, *port, kept;

	while ((port = *at)) {
		if (!port->queue.n) {
			*at = port->next;
			queue_clear(&port->queue);
			free(port);
			continue;
		}
		kept = (struct port){ .next = port->next, .queue = port->queue,
				      .kept_until = port->kept_until };
		memcpy(kept.name, port->name, sizeof(kept.name));
		*port = kept;
		at = &port->next;
	}
}

struct port *ports_first(void)
{
	return ports;
}
