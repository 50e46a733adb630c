/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before a port's guard is switched to enforce: the MACs that are behind the port (its
 * VSIs' and what the kernel's FDB has learned), and what has been found out of each.
 * A MAC of which no address is known is an open case: enforcing would cut it off. It
 * knows no binding, VSI or server; whoever uses it says what it knows of them.
 *
 * Not counted: the neighbour's own MAC, seen as the source of its LLDP and ECP.
 */
#ifndef CORE_CASES_H
#define CORE_CASES_H

#include "vdp_migrate/link.h"

#define CASES_MAX 4096	/* MACs of a port: with more its list is never complete */

/* A MAC behind a port. */
struct cases_item {
	uint16_t port;
	uint16_t vlan;		/* LINK_VLAN_ANY: of the FDB, where its bridge has none */
	struct mac mac;
	bool fdb, vsi;		/* who has it there */
	bool by_hand;		/* in the FDB by somebody's hand: static or sticky */
	bool covered;		/* any VLAN, and a VSI has the same MAC in one */
	bool asked;		/* once, to the end */
	bool asking;
	bool open;		/* set by the user: no address is known of it */
	ms_t since;		/* … since then */
	uint8_t found;		/* set by the user: what came of asking */
	ms_t ask_at;		/* not before */
	struct cases_item *next;	/* of the port */
};

enum cases_fdb { CASES_FDB_GONE, CASES_FDB_LEARNED, CASES_FDB_BY_HAND };

struct cases;

struct cases *cases_new(void);
void cases_free(struct cases *cases);

/* Keep the list of this port, or forget it. False: no memory. */
bool cases_watch(struct cases *cases, uint16_t port, bool on);
bool cases_watches(const struct cases *cases, uint16_t port);
bool cases_watches_any(const struct cases *cases);

/* The FDB has this MAC on this port, or no longer. vlan 0: it knows no VLANs. Where a
 * MAC has moved to another port, it is said to be gone first. */
void cases_fdb(struct cases *cases, uint16_t port, uint16_t vlan, const struct mac *mac,
	       enum cases_fdb what);
/* All that it has is told; before: it will be, and what was told no longer counts. */
void cases_fdb_read(struct cases *cases, uint16_t port, bool before);
/* This MAC is the neighbour's own; remembered of ports that are not watched, too. */
void cases_neighbour(struct cases *cases, uint16_t port, const struct mac *mac);
bool cases_is_neighbour(const struct cases *cases, uint16_t port, const struct mac *mac);
/* The VSIs of all ports: begin, each entry, end. */
void cases_vsis_begin(struct cases *cases);
void cases_vsi(struct cases *cases, uint16_t port, const struct vsi_entry *entry);
void cases_vsis_end(struct cases *cases);

/* First, then ->next: the newest first. Until somebody has looked it is open. */
struct cases_item *cases_first(struct cases *cases, uint16_t port);
struct cases_item *cases_find(struct cases *cases, uint16_t port, uint16_t vlan,
			      const struct mac *mac);
/* Is it to be asked about now? Else, when (MS_NEVER: not at all). */
bool cases_due(const struct cases_item *item, ms_t now, ms_t *ret_when);

/* What is to be said of the port; *ret_changed: other than at the last call. */
struct link_cases cases_count(struct cases *cases, uint16_t port, bool *ret_changed);
/* As it was at the last call; changes nothing. */
struct link_cases cases_told(const struct cases *cases, uint16_t port);
/* Who listens has changed: all counts as changed. */
void cases_tell_again(struct cases *cases);

#endif
