/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GETTABLE, GETCHAIN, and a transaction with one NEWCHAIN in it: nft_opened.h. By the
 * guard's own socket, whose changes nft_watch does not hear of.
 */
#include "nft_opened.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nft_key.h"

#define MESSAGE_MAX 128

static int is_there(struct nl_sock *sock, int type);
static int answer(struct nl_sock *sock, uint32_t seq);
static size_t put(uint8_t *to, int type, int flags, uint32_t seq, int family, int res_id,
		  unsigned names);

int nft_opened(struct nl_sock *sock)
{
	int r = is_there(sock, NFT_MSG_GETTABLE);

	if (r)
		return r;
	r = is_there(sock, NFT_MSG_GETCHAIN);
	return r == -ENOENT ? 0 : r ? r : 1;
}

int nft_opened_hold(struct nl_sock *sock)
{
	_Alignas(struct nlmsghdr) uint8_t b[3 * MESSAGE_MAX];
	uint32_t seq = nl_socket_use_seq(sock);
	size_t len;

	len = put(b, NFNL_MSG_BATCH_BEGIN, 0, seq, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	len += put(b + len, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
		   NLM_F_CREATE | NLM_F_ACK, seq, NFPROTO_BRIDGE, 0, 2);
	len += put(b + len, NFNL_MSG_BATCH_END, 0, seq, AF_UNSPEC, NFNL_SUBSYS_NFTABLES,
		   0);
	return send(nl_socket_get_fd(sock), b, len, 0) < 0 ? -errno : answer(sock, seq);
}

/* The table, or the chain in it. 0 or -errno. */
static int is_there(struct nl_sock *sock, int type)
{
	_Alignas(struct nlmsghdr) uint8_t b[MESSAGE_MAX];
	uint32_t seq = nl_socket_use_seq(sock);
	size_t len = put(b, NFNL_SUBSYS_NFTABLES << 8 | type, 0, seq, NFPROTO_BRIDGE, 0,
			 type == NFT_MSG_GETCHAIN ? 2 : 1);

	return send(nl_socket_get_fd(sock), b, len, 0) < 0 ? -errno : answer(sock, seq);
}

/* An error, an acknowledgement, or the thing itself. */
static int answer(struct nl_sock *sock, uint32_t seq)
{
	_Alignas(struct nlmsghdr) uint8_t buf[8192];

	for (;;) {
		ssize_t got = recv(nl_socket_get_fd(sock), buf, sizeof(buf), 0);
		struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
		int left = (int)got;

		if (got < 0 && errno != EINTR)
			return -errno;
		for (; got > 0 && nlmsg_ok(head, left); head = nlmsg_next(head, &left)) {
			if (head->nlmsg_seq != seq)
				continue;
			if (head->nlmsg_type != NLMSG_ERROR)
				return 0;
			return ((const struct nlmsgerr *)nlmsg_data(head))->error;
		}
	}
}

/* names: 1 the table's, 2 also the chain's. How long it is. */
static size_t put(uint8_t *to, int type, int flags, uint32_t seq, int family, int res_id,
		  unsigned names)
{
	static const char *const name[] = { NFT_KEY_TABLE, NFT_OPENED };
	/* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE; NFTA_CHAIN_NAME */
	static const uint16_t types[] = { NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME };
	const struct nfgenmsg generic = { .nfgen_family = (uint8_t)family,
					  .version = NFNETLINK_V0,
					  .res_id = htons((uint16_t)res_id) };
	struct nlmsghdr head = { .nlmsg_type = (uint16_t)type,
				 .nlmsg_seq = seq,
				 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) };
	size_t at = sizeof(head) + sizeof(generic);

	memset(to, 0, MESSAGE_MAX);
	memcpy(to + sizeof(head), &generic, sizeof(generic));
	for (unsigned i = 0; i < names; i++) {
		struct nlattr attr = { (uint16_t)(sizeof(attr) + strlen(name[i]) + 1),
				       types[i] };

		memcpy(to + at, &attr, sizeof(attr));
		memcpy(to + at + sizeof(attr), name[i], strlen(name[i]));
		at += NLMSG_ALIGN(attr.nla_len);
	}
	head.nlmsg_len = (uint32_t)at;
	memcpy(to, &head, sizeof(head));
	return at;
}
