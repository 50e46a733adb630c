/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports that lldpad has or has had up: role, settings in force, VSIs.
 *
 * The role is what lldpad.conf says until the wire says better: stock fixes its
 * own at the first start of VDP, so a later change in the file is not true. What
 * lldpad itself sends always counts; what comes in is believed only where it does
 * not turn a bridge port into a station port (that would end the guard of a port
 * at the wish of who is behind it).
 */
#ifndef MODULE_PORT_H
#define MODULE_PORT_H

#include "limit.h"
#include "sequence.h"
#include "settings.h"
#include "vsis.h"
#include "vdp_migrate/host.h"
#include "wire/orgtlv.h"

#define PORTS_MAX 2048
#define PORTS_BUCKETS 256

struct port {
	char name[VM_IFNAME_MAX];
	bool up;
	bool told;		/* the engine knows of it */
	enum link_role role;
	bool role_seen;		/* lldpad has sent in it */
	struct host_evb evb;
	bool timed;		/* VDP22 has its timers: evb is of this generation */
	ms_t hold_from;		/* no response of ours waits before; MS_NEVER: use=no */
	bool guard_anyway;	/* enforce! was the last word on guard */
	bool offloaded;		/* an ASIC forwards what comes in here: no guard */
	struct link_cases cases;	/* as the engine has told */
	struct sequence sequence;
	struct orgtlv_capability peer;	/* version 0: it sends none */
	uint8_t said[ORGTLV_CAPABILITY_LEN];	/* tlv_refresh() */
	struct settings settings;
	unsigned complained;	/* settings_read() */
	struct vsis vsis;
	ms_t help_rate;		/* station: of help requests, limit_rate() */
	struct limit limit[LIMIT_N];
	uint64_t serial;
	struct port *next, *chain;
};

struct ports {
	unsigned n;
	uint64_t serial;
	struct port *first, *last;
	struct port *bucket[PORTS_BUCKETS];
};

/* A zeroed struct ports is empty and ready. */
void ports_clear(struct ports *ports);

struct port *port_find(const struct ports *ports, const char *name);
/* Found, or made new with role and settings read. NULL: no memory, or no room. */
struct port *port_get(struct ports *ports, const char *name);
/* One that may make room: down, best unknown to the engine. NULL: none, or no need. */
struct port *port_spare(const struct ports *ports);
void port_drop(struct ports *ports, struct port *port);
/* The oldest whose serial is higher; NULL: no more. */
struct port *port_after(const struct ports *ports, uint64_t serial);

/* Read the settings again (a port that ASICs forward gets no guard); and the role. */
void port_read_settings(struct port *port);
void port_read_role(struct port *port);

/* A TLV of this mode and status passes, out of or into lldpad: note what that says
 * of the port's role. True: it is another one than before. */
bool port_note_role(struct port *port, bool out, uint8_t mode, uint8_t status);

/* How fast VDP22 may be given what comes in. */
enum host_pace port_pace(const struct port *port);

/* What the engine is told of it. */
void port_describe(const struct port *port, struct link_port *ret_port);

/* Time-out after which a stock bridge takes a silent VSI for dead (802.1Q D.2.13
 * for the exponents, 41.5.5 for the formula). */
uint32_t port_keepalive_ms(const struct host_evb *evb);

#endif
