/* SPDX-License-Identifier: GPL-2.0-only */
/* VLANs on bridges in rtnetlink's attributes: bridge_vlan.h. */
#include "bridge_vlan.h"

#include <netlink/attr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>

bool bridge_vlan_filters(struct nlattr *link_info)
{
	struct nlattr *data =
		nla_find(nla_data(link_info), nla_len(link_info), IFLA_INFO_DATA);
	struct nlattr *filtering =
		data ? nla_find(nla_data(data), nla_len(data), IFLA_BR_VLAN_FILTERING) : NULL;

	return filtering && nla_len(filtering) >= 1 && nla_get_u8(filtering);
}

/* A PVID is never inside a range, compressed or not. */
struct bridge_vlan bridge_vlan_pvid(struct nlattr *af_spec)
{
	struct bridge_vlan pvid = { 0 };
	struct bridge_vlan_info info;
	struct nlattr *attr;
	int left;

	if (!af_spec)
		return pvid;
	nla_for_each_nested(attr, af_spec, left) {
		if (nla_type(attr) != IFLA_BRIDGE_VLAN_INFO ||
		    nla_len(attr) < (int)sizeof(info))
			continue;
		nla_memcpy(&info, attr, sizeof(info));
		if (!(info.flags & BRIDGE_VLAN_INFO_PVID))
			continue;
		pvid.vid = info.vid;
		pvid.tagged = !(info.flags & BRIDGE_VLAN_INFO_UNTAGGED);
	}
	return pvid;
}
