/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store at work: what the story keeps and forgets goes there by its names, what
 * was kept comes back at a start, and who has bound a static address is answered when
 * it is on disk. Where there is no store all this is nothing.
 */
#ifndef ENGINE_KEPT_H
#define ENGINE_KEPT_H

#include <ev.h>

#include "bridge.h"
#include "bridge_db.h"
#include "link_server.h"

struct kept;

/* Everything is borrowed. NULL: no memory. */
struct kept *kept_open(struct ev_loop *loop, const char *dir, struct bridge *bridge,
		       const struct bridge_db *db, struct link_server *server);
void kept_close(struct kept *kept);	/* writes what waits */

/* After the guard's have come back: the store's. */
void kept_load(struct kept *kept, ms_t now);

void kept_keep(struct kept *kept, const struct binding *binding);
void kept_forget(struct kept *kept, const struct binding *binding);
/* A companion binds, or unbinds, a static address. */
void kept_bind(struct kept *kept, ms_t now, struct link_client *client, bool bind,
	       const struct link_bind *what);

/* The kernel has it: it may be written. */
void kept_commit(struct kept *kept);

#endif
