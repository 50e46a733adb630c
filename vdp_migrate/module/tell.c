/* SPDX-License-Identifier: GPL-2.0-only */
/* See tell.h. */
#include "tell.h"

#include <stdio.h>

#include "vdp_migrate/host.h"

void tell_port(struct link *link, struct port *port)
{
	struct link_msg msg = { .type = LINK_PORT };

	if (!port->settings.use && !port->told)
		return;
	port->told = port->settings.use;
	if (!link)
		return;
	port_describe(port, &msg.u.port);
	link_put(link, &msg);
}

void tell_forgotten(struct link *link, const char *port)
{
	struct link_msg msg = { .type = LINK_FORGOTTEN };

	if (!link)
		return;
	snprintf(msg.u.forgotten, sizeof(msg.u.forgotten), "%s", port);
	link_put(link, &msg);
}

void tell_counters(struct link *link, struct counters *counters)
{
	struct link_msg msg = { .type = LINK_COUNTER };
	unsigned at = 0;

	counters_take_held(counters, host_held());
	while (link && link_connected(link) &&
	       counters_next(counters, false, &at, &msg.u.counter))
		link_put(link, &msg);
}
