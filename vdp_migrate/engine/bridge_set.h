/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine changes in the kernel's bridges: their multicast database, their
 * FDB, the multicast router ports. By interface index; nothing is remembered here.
 */
#ifndef ENGINE_BRIDGE_SET_H
#define ENGINE_BRIDGE_SET_H

#include "vdp_migrate/types.h"

struct bridge_set;

/* 0 or -errno. */
int bridge_set_new(struct bridge_set **ret_set);
void bridge_set_free(struct bridge_set *set);

/* A group on this port of this bridge as a report makes it (it runs out likewise), or no
 * longer. 0 where the bridge floods the group anyway; -EEXIST and -ENOENT are 0 too. A
 * permanent entry stays. */
int bridge_set_group(struct bridge_set *set, uint32_t bridge_ifindex, uint32_t ifindex,
		     uint16_t vlan, const struct addr *group, bool on);
/* This MAC is behind this port now, as if learned there; an entry that is not dynamic
 * stays as it is. vlan 0: of a bridge that filters none. -EPERM: STP does not let the port
 * learn yet. */
int bridge_set_mac(struct bridge_set *set, uint32_t ifindex, uint16_t vlan,
		   const struct mac *mac);
/* Where it is behind this port still it is behind port to again; 0: no longer known. */
int bridge_set_mac_back(struct bridge_set *set, uint32_t ifindex, uint32_t to,
			uint16_t vlan, const struct mac *mac);
/* The changes of this wake-up are made: what was read for them is old. */
void bridge_set_flushed(struct bridge_set *set);
/* Whether multicast of all groups goes to a port: 0 never, 1 (the kernel's own choice)
 * where a query came in, 2 always. -ENODEV: it is no bridge port. */
#define BRIDGE_SET_ROUTER_ALWAYS 2
int bridge_set_router(struct bridge_set *set, uint32_t ifindex, uint8_t value);
int bridge_set_router_now(struct bridge_set *set, uint32_t ifindex, uint8_t *ret_value);

#endif
