/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink over libnl-3: RTM_GETNEIGH dumps of family AF_BRIDGE, RTNLGRP_NEIGH in
 * between. The entries with a master are the bridges'; those without are a device's
 * own unicast list.
 */
#include "fdb.h"

#include <errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RCVBUF (1 << 20)

struct fdb {
	struct nl_sock *ask, *watch;
	bool listening;
};

static int receive(struct nl_sock *sock, int flags, fdb_cb cb, void *arg);
static void take(const struct nlmsghdr *head, fdb_cb cb, void *arg);

int fdb_new(struct fdb **ret_fdb)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));
	int size = RCVBUF;

	if (!fdb)
		return -ENOMEM;
	fdb->ask = nl_socket_alloc();
	fdb->watch = nl_socket_alloc();
	if (!fdb->ask || !fdb->watch || nl_connect(fdb->watch, NETLINK_ROUTE) < 0 ||
	    nl_connect(fdb->ask, NETLINK_ROUTE) < 0) {
		fdb_free(fdb);
		return -EIO;
	}
	if (setsockopt(fdb_fd(fdb), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fdb_fd(fdb), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*ret_fdb = fdb;
	return 0;
}

void fdb_free(struct fdb *fdb)
{
	if (!fdb)
		return;
	nl_socket_free(fdb->ask);
	nl_socket_free(fdb->watch);
	free(fdb);
}

int fdb_listen(struct fdb *fdb, bool on)
{
	int r;

	if (on == fdb->listening)
		return 0;
	r = on ? nl_socket_add_membership(fdb->watch, RTNLGRP_NEIGH)
	       : nl_socket_drop_membership(fdb->watch, RTNLGRP_NEIGH);
	if (r < 0)
		return -EIO;
	fdb->listening = on;
	return 0;
}

int fdb_read(struct fdb *fdb, fdb_cb cb, void *arg)
{
	/* The kernel takes a link's header here as well as a neighbour's. */
	struct ndmsg all = { .ndm_family = PF_BRIDGE };
	int r = nl_send_simple(fdb->ask, RTM_GETNEIGH, NLM_F_DUMP, &all, sizeof(all));

	if (r < 0)
		return -EIO;
	do {
		r = receive(fdb->ask, 0, cb, arg);
	} while (!r);
	return r == 1 ? 0 : r;
}

int fdb_fd(const struct fdb *fdb)
{
	return nl_socket_get_fd(fdb->watch);
}

int fdb_dispatch(struct fdb *fdb, fdb_cb cb, void *arg)
{
	int r;

	do {
		r = receive(fdb->watch, MSG_DONTWAIT, cb, arg);
	} while (!r);
	return r == -ENOBUFS ? r : 0;
}

/* One datagram. 0, 1 at the end of a dump, or -errno. */
static int receive(struct nl_sock *sock, int flags, fdb_cb cb, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[65536];
	ssize_t got = recv(nl_socket_get_fd(sock), buf, sizeof(buf), flags);
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
	int left = (int)got;

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (; nlmsg_ok(head, left); head = nlmsg_next(head, &left)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)nlmsg_data(head))->error;
		take(head, cb, arg);
	}
	return 0;
}

static void take(const struct nlmsghdr *head, fdb_cb cb, void *arg)
{
	const struct ndmsg *entry = nlmsg_data(head);
	struct nlattr *a[NDA_MAX + 1];
	uint16_t vlan = 0;
	struct mac mac;

	if ((head->nlmsg_type != RTM_NEWNEIGH && head->nlmsg_type != RTM_DELNEIGH) ||
	    nlmsg_datalen(head) < (int)sizeof(*entry) || entry->ndm_family != AF_BRIDGE ||
	    entry->ndm_flags & NTF_SELF || entry->ndm_state & NUD_PERMANENT ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)head, sizeof(*entry), a, NDA_MAX,
			NULL) < 0 ||
	    !a[NDA_MASTER] || !a[NDA_LLADDR] || nla_len(a[NDA_LLADDR]) != sizeof(mac.b))
		return;
	memcpy(mac.b, nla_data(a[NDA_LLADDR]), sizeof(mac.b));
	if (a[NDA_VLAN] && nla_len(a[NDA_VLAN]) >= 2)
		vlan = nla_get_u16(a[NDA_VLAN]);
	cb(arg, (uint32_t)entry->ndm_ifindex, vlan, &mac,
	   head->nlmsg_type == RTM_DELNEIGH);
}
