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
#include <unistd.h>

struct fdb {
	struct nl_sock *ask, *watch;
	bool listening;
};

/* To whom what the kernel says is told. */
struct hearer {
	fdb_cb cb;
	void *arg;
};

/* Who is asked for. */
struct quiet {
	uint32_t ifindex;
	uint16_t vlan;
	ms_t so_long;
	fdb_quiet_cb cb;
	void *arg;
};

struct entry {
	uint32_t ifindex;
	uint16_t vlan;
	struct mac mac;
	enum cases_fdb what;
	ms_t heard;	/* so long ago */
};

static void take(void *arg, struct nlmsghdr *head);
static void take_quiet(void *arg, struct nlmsghdr *head);
static bool read_entry(struct nlmsghdr *head, struct entry *ret_entry);

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

int fdb_quiet(struct fdb *fdb, uint32_t ifindex, uint16_t vlan, ms_t so_long,
	      fdb_quiet_cb cb, void *arg)
{
	struct ndmsg all = { .ndm_family = PF_BRIDGE };
	struct quiet quiet = { ifindex, vlan, so_long, cb, arg };

	return rtnetlink_dump(fdb->ask, RTM_GETNEIGH, &all, sizeof(all), take_quiet,
			      &quiet);
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
	struct entry entry;

	if (read_entry(head, &entry))
		hearer->cb(hearer->arg, entry.ifindex, entry.vlan, &entry.mac,
			   entry.what);
}

static void take_quiet(void *arg, struct nlmsghdr *head)
{
	const struct quiet *quiet = arg;
	struct entry entry;

	if (read_entry(head, &entry) && entry.ifindex == quiet->ifindex &&
	    entry.vlan == quiet->vlan && entry.heard >= quiet->so_long)
		quiet->cb(quiet->arg, &entry.mac);
}

static bool read_entry(struct nlmsghdr *head, struct entry *ret_entry)
{
	const struct ndmsg *said = nlmsg_data(head);
	struct entry entry = { 0 };
	struct nda_cacheinfo times;
	struct nlattr *a[NDA_MAX + 1];

	if ((head->nlmsg_type != RTM_NEWNEIGH && head->nlmsg_type != RTM_DELNEIGH) ||
	    nlmsg_datalen(head) < (int)sizeof(*said) || said->ndm_family != AF_BRIDGE ||
	    said->ndm_flags & NTF_SELF || said->ndm_state & NUD_PERMANENT ||
	    nlmsg_parse(head, sizeof(*said), a, NDA_MAX, NULL) < 0 ||
	    !a[NDA_MASTER] || !a[NDA_LLADDR] ||
	    nla_len(a[NDA_LLADDR]) != sizeof(entry.mac.b))
		return false;
	entry.ifindex = (uint32_t)said->ndm_ifindex;
	memcpy(entry.mac.b, nla_data(a[NDA_LLADDR]), sizeof(entry.mac.b));
	if (a[NDA_VLAN] && nla_len(a[NDA_VLAN]) >= 2)
		entry.vlan = nla_get_u16(a[NDA_VLAN]);
	if (a[NDA_CACHEINFO] && nla_len(a[NDA_CACHEINFO]) >= (int)sizeof(times)) {
		memcpy(&times, nla_data(a[NDA_CACHEINFO]), sizeof(times));
		entry.heard = (ms_t)times.ndm_updated * 1000 / sysconf(_SC_CLK_TCK);
	}
	entry.what = head->nlmsg_type == RTM_DELNEIGH ? CASES_FDB_GONE
		     : said->ndm_state & NUD_NOARP || said->ndm_flags & NTF_STICKY
			     ? CASES_FDB_BY_HAND
			     : CASES_FDB_LEARNED;
	*ret_entry = entry;
	return true;
}
