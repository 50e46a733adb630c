/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE STORY, switch side: event -> step -> do it. Everything that the switch
 * decides about a VM goes through here, and nothing here touches a socket or a
 * clock: what it wants done it says to `struct bridge_io`. The engine puts
 * sockets and the kernel behind it, the scenarios a script.
 */
#ifndef ENGINE_BRIDGE_H
#define ENGINE_BRIDGE_H

#include "core/binding.h"
#include "core/snoop.h"
#include "core/vsi.h"
#include "vdp_migrate/guard.h"
#include "vdp_migrate/leasequery.h"
#include "wire/inet.h"

/* The kernel's element lives this much longer than the lease: the backstop for a
 * dead engine. The engine itself ends bindings on time. */
#define BRIDGE_GRACE_MS 3600000

struct bridge_io {
	/* The guard: one call each, committed by the caller after each wake-up. */
	int (*put)(void *arg, const struct guard_element *element);
	int (*renew)(void *arg, const struct guard_element *element);
	int (*drop)(void *arg, const struct guard_element *element);
	int (*announce)(void *arg, const char *port, const struct mac *mac);
	int (*renounce)(void *arg, const char *port, const struct mac *mac);
	int (*mode)(void *arg, const char *port, enum link_guard mode);

	/* A leasequery message from giaddr:67 to server:67. */
	int (*lq_send)(void *arg, const struct addr *giaddr, const struct addr *server,
		       const uint8_t *msg, size_t len);
	/* What other parts carry out; NULL where they are not there yet. */
	void (*query_groups)(void *arg, const char *port, const struct vsi *vsi);
	void (*ask_help)(void *arg, const char *port, const struct vsi *vsi,
			 const struct vsi_entry *entry);

	/* Where the kernel has this port. False: no bridge port (no guard there). */
	bool (*place)(void *arg, const char *port, uint32_t *ret_bridge);
	/* The giaddr to ask from when none is configured; false: none (logged by io). */
	bool (*giaddr)(void *arg, const char *port, struct addr *ret_giaddr);

	uint32_t (*random)(void *arg);
	/* priority as in syslog.h; port, VSI may be NULL. One line, no newline. */
	void (*log)(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		    const char *text);
};

struct bridge;

struct bridge *bridge_new(const struct bridge_io *io, void *arg);
void bridge_free(struct bridge *bridge);

/* From the module. */
void bridge_port(struct bridge *bridge, ms_t now, const struct link_port *port);
void bridge_vsi(struct bridge *bridge, ms_t now, const struct link_vsi *seen);
void bridge_forgotten(struct bridge *bridge, ms_t now, const char *port);
void bridge_replay(struct bridge *bridge, ms_t now, bool end);
void bridge_module_gone(struct bridge *bridge, ms_t now);
/* From the kernel: a port may have come to, or left, a bridge. */
void bridge_links_changed(struct bridge *bridge, ms_t now);

/* From the wire: a frame that came in on a port (by its name), DHCP or RARP;
 * from giaddr's socket. */
void bridge_frame(struct bridge *bridge, ms_t now, const char *port,
		  const struct inet_frame *frame);
enum lq_reject bridge_lq_input(struct bridge *bridge, ms_t now, const struct addr *giaddr,
			       const struct addr *server, const uint8_t *msg, size_t len);

/* From the guard at start: an element, and a mode, that the kernel still has. */
void bridge_restore(struct bridge *bridge, ms_t now, const struct guard_element *element);
void bridge_restore_mode(struct bridge *bridge, const char *port, enum link_guard mode);
/* The guard was emptied by somebody else: say everything again. */
void bridge_say_all(struct bridge *bridge, ms_t now);

ms_t bridge_deadline(const struct bridge *bridge);
void bridge_tick(struct bridge *bridge, ms_t now);

/* To show. */
struct bridge_port_info {
	const char *name;
	const struct link_port *settings;	/* NULL: known from the kernel only */
	bool placed;		/* it is a bridge port */
	enum link_guard mode;	/* in force */
	unsigned bindings, vsis;
};
void bridge_each_port(struct bridge *bridge,
		      void (*cb)(void *arg, const struct bridge_port_info *info), void *arg);
const char *bridge_port_name(const struct bridge *bridge, uint16_t port);
struct vsi *bridge_vsis(struct bridge *bridge);		/* first, then ->next */
struct binding_table *bridge_bindings(struct bridge *bridge);
struct lq *bridge_lq(struct bridge *bridge);
const struct snoop_counts *bridge_snoop_counts(const struct bridge *bridge);

struct bridge_counts {
	uint64_t migrations, arrived, staged, put, moved, nothing_known, failed, conflicts;
};
const struct bridge_counts *bridge_counts(const struct bridge *bridge);

#endif
