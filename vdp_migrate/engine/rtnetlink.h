/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink over libnl-3, as far as the engine speaks it: ask for a dump, ask for one
 * change, take what the kernel tells by itself. What the messages say is the callers'.
 */
#ifndef ENGINE_RTNETLINK_H
#define ENGINE_RTNETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>

typedef void (*rtnetlink_cb)(void *arg, struct nlmsghdr *head);

/* A connected socket; nl_socket_free() ends it. watches: what the kernel tells comes in
 * here, so its buffer is large. 0 or -errno. */
int rtnetlink_open(struct nl_sock **ret_sock, bool watches);

/* All that there is, head is the question behind the netlink header. 0 or -errno. */
int rtnetlink_dump(struct nl_sock *sock, int type, void *head, size_t size,
		   rtnetlink_cb cb, void *arg);
/* One question or change; cb (may be NULL) takes the answer. 0 or -errno as the kernel
 * says. Not on a socket that watches. */
int rtnetlink_request(struct nl_sock *sock, struct nl_msg *msg, rtnetlink_cb cb,
		      void *arg);
/* What has come in, without waiting. 0, or -ENOBUFS: some were lost, what comes next is
 * older than a dump. */
int rtnetlink_dispatch(struct nl_sock *sock, rtnetlink_cb cb, void *arg);

#endif
