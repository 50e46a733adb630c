/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink: RTM_NEWMDB, RTM_DELMDB and RTM_GETMDB (linux/if_bridge.h), RTM_NEWNEIGH,
 * RTM_DELNEIGH and RTM_GETNEIGH of family AF_BRIDGE, RTM_SETLINK with
 * IFLA_BRPORT_MULTICAST_ROUTER. All of it is as in kernel 6.1. Link-local groups (RFC 4541
 * 2.1.2, 3) have no entries: they are flooded.
 *
 * What an operator has put in to stay (permanent, static, sticky) and the bridge's own
 * MACs are left as they are: the kernel would overwrite or delete them at our word.
 */
#include "bridge_set.h"
#include "rtnetlink.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOON_S 60	/* an entry that runs out within that is made anew */

/* An entry of the multicast database that is not as any other. */
struct special {
	struct br_mdb_entry entry;	/* state: MDB_PERMANENT, or it runs out soon */
	struct special *next;
};

struct bridge_set {
	struct nl_sock *sock;
	bool specials_known;
	struct special *specials;
};

/* An FDB entry. */
struct seen_mac {
	bool found, dynamic;
	uint32_t ifindex;
};

/* What a link's own message says of it. */
struct seen {
	bool snoops, is_port;
	uint8_t router;
};

static bool is_flooded(const struct addr *group);
static int change_group(struct bridge_set *set, uint32_t bridge_ifindex,
			const struct br_mdb_entry *entry, bool on);
static const struct special *special_of(struct bridge_set *set,
					const struct br_mdb_entry *entry);
static void take_mdb(void *arg, struct nlmsghdr *head);
static void take_entry(struct bridge_set *set, struct nlattr *info);
static int see_mac(struct bridge_set *set, uint32_t ifindex, uint16_t vlan,
		   const struct mac *mac, struct seen_mac *ret_seen);
static void take_neigh(void *arg, struct nlmsghdr *head);
static struct nl_msg *neigh_msg(int type, int flags, uint32_t ifindex, uint16_t vlan,
				const struct mac *mac);
static int put_head(struct nl_msg *msg, const void *head, size_t size);
static int send_msg(struct bridge_set *set, struct nl_msg *msg, rtnetlink_cb cb,
		    void *arg);
static struct nl_msg *link_msg(int type, unsigned char family, uint32_t ifindex);
static int see(struct bridge_set *set, uint32_t ifindex, struct seen *ret_seen);
static void take_link(void *arg, struct nlmsghdr *head);
static void read_u8(struct nlattr *nest, int type, uint8_t *ret_value);

int bridge_set_new(struct bridge_set **ret_set)
{
	struct bridge_set *set = calloc(1, sizeof(*set));
	int err = set ? rtnetlink_open(&set->sock, false) : -ENOMEM;

	if (err) {
		free(set);
		return err;
	}
	*ret_set = set;
	return 0;
}

void bridge_set_free(struct bridge_set *set)
{
	if (!set)
		return;
	bridge_set_flushed(set);
	nl_socket_free(set->sock);
	free(set);
}

int bridge_set_group(struct bridge_set *set, uint32_t bridge_ifindex, uint32_t ifindex,
		     uint16_t vlan, const struct addr *group, bool on)
{
	struct br_mdb_entry entry = { .ifindex = ifindex,
				      .state = MDB_TEMPORARY,
				      .vid = vlan };
	const struct special *special;
	struct seen seen;
	int err;

	if (is_flooded(group))
		return 0;
	if (group->family == ADDR_IPV4) {
		entry.addr.proto = htons(ETH_P_IP);
		memcpy(&entry.addr.u.ip4, group->b, sizeof(entry.addr.u.ip4));
	} else {
		entry.addr.proto = htons(ETH_P_IPV6);
		memcpy(&entry.addr.u.ip6, group->b, sizeof(entry.addr.u.ip6));
	}
	special = on ? NULL : special_of(set, &entry);
	if (special && special->entry.state == MDB_PERMANENT)
		return 0;
	err = change_group(set, bridge_ifindex, &entry, on);
	special = err == -EEXIST ? special_of(set, &entry) : NULL;
	if (special && special->entry.state != MDB_PERMANENT) {
		(void)change_group(set, bridge_ifindex, &entry, false);
		err = change_group(set, bridge_ifindex, &entry, true);
	}
	/* So the kernel says that it has no such entry. */
	if (err == -EINVAL && !on)
		return 0;
	/* A bridge that does not snoop has no database: it floods. */
	if (err == -EINVAL && !see(set, bridge_ifindex, &seen) && !seen.snoops)
		return 0;
	return err == -EEXIST || err == -ENOENT ? 0 : err;
}

int bridge_set_mac(struct bridge_set *set, uint32_t ifindex, uint16_t vlan,
		   const struct mac *mac)
{
	struct seen_mac seen;
	struct nl_msg *msg;
	int err = see_mac(set, ifindex, vlan, mac, &seen);

	if (err || (seen.found && !seen.dynamic))
		return err;
	msg = neigh_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, vlan, mac);
	return msg ? send_msg(set, msg, NULL, NULL) : -ENOMEM;
}

int bridge_set_mac_back(struct bridge_set *set, uint32_t ifindex, uint32_t to,
			uint16_t vlan, const struct mac *mac)
{
	struct seen_mac seen;
	struct nl_msg *msg;
	int err = see_mac(set, ifindex, vlan, mac, &seen);

	if (err || !seen.found || !seen.dynamic || seen.ifindex != ifindex)
		return err;
	if (to)
		return bridge_set_mac(set, to, vlan, mac);
	msg = neigh_msg(RTM_DELNEIGH, 0, ifindex, vlan, mac);
	err = msg ? send_msg(set, msg, NULL, NULL) : -ENOMEM;
	return err == -ENOENT ? 0 : err;
}

void bridge_set_flushed(struct bridge_set *set)
{
	struct special *next;

	for (; set->specials; set->specials = next) {
		next = set->specials->next;
		free(set->specials);
	}
	set->specials_known = false;
}

int bridge_set_router(struct bridge_set *set, uint32_t ifindex, uint8_t value)
{
	struct nl_msg *msg = link_msg(RTM_SETLINK, PF_BRIDGE, ifindex);
	/* The kernel looks for the flag. */
	struct nlattr *port =
		msg ? nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED) : NULL;

	if (!port || nla_put_u8(msg, IFLA_BRPORT_MULTICAST_ROUTER, value)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nla_nest_end(msg, port);
	return send_msg(set, msg, NULL, NULL);
}

int bridge_set_router_now(struct bridge_set *set, uint32_t ifindex, uint8_t *ret_value)
{
	struct seen seen;
	int err = see(set, ifindex, &seen);

	if (!err && !seen.is_port)
		err = -ENODEV;
	if (!err)
		*ret_value = seen.router;
	return err;
}

static bool is_flooded(const struct addr *group)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

	if (group->family == ADDR_IPV4)
		return group->b[0] == 224 && !group->b[1] && !group->b[2];
	return !memcmp(group->b, all_nodes, sizeof(all_nodes));
}

static int change_group(struct bridge_set *set, uint32_t bridge_ifindex,
			const struct br_mdb_entry *entry, bool on)
{
	const struct br_port_msg head = { .family = AF_BRIDGE,
					  .ifindex = bridge_ifindex };
	struct nl_msg *msg =
		nlmsg_alloc_simple(on ? RTM_NEWMDB : RTM_DELMDB, on ? NLM_F_CREATE : 0);

	if (!msg || put_head(msg, &head, sizeof(head)) ||
	    nla_put(msg, MDBA_SET_ENTRY, sizeof(*entry), entry)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return send_msg(set, msg, NULL, NULL);
}

/* The kernel tells of all of them or of none; it is asked once for all changes of a
 * wake-up. */
static const struct special *special_of(struct bridge_set *set,
					const struct br_mdb_entry *entry)
{
	struct br_port_msg head = { .family = AF_BRIDGE };
	const struct special *special;

	if (!set->specials_known)
		(void)rtnetlink_dump(set->sock, RTM_GETMDB, &head, sizeof(head), take_mdb,
				     set);
	set->specials_known = true;
	for (special = set->specials; special; special = special->next)
		if (special->entry.ifindex == entry->ifindex &&
		    special->entry.vid == entry->vid &&
		    !memcmp(&special->entry.addr, &entry->addr, sizeof(entry->addr)))
			break;
	return special;
}

static void take_mdb(void *arg, struct nlmsghdr *head)
{
	struct nlattr *mdb, *entry, *info;
	int left, inner;

	if (head->nlmsg_type != RTM_GETMDB && head->nlmsg_type != RTM_NEWMDB)
		return;
	mdb = nlmsg_find_attr(head, sizeof(struct br_port_msg), MDBA_MDB);
	if (!mdb)
		return;
	nla_for_each_nested(entry, mdb, left)
		nla_for_each_nested(info, entry, inner)
			take_entry(arg, info);
}

/* Entries for a source are others than ours, which are for all. */
static void take_entry(struct bridge_set *set, struct nlattr *info)
{
	struct br_mdb_entry entry;
	struct special *special;
	struct nlattr *timer;
	const int size = NLA_ALIGN((int)sizeof(entry));
	char *attrs = (char *)nla_data(info) + size;
	int left = nla_len(info) - size;

	if (nla_len(info) < (int)sizeof(entry))
		return;
	memcpy(&entry, nla_data(info), sizeof(entry));
	left = left > 0 ? left : 0;
	timer = nla_find((struct nlattr *)(void *)attrs, left, MDBA_MDB_EATTR_TIMER);
	if (nla_find((struct nlattr *)(void *)attrs, left, MDBA_MDB_EATTR_SOURCE) ||
	    (entry.state != MDB_PERMANENT &&
	     (!timer || nla_get_u32(timer) / (uint32_t)sysconf(_SC_CLK_TCK) >= SOON_S)))
		return;
	special = malloc(sizeof(*special));
	if (!special)
		return;
	*special = (struct special){ entry, set->specials };
	set->specials = special;
}

static int see_mac(struct bridge_set *set, uint32_t ifindex, uint16_t vlan,
		   const struct mac *mac, struct seen_mac *ret_seen)
{
	struct nl_msg *msg = neigh_msg(RTM_GETNEIGH, 0, ifindex, vlan, mac);
	int err;

	*ret_seen = (struct seen_mac){ 0 };
	err = msg ? send_msg(set, msg, take_neigh, ret_seen) : -ENOMEM;
	return err == -ENOENT ? 0 : err;
}

static void take_neigh(void *arg, struct nlmsghdr *head)
{
	const struct ndmsg *neigh = nlmsg_data(head);
	struct seen_mac *seen = arg;

	if (head->nlmsg_type != RTM_NEWNEIGH || nlmsg_datalen(head) < (int)sizeof(*neigh))
		return;
	seen->found = true;
	seen->dynamic = !(neigh->ndm_state & (NUD_PERMANENT | NUD_NOARP)) &&
			!(neigh->ndm_flags & NTF_STICKY);
	seen->ifindex = (uint32_t)neigh->ndm_ifindex;
}

/* Asked for what is there, the kernel wants no state. */
static struct nl_msg *neigh_msg(int type, int flags, uint32_t ifindex, uint16_t vlan,
				const struct mac *mac)
{
	const struct ndmsg head = {
		.ndm_family = PF_BRIDGE,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = type == RTM_NEWNEIGH ? NUD_REACHABLE : 0,
		.ndm_flags = NTF_MASTER,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && !put_head(msg, &head, sizeof(head)) &&
	    !nla_put(msg, NDA_LLADDR, sizeof(mac->b), mac->b) &&
	    (!vlan || !nla_put_u16(msg, NDA_VLAN, vlan)))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* What follows the netlink header. */
static int put_head(struct nl_msg *msg, const void *head, size_t size)
{
	return nlmsg_append(msg, (void *)(uintptr_t)head, size, NLMSG_ALIGNTO);
}

/* Frees the message. */
static int send_msg(struct bridge_set *set, struct nl_msg *msg, rtnetlink_cb cb,
		    void *arg)
{
	int err = rtnetlink_request(set->sock, msg, cb, arg);

	nlmsg_free(msg);
	return err;
}

static struct nl_msg *link_msg(int type, unsigned char family, uint32_t ifindex)
{
	const struct ifinfomsg head = { .ifi_family = family, .ifi_index = (int)ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	if (msg && put_head(msg, &head, sizeof(head))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int see(struct bridge_set *set, uint32_t ifindex, struct seen *ret_seen)
{
	struct nl_msg *msg = link_msg(RTM_GETLINK, AF_UNSPEC, ifindex);

	*ret_seen = (struct seen){ 0 };
	return msg ? send_msg(set, msg, take_link, ret_seen) : -ENOMEM;
}

static void take_link(void *arg, struct nlmsghdr *head)
{
	struct seen *seen = arg;
	struct nlattr *info, *kind;
	uint8_t snoops = 0;

	if (head->nlmsg_type != RTM_NEWLINK)
		return;
	info = nlmsg_find_attr(head, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	if (!info)
		return;
	kind = nla_find(nla_data(info), nla_len(info), IFLA_INFO_SLAVE_KIND);
	seen->is_port = kind && !nla_strcmp(kind, "bridge");
	read_u8(nla_find(nla_data(info), nla_len(info), IFLA_INFO_SLAVE_DATA),
		IFLA_BRPORT_MULTICAST_ROUTER, &seen->router);
	read_u8(nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA),
		IFLA_BR_MCAST_SNOOPING, &snoops);
	seen->snoops = snoops;
}

static void read_u8(struct nlattr *nest, int type, uint8_t *ret_value)
{
	struct nlattr *attr = nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;

	if (attr && nla_len(attr) >= 1)
		*ret_value = nla_get_u8(attr);
}
