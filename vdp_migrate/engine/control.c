/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine shows: finds the table that is asked for. Raw values with typed
 * names (link.h); the companion lays them out.
 */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control_private.h"

static const struct {
	const char *name;
	void (*show)(const struct showing *s);
} tables[] = {
	{ "bindings", control_bindings }, { "vsis", control_vsis },
	{ "ports", control_ports },	  { "cases", control_cases },
	{ "servers", control_servers },
	{ "groups", control_groups },	  { "leases", control_leases },
	{ "counters", control_counters },
};

void control_counter(struct control *control, const struct link_counter *counter)
{
	unsigned i = 0;

	while (i < control->n_counters && strcmp(control->counters[i].name, counter->name))
		i++;
	if (i == CONTROL_COUNTERS_MAX)
		return;
	control->counters[i] = *counter;
	if (i == control->n_counters)
		control->n_counters++;
}

void control_show(struct control *control, struct link_client *client,
		  const struct link_show *show)
{
	const struct showing s = { control, client, show->seq };
	const struct link_msg msg = { .type = LINK_SHOW, .u.show = *show };
	char text[LINK_TEXT_MAX];

	if (!strcmp(show->table, "marks") || !strcmp(show->table, "settings")) {
		link_server_ask_module(client, &msg);
		return;
	}
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (strcmp(show->table, tables[i].name))
			continue;
		tables[i].show(&s);
		link_done(client, show->seq, 0,
			  link_server_has_module(control->server)
				  ? ""
				  : "module not loaded in lldpad, or lldpad not running");
		return;
	}
	snprintf(text, sizeof(text),
		 "no table '%s': bindings, vsis, leases, ports, cases, settings, servers, "
		 "groups, marks, counters",
		 show->table);
	link_done(client, show->seq, EINVAL, text);
}
