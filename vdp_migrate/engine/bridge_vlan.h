/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rtnetlink says of VLANs on bridges: whether a bridge filters them, and a port's
 * PVID. Reads attributes, keeps nothing.
 */
#ifndef ENGINE_BRIDGE_VLAN_H
#define ENGINE_BRIDGE_VLAN_H

#include <stdbool.h>
#include <stdint.h>

struct nlattr;

struct bridge_vlan {
	uint16_t vid;		/* 0 = none */
	bool tagged;		/* sent out tagged */
};

/* Of a bridge's IFLA_LINKINFO. A kernel without VLAN filtering: no. */
bool bridge_vlan_filters(struct nlattr *link_info);
/* Of a port's (or a bridge's own) IFLA_AF_SPEC in family AF_BRIDGE; NULL = none. */
struct bridge_vlan bridge_vlan_pvid(struct nlattr *af_spec);

#endif
