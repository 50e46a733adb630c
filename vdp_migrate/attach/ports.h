/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hook.c remembers of lldpad's ports in the present generation of its
 * modules. No pointer into lldpad is followed here (lldp.c follows agent).
 */
#ifndef ATTACH_PORTS_H
#define ATTACH_PORTS_H

#include <stdbool.h>

#include "queue.h"
#include "vdp_migrate/types.h"

struct lldpad_agent;

struct port {
	struct port *next;
	char name[VM_IFNAME_MAX];
	unsigned ifindex;	/* while up */
	struct lldpad_agent *agent;	/* lldpad's, while up: nearest customer bridge */
	bool up;
	bool ticked;		/* EVB22 has had its tick since the port is up: it has
				 * started ECP22 and VDP22 */
	bool ecp_runs;		/* ECP22 has taken its timers since then */
	uint8_t rte;		/* … the longest of them, 0: none */
	bool tlv_seen;		/* in the LLDPDU that is being read */
	bool vdp_runs;		/* this generation's VDP22 has taken a message for it */
	struct queue queue;	/* for VDP22; what is left of it outlives a generation */
	ms_t kept_until;	/* … and waits until then for VDP22's timers */
	const void *voice;	/* the name by which VDP22 last called it: an address
				 * in VDP22's own data, so it tells generations apart */
};

/* NULL: not known; ports_get: no memory. */
struct port *ports_find(const char *name);
struct port *ports_get(const char *name);
/* One that is up. */
struct port *ports_number(unsigned ifindex);

/* Forget a port of which nothing is left to remember. */
void ports_tidy(struct port *port);
/* … all, but for what waits in their queues. */
void ports_forget_all(void);

struct port *ports_first(void);

#endif
