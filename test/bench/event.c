/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * New elements of the guard's set b4u: their key is port (16 octets), MAC (6 and 2),
 * address (4). The VSI's number is the end of the MAC. What wakes us for nothing is
 * filtered: the end of a transaction, and what is added to the set of announced MACs
 * alone.
 */
#include "event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TYPE(what) (NFNL_SUBSYS_NFTABLES << 8 | (what))
#define AT_SET_NAME 40	/* behind the table's name, "vdp_migrate" */
#define KEY_LEN 28
#define AT_KEY_MAC 16
#define RCVBUF (4 << 20)

struct walk {
	const uint8_t *p;
	size_t left;
};

static int filter(int fd);
static void elements(const struct nlmsghdr *head, int64_t at, event_cb cb, void *arg);
static const uint8_t *next(struct walk *walk, uint16_t *ret_type, size_t *ret_len);
static struct walk inside(const uint8_t *p, size_t len, uint16_t type);

int event_open(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES, size = RCVBUF, r;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_NETFILTER);

	if (fd < 0)
		return -errno;
	r = filter(fd);
	if (!r && (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
		   bind(fd, (const void *)&any, sizeof(any)) ||
		   setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			      sizeof(group))))
		r = -errno;
	if (!r)
		return fd;
	close(fd);
	return r;
}

int event_dispatch(int fd, event_cb cb, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[65536];

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *head = (const void *)buf;
		struct timespec now;
		size_t left = (size_t)n;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		clock_gettime(CLOCK_REALTIME, &now);
		while (left >= sizeof(*head) && head->nlmsg_len >= sizeof(*head) &&
		       head->nlmsg_len <= left) {
			size_t len = NLMSG_ALIGN(head->nlmsg_len);

			if (head->nlmsg_type == TYPE(NFT_MSG_NEWSETELEM))
				elements(head, now.tv_sec * 1000000000LL + now.tv_nsec,
					 cb, arg);
			left -= len < left ? len : left;
			head = (const void *)((const uint8_t *)head + len);
		}
	}
}

/* Host byte order in the netlink header, and BPF loads big endian. */
static int filter(int fd)
{
	struct sock_filter code[] = {
		/* 0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		/* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				 htons(TYPE(NFT_MSG_NEWSETELEM)), 0, 5),
		/* 2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_SET_NAME),
		/* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6d616373 /* macs */, 0, 2),
		/* 4 */ BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		/* 5 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 128, 0, 1),
		/* 6 */ BPF_STMT(BPF_RET | BPF_K, 0xffff),
		/* 7 */ BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

static void elements(const struct nlmsghdr *head, int64_t at, event_cb cb, void *arg)
{
	struct walk message = { (const uint8_t *)head + NLMSG_HDRLEN + 4,
				head->nlmsg_len - NLMSG_HDRLEN - 4 };
	struct walk list = inside(message.p, message.left, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct walk set = inside(message.p, message.left, NFTA_SET_ELEM_LIST_SET);
	const uint8_t *element;
	uint16_t type;
	size_t len;

	if (set.left < 4 || memcmp(set.p, "b4u", 4))
		return;
	while ((element = next(&list, &type, &len))) {
		struct walk key = inside(element, len, NFTA_SET_ELEM_KEY);
		struct walk value = inside(key.p, key.left, NFTA_DATA_VALUE);
		const uint8_t *mac = value.p + AT_KEY_MAC;

		if (value.left == KEY_LEN)
			cb(arg, (uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 |
					(uint32_t)mac[4] << 8 | mac[5],
			   at);
	}
}

static const uint8_t *next(struct walk *walk, uint16_t *ret_type, size_t *ret_len)
{
	const uint8_t *p = walk->p;
	struct nlattr attr;
	size_t whole;

	if (walk->left < sizeof(attr))
		return NULL;
	memcpy(&attr, p, sizeof(attr));
	whole = NLA_ALIGN(attr.nla_len);
	if (attr.nla_len < sizeof(attr) || attr.nla_len > walk->left)
		return NULL;
	walk->left -= whole < walk->left ? whole : walk->left;
	walk->p += whole;
	*ret_type = (uint16_t)(attr.nla_type & 0x3fff);	/* without flags */
	*ret_len = attr.nla_len - sizeof(attr);
	return p + sizeof(attr);
}

/* What the first attribute of this type holds; nothing where there is none. */
static struct walk inside(const uint8_t *p, size_t len, uint16_t type)
{
	struct walk walk = { p, len };
	const uint8_t *value;
	uint16_t found;
	size_t value_len;

	while ((value = next(&walk, &found, &value_len)))
		if (found == type)
			return (struct walk){ value, value_len };
	return (struct walk){ NULL, 0 };
}
