/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is a member of which multicast groups: (bridge, VLAN, MAC, port, group) with the
 * mode and the sources that the host itself has reported, until it leaves or its report
 * is too old. What hosts on one port have reported says nothing of another port: a MAC
 * that reports on a second port has members there too, and the first ones stay.
 *
 * Bounded: a host, a port and the whole have a lid each, and hosts that nobody has
 * announced share half of their port's. What finds no room is refused and counted; an
 * entry that is there never makes room for another.
 *
 * Supported standards: RFC 3376 4.2.12 and 8.4, RFC 3810 5.2.12 and 9.4 (records,
 * membership interval).
 */
#ifndef CORE_GROUPS_H
#define CORE_GROUPS_H

#include "binding.h"
#include "group_sources.h"

#define GROUPS_OF_HOST 128
#define GROUPS_OF_PORT 2048
#define GROUPS_OF_ALL 16384
/* RFC 3376 8.4, RFC 3810 9.4: 2 * 125 s + 10 s. */
#define GROUPS_INTERVAL_MS 260000

enum groups_mode {
	GROUPS_INCLUDE = 1,
	GROUPS_EXCLUDE,
};

enum groups_origin {
	GROUPS_LEARNED,		/* it has reported it there */
	GROUPS_MOVED,		/* taken along from another port, not reported there yet */
};

/* A host on a port. */
struct groups_place {
	struct binding_host host;
	uint16_t port;
	bool announced;		/* by a VSI there (what it is now counts) */
};

struct groups_member {
	struct groups_place place;
	struct addr group;
	uint8_t mode;		/* enum groups_mode */
	uint8_t origin;		/* enum groups_origin */
	struct group_sources sources;
	ms_t reported;		/* when last; of one moved: at its old port */
	ms_t ends;
	struct groups_member *next;	/* of the same place: groups_first() */
};

enum groups_change {
	GROUPS_JOINED,		/* new */
	GROUPS_CONFIRMED,	/* one that was moved has been reported */
	/* No longer counted, and gone after the call: */
	GROUPS_LEFT,		/* the host says so */
	GROUPS_AGED,		/* its report is too old */
};

struct groups_ops {
	void (*changed)(void *arg, const struct groups_member *member,
			enum groups_change change);
};

struct groups_counts {
	uint64_t refused;	/* no room: members */
	uint64_t joined, left, aged;
};

struct groups;

/* ops and arg are borrowed. NULL: no memory. */
struct groups *groups_new(const struct groups_ops *ops, void *arg);
void groups_free(struct groups *groups);	/* tells nothing */

/* A record of a report from this host on this port. Groups that no bridge keeps
 * (224.0.0.0/24, ff02::1, not multicast) are passed over. */
void groups_record(struct groups *groups, ms_t now, const struct groups_place *place,
		   const struct report_record *record);

/* The members of a place: first, then ->next; NULL. */
struct groups_member *groups_first(struct groups *groups, const struct groups_place *place);
struct groups_member *groups_find(struct groups *groups, const struct groups_place *place,
				  const struct addr *group);
/* The same membership on another port too, GROUPS_MOVED; what is there stays. NULL: no
 * room. */
struct groups_member *groups_move(struct groups *groups, ms_t now,
				  const struct groups_member *from,
				  const struct groups_place *to);
void groups_remove(struct groups *groups, struct groups_member *member); /* tells nothing */
/* All members on a port. */
void groups_forget_port(struct groups *groups, uint16_t port);

/* How many members of this group the port has; vlan GROUPS_ANY_VLAN: in whichever. */
#define GROUPS_ANY_VLAN 0xffff
unsigned groups_wanted(const struct groups *groups, uint16_t port, uint16_t vlan,
		       const struct addr *group);

/* The next end of a member; MS_NEVER. */
ms_t groups_deadline(const struct groups *groups);
void groups_expire(struct groups *groups, ms_t now);

unsigned groups_count(const struct groups *groups);
const struct groups_counts *groups_counts(const struct groups *groups);
/* The oldest report first. */
void groups_each(struct groups *groups,
		 void (*cb)(void *arg, const struct groups_member *member), void *arg);

/* "include", "exclude"; "learned", "moved". */
const char *groups_mode_text(uint8_t mode);
const char *groups_origin_text(uint8_t origin);

#endif
