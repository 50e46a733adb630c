/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the switch's story share: bridge.c (event -> step),
 * bridge_do.c (the actions of a step), asking.c (leasequeries for a VSI's
 * entries), bridge_frames.c (DHCP seen), bridge_guard.c (the table's mirror),
 * bridge_show.c, ports.c (the ports and what was set on them).
 */
#ifndef ENGINE_BRIDGE_PRIVATE_H
#define ENGINE_BRIDGE_PRIVATE_H

#include <syslog.h>

#include "bridge.h"

#define ASK_AGAIN_MS 60000	/* DESIGN: nothing known, all tries used */
#define DORMANT_MS 3600000	/* a dormant VSI without bindings is kept so long */
#define EXPIRE_MOST 256		/* bindings ended in one wake-up */

struct port {
	uint16_t number;	/* index + 1; never reused */
	char name[VM_IFNAME_MAX];
	bool known;		/* the module has reported it; settings count */
	bool placed;
	bool placed_logged;
	uint32_t bridge;	/* meant where placed */
	enum link_guard mode;	/* in force */
	struct link_port settings;
};

struct asked;			/* bridge_guard.c: what becomes of a change of the binding table. */
extern const struct binding_ops bridge_guard_ops;

/* asking.c */

struct bridge {
	const struct bridge_io *io;
	void *arg;
	ms_t now;		/* of the call that runs */
	bool restoring;		/* what is put is in the kernel already */
	struct port **ports;
	unsigned n_ports;
	struct vsi_table *vsis;
	struct binding_table *bindings;
	struct snoop *snoop;
	struct lq *lq;
	struct asked *asked;	/* by tag */
	uint64_t last_tag;
	ms_t vsi_due;		/* no clock or ask_at of a VSI is earlier */
	struct bridge_counts counts;
};

/* A lease that has become known, from whatever source. */
struct known {
	struct addr ip, server;
	uint32_t lease_s;
	enum binding_origin origin;
};

/* bridge.c; lease: the entry that the event is about, known: what was found. */
void bridge_step(struct bridge *b, struct vsi *vsi, enum migration_event event,
		 struct vsi_lease *lease, const struct known *known);
void bridge_due(struct bridge *b, ms_t at);
/* Tell the guard the VSI's MACs. */
void bridge_announce(struct bridge *b, const struct vsi *vsi);
void bridge_log(struct bridge *b, int priority, const struct vsi *vsi, const char *format,
		...) __attribute__((format(printf, 4, 5)));
/* Something is known of every entry, nothing outstanding: say so. */
void bridge_check_known(struct bridge *b, struct vsi *vsi);

/* bridge_do.c */
void bridge_do(struct bridge *b, struct vsi *vsi, unsigned to_do, struct vsi_lease *lease,
	       const struct known *known);
struct binding_host bridge_host(const struct bridge *b, const struct vsi *vsi,
				const struct vsi_entry *entry);
/* Does this port hold a binding of this entry, in one of the states (1 << BINDING_…)? */
bool bridge_holds(struct bridge *b, const struct vsi *vsi, const struct vsi_entry *entry,
		  unsigned states);
#define BRIDGE_ANY_STATE 0xfu
/* Put the lease in on this port, as `state`; vsi may be NULL. */
void bridge_bind(struct bridge *b, const struct vsi *vsi, uint16_t port,
		 const struct binding_host *host, const struct known *known,
		 enum binding_state state);
ms_t bridge_lease_end(ms_t now, uint32_t lease_s);

/* bridge_guard.c: what becomes of a change of the binding table. */
extern const struct binding_ops bridge_guard_ops;

/* asking.c */
void asking_entry(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum lq_rank rank);
void asking_answer(struct bridge *b, const struct lq_answer *answer);
void asking_server_back(struct bridge *b, const struct addr *server);
void asking_forget(struct bridge *b, struct vsi *vsi);
void asking_done(struct bridge *b);

/* ports.c */
struct port *ports_find(struct bridge *b, const char *name);
struct port *ports_get(struct bridge *b, const char *name);	/* NULL: no memory */
struct port *ports_number(const struct bridge *b, uint16_t number);
/* Find out where the kernel has it, set its guard's mode. */
void ports_apply(struct bridge *b, struct port *port);
/* The servers and the giaddr for a VLAN: how many servers. */
unsigned ports_servers(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_servers, struct addr *ret_giaddr);

#endif
