/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's parts in one place: main.c makes and joins them, inputs.c hands what comes
 * in to the stories, io.c is what their wishes become.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <ev.h>

#include "bridge.h"
#include "bridge_db.h"
#include "bridge_set.h"
#include "control.h"
#include "first_frame.h"
#include "frame_out.h"
#include "giaddr.h"
#include "kept.h"
#include "link_server.h"
#include "lq_socket.h"
#include "port_socket.h"
#include "router_ports.h"
#include "station.h"
#include "watches.h"

#define FAILING_MAX 16
#define RANDOM_MAX 64
#define COMPLAINTS_MAX 16

/* What the kernel's bridge has refused and was logged: io_bridge.c. */
struct engine_complaint {
	const char *what;
	ms_t until;
	char port[VM_IFNAME_MAX];
};

struct engine {
	struct ev_loop *loop;
	struct bridge *bridge;
	struct station *station;
	const struct guard_ops *guard_ops;
	struct guard *guard;
	bool guard_dirty;	/* something waits for commit */
	bool announced;		/* so does a MAC, but not before announce_by: */
	ms_t announce_by;	/* its binding is being asked for */
	bool begun;		/* the first wake-up is over */
	bool guard_failed;	/* a commit has failed: reinstall */
	bool opened;		/* by hand, on every port */
	bool hold_open;		/* … and the kernel has lost that */
	struct bridge_db *db;
	struct lq_socket *lq;
	struct giaddr *giaddr;
	struct port_socket *ports;
	struct port_socket *probed;	/* NULL: nothing is being probed */
	struct port_socket *dhcp;	/* NULL until there is a macvtap on a server */
	bool wants_dhcp;		/* this is a server */
	bool dhcp_failed;		/* it could not be opened; logged */
	struct frame_out *frames;
	struct first_frames *first;	/* NULL until one is wanted */
	struct bridge_set *set;
	struct router_ports *routers;
	struct engine_complaint complaints[COMPLAINTS_MAX];
	struct watches *watches;
	struct kept *kept;
	struct link_server *server;
	struct control control;
	/* Servers to which the last send failed; logged once each. */
	unsigned n_failing;
	struct addr failing[FAILING_MAX];
	/* Random numbers that are left: a query does not wait for a system call. */
	unsigned n_random;
	uint32_t random[RANDOM_MAX];
	ev_io guard_readable, db_readable, lq_readable, ports_readable, probed_readable,
		dhcp_readable;
	ev_timer deadline;
	ev_prepare before_waiting;
	ev_signal term, intr;
};

ms_t engine_now(void);

/* A MAC that is announced waits so long for its binding, to be one commit with it. */
#define ANNOUNCE_MS 5

/* inputs.c: watch all that comes in; what the link's peers say. */
void inputs_watch(struct engine *engine);
/* … answers to probes too, from now on. 0 or -errno. */
int inputs_watch_probed(struct engine *engine, bool on);
/* … what DHCP goes in and out at any interface, from the first macvtap on. 0 or
 * -errno. */
int inputs_watch_dhcp(struct engine *engine);
/* … the first frame to this MAC that comes in there, or no longer. 0 or -errno. */
int inputs_watch_first(struct engine *engine, const char *interface,
		       const struct mac *mac, bool on);
extern const struct link_server_ops inputs_link_ops;

/* io.c: arg is the engine. */
extern const struct bridge_io engine_io;
/* io_bridge.c: those of them that are about the kernel's bridges. */
int engine_mdb_put(void *arg, const char *port, uint16_t vlan, const struct addr *group);
int engine_mdb_drop(void *arg, const char *port, uint16_t vlan, const struct addr *group);
int engine_fdb_move(void *arg, const char *port, uint16_t vlan, const struct mac *mac);
int engine_fdb_back(void *arg, const char *port, const char *to, uint16_t vlan,
		    const struct mac *mac);
int engine_router_port(void *arg, const char *interface, bool on);
bool engine_port_of_mac(void *arg, uint32_t bridge, const struct mac *mac,
			char ret_name[VM_IFNAME_MAX]);
/* Make the kernel's guard what it should be; what fails is done again later. */
void engine_commit(struct engine *engine);
/* opened.c: has somebody opened the guard by hand, or taken that back? True: since the
 * last look. */
bool opened_look(struct engine *engine);
/* After a recovery: the kernel is to say so again, if it has lost it. 0 or -errno. */
int opened_hold(struct engine *engine);
/* Install the guard anew and make it what it should be. 0 or -errno. */
int engine_recover(struct engine *engine);

#endif
