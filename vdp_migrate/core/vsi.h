/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VSIs that the ports have announced, and how an association TLV becomes an
 * event: what we knew + what we see -> event. Edge, not level: stock stations
 * repeat the M-bit for ever.
 *
 * A VSI is one (port, VSI instance ID). Bindings are not here (core/binding).
 */
#ifndef CORE_VSI_H
#define CORE_VSI_H

#include "migration.h"
#include "vdp_migrate/link.h"

#define VSI_MACS_MAX 4

/* A help request for an entry. */
enum vsi_help {
	VSI_HELP_NONE,		/* none was made, or it is not needed any more */
	VSI_HELP_WAITS,		/* for another request of the VSI to end */
	VSI_HELP_ASKED,
	VSI_HELP_ANSWERED,	/* by a DHCPACK that was taken */
	VSI_HELP_REFUSED,	/* by a DHCPNAK */
	VSI_HELP_CONTRADICTED,	/* a DHCPACK against what is bound: not taken */
	VSI_HELP_SILENT,	/* no answer came */
};

/* What is known of one entry of the filter info. */
struct vsi_lease {
	struct vsi_entry entry;
	uint8_t n_macs;		/* an entry without MAC: those found out, by remote-id or
				 * snooped */
	struct mac macs[VSI_MACS_MAX];
	uint64_t tag;		/* of the question outstanding for it, 0 = none */
	uint8_t help;		/* enum vsi_help */
	bool failed;		/* nothing known after all tries; logged */
	ms_t ask_at;		/* when it is asked again; MS_NEVER */
};

struct vsi {
	uint16_t port;
	struct vsi_id id;
	enum migration_state state;
	uint8_t mode;		/* of its last request, 0 = none since it began or ended */
	bool confirmed;		/* that request has been accepted */
	bool forgotten;		/* lldpad no longer holds it, as far as we know */
	bool held;		/* MIGRATION_HELD, noted when it became expected */
	bool first_frame;	/* seen since the associate */
	bool suspended;		/* its last associate had S */
	bool stopped;		/* the first such was its SUSPENDED */
	/* By which of its anchor's members, a bit each (core/announced): */
	uint32_t announced, associated;
	uint32_t replayed;	/* named since the last LINK_REPLAY */
	uint32_t owed;		/* … whose held answer waits for LINK_READY */
	bool touched;		/* is on the list of those that may be ready now */
	bool restoring;		/* a request with M has come, not all its bindings yet; */
	ms_t restoring_since;	/* … at this time */
	ms_t clock;		/* DO_START_CLOCK; MS_NEVER */
	bool s_bit;		/* of its last request */
	ms_t suspended_until;	/* its user has said S: stopped here, so long it counts */
	uint16_t refused_by;	/* a port where its VM still answered; 0 = none */
	uint16_t twin;		/* a port that has this ID with other MACs; 0 = none */
	ms_t since;		/* of state */
	unsigned n_leases;
	struct vsi_lease *leases;	/* owned */
	struct vsi *next;	/* all VSIs, oldest first: vsi_first() */
};

/* The MACs that the entry stands for: its own, or those found out. */
const struct mac *vsi_macs(const struct vsi_lease *lease, unsigned *ret_n);
/* One more of an entry without MAC. False: it has one, or too many. */
bool vsi_learn_mac(struct vsi_lease *lease, const struct mac *mac);
/* The entry that a MAC in this VLAN belongs to: its own, else one without MAC; NULL. */
struct vsi_lease *vsi_lease_of(struct vsi *vsi, uint16_t vlan, const struct mac *mac);

/* The entry of the filter info that is this one; NULL. */
struct vsi_lease *vsi_lease_find(struct vsi *vsi, const struct vsi_entry *entry);
const char *vsi_help_text(enum vsi_help help);	/* "asked"; "none" */

struct vsi_table;

struct vsi_table *vsi_table_new(void);
void vsi_table_free(struct vsi_table *table);

struct vsi *vsi_find(struct vsi_table *table, uint16_t port, const struct vsi_id *id);
/* Found or made new (absent, no entries). NULL: no memory. */
struct vsi *vsi_get(struct vsi_table *table, uint16_t port, const struct vsi_id *id);
void vsi_remove(struct vsi_table *table, struct vsi *vsi);
struct vsi *vsi_first(struct vsi_table *table);
/* Another port's VSI of the same instance ID whose state is in the mask of
 * (1 << MIGRATION_…); NULL. Where the two have no MAC in common they are two VMs, and
 * each other's twins instead. */
struct vsi *vsi_elsewhere(struct vsi_table *table, const struct vsi *vsi, unsigned states);
struct vsi *vsi_twin(struct vsi_table *table, const struct vsi *vsi);

/* Is the filter info another one than that known? (An unknown one: no.) */
bool vsi_filter_changed(const struct vsi *vsi, const struct link_vsi *seen);
/* Take over the filter info; leases of entries that stay are kept. 0 or -ENOMEM. */
int vsi_set_filter(struct vsi *vsi, const struct link_vsi *seen);

/* The events that this sight means, in order; at most 2 into ret_events. Notes
 * mode, confirmation, and that lldpad holds it (again). LINK_VSI_REPLAYED counts as a
 * request, an associate also as accepted. */
#define VSI_EVENTS_MAX 2
unsigned vsi_see(struct vsi *vsi, const struct link_vsi *seen,
		 enum migration_event ret_events[VSI_EVENTS_MAX]);

/* What it was stopped for has come to nothing: its next S is a new one. */
void vsi_resumed(struct vsi *vsi);

/* lldpad no longer holds it. The same mode seen again is then a REQUEST, no
 * transition. */
void vsi_forget(struct vsi *vsi);

#endif
