/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink over libnl-3: RTM_GETNEIGH dumps of family AF_BRIDGE, RTNLGRP_NEIGH in
 * between. The entries with a master are the bridges'; those without are a device's
 * own unicast list.
 */
#include "fdb.h"
#include "rtnetlink.h"

#include <errno.h>
#include <netlink/socket.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

struct fdb {
	struct nl_sock *ask, *watch;
	bool listening;
};

/* To whom what the kernel says is told. */
struct hearer {
	fdb_cb cb;
	void *arg;
};

static void take(void *arg, struct nlmsghdr *head);

int fdb_new(struct fdb **ret_fdb)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));
	int err;

	if (!fdb)
		return -ENOMEM;
	err = rtnetlink_open(&fdb->watch, true);
	if (!err)
		err = rtnetlink_open(&fdb->ask, false);
	if (err) {
		fdb_free(fdb);
		return err;
	}
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
	struct hearer hearer = { cb, arg };

	return rtnetlink_dump(fdb->ask, RTM_GETNEIGH, &all, sizeof(all), take, &hearer);
}

int fdb_fd(const struct fdb *fdb)
{
	return nl_socket_get_fd(fdb->watch);
}

int fdb_dispatch(struct fdb *fdb, fdb_cb cb, void *arg)
{
	struct hearer hearer = { cb, arg };

	return rtnetlink_dispatch(fdb->watch, take, &hearer);
}

static void take(void *arg, struct nlmsghdr *head)
{
	const struct hearer *hearer = arg;
	const struct ndmsg *entry = nlmsg_data(head);
	struct nlattr *a[NDA_MAX + 1];
	uint16_t vlan = 0;
	struct mac mac;

	if ((head->nlmsg_type != RTM_NEWNEIGH && head->nlmsg_type != RTM_DELNEIGH) ||
	    nlmsg_datalen(head) < (int)sizeof(*entry) || entry->ndm_family != AF_BRIDGE ||
	    entry->ndm_flags & NTF_SELF || entry->ndm_state & NUD_PERMANENT ||
	    nlmsg_parse(head, sizeof(*entry), a, NDA_MAX, NULL) < 0 ||
	    !a[NDA_MASTER] || !a[NDA_LLADDR] || nla_len(a[NDA_LLADDR]) != sizeof(mac.b))
		return;
	memcpy(mac.b, nla_data(a[NDA_LLADDR]), sizeof(mac.b));
	if (a[NDA_VLAN] && nla_len(a[NDA_VLAN]) >= 2)
		vlan = nla_get_u16(a[NDA_VLAN]);
	hearer->cb(hearer->arg, (uint32_t)entry->ndm_ifindex, vlan, &mac,
		   head->nlmsg_type == RTM_DELNEIGH);
}
