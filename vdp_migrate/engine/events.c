/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens, as rows for the companions that watch. Here an event gets its time,
 * by the clock on the wall.
 */
#include "events.h"

#include <time.h>

#include "row.h"

void events_watch(struct link_client *client, uint32_t seq)
{
	static const char *const head[] = { "time:t", "what:s", "port:s",    "vsi:s",
					    "vlan:n", "mac:s",	"address:s", "from:s",
					    "to:s",   "why:s" };

	link_head(client, seq, head, sizeof(head) / sizeof(*head));
	link_server_watch(client, seq);
}

void events_tell_state(struct link_server *server, const char *what, const char *from,
		       const char *to, const char *why)
{
	const struct bridge_event event = {
		.what = what, .from = from, .to = to, .why = why,
	};

	events_tell(server, &event);
}

void events_tell(struct link_server *server, const struct bridge_event *event)
{
	struct row row = { 0 };
	struct timespec now;

	if (!link_server_watched(server))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	row_number(&row, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
	row_text(&row, event->what);
	row_text(&row, event->port);
	row_vsi(&row, event->vsi ? event->vsi : &(struct vsi_id){ 0 });
	if (event->mac)
		row_number(&row, event->vlan);
	else
		row_none(&row);
	row_mac(&row, event->mac ? event->mac : &(struct mac){ 0 });
	row_addr(&row, event->ip ? event->ip : &(struct addr){ 0 });
	row_text(&row, event->from);
	row_text(&row, event->to);
	row_text(&row, event->why);
	link_server_tell(server, row.field, row.n);
}
