/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An nf_tables transaction is one datagram: BATCH_BEGIN, messages, BATCH_END.
 * The kernel works on it inside send() and goes on after an error, so that one
 * try names every message that is wrong; then it aborts the whole.
 *
 * What must be right on kernel 6.1: adding an element again does not renew it
 * (a no-op before 6.12), so a renewal is DEL and NEW in one transaction; there is
 * no DESTROYSETELEM (6.3), so a DEL that meets ENOENT (the element has expired)
 * is taken out and the rest sent again. Adding an element of a map again with
 * other data is EEXIST: then, and only then, DEL goes before it.
 */
#include "nft_batch.h"

#include <endian.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_SIZE 256
/* Each ENOENT or EEXIST costs a round; elements may go on expiring meanwhile. */
#define ROUNDS 8
#define KEEP_MOST (256 << 10)
#define ACK_RCVBUF (4 << 20)
/* The kernel keeps no longer ones without overflow somewhere: 34 years. */
#define TIMEOUT_MAX_MS ((ms_t)1 << 40)

/* What became of one try. */
struct outcome {
	bool again; /* changes were altered: send what is left */
	bool acked;
	int error;
};

static int commit(struct nft_batch *batch, struct nft_change *const *changes, size_t n);
static int build(struct nft_batch *batch, struct nft_change *const *changes, size_t n);
static int transmit(struct nft_batch *batch);
static struct outcome collect(struct nft_batch *batch, struct nft_change *const *changes,
			      size_t n);
static void judge(struct nft_change *const *changes, size_t n, uint32_t k, int error,
		  struct outcome *outcome);
static int append_bound(struct nft_batch *batch, uint16_t type, uint32_t seq);
static int append_change(struct nft_batch *batch, const struct nft_change *change,
			 bool add, uint32_t seq);
static int append(struct nft_batch *batch, struct nl_msg *msg);
static struct nl_msg *message(uint16_t type, uint16_t flags, uint32_t seq,
			      const struct nfgenmsg *head);
static int put_element(struct nl_msg *msg, const struct nft_change *change, bool add);
static int put_jump(struct nl_msg *msg, const char *chain);

int nft_batch_init(struct nft_batch *batch)
{
	int one = 1, r;

	*batch = (struct nft_batch){ 0 };
	r = nft_batch_socket(&batch->sock, ACK_RCVBUF);
	if (r < 0)
		return r;
	/* Errors without the message that they are about: many fit then. */
	(void)setsockopt(nl_socket_get_fd(batch->sock), SOL_NETLINK, NETLINK_CAP_ACK,
			 &one, sizeof(one));
	return 0;
}

void nft_batch_done(struct nft_batch *batch)
{
	nl_socket_free(batch->sock);
	free(batch->buf);
	*batch = (struct nft_batch){ 0 };
}

int nft_batch_commit(struct nft_batch *batch, struct nft_change *const *changes, size_t n)
{
	int r = commit(batch, changes, n);

	/* A start with all its bindings is not to be paid for ever. */
	if (batch->size > KEEP_MOST) {
		free(batch->buf);
		batch->buf = NULL;
		batch->size = 0;
	}
	return r;
}

static int commit(struct nft_batch *batch, struct nft_change *const *changes, size_t n)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct outcome outcome;
		int r;

		r = build(batch, changes, n);
		if (r <= 0)
			return r;
		r = transmit(batch);
		if (r < 0)
			return r;
		outcome = collect(batch, changes, n);
		if (outcome.error)
			return outcome.error;
		if (!outcome.again)
			return outcome.acked ? 0 : -EIO;
	}
	return -EBUSY;
}

int nft_batch_socket(struct nl_sock **ret_sock, int rcvbuf)
{
	struct nl_sock *sock = nl_socket_alloc();
	int fd;

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_NETFILTER) < 0) {
		int r = errno ? -errno : -EIO;

		nl_socket_free(sock);
		return r;
	}
	fd = nl_socket_get_fd(sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	*ret_sock = sock;
	return 0;
}

/* Sequence numbers tell what an answer is about: batch->seq the transaction
 * itself, 1 + 2i the deletion of change i, 2 + 2i its addition.
 * 1, 0 if there is nothing to send, or -ENOMEM. */
static int build(struct nft_batch *batch, struct nft_change *const *changes, size_t n)
{
	uint32_t seq;
	int r;

	batch->seq += (uint32_t)(2 * n + 2);
	batch->len = batch->last_at = 0;
	r = append_bound(batch, NFNL_MSG_BATCH_BEGIN, batch->seq);
	for (size_t i = 0; !r && i < n; i++) {
		seq = batch->seq + 1 + (uint32_t)(2 * i);
		if (changes[i]->del)
			r = append_change(batch, changes[i], false, seq);
		if (!r && changes[i]->add)
			r = append_change(batch, changes[i], true, seq + 1);
	}
	if (r)
		return r;
	if (!batch->last_at)
		return 0;
	((struct nlmsghdr *)(void *)(batch->buf + batch->last_at))->nlmsg_flags |=
		NLM_F_ACK;
	r = append_bound(batch, NFNL_MSG_BATCH_END, batch->seq);
	return r ? r : 1;
}

static int transmit(struct nft_batch *batch)
{
	int fd = nl_socket_get_fd(batch->sock), size = (int)batch->len + 4096;
	ssize_t r;

	do {
		r = send(fd, batch->buf, batch->len, 0);
	} while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EMSGSIZE) {
		if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			return -errno;
		r = send(fd, batch->buf, batch->len, 0);
	}
	return r < 0 ? -errno : 0;
}

/* All answers are in the socket when send() is back. */
static struct outcome collect(struct nft_batch *batch, struct nft_change *const *changes,
			      size_t n)
{
	_Alignas(struct nlmsghdr) uint8_t buf[32768];
	struct outcome outcome = { 0 };

	for (;;) {
		ssize_t got = recv(nl_socket_get_fd(batch->sock), buf, sizeof(buf),
				   MSG_DONTWAIT);
		struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			if (errno != EAGAIN && !outcome.error)
				outcome.error = -errno;
			return outcome;
		}
		for (; nlmsg_ok(head, left); head = nlmsg_next(head, &left)) {
			const struct nlmsgerr *answer = nlmsg_data(head);

			if (head->nlmsg_type == NLMSG_ERROR &&
			    nlmsg_datalen(head) >= (int)sizeof(*answer))
				judge(changes, n, head->nlmsg_seq - batch->seq,
				      answer->error, &outcome);
		}
	}
}

static void judge(struct nft_change *const *changes, size_t n, uint32_t k, int error,
		  struct outcome *outcome)
{
	struct nft_change *change;

	if (k > 2 * n)
		return; /* of an earlier transaction */
	if (!error) {
		outcome->acked = true;
		return;
	}
	change = k ? changes[(k - 1) / 2] : NULL;
	if (change && k % 2 && error == -ENOENT && change->del) {
		change->del = false;
		outcome->again = true;
	} else if (change && !(k % 2) && error == -EEXIST && change->jump &&
		   !change->del) {
		change->del = true;
		outcome->again = true;
	} else if (!outcome->error) {
		outcome->error = error;
	}
}

static int append_bound(struct nft_batch *batch, uint16_t type, uint32_t seq)
{
	const struct nfgenmsg head = { .nfgen_family = AF_UNSPEC,
				       .version = NFNETLINK_V0,
				       .res_id = htobe16(NFNL_SUBSYS_NFTABLES) };

	return append(batch, message(type, NLM_F_REQUEST, seq, &head));
}

static int append_change(struct nft_batch *batch, const struct nft_change *change,
			 bool add, uint32_t seq)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_BRIDGE,
				       .version = NFNETLINK_V0 };
	uint16_t type = NFNL_SUBSYS_NFTABLES << 8 |
			(add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
	struct nl_msg *msg = message(
		type, (uint16_t)(NLM_F_REQUEST | (add ? NLM_F_CREATE : 0)), seq, &head);

	if (msg && put_element(msg, change, add) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	batch->last_at = batch->len;
	return append(batch, msg);
}

/* Takes the message over. */
static int append(struct nft_batch *batch, struct nl_msg *msg)
{
	size_t len;

	if (!msg)
		return -ENOMEM;
	len = NLMSG_ALIGN(nlmsg_hdr(msg)->nlmsg_len);
	if (batch->size - batch->len < len) {
		size_t size = batch->size ? 2 * batch->size : 16384;
		uint8_t *buf = realloc(batch->buf, size);

		if (!buf) {
			nlmsg_free(msg);
			return -ENOMEM;
		}
		batch->buf = buf;
		batch->size = size;
	}
	memcpy(batch->buf + batch->len, nlmsg_hdr(msg), len);
	batch->len += len;
	nlmsg_free(msg);
	return 0;
}

static struct nl_msg *message(uint16_t type, uint16_t flags, uint32_t seq,
			      const struct nfgenmsg *head)
{
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_SIZE);

	if (!msg)
		return NULL;
	if (nlmsg_put(msg, 0, seq, type, 0, flags) &&
	    !nlmsg_append(msg, (void *)(uintptr_t)head, sizeof(*head), NLMSG_ALIGNTO))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int put_element(struct nl_msg *msg, const struct nft_change *change, bool add)
{
	struct nlattr *list, *element, *key;
	uint64_t timeout;

	if (nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, NFT_KEY_TABLE) < 0 ||
	    nla_put_string(msg, NFTA_SET_ELEM_LIST_SET,
			   nft_key_set_name(change->key.set)) < 0)
		return -ENOMEM;
	list = nla_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = list ? nla_nest_start(msg, NFTA_LIST_ELEM) : NULL;
	key = element ? nla_nest_start(msg, NFTA_SET_ELEM_KEY) : NULL;
	if (!key || nla_put(msg, NFTA_DATA_VALUE, change->key.len, change->key.b) < 0)
		return -ENOMEM;
	nla_nest_end(msg, key);
	if (add && change->jump && put_jump(msg, change->jump) < 0)
		return -ENOMEM;
	if (add && change->timeout_ms < TIMEOUT_MAX_MS) {
		/* 0 would mean: none. */
		timeout = htobe64(
			(uint64_t)(change->timeout_ms > 0 ? change->timeout_ms : 1));
		if (nla_put(msg, NFTA_SET_ELEM_TIMEOUT, sizeof(timeout), &timeout) < 0)
			return -ENOMEM;
	}
	nla_nest_end(msg, element);
	nla_nest_end(msg, list);
	return 0;
}

static int put_jump(struct nl_msg *msg, const char *chain)
{
	struct nlattr *data = nla_nest_start(msg, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = data ? nla_nest_start(msg, NFTA_DATA_VERDICT) : NULL;

	if (!verdict ||
	    nla_put_u32(msg, NFTA_VERDICT_CODE, htobe32((uint32_t)NFT_JUMP)) < 0 ||
	    nla_put_string(msg, NFTA_VERDICT_CHAIN, chain) < 0)
		return -ENOMEM;
	nla_nest_end(msg, verdict);
	nla_nest_end(msg, data);
	return 0;
}
