/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens, told to the companions that watch.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "bridge.h"
#include "link_server.h"

/* A companion wants to hear: its head, then a row for each event. */
void events_watch(struct link_client *client, uint32_t seq);
/* Costs nothing while nobody watches. */
void events_tell(struct link_server *server, const struct bridge_event *event);
/* One that concerns no port. */
void events_tell_state(struct link_server *server, const char *what, const char *from,
		       const char *to, const char *why);

#endif
