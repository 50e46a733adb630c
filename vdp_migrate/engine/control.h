/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine shows: its tables, as rows of text.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include "bridge.h"
#include "link_server.h"

#define CONTROL_COUNTERS_MAX 64

struct control {
	struct bridge *bridge;
	const struct guard_ops *guard_ops;
	struct guard *guard;
	const struct link_server *server;
	ms_t now;
	/* The module's counters, by name. */
	unsigned n_counters;
	struct link_counter counters[CONTROL_COUNTERS_MAX];
};

void control_counter(struct control *control, const struct link_counter *counter);
/* Answer the question for a table; marks are passed on to the module. */
void control_show(struct control *control, struct link_client *client,
		  const struct link_show *show);

#endif
