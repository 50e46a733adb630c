/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The binding table (RFC 7513): who may send with which address from which
 * anchor, until when. Its changes are told as put, renew and drop: the guard in
 * the kernel is its mirror. It knows nothing of VDP, DHCP or the kernel.
 *
 * Key: (bridge, VLAN, MAC, IP address). The same key may be on several anchors at
 * once, one binding each: staged where the VM is expected, active where it is.
 */
#ifndef CORE_BINDING_H
#define CORE_BINDING_H

#include "vdp_migrate/types.h"

enum binding_state {
	BINDING_STAGED,
	BINDING_ACTIVE,
	BINDING_LEAVING,
	BINDING_DORMANT,
};

enum binding_origin {
	BINDING_SNOOPED,
	BINDING_LEASEQUERY,
	BINDING_HELP,
	BINDING_MOVED,
	BINDING_STATIC,
	BINDING_KERNEL,		/* taken back from the guard after a start */
};

/* A lease that a static binding lies over. */
struct binding_under {
	bool known;
	uint8_t origin;		/* enum binding_origin */
	uint32_t lease_s;
	ms_t lease_end;
};

/* Whose bindings: what a VM is known by on a bridge. */
struct binding_host {
	uint32_t bridge;
	uint16_t vlan;
	struct mac mac;
};

struct binding {
	struct binding_host host;
	struct addr ip;
	uint16_t port;		/* anchor */
	uint8_t state;		/* enum binding_state */
	uint8_t origin;		/* enum binding_origin */
	struct vsi_id vsi;	/* format 0 = none */
	struct addr server;	/* family 0 = not known */
	uint32_t lease_s;	/* that were left when the end was told; 0 = not known */
	ms_t lease_end;		/* MS_NEVER = infinite or static */
	struct binding_under under;	/* of a static one */
	struct binding *next;	/* of the same host: binding_first() */
};

struct binding_ops {
	void (*put)(void *arg, const struct binding *binding);
	void (*renew)(void *arg, const struct binding *binding); /* other lease end */
	void (*drop)(void *arg, const struct binding *binding);
	/* State, origin or VSI changed (show, watch), or the lease under a static one;
	 * state and origin as they were. */
	void (*changed)(void *arg, const struct binding *binding, uint8_t old_state,
			uint8_t old_origin);
	/* 7/8 of the lease are over and nobody has renewed it: once for each end that
	 * was told, for all ports that hold the key. May be NULL. */
	void (*refresh)(void *arg, struct binding *binding);
};

struct binding_table;

/* ops and arg are borrowed; ops->changed may be NULL. NULL: no memory. */
struct binding_table *binding_table_new(const struct binding_ops *ops, void *arg);
void binding_table_free(struct binding_table *table);	/* tells no drop */

/* All bindings of a host, any port and address: first, then ->next. */
struct binding *binding_first(struct binding_table *table, const struct binding_host *host);
struct binding *binding_find(struct binding_table *table, const struct binding_host *host,
			     const struct addr *ip, uint16_t port);

/* Put in or update. `like` gives everything (its next is not read; a VSI or server
 * that it does not name stays as it is).
 * A state STAGED or DORMANT never lowers a binding that is there.
 * An origin MOVED or KERNEL never replaces a better one of a binding that is there, nor
 * its lease end; a static binding stays static and without end, and what comes in from
 * elsewhere is the lease under it. A snooped one stays snooped: that a server says the
 * same makes it no other, its lease end apart.
 * A lease end later or earlier by a second or more is told as renew, here and on
 * every other port that holds the key, but where it is dormant. NULL: no memory. */
struct binding *binding_put(struct binding_table *table, const struct binding *like);
/* Renew what is there with this key, on every port. How many. lease_s: as in the
 * struct. */
unsigned binding_renew(struct binding_table *table, const struct binding_host *host,
		       const struct addr *ip, ms_t lease_end, uint32_t lease_s);
/* Tell ops->refresh at that time, if the binding has not ended or been renewed. */
void binding_refresh_at(struct binding_table *table, struct binding *binding, ms_t at);
void binding_set_state(struct binding_table *table, struct binding *binding,
		       enum binding_state state);
void binding_set_vsi(struct binding_table *table, struct binding *binding,
		     const struct vsi_id *vsi);
void binding_remove(struct binding_table *table, struct binding *binding);
/* A static one is none any more: the lease under it is bound again (true), or, where
 * there is none that has not ended by now, it is removed. */
bool binding_unbind(struct binding_table *table, struct binding *binding, ms_t now);
/* The lease under a static one is over. */
void binding_forget_under(struct binding_table *table, struct binding *binding);

/* The client-id that the host's client has sent itself (RFC 2132 9.14): known as long
 * as the host has a binding. No memory, or no binding: not kept. */
void binding_set_client_id(struct binding_table *table, const struct binding_host *host,
			   const struct client_id *id);
bool binding_client_id(struct binding_table *table, const struct binding_host *host,
		       struct client_id *ret_id);

/* The next lease end or refresh; MS_NEVER. binding_expire() removes what has ended by
 * now and tells what is to be refreshed, at most `most` of them (call again while the
 * deadline has passed). */
ms_t binding_deadline(const struct binding_table *table);
unsigned binding_expire(struct binding_table *table, ms_t now, unsigned most);

unsigned binding_count(const struct binding_table *table);
/* Any order; the callback may remove the binding that it is given. */
void binding_each(struct binding_table *table,
		  void (*cb)(void *arg, struct binding *binding), void *arg);

const char *binding_state_text(enum binding_state state);
const char *binding_origin_text(enum binding_origin origin);

#endif
