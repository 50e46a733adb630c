/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IFLA_LINK is followed for the kinds alone that hand their frames to that interface:
 * of a veth it is its peer. With IFLA_LINK_NETNSID it is of another network namespace,
 * whose numbers mean nothing here.
 */
#include "link_attrs.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <string.h>

#include "bridge_vlan.h"
#include "wire/text.h"

static void take_kind(struct link_attrs *attrs, struct nlattr *info, uint32_t link);
static bool is_beside(struct nlattr *info);
static uint16_t vlan_of(struct nlattr *info);
static struct nlattr *data_of(struct nlattr *info, int type, int len);

bool link_attrs_read(struct nlmsghdr *head, struct link_attrs *ret_attrs)
{
	const struct ifinfomsg *info = nlmsg_data(head);
	struct nlattr *a[IFLA_MAX + 1];
	struct link_attrs attrs = { 0 };
	uint32_t link = 0;

	if ((head->nlmsg_type != RTM_NEWLINK && head->nlmsg_type != RTM_DELLINK) ||
	    nlmsg_parse(head, sizeof(*info), a, IFLA_MAX, NULL) < 0 ||
	    info->ifi_family == AF_BRIDGE || !a[IFLA_IFNAME])
		return false;
	attrs.ifindex = (uint32_t)info->ifi_index;
	nla_strlcpy(attrs.name, a[IFLA_IFNAME], sizeof(attrs.name));
	if (a[IFLA_MASTER])
		attrs.master = nla_get_u32(a[IFLA_MASTER]);
	attrs.offloaded = a[IFLA_PHYS_SWITCH_ID];
	if (a[IFLA_ADDRESS] && nla_len(a[IFLA_ADDRESS]) == sizeof(attrs.mac.b))
		memcpy(attrs.mac.b, nla_data(a[IFLA_ADDRESS]), sizeof(attrs.mac.b));
	if (a[IFLA_LINK] && nla_len(a[IFLA_LINK]) >= 4 && !a[IFLA_LINK_NETNSID])
		link = nla_get_u32(a[IFLA_LINK]);
	if (a[IFLA_LINKINFO])
		take_kind(&attrs, a[IFLA_LINKINFO], link);
	*ret_attrs = attrs;
	return true;
}

bool link_attrs_equal(const struct link_attrs *a, const struct link_attrs *b)
{
	return a->ifindex == b->ifindex && a->master == b->master &&
	       !strcmp(a->name, b->name) && mac_equal(&a->mac, &b->mac) &&
	       a->is_bridge == b->is_bridge && a->is_bundle == b->is_bundle &&
	       a->filters == b->filters && a->offloaded == b->offloaded &&
	       a->lower == b->lower && a->direct == b->direct && a->beside == b->beside &&
	       a->vlan == b->vlan;
}

/* Statics. */

static void take_kind(struct link_attrs *attrs, struct nlattr *info, uint32_t link)
{
	struct nlattr *kind = nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND);

	if (!kind)
		return;
	attrs->is_bridge = !nla_strcmp(kind, "bridge");
	attrs->is_bundle = !nla_strcmp(kind, "bond") || !nla_strcmp(kind, "team");
	attrs->filters = attrs->is_bridge && bridge_vlan_filters(info);
	attrs->direct = !nla_strcmp(kind, "macvtap") || !nla_strcmp(kind, "macvlan");
	attrs->beside = attrs->direct && is_beside(info);
	if (!nla_strcmp(kind, "vlan"))
		attrs->vlan = vlan_of(info);
	if (attrs->direct || attrs->vlan)
		attrs->lower = link;
}

static bool is_beside(struct nlattr *info)
{
	struct nlattr *mode = data_of(info, IFLA_MACVLAN_MODE, sizeof(uint32_t));

	return mode && nla_get_u32(mode) == MACVLAN_MODE_BRIDGE;
}

/* 0: one of 802.1ad, whose VLANs are not ours. */
static uint16_t vlan_of(struct nlattr *info)
{
	struct nlattr *id = data_of(info, IFLA_VLAN_ID, sizeof(uint16_t));
	struct nlattr *protocol = data_of(info, IFLA_VLAN_PROTOCOL, sizeof(uint16_t));

	if (!id || (protocol && nla_get_u16(protocol) != htons(ETH_P_8021Q)))
		return 0;
	return nla_get_u16(id);
}

static struct nlattr *data_of(struct nlattr *info, int type, int len)
{
	struct nlattr *data = nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA);
	struct nlattr *found =
		data ? nla_find(nla_data(data), nla_len(data), type) : NULL;

	return found && nla_len(found) >= len ? found : NULL;
}
