/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE STORY, server side: which VSIs are marked as migrating in to this server, and what
 * this server does for them. Nothing here touches a socket or a clock; what it wants
 * done it says to the same `struct bridge_io` as the switch's story.
 */
#ifndef ENGINE_STATION_H
#define ENGINE_STATION_H

#include "bridge.h"

struct station;

struct station *station_new(const struct bridge_io *io, void *arg);
void station_free(struct station *station);

/* From the module: ports and VSIs of any role, this story looks at station ports. */
void station_port(struct station *station, ms_t now, const struct link_port *port);
void station_vsi(struct station *station, ms_t now, const struct link_vsi *seen);
void station_forgotten(struct station *station, ms_t now, const char *port);
/* A mark as the module has it, ttl_s what is left of it; or it has been taken away. */
void station_mark(struct station *station, ms_t now, const struct link_mark *mark);
void station_unmark(struct station *station, ms_t now, const struct vsi_id *id);
void station_module_gone(struct station *station, ms_t now);
/* All that it knows has been told: what is not a port of it is none. */
void station_replayed(struct station *station, ms_t now);
/* From the kernel: an interface is new, gone, or has another bridge. */
void station_links_changed(struct station *station, ms_t now);
/* From the wire: a frame that came in on a bridge port, as in bridge_frame(). */
void station_frame(struct station *station, ms_t now, const char *port,
		   const struct inet_frame *frame);

/* … that came in or went out at any interface, whole DHCPv4 (bridge_io.hear_dhcp). */
void station_dhcp(struct station *station, ms_t now, const char *interface, bool out,
		  const struct inet_frame *frame);

/* … that went out there, and is not known; NULL: nobody knows where. */
void station_dhcp_doubt(struct station *station, ms_t now, const char *interface);

/* From the wire: the first frame to this MAC has come in there (bridge_io.hear_first).
 * Where to it goes, untagged as it is; NULL: nowhere. */
const char *station_turned(struct station *station, ms_t now, const char *interface,
			   const struct mac *mac);

/* From the module: the switch asks for help for VSIs of this server. */
void station_help_asked(struct station *station, ms_t now, const struct link_help *help);

ms_t station_deadline(const struct station *station);
void station_tick(struct station *station, ms_t now);

/* To show. */
enum station_help_state {
	STATION_HELP_REFUSED,	/* no request was made */
	STATION_HELP_REQUESTED,	/* the answer goes to the switch */
	STATION_HELP_ANSWERED,	/* a DHCPACK was seen here */
	STATION_HELP_NAK,
};

struct station_help_info {
	const char *port;
	const struct vsi_id *id;
	struct vsi_entry entry;
	struct addr ip, giaddr;	/* family 0 = none */
	enum station_help_state state;
	const char *why;	/* why not; NULL */
	unsigned sent;
	ms_t began;
};
void station_each_help(struct station *station,
		       void (*cb)(void *arg, const struct station_help_info *info), void *arg);
const char *station_help_state_text(enum station_help_state state);

/* A lease that a VM of this server has been seen to get, and that is sure: alive, and on
 * one interface. */
struct station_lease_info {
	const char *tap;	/* or macvtap */
	uint16_t vlan;
	struct mac mac;
	struct addr ip, server;
	const struct client_id *client_id;	/* len 0: its client sends none */
	ms_t ends;
};
void station_each_lease(struct station *station, ms_t now,
			void (*cb)(void *arg, const struct station_lease_info *info),
			void *arg);

/* An entry of a VSI that was associated here, and that lldpad has lost since. */
struct station_lost_info {
	const char *port, *why;
	const struct vsi_id *id;
	struct vsi_entry entry;
	ms_t since;
};
void station_each_lost(struct station *station, ms_t now,
		       void (*cb)(void *arg, const struct station_lost_info *info),
		       void *arg);

struct station_help_counts {
	uint64_t asked, refused, sent, send_errors, answered, naks;
	unsigned leases;	/* seen on this server */
};
struct station_help_counts station_help_counts(const struct station *station);

#endif
