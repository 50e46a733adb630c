/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel, as a script sees it: what the guard was told to hold. And an eye on
 * the binding table, that says what has changed since it last looked and that the
 * kernel holds the same.
 */
#ifndef SCENARIO_MIRROR_H
#define SCENARIO_MIRROR_H

#include "engine/bridge.h"
#include "script.h"

#define MIRROR_MAX 64

struct mirror {
	struct script *script;
	struct bridge *bridge;
	unsigned n, n_announced, n_seen, n_found;
	struct guard_element elements[MIRROR_MAX];
	ms_t ends[MIRROR_MAX];
	struct announced {
		char port[VM_IFNAME_MAX];
		struct mac mac;
	} announced[MIRROR_MAX];
	struct binding seen[MIRROR_MAX], found[MIRROR_MAX];
};

void mirror_init(struct mirror *mirror, struct script *script, struct bridge *bridge);
void mirror_put(struct mirror *mirror, const struct guard_element *element);
void mirror_renew(struct mirror *mirror, const struct guard_element *element);
void mirror_drop(struct mirror *mirror, const struct guard_element *element);
void mirror_announce(struct mirror *mirror, const char *port, const struct mac *mac,
		     bool on);
/* Somebody else has taken everything away. */
void mirror_empty(struct mirror *mirror);
void mirror_look(struct mirror *mirror);
/* The VLAN in which the kernel holds it, 0 = untagged; -1: it does not. */
int mirror_vlan(const struct mirror *mirror, const char *port, const struct mac *mac,
		const struct addr *ip);
/* Nothing of this VSI may be merely staged on its port now. */
void mirror_no_staged(struct mirror *mirror, const struct vsi *vsi);

#endif
