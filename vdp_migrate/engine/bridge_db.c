/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink over libnl-3: RTM_GETLINK and RTM_GETADDR dumps, RTNLGRP_LINK and
 * RTNLGRP_IPV4_IFADDR afterwards. Notifications of family AF_BRIDGE are about a
 * port's settings: what a port's master is, the plain ones say. Of the VLANs of ports
 * there are several kinds of notifications and none for some changes, so at each that may
 * mean one they are marked stale, and read again at the end of the dispatch; addresses,
 * at the next question.
 */
#include "bridge_db_private.h"
#include "rtnetlink.h"
#include "wire/text.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/socket.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define MASTERS_MAX 2 /* a slave's bond, the bond's bridge */

static int open_sockets(struct bridge_db *db);
static int load_links(struct bridge_db *db);
static void load_addresses(struct bridge_db *db);
static void load_vlans(struct bridge_db *db);
static int dump(struct bridge_db *db, int type, unsigned char family, rtnetlink_cb take);
static void take_any(void *arg, struct nlmsghdr *head);
static void take_link(void *arg, struct nlmsghdr *head);
static void take_address(void *arg, struct nlmsghdr *head);
static void note_in_subnet(struct bridge_db *db, const uint8_t octets[4]);
static void take_vlans(void *arg, struct nlmsghdr *head);
static void update(struct bridge_db *db, const struct link_attrs *news);
static void forget(struct bridge_db *db, struct link *link);
static void rename_link(struct bridge_db *db, struct link *link,
			const char name[VM_IFNAME_MAX]);
static void tell(struct bridge_db *db, const char *name);

int bridge_db_new(struct bridge_db **ret_db)
{
	struct bridge_db *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return -ENOMEM;
	db->addresses_stale = true;
	r = open_sockets(db);
	if (!r)
		r = load_links(db);
	if (r < 0) {
		bridge_db_free(db);
		return r;
	}
	load_vlans(db);
	*ret_db = db;
	return 0;
}

void bridge_db_free(struct bridge_db *db)
{
	struct link *link, *next;

	if (!db)
		return;
	HASH_ITER(by_ifindex, db->by_ifindex, link, next)
		forget(db, link);
	nl_socket_free(db->ask);
	nl_socket_free(db->watch);
	free(db->in_subnets);
	free(db);
}

bool bridge_db_port(const struct bridge_db *db, const char *name,
		    struct bridge_db_port *ret_port)
{
	struct link *first, *port, *master;

	*ret_port = (struct bridge_db_port){ 0 };
	memcpy(ret_port->port_name, name, strnlen(name, sizeof(ret_port->port_name) - 1));
	HASH_FIND(by_name, db->by_name, name, strlen(name), first);
	port = first;
	for (int i = 0; port && i < MASTERS_MAX; i++) {
		master = bridge_db_link(db, port->is.master);
		ret_port->ifindex = first->is.ifindex;
		ret_port->port_ifindex = port->is.ifindex;
		memcpy(ret_port->port_name, port->name, sizeof(port->name));
		ret_port->offloaded |= port->is.offloaded;
		if (master && master->is.is_bridge) {
			ret_port->bridge_ifindex = master->is.ifindex;
			memcpy(ret_port->bridge_name, master->name, sizeof(master->name));
			ret_port->vlans = master->is.filters;
			ret_port->pvid = port->pvid.vid;
			ret_port->pvid_tagged = port->pvid.tagged;
			return true;
		}
		port = master && master->is.is_bundle ? master : NULL;
	}
	return false;
}

uint16_t bridge_db_own_vlan(const struct bridge_db *db, uint32_t bridge_ifindex)
{
	const struct link *bridge = bridge_db_link(db, bridge_ifindex);

	return bridge && bridge->is.filters ? bridge->pvid.vid : 0;
}

bool bridge_db_name(const struct bridge_db *db, uint32_t ifindex,
		    char ret_name[VM_IFNAME_MAX])
{
	const struct link *link = bridge_db_link(db, ifindex);
	const struct link *master = link ? bridge_db_link(db, link->is.master) : NULL;

	if (!master || !master->is.is_bridge)
		return false;
	memcpy(ret_name, link->name, sizeof(link->name));
	return true;
}

void bridge_db_each_bridge(const struct bridge_db *db,
			   void (*cb)(void *arg, uint32_t ifindex, const char *name),
			   void *arg)
{
	for (struct link *link = db->by_ifindex; link; link = link->by_ifindex.next)
		if (link->is.is_bridge)
			cb(arg, link->is.ifindex, link->name);
}

bool bridge_db_anchor(const struct bridge_db *db, uint32_t ifindex,
		      char ret_name[VM_IFNAME_MAX])
{
	const struct link *link = bridge_db_link(db, ifindex);
	struct bridge_db_port port;

	if (!link || !bridge_db_port(db, link->name, &port))
		return false;
	memcpy(ret_name, port.port_name, sizeof(port.port_name));
	return true;
}

bool bridge_db_port_of_mac(const struct bridge_db *db, uint32_t bridge_ifindex,
			   const struct mac *mac, char ret_name[VM_IFNAME_MAX])
{
	const struct link *link = db->by_ifindex;

	while (link &&
	       (link->is.master != bridge_ifindex || !mac_equal(&link->is.mac, mac)))
		link = link->by_ifindex.next;
	if (!link || !bridge_ifindex)
		return false;
	memcpy(ret_name, link->name, sizeof(link->name));
	return true;
}

bool bridge_db_address(struct bridge_db *db, uint32_t ifindex, struct addr *ret_addr)
{
	const struct link *link;

	if (db->addresses_stale)
		load_addresses(db);
	link = bridge_db_link(db, ifindex);
	if (!link || !link->ip4.family)
		return false;
	*ret_addr = link->ip4;
	return true;
}

bool bridge_db_in_subnet(struct bridge_db *db, const struct addr *addr)
{
	unsigned i = 0;

	if (db->addresses_stale)
		load_addresses(db);
	while (i < db->n_in_subnets && !addr_equal(&db->in_subnets[i], addr))
		i++;
	return i < db->n_in_subnets;
}

int bridge_db_fd(const struct bridge_db *db)
{
	return nl_socket_get_fd(db->watch);
}

void bridge_db_dispatch(struct bridge_db *db, void (*cb)(void *arg, const char *name),
			void *arg)
{
	int r = 0;

	db->changed = cb;
	db->changed_arg = arg;
	while (!r && rtnetlink_dispatch(db->watch, take_any, db) == -ENOBUFS) {
		/* Some were lost: compare with all that there is. What is still queued
		 * is older than that. */
		while (rtnetlink_dispatch(db->watch, NULL, NULL) == -ENOBUFS)
			;
		db->addresses_stale = true;
		db->vlans_stale = true;
		r = load_links(db);
	}
	if (db->vlans_stale)
		load_vlans(db);
	db->changed = NULL;
}

struct link *bridge_db_link(const struct bridge_db *db, uint32_t ifindex)
{
	struct link *link;

	HASH_FIND(by_ifindex, db->by_ifindex, &ifindex, sizeof(ifindex), link);
	return link;
}

/* Watch first, then dump: nothing is missed in between. */
static int open_sockets(struct bridge_db *db)
{
	int r = rtnetlink_open(&db->watch, true);

	if (!r)
		r = rtnetlink_open(&db->ask, false);
	if (!r && nl_socket_add_memberships(db->watch, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
					    RTNLGRP_BRVLAN, 0) < 0)
		r = errno ? -errno : -EIO;
	return r;
}

static int load_links(struct bridge_db *db)
{
	struct link *link, *next;
	int r;

	HASH_ITER(by_ifindex, db->by_ifindex, link, next)
		link->seen = false;
	r = dump(db, RTM_GETLINK, AF_UNSPEC, take_link);
	if (r < 0)
		return r;
	HASH_ITER(by_ifindex, db->by_ifindex, link, next)
		if (!link->seen)
			forget(db, link);
	return 0;
}

static void load_addresses(struct bridge_db *db)
{
	struct link *link, *next;

	HASH_ITER(by_ifindex, db->by_ifindex, link, next)
		link->ip4 = (struct addr){ 0 };
	db->n_in_subnets = 0;
	db->addresses_stale = dump(db, RTM_GETADDR, AF_INET, take_address) < 0;
}

static void load_vlans(struct bridge_db *db)
{
	db->vlans_stale = dump(db, RTM_GETLINK, AF_BRIDGE, take_vlans) < 0;
}

static int dump(struct bridge_db *db, int type, unsigned char family, rtnetlink_cb take)
{
	/* The mask is of link dumps; others read the family alone. */
	struct {
		struct ifinfomsg info;
		struct rtattr mask;
		uint32_t value;
	} ask = {
		.info.ifi_family = family,
		.mask = { .rta_len = RTA_LENGTH(sizeof(uint32_t)),
			  .rta_type = IFLA_EXT_MASK },
		.value = RTEXT_FILTER_BRVLAN_COMPRESSED,
	};
	bool vlans = type == RTM_GETLINK && family == AF_BRIDGE;

	return rtnetlink_dump(db->ask, type, &ask,
			      vlans ? sizeof(ask) : sizeof(struct rtgenmsg), take, db);
}

static void take_any(void *arg, struct nlmsghdr *head)
{
	struct bridge_db *db = arg;
	const struct rtgenmsg *generic = nlmsg_data(head);

	if (head->nlmsg_type == RTM_NEWADDR || head->nlmsg_type == RTM_DELADDR)
		db->addresses_stale = true;
	else if (nlmsg_datalen(head) >= (int)sizeof(*generic) &&
		 generic->rtgen_family == AF_BRIDGE)
		db->vlans_stale = true;
	else
		take_link(db, head);
}

static void take_link(void *arg, struct nlmsghdr *head)
{
	struct bridge_db *db = arg;
	struct link_attrs news;
	struct link *link;

	if (!link_attrs_read(head, &news))
		return;
	link = bridge_db_link(db, news.ifindex);
	if (head->nlmsg_type == RTM_NEWLINK)
		update(db, &news);
	else if (link)
		forget(db, link);
}

static void take_address(void *arg, struct nlmsghdr *head)
{
	struct bridge_db *db = arg;
	const struct ifaddrmsg *info = nlmsg_data(head);
	struct nlattr *local;
	struct link *link;

	if (head->nlmsg_type != RTM_NEWADDR || nlmsg_datalen(head) < (int)sizeof(*info) ||
	    info->ifa_family != AF_INET)
		return;
	local = nlmsg_find_attr(head, sizeof(*info), IFA_LOCAL);
	if (!local || nla_len(local) != 4)
		return;
	if (info->ifa_prefixlen < 32)
		note_in_subnet(db, nla_data(local));
	link = bridge_db_link(db, info->ifa_index);
	if (!link || link->ip4.family || info->ifa_scope != RT_SCOPE_UNIVERSE ||
	    info->ifa_flags & IFA_F_SECONDARY)
		return;
	link->ip4.family = ADDR_IPV4;
	memcpy(link->ip4.b, nla_data(local), 4);
}

static void note_in_subnet(struct bridge_db *db, const uint8_t octets[4])
{
	struct addr *grown = realloc(db->in_subnets,
				     (db->n_in_subnets + 1) * sizeof(*grown));

	if (!grown)
		return;
	db->in_subnets = grown;
	grown[db->n_in_subnets] = (struct addr){ .family = ADDR_IPV4 };
	memcpy(grown[db->n_in_subnets++].b, octets, 4);
}

static void take_vlans(void *arg, struct nlmsghdr *head)
{
	struct bridge_db *db = arg;
	const struct ifinfomsg *info = nlmsg_data(head);
	struct bridge_vlan pvid;
	struct link *link;

	if (head->nlmsg_type != RTM_NEWLINK || nlmsg_datalen(head) < (int)sizeof(*info))
		return;
	link = bridge_db_link(db, (uint32_t)info->ifi_index);
	pvid = bridge_vlan_pvid(nlmsg_find_attr(head, sizeof(*info), IFLA_AF_SPEC));
	if (!link || (link->pvid.vid == pvid.vid && link->pvid.tagged == pvid.tagged))
		return;
	link->pvid = pvid;
	tell(db, link->name);
}

static void update(struct bridge_db *db, const struct link_attrs *news)
{
	struct link *link = bridge_db_link(db, news->ifindex);

	db->vlans_stale |= news->is_bridge;
	if (!link) {
		link = calloc(1, sizeof(*link));
		if (!link)
			return;
		link->is.ifindex = news->ifindex;
		HASH_ADD(by_ifindex, db->by_ifindex, is.ifindex, sizeof(news->ifindex),
			 link);
		if (link->unhashed) {
			free(link);
			return;
		}
		db->addresses_stale = true;
	} else if (!strcmp(link->name, news->name) && link_attrs_equal(&link->is, news)) {
		link->seen = true;
		return;
	}
	db->vlans_stale |= link->is.master != news->master;
	if (strcmp(link->name, news->name))
		rename_link(db, link, news->name);
	link->is = *news;
	link->seen = true;
	tell(db, link->name);
}

static void forget(struct bridge_db *db, struct link *link)
{
	HASH_DELETE(by_ifindex, db->by_ifindex, link);
	if (link->name[0])
		HASH_DELETE(by_name, db->by_name, link);
	tell(db, link->name);
	free(link);
}

/* A name that another interface still has here has just been taken from it: its
 * own notification is on the way. */
static void rename_link(struct bridge_db *db, struct link *link,
			const char name[VM_IFNAME_MAX])
{
	char old[VM_IFNAME_MAX];
	struct link *holder;

	memcpy(old, link->name, sizeof(old));
	if (old[0])
		HASH_DELETE(by_name, db->by_name, link);
	HASH_FIND(by_name, db->by_name, name, strlen(name), holder);
	if (holder) {
		HASH_DELETE(by_name, db->by_name, holder);
		holder->name[0] = '\0';
	}
	memcpy(link->name, name, sizeof(link->name));
	HASH_ADD_KEYPTR(by_name, db->by_name, link->name, strlen(link->name), link);
	if (link->unhashed) {
		link->unhashed = false;
		link->name[0] = '\0';
	}
	if (old[0])
		tell(db, old);
}

static void tell(struct bridge_db *db, const char *name)
{
	if (db->changed && name[0])
		db->changed(db->changed_arg, name);
}
