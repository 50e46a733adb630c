/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of the members of multicast groups, and how many there are.
 */
#include <stdio.h>

#include "control_private.h"

static void group_row(void *arg, const struct groups_member *member);
static const char *sources_text(const struct group_sources *sources, char *text, size_t size);

void control_groups(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vlan:n", "mac:s", "group:s", "mode:s", "sources:s",
		     "age:d", "origin:s", "ends_in:d+");
	groups_each(bridge_groups(s->control->bridge), group_row, (void *)s);
}

/* Statics. */

static void group_row(void *arg, const struct groups_member *member)
{
	const struct showing *s = arg;
	char sources[GROUP_SOURCES_MAX * ADDR_TEXT_MAX + 8];
	struct row row = { 0 };

	row_text(&row, bridge_port_name(s->control->bridge, member->place.port));
	row_number(&row, member->place.host.vlan);
	row_mac(&row, &member->place.host.mac);
	row_addr(&row, &member->group);
	row_text(&row, groups_mode_text(member->mode));
	row_text(&row, sources_text(&member->sources, sources, sizeof(sources)));
	row_duration(&row, member->reported, s->control->now);
	row_text(&row, groups_origin_text(member->origin));
	row_duration(&row, s->control->now, member->ends);
	row_send(&row, s->client, s->seq);
}

/* NULL: it names none. */
static const char *sources_text(const struct group_sources *sources, char *text, size_t size)
{
	char source[ADDR_TEXT_MAX];
	int len = 0;

	for (unsigned i = 0; i < sources->n; i++)
		len += snprintf(text + len, size - (size_t)len, "%s%s", i ? "," : "",
				addr_text(&sources->list[i], source));
	if (sources->more)
		(void)snprintf(text + len, size - (size_t)len, "%s...", len ? "," : "");
	return sources->n || sources->more ? text : NULL;
}
