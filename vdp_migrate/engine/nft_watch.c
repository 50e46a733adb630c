/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel multicasts what a transaction has changed, and NEWGEN at its end.
 * Our own changes come back too; a socket filter keeps them out by the sender's
 * port ID, lest a large commit of ours overrun the buffer. A spawned nft that
 * loads our text has a port ID of its own: it takes all rules away and puts them
 * back in one transaction, and nobody need be told of that. An element that
 * expires is told to nobody.
 *
 * Notifications that got lost (ENOBUFS) may have been about us: then say so.
 */
#include "nft_watch.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "nft_batch.h"
#include "nft_opened.h"

#define RCVBUF (4 << 20)

static int keep_own_out(int fd, uint32_t own_port);
static void take_message(struct nft_watch *watch, struct nlmsghdr *head);
static void end_of_transaction(struct nft_watch *watch);
static bool ours(struct nlmsghdr *head);
static bool attr_is(struct nlmsghdr *head, int attr, const char *prefix);
/* The second attribute of sets, rules and elements: set or chain. */
static bool second_is(struct nlmsghdr *head, const char *prefix);

int nft_watch_init(struct nft_watch *watch, uint32_t own_port)
{
	int r;

	*watch = (struct nft_watch){ 0 };
	r = nft_batch_socket(&watch->sock, RCVBUF);
	if (r < 0)
		return r;
	r = keep_own_out(nl_socket_get_fd(watch->sock), own_port);
	if (!r && nl_socket_add_membership(watch->sock, NFNLGRP_NFTABLES) < 0)
		r = errno ? -errno : -EIO;
	if (r < 0)
		nft_watch_done(watch);
	return r;
}

void nft_watch_done(struct nft_watch *watch)
{
	nl_socket_free(watch->sock);
	watch->sock = NULL;
}

int nft_watch_dispatch(struct nft_watch *watch)
{
	_Alignas(struct nlmsghdr) uint8_t buf[65536];
	int taken;

	for (;;) {
		ssize_t got = recv(nl_socket_get_fd(watch->sock), buf, sizeof(buf),
				   MSG_DONTWAIT);
		struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
		int left = (int)got;

		if (got < 0 && errno == ENOBUFS)
			watch->lost = true;
		else if (got < 0 && errno != EINTR)
			break;
		if (got < 0)
			continue;
		for (; nlmsg_ok(head, left); head = nlmsg_next(head, &left))
			take_message(watch, head);
	}
	taken = watch->lost ? 1 : watch->opened ? 2 : 0;
	watch->lost = watch->opened = false;
	return taken;
}

/* A datagram holds messages of one transaction, so of one sender. A BPF load
 * is big endian, the header in the order of the host. */
static int keep_own_out(int fd, uint32_t own_port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own_port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
				      .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

static void take_message(struct nft_watch *watch, struct nlmsghdr *head)
{
	if (head->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	switch (head->nlmsg_type & 0xff) {
	case NFT_MSG_NEWGEN:
		end_of_transaction(watch);
		break;
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELCHAIN:
		watch->taken |= ours(head);
		break;
	case NFT_MSG_NEWCHAIN:
		watch->opens |= ours(head) && attr_is(head, NFTA_CHAIN_NAME, NFT_OPENED);
		break;
	case NFT_MSG_DELSET:
		/* A set without a name of its own belongs to a rule. */
		watch->taken |= ours(head) && !second_is(head, "__");
		break;
	case NFT_MSG_DELSETELEM:
		/* Whoever empties the counters does no harm. */
		watch->taken |= ours(head) && !second_is(head, "viol");
		break;
	case NFT_MSG_DELRULE:
		watch->rules_gone |= ours(head);
		break;
	case NFT_MSG_NEWRULE:
		watch->rules_back |= ours(head) && second_is(head, "pre");
		break;
	}
}

static void end_of_transaction(struct nft_watch *watch)
{
	if (watch->taken || (watch->rules_gone && !watch->rules_back))
		watch->lost = true;
	watch->opened |= watch->opens;
	watch->taken = watch->rules_gone = watch->rules_back = watch->opens = false;
}

static bool ours(struct nlmsghdr *head)
{
	const struct nfgenmsg *generic = nlmsg_data(head);
	struct nlattr *table;

	/* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, … are all 1. */
	if (nlmsg_datalen(head) < (int)sizeof(*generic) ||
	    generic->nfgen_family != NFPROTO_BRIDGE)
		return false;
	table = nlmsg_find_attr(head, sizeof(*generic), NFTA_TABLE_NAME);
	return table && !nla_strcmp(table, NFT_KEY_TABLE);
}

static bool second_is(struct nlmsghdr *head, const char *prefix)
{
	return attr_is(head, NFTA_RULE_CHAIN, prefix);
}

static bool attr_is(struct nlmsghdr *head, int attr, const char *prefix)
{
	struct nlattr *name = nlmsg_find_attr(head, sizeof(struct nfgenmsg), attr);
	size_t len = strlen(prefix);

	return name && (size_t)nla_len(name) >= len &&
	       !memcmp(nla_data(name), prefix, len);
}
