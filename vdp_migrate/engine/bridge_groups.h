/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multicast groups in the switch's story: which groups the VMs on its ports are in
 * (core/groups), asking them for it when they have moved (core/querying), and taking
 * what is known along to another port. guests.c: whom we ask; bridge_groups.c: reports in,
 * clocks; bridge_queries.c: queries out; bridge_groups_move.c: to another port and back;
 * bridge_groups_drop.c: from the kernel's port; bridge_kernel.c: the kernel's bridge.
 *
 * A port is looked at where its `groups` says so and it is no station's; the FDB entry of
 * a VM moves with it wherever the port is ours, for that is no matter of groups.
 */
#ifndef ENGINE_BRIDGE_GROUPS_H
#define ENGINE_BRIDGE_GROUPS_H

#include "bridge_private.h"
#include "core/groups.h"
#include "core/hash.h"
#include "core/querying.h"

#define CONFIRM_MS 11000	/* from a VM's first report to the end of what it has not
				 * confirmed; half way it is asked once more */
/* For all on a port to say that they want a group; a host of IGMPv1 takes up to 10 s for
 * it, whatever it is told (RFC 1112 appendix I). */
#define DROP_MS 2000
#define DROP_IGMP1_MS 11000
/* How often it is looked whether those behind a port who have not been heard since they
 * were asked now are; so much later where that has just been looked for. */
#define QUIET_EVERY_MS 5000
#define QUIET_BEFORE_MS 100 /* who was heard so shortly before runs: he has been asked */
#define QUIET_NEXT_MS 100
/* MACs of VSIs that have left: what the FDB has of them is nobody who waits. */
#define DEPARTED 256
/* Reports taken in a second: of a host, of a port, of all hosts on it that no VSI
 * announces. A version 2 host in GROUPS_OF_HOST groups sends one for each, twice. */
#define REPORTS_OF_HOST (2 * GROUPS_OF_HOST)
#define REPORTS_OF_PORT 4096
#define REPORTS_UNANNOUNCED 512

/* A MAC of a VSI on its port; of an entry without MAC, all hosts in its VLAN. */
struct guest_key {
	struct mac mac;
	uint16_t vlan, port;
};

struct guest {
	struct guest_key key;
	struct vsi_id vsi;
	struct querying querying;	/* sign MS_NEVER: it has not been asked */
	ms_t arrived;		/* MS_NEVER: it has not come from elsewhere */
	bool reported;		/* since then */
	uint8_t asked;		/* 1 << ADDR_…: for these, or they are known */
	bool taken;		/* its FDB entry has been taken to this port */
	bool accepted;		/* and the VM was let in there: the entry is its own */
	ms_t ask_again_at, confirm_at;	/* MS_NEVER */
	ms_t reports_since;	/* of this second */
	unsigned reports;
	ms_t due;		/* nothing of all that is due before; MS_NEVER */
	unsigned heap_at;	/* where that is not MS_NEVER */
	struct guest *prev, *next;
	UT_hash_handle hh;
};

struct guests {
	struct guest *by_key, *first;
	struct guest **heap;	/* by what is due, soonest first */
	unsigned n_due, size;
};

/* A group that leaves the port unless somebody there reports it until then. */
struct group_drop {
	uint16_t port, vlan;
	struct addr group;
	ms_t asked, at;		/* MS_NEVER: all there have still to be asked */
	ms_t first;		/* when they were asked first; MS_NEVER */
	bool waits;		/* since then somebody there has not been heard */
	bool heard;		/* all have, and were asked again after that */
	struct group_drop *next;
};

struct bridge_groups {
	struct groups *members;
	struct guests guests;
	struct group_drop *drops;
	struct guest_key departed[DEPARTED];
	unsigned n_departed;	/* ever */
	struct {
		uint16_t port, vlan;
		ms_t since, at;
		bool found;
	} looked;		/* at the FDB, last */
	struct wish *wishes, *last_wish;	/* bridge_kernel.c */
	ms_t due;		/* nothing is due before */
	struct bridge_groups_counts counts;
};

/* guests.c. Found, or made new; NULL: no memory. */
struct guest *guests_get(struct guests *guests, const struct guest_key *key,
			 const struct vsi_id *vsi);
/* That of the MAC, else that of all in its VLAN; NULL. */
struct guest *guests_find(struct guests *guests, const struct guest_key *key);
void guests_remove(struct guests *guests, struct guest *guest);
/* As if new, but for its FDB entry. */
void guests_reset(struct guest *guest);
void guests_done(struct guests *guests);
/* Something of it is due then: guests_wake() besides what is known, guests_sleep() and
 * nothing before. A thousand of which nothing is due cost nothing. */
void guests_wake(struct guests *guests, struct guest *guest, ms_t at);
void guests_sleep(struct guests *guests, struct guest *guest, ms_t at);
/* The first of which something is due by now, NULL: none; when it is (MS_NEVER); each,
 * in any order: cb changes no due. */
struct guest *guests_due(const struct guests *guests, ms_t now);
ms_t guests_deadline(const struct guests *guests);
void guests_each_due(const struct guests *guests, ms_t now,
		     void (*cb)(void *arg, struct guest *guest), void *arg);

/* bridge_groups.c: 1 << ADDR_… of what is looked at on this port; 0: nothing. */
uint8_t bridge_groups_families(const struct port *port);
struct groups_place bridge_groups_place(const struct bridge *b, uint16_t port, uint16_t vlan,
					const struct mac *mac);
struct guest *bridge_groups_guest(struct bridge *b, const struct vsi *vsi, uint16_t vlan,
				  const struct mac *mac);
void bridge_groups_due(struct bridge *b, ms_t at);
/* The member goes, and its group from the kernel's port: bridge_groups_drop(). */
void bridge_groups_end(struct bridge *b, struct groups_member *member, const char *why);

/* 1 << ADDR_… of what has been moved to its port and it has not reported there. */
uint8_t bridge_groups_unconfirmed(struct bridge *b, const struct guest *guest);

/* bridge_groups_drop.c: this host there is in the group no longer: it leaves the kernel's
 * port soon, if nobody there says that he is. */
void bridge_groups_drop(struct bridge *b, const struct groups_place *place,
			const struct addr *group);
bool bridge_groups_wanted(const struct bridge *b, uint16_t port, uint16_t vlan,
			  const struct addr *group);
/* All there have been: it goes in a while. */
void bridge_groups_drop_asked(struct bridge *b, struct group_drop *drop);
void bridge_groups_drop_due(struct bridge *b);
/* A host that was a VSI's there is none any more. */
void bridge_groups_departed(struct bridge *b, const struct guest_key *key);
void bridge_groups_drop_forget(struct bridge *b, uint16_t port);
ms_t bridge_groups_drop_deadline(const struct bridge *b);
void bridge_groups_drop_done(struct bridge_groups *groups);

/* bridge_kernel.c: the kernel's bridge, after the guard's commit. vlan as in the bridge. */
void bridge_kernel_put(struct bridge *b, uint16_t port, uint16_t vlan,
		       const struct addr *group);
void bridge_kernel_drop(struct bridge *b, uint16_t port, uint16_t vlan,
			const struct addr *group);
void bridge_kernel_fdb(struct bridge *b, uint16_t port, uint16_t vlan,
		       const struct mac *mac);
/* The entry, where it is at this port still, goes back to port to; 0: away. */
void bridge_kernel_fdb_back(struct bridge *b, uint16_t port, uint16_t to, uint16_t vlan,
			    const struct mac *mac);
void bridge_kernel_flush(struct bridge *b);
void bridge_kernel_done(struct bridge_groups *groups);

/* bridge_event.c: for those who watch. */
void bridge_groups_tell(struct bridge *b, const struct groups_member *member,
			const char *from, const char *to, const char *why);
void bridge_groups_tell_guest(struct bridge *b, const struct guest *guest, const char *what,
			      const char *to, const char *why);

#endif
