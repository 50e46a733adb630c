/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams are taken by recv() and walked here, not by libnl's receive machinery: that
 * one copies each message and allocates for it. An answer to a request is in the queue
 * when sendmsg() returns, so nothing waits but for the kernel's lock.
 */
#include "rtnetlink.h"

#include <errno.h>
#include <netlink/socket.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define RCVBUF (1 << 20)
#define DATAGRAM_MAX 65536

static int receive(struct nl_sock *sock, int flags, rtnetlink_cb cb, void *arg);

int rtnetlink_open(struct nl_sock **ret_sock, bool watches)
{
	struct nl_sock *sock = nl_socket_alloc();
	int size = RCVBUF, fd;

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_ROUTE) < 0) {
		int err = errno ? -errno : -EIO;

		nl_socket_free(sock);
		return err;
	}
	fd = nl_socket_get_fd(sock);
	if (watches &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*ret_sock = sock;
	return 0;
}

int rtnetlink_dump(struct nl_sock *sock, int type, void *head, size_t size,
		   rtnetlink_cb cb, void *arg)
{
	int r;

	if (nl_send_simple(sock, type, NLM_F_DUMP, head, size) < 0)
		return -EIO;
	do {
		r = receive(sock, 0, cb, arg);
	} while (!r);
	return r == 1 ? 0 : r;
}

int rtnetlink_request(struct nl_sock *sock, struct nl_msg *msg, rtnetlink_cb cb,
		      void *arg)
{
	int r;

	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	if (nl_send_auto(sock, msg) < 0)
		return -EIO;
	do {
		r = receive(sock, 0, cb, arg);
	} while (!r);
	return r == 1 ? 0 : r;
}

int rtnetlink_dispatch(struct nl_sock *sock, rtnetlink_cb cb, void *arg)
{
	int r;

	do {
		r = receive(sock, MSG_DONTWAIT, cb, arg);
	} while (!r);
	return r == -ENOBUFS ? r : 0;
}

/* One datagram. 0, 1 at the end of a dump or of a change that is done, or -errno. */
static int receive(struct nl_sock *sock, int flags, rtnetlink_cb cb, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[DATAGRAM_MAX];
	ssize_t got = recv(nl_socket_get_fd(sock), buf, sizeof(buf), flags);
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
	int left = (int)got;

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (; nlmsg_ok(head, left); head = nlmsg_next(head, &left)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type == NLMSG_ERROR) {
			int err = ((const struct nlmsgerr *)nlmsg_data(head))->error;

			return err ? err : 1;
		}
		if (cb)
			cb(arg, head);
	}
	return 0;
}
