/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine shows: its tables, as rows of typed text.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include "bridge.h"
#include "link_server.h"
#include "lq_socket.h"
#include "port_socket.h"
#include "station.h"

#define CONTROL_COUNTERS_MAX 64
#define CONTROL_ASKS_MAX 16

struct control {
	struct bridge *bridge;
	struct station *station;
	const struct guard_ops *guard_ops;
	struct guard *guard;
	const struct link_server *server;
	const struct lq_socket *lq;
	struct port_socket *ports, *dhcp;	/* dhcp NULL: no macvtap */
	/* The guard's transactions; how often somebody else's change was put right. */
	uint64_t commits, commits_failed, put_back;
	ms_t now;
	/* The module's counters, by name. */
	unsigned n_counters;
	struct link_counter counters[CONTROL_COUNTERS_MAX];
	/* control_ask.c: leasequeries by hand whose answers are outstanding. */
	struct control_ask {
		const struct link_server *server;	/* NULL = free */
		unsigned client;
		uint32_t seq;
		int outcome;	/* enum lq_outcome, the best so far */
	} asks[CONTROL_ASKS_MAX];
};

void control_counter(struct control *control, const struct link_counter *counter);
/* Answer the question for a table; marks are passed on to the module. */
void control_show(struct control *control, struct link_client *client,
		  const struct link_show *show);

/* Ask by leasequery: a row for each reply as it comes, and at the end the outcome. */
void control_ask(struct control *control, struct link_client *client,
		 const struct link_ask *ask);

#endif
