/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a message of rtnetlink says of an interface, as far as the engine asks. Pure: it
 * asks nobody.
 */
#ifndef ENGINE_LINK_ATTRS_H
#define ENGINE_LINK_ATTRS_H

#include <netlink/msg.h>

#include "vdp_migrate/types.h"

struct link_attrs {
	uint32_t ifindex, master;
	char name[VM_IFNAME_MAX];
	struct mac mac;
	bool is_bridge, is_bundle;	/* bundle: bond or team */
	bool filters, offloaded;	/* VLANs, a bridge; by a switch chip */
	/* A macvlan or macvtap (direct), or an 802.1Q VLAN (vlan is not 0), of that
	 * interface of this network namespace; 0: none of these. */
	uint32_t lower;
	bool direct, beside;	/* beside: of mode bridge */
	uint16_t vlan;
};

/* Of RTM_NEWLINK or RTM_DELLINK; false: it is neither, or about a bridge port's
 * settings. */
bool link_attrs_read(struct nlmsghdr *head, struct link_attrs *ret_attrs);
bool link_attrs_equal(const struct link_attrs *a, const struct link_attrs *b);

#endif
