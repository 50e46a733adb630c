/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's parts in one place: main.c makes and joins them, io.c is what the
 * story's wishes become.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <ev.h>

#include "bridge.h"
#include "bridge_db.h"
#include "control.h"
#include "giaddr.h"
#include "kept.h"
#include "link_server.h"
#include "lq_socket.h"
#include "port_socket.h"
#include "watches.h"

#define FAILING_MAX 16

struct engine {
	struct ev_loop *loop;
	struct bridge *bridge;
	const struct guard_ops *guard_ops;
	struct guard *guard;
	bool guard_dirty;	/* something waits for commit */
	bool announced;		/* so does a MAC, but not before announce_by: */
	ms_t announce_by;	/* its binding is being asked for */
	bool guard_failed;	/* a commit has failed: reinstall */
	struct bridge_db *db;
	struct lq_socket *lq;
	struct giaddr *giaddr;
	struct port_socket *ports;
	struct watches *watches;
	struct kept *kept;
	struct link_server *server;
	struct control control;
	/* Servers to which the last send failed; logged once each. */
	unsigned n_failing;
	struct addr failing[FAILING_MAX];
	ev_io guard_readable, db_readable, lq_readable, ports_readable;
	ev_timer deadline;
	ev_prepare before_waiting;
	ev_signal term, intr;
};

ms_t engine_now(void);

/* A MAC that is announced waits so long for its binding, to be one commit with it. */
#define ANNOUNCE_MS 5

/* io.c: arg is the engine. */
extern const struct bridge_io engine_io;
/* Make the kernel's guard what it should be; what fails is done again later. */
void engine_commit(struct engine *engine);
/* Install the guard anew and make it what it should be. 0 or -errno. */
int engine_recover(struct engine *engine);

#endif
