/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Joins two sources of events to the story. The FDB is listened to while a port wants
 * it, and read whole when one is new or when the kernel has lost something; the local
 * frames' sockets follow the bridges that there are.
 */
#include "watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "log.h"

struct watches {
	struct ev_loop *loop;
	struct bridge *bridge;
	struct bridge_db *db;
	struct fdb *fdb;
	struct port_local *local;
	ev_io fdb_readable, local_readable;
	bool fdb_stale, local_stale;
	unsigned n;
	char (*ports)[VM_IFNAME_MAX];	/* whose FDB is wanted */
};

static void read_fdb(struct watches *watches);
static void follow_bridges(struct watches *watches);
static void fdb_event(struct ev_loop *loop, ev_io *watcher, int events);
static void local_event(struct ev_loop *loop, ev_io *watcher, int events);
static void start(struct watches *watches, ev_io *watcher, int fd,
		  void (*cb)(struct ev_loop *loop, ev_io *watcher, int events));

int watches_new(struct ev_loop *loop, struct bridge *bridge, struct bridge_db *db,
		struct watches **ret_watches, const char **ret_what)
{
	struct watches *watches = calloc(1, sizeof(*watches));
	int err;

	*ret_what = "the kernel's FDB";
	if (!watches)
		return -ENOMEM;
	watches->loop = loop;
	watches->bridge = bridge;
	watches->db = db;
	watches->local_stale = true;
	err = fdb_new(&watches->fdb);
	if (!err) {
		*ret_what = "packet sockets for what this machine sends";
		err = port_local_new(&watches->local);
	}
	if (err) {
		watches_free(watches);
		return err;
	}
	start(watches, &watches->fdb_readable, fdb_fd(watches->fdb), fdb_event);
	start(watches, &watches->local_readable, port_local_fd(watches->local),
	      local_event);
	*ret_watches = watches;
	return 0;
}

void watches_free(struct watches *watches)
{
	if (!watches)
		return;
	if (ev_is_active(&watches->fdb_readable))
		ev_io_stop(watches->loop, &watches->fdb_readable);
	if (ev_is_active(&watches->local_readable))
		ev_io_stop(watches->loop, &watches->local_readable);
	fdb_free(watches->fdb);
	port_local_free(watches->local);
	free(watches->ports);
	free(watches);
}

void watches_links_changed(struct watches *watches)
{
	watches->local_stale = true;
}

int watches_quiet(struct watches *watches, const char *port, uint16_t vlan, ms_t so_long,
		  fdb_quiet_cb cb, void *arg)
{
	struct bridge_db_port found;

	if (!bridge_db_port(watches->db, port, &found))
		return -ENODEV;
	return fdb_quiet(watches->fdb, found.port_ifindex, vlan, so_long, cb, arg);
}

void watches_fdb(struct watches *watches, const char *port, bool on)
{
	char(*grown)[VM_IFNAME_MAX];
	unsigned i = 0;

	while (i < watches->n && strcmp(watches->ports[i], port))
		i++;
	if (i < watches->n && !on)
		memcpy(watches->ports[i], watches->ports[--watches->n], VM_IFNAME_MAX);
	if (i < watches->n || !on)
		return;
	grown = realloc(watches->ports, (watches->n + 1) * sizeof(*grown));
	if (!grown)
		return;
	watches->ports = grown;
	memset(grown[watches->n], 0, VM_IFNAME_MAX);
	memcpy(grown[watches->n++], port, strnlen(port, VM_IFNAME_MAX - 1));
	watches->fdb_stale = true;
}

void watches_before_waiting(struct watches *watches)
{
	if (watches->local_stale)
		follow_bridges(watches);
	if (fdb_listen(watches->fdb, watches->n))
		log_line(LOG_ERR, "the kernel's FDB cannot be listened to");
	if (watches->fdb_stale)
		read_fdb(watches);
}

struct port_socket_counts watches_local_counts(struct watches *watches)
{
	return port_local_counts(watches->local);
}

/* Statics. */

static void take_fdb(void *arg, uint32_t ifindex, uint16_t vlan, const struct mac *mac,
		     enum cases_fdb what)
{
	struct watches *watches = arg;
	char port[VM_IFNAME_MAX];

	if (bridge_db_name(watches->db, ifindex, port))
		bridge_fdb(watches->bridge, engine_now(), port, vlan, mac, what);
}

static void read_fdb(struct watches *watches)
{
	int err;

	watches->fdb_stale = false;
	for (unsigned i = 0; i < watches->n; i++)
		bridge_fdb_read(watches->bridge, engine_now(), watches->ports[i], true);
	err = watches->n ? fdb_read(watches->fdb, take_fdb, watches) : 0;
	if (err) {
		log_line(LOG_ERR, "the kernel's FDB cannot be read: %s", strerror(-err));
		return;
	}
	for (unsigned i = 0; i < watches->n; i++)
		bridge_fdb_read(watches->bridge, engine_now(), watches->ports[i], false);
}

static void fdb_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct watches *watches = watcher->data;

	(void)loop;
	(void)events;
	if (fdb_dispatch(watches->fdb, take_fdb, watches) == -ENOBUFS)
		watches->fdb_stale = true;
}

static void follow_bridge(void *arg, uint32_t ifindex, const char *name)
{
	struct watches *watches = arg;
	int err = port_local_bridge(watches->local, ifindex);

	/* -ENODEV: gone again; that is on its way to us. */
	if (err && err != -ENODEV)
		log_line(LOG_ERR, "%s: what this machine sends there is not seen: %s",
			 name, strerror(-err));
}

static void follow_bridges(struct watches *watches)
{
	watches->local_stale = false;
	port_local_begin(watches->local);
	bridge_db_each_bridge(watches->db, follow_bridge, watches);
	port_local_end(watches->local);
}

static void take_local(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
		       const uint8_t *octets, size_t len)
{
	struct watches *watches = arg;
	struct inet_frame decoded;

	(void)out;
	if (inet_decode(octets, len, &decoded, NULL))
		return;
	if (vlan)
		decoded.vlan = vlan;
	else if (!decoded.vlan)
		decoded.vlan = bridge_db_own_vlan(watches->db, ifindex);
	bridge_frame_local(watches->bridge, engine_now(), ifindex, &decoded);
}

static void local_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct watches *watches = watcher->data;

	(void)loop;
	(void)events;
	port_local_dispatch(watches->local, take_local, watches);
}

static void start(struct watches *watches, ev_io *watcher, int fd,
		  void (*cb)(struct ev_loop *loop, ev_io *watcher, int events))
{
	ev_io_init(watcher, cb, fd, EV_READ);
	watcher->data = watches;
	ev_io_start(watches->loop, watcher);
}
