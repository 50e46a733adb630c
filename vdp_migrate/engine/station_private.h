/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the server's story share. */
#ifndef ENGINE_STATION_PRIVATE_H
#define ENGINE_STATION_PRIVATE_H

#include <syslog.h>

#include "station.h"
#include "station_leases.h"
#include "core/hash.h"
#include "core/help.h"

/* The tap of a marked VSI: station_tap.c. */
enum tap_state {
	TAP_WANTED = 0,		/* to be opened as soon as it is there */
	TAP_OPEN,		/* a multicast router port, until close_at */
	TAP_DONE,
};

struct station_tap {
	uint8_t state;		/* enum tap_state */
	char name[VM_IFNAME_MAX];	/* "" = not found */
	uint32_t bridge;	/* where it was found */
	uint8_t mode;		/* of its VSI's last request here, 0 = none that holds */
	char uplink[VM_IFNAME_MAX];	/* … and on which port */
	bool moved;		/* the FDB has been told since that became associate */
	bool hears;		/* the first frame to its MACs is to be told … */
	bool turned;		/* … and has been: the switch sends to here */
	uint8_t heard;		/* reports, 1 << enum addr_family */
	ms_t close_at;
	unsigned n_entries;	/* filter info of that request */
	struct vsi_entry *entries;	/* owned */
};

/* A VSI that is marked. */
struct station_mark {
	struct link_mark what;
	ms_t expires;
	bool spent;		/* its VSI has come, and has left: its lease may be over */
	struct station_tap tap;
	UT_hash_handle hh;	/* by what.id */
};

/* A station port that the module has told of. */
struct station_uplink {
	char name[VM_IFNAME_MAX];
	UT_hash_handle hh;	/* by name */
};

struct station {
	const struct bridge_io *io;
	void *arg;
	ms_t now;		/* of the call that runs */
	struct station_mark *marks;
	struct station_help *help;
	struct station_uplink *uplinks;
	struct station_assoc *assocs;	/* station_lost.c */
	unsigned n_taps_open;
	bool tap_look;		/* a tap may have come or gone */
	bool hears_dhcp;	/* station_dhcp() is called */
};

/* NULL: it is not marked. */
struct station_mark *station_mark_of(const struct station *station,
				     const struct vsi_id *id);

/* station_help.c: what the switch asks. */
struct station_help *station_help_new(void);	/* NULL: no memory */
void station_help_free(struct station_help *help);
void station_help_port(struct station *station, const struct link_port *port);
void station_help_vsi(struct station *station, const struct link_vsi *seen);
void station_help_forgotten(struct station *station, const char *port);
void station_help_links_changed(struct station *station);
void station_help_frame(struct station *station, const char *port,
			const struct inet_frame *frame);
ms_t station_help_deadline(const struct station *station);
void station_help_tick(struct station *station);

/* station_direct.c: there is a port of the module's. */
void station_direct_port(struct station *station, const struct link_port *port);

/* station_tap.c: marked, or marked anew; before a mark goes. */
void station_tap_marked(struct station *station, struct station_mark *mark);
void station_tap_unmarked(struct station *station, struct station_mark *mark);
void station_tap_port(struct station *station, const struct link_port *port);
void station_tap_forget_ports(struct station *station);
void station_tap_vsi(struct station *station, const struct link_vsi *seen);
void station_tap_forgotten(struct station *station, const char *port);
void station_tap_links_changed(struct station *station);
void station_tap_frame(struct station *station, const char *port,
		       const struct inet_frame *frame);
ms_t station_tap_deadline(const struct station *station);
void station_tap_tick(struct station *station);

/* station_lost.c: associations that hold, or that lldpad has lost. */
void station_lost_port(struct station *station, const struct link_port *port);
void station_lost_vsi(struct station *station, const struct link_vsi *seen);
void station_lost_forgotten(struct station *station, const char *port);
void station_lost_module_gone(struct station *station);
void station_lost_free(struct station *station);

#endif
