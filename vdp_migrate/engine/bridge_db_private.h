/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The copy of the kernel's links: bridge_db.c keeps it, bridge_db_below.c looks into it
 * for what stands on what.
 */
#ifndef ENGINE_BRIDGE_DB_PRIVATE_H
#define ENGINE_BRIDGE_DB_PRIVATE_H

#include "bridge_db.h"
#include "bridge_vlan.h"
#include "link_attrs.h"

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(link) ((link)->unhashed = true)
#include <uthash.h>

struct link {
	struct link_attrs is;
	char name[VM_IFNAME_MAX];	/* "": another has taken it */
	bool seen, unhashed;
	struct bridge_vlan pvid;
	struct addr ip4;
	UT_hash_handle by_ifindex, by_name;
};

struct bridge_db {
	struct nl_sock *ask, *watch;
	struct link *by_ifindex, *by_name;
	bool addresses_stale, vlans_stale;
	unsigned n_in_subnets;
	struct addr *in_subnets;	/* our own that have a subnet; owned */
	/* During a dispatch: */
	void (*changed)(void *arg, const char *name);
	void *changed_arg;
};

/* NULL: there is none. */
struct link *bridge_db_link(const struct bridge_db *db, uint32_t ifindex);

#endif
