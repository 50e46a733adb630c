/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GETSETELEM: a dump of a set, several messages of several elements each. The
 * kernel marks a dump during which the tables have changed: then it is made
 * again, a few times. It does not mark one during which the set's hash table grew
 * (soon after many additions): it walks the table anew for each message and passes
 * over as many as it has told, so that of N places some are told twice and as many
 * never. An element that is there twice thus gives it away.
 */
#include "nft_dump.h"

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
#include <time.h>

#define TRIES 20
#define PAUSE_NS 2000000 /* between two: the table grows meanwhile */

struct dump {
	enum nft_key_set set;
	struct nft_dump_element *elements;
	size_t n, size;
	bool end, interrupted;
	int error;
};

static int dump_once(struct nl_sock *sock, struct dump *dump);
static bool sort_unique(struct dump *dump);
static int compare(const void *a, const void *b);
static int request(struct nl_sock *sock, enum nft_key_set set, uint32_t seq);
static int receive(struct nl_sock *sock, uint32_t seq, struct dump *dump);
static void take_message(struct nlmsghdr *head, struct dump *dump);
static void take_element(struct nlattr *attr, struct dump *dump);
static void take_chain(struct nlattr *data, struct nft_dump_element *ret_element);
static void take_counter(struct nlattr *expr, struct nft_dump_element *ret_element);

int nft_dump(struct nl_sock *sock, enum nft_key_set set,
	     struct nft_dump_element **ret_elements, size_t *ret_n)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct dump dump = { .set = set };
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		r = dump_once(sock, &dump);
		if (r || (sort_unique(&dump) && !dump.interrupted))
			break;
		nanosleep(&pause, NULL);
	}
	if (r) {
		free(dump.elements);
		return r;
	}
	*ret_elements = dump.elements;
	*ret_n = dump.n;
	return 0;
}

static int dump_once(struct nl_sock *sock, struct dump *dump)
{
	uint32_t seq = nl_socket_use_seq(sock);
	int r;

	dump->n = 0;
	dump->end = dump->interrupted = false;
	r = request(sock, dump->set, seq);
	while (!r && !dump->end)
		r = receive(sock, seq, dump);
	return r;
}

/* False: there were equal ones. */
static bool sort_unique(struct dump *dump)
{
	size_t n = 0;
	bool unique;

	if (!dump->n)
		return true;
	qsort(dump->elements, dump->n, sizeof(*dump->elements), compare);
	for (size_t i = 1; i < dump->n; i++)
		if (compare(&dump->elements[n], &dump->elements[i]))
			dump->elements[++n] = dump->elements[i];
	unique = n + 1 == dump->n;
	dump->n = n + 1;
	return unique;
}

static int compare(const void *a, const void *b)
{
	const struct nft_dump_element *one = a, *other = b;

	return memcmp(&one->key, &other->key, sizeof(one->key));
}

static int request(struct nl_sock *sock, enum nft_key_set set, uint32_t seq)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_BRIDGE,
				       .version = NFNETLINK_V0 };
	struct nl_msg *msg = nlmsg_alloc_size(256);
	int r = -ENOMEM;

	if (!msg)
		return r;
	if (nlmsg_put(msg, NL_AUTO_PORT, seq,
		      NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0,
		      NLM_F_REQUEST | NLM_F_DUMP) &&
	    !nlmsg_append(msg, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) &&
	    !nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, NFT_KEY_TABLE) &&
	    !nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, nft_key_set_name((uint8_t)set))) {
		r = send(nl_socket_get_fd(sock), nlmsg_hdr(msg),
			 nlmsg_hdr(msg)->nlmsg_len, 0) < 0
			    ? -errno
			    : 0;
	}
	nlmsg_free(msg);
	return r;
}

static int receive(struct nl_sock *sock, uint32_t seq, struct dump *dump)
{
	_Alignas(struct nlmsghdr) uint8_t buf[65536];
	ssize_t got = recv(nl_socket_get_fd(sock), buf, sizeof(buf), 0);
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
	int left = (int)got;

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (; nlmsg_ok(head, left); head = nlmsg_next(head, &left)) {
		if (head->nlmsg_seq != seq)
			continue;
		if (head->nlmsg_flags & NLM_F_DUMP_INTR)
			dump->interrupted = true;
		if (head->nlmsg_type == NLMSG_DONE)
			dump->end = true;
		else if (head->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)nlmsg_data(head))->error;
		else
			take_message(head, dump);
	}
	return dump->error;
}

static void take_message(struct nlmsghdr *head, struct dump *dump)
{
	struct nlattr *list = nlmsg_find_attr(head, sizeof(struct nfgenmsg),
					      NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element;
	int left;

	if (!list)
		return;
	nla_for_each_nested(element, list, left)
		take_element(element, dump);
}

static void take_element(struct nlattr *attr, struct dump *dump)
{
	struct nlattr *a[NFTA_SET_ELEM_MAX + 1], *value;
	struct nft_dump_element element = { .left_ms = MS_NEVER };
	struct nft_dump_element *more;
	uint64_t ms;

	if (nla_parse_nested(a, NFTA_SET_ELEM_MAX, attr, NULL) < 0 ||
	    !a[NFTA_SET_ELEM_KEY])
		return;
	value = nla_find(nla_data(a[NFTA_SET_ELEM_KEY]), nla_len(a[NFTA_SET_ELEM_KEY]),
			 NFTA_DATA_VALUE);
	if (!value || !nft_key_from((uint8_t)dump->set, nla_data(value),
				    (size_t)nla_len(value), &element.key))
		return;
	if (a[NFTA_SET_ELEM_EXPIRATION] && nla_len(a[NFTA_SET_ELEM_EXPIRATION]) >= 8) {
		memcpy(&ms, nla_data(a[NFTA_SET_ELEM_EXPIRATION]), sizeof(ms));
		element.left_ms = (ms_t)be64toh(ms);
	}
	if (a[NFTA_SET_ELEM_DATA])
		take_chain(a[NFTA_SET_ELEM_DATA], &element);
	if (a[NFTA_SET_ELEM_EXPR])
		take_counter(a[NFTA_SET_ELEM_EXPR], &element);
	if (dump->n == dump->size) {
		size_t size = dump->size ? 2 * dump->size : 64;

		more = realloc(dump->elements, size * sizeof(*more));
		if (!more) {
			dump->error = -ENOMEM;
			return;
		}
		dump->elements = more;
		dump->size = size;
	}
	dump->elements[dump->n++] = element;
}

static void take_chain(struct nlattr *data, struct nft_dump_element *ret_element)
{
	struct nlattr *verdict =
		nla_find(nla_data(data), nla_len(data), NFTA_DATA_VERDICT);
	struct nlattr *chain = verdict ? nla_find(nla_data(verdict), nla_len(verdict),
						  NFTA_VERDICT_CHAIN)
				       : NULL;

	if (chain)
		nla_strlcpy(ret_element->chain, chain, sizeof(ret_element->chain));
}

static void take_counter(struct nlattr *expr, struct nft_dump_element *ret_element)
{
	struct nlattr *data = nla_find(nla_data(expr), nla_len(expr), NFTA_EXPR_DATA);
	struct nlattr *packets =
		data ? nla_find(nla_data(data), nla_len(data), NFTA_COUNTER_PACKETS)
		     : NULL;
	uint64_t n;

	if (!packets || nla_len(packets) < (int)sizeof(n))
		return;
	memcpy(&n, nla_data(packets), sizeof(n));
	ret_element->packets = be64toh(n);
}
