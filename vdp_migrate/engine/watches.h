/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine watches beside ports, links and guard: the FDB behind ports whose
 * guard is `monitor`, and what this machine itself sends into its bridges.
 */
#ifndef ENGINE_WATCHES_H
#define ENGINE_WATCHES_H

#include <ev.h>

#include "bridge.h"
#include "bridge_db.h"
#include "fdb.h"
#include "port_local.h"

struct watches;

/* All are borrowed. 0 or -errno, with what failed in *ret_what. */
int watches_new(struct ev_loop *loop, struct bridge *bridge, struct bridge_db *db,
		struct watches **ret_watches, const char **ret_what);
void watches_free(struct watches *watches);

/* The links have changed: bridges may have come or gone. */
void watches_links_changed(struct watches *watches);
/* bridge_io.watch_fdb */
void watches_fdb(struct watches *watches, const char *port, bool on);
/* fdb_quiet(), if the port is one of a bridge. */
int watches_quiet(struct watches *watches, const char *port, uint16_t vlan, ms_t so_long,
		  fdb_quiet_cb cb, void *arg);
/* Before the loop waits: read what is to be read. */
void watches_before_waiting(struct watches *watches);

struct port_socket_counts watches_local_counts(struct watches *watches);

#endif
