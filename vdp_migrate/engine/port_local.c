/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bound to the bridges themselves: such a socket costs the traffic of the ports
 * nothing, and sees what goes out by the bridge's own interface (and by VLAN interfaces
 * on top of it, which hand their frames to it).
 */
#include "port_local.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct one {
	uint32_t ifindex;
	bool seen;
	struct port_socket *socket;
};

struct port_local {
	int epoll;
	unsigned n;
	struct one one[PORT_LOCAL_MAX];
	struct port_socket_counts gone; /* of those let go */
};

static void add(struct port_socket_counts *sum, struct port_socket *socket);

int port_local_new(struct port_local **ret_local)
{
	struct port_local *local = calloc(1, sizeof(*local));

	if (!local)
		return -ENOMEM;
	local->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (local->epoll < 0) {
		free(local);
		return -errno;
	}
	*ret_local = local;
	return 0;
}

void port_local_free(struct port_local *local)
{
	if (!local)
		return;
	for (unsigned i = 0; i < local->n; i++)
		port_socket_free(local->one[i].socket);
	close(local->epoll);
	free(local);
}

void port_local_begin(struct port_local *local)
{
	for (unsigned i = 0; i < local->n; i++)
		local->one[i].seen = false;
}

int port_local_bridge(struct port_local *local, uint32_t ifindex)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = ifindex };
	struct one *new = &local->one[local->n];
	int r;

	for (unsigned i = 0; i < local->n; i++) {
		if (local->one[i].ifindex != ifindex)
			continue;
		local->one[i].seen = true;
		return 0;
	}
	if (local->n == PORT_LOCAL_MAX)
		return -EMFILE;
	*new = (struct one){ .ifindex = ifindex, .seen = true };
	r = port_socket_new_local(ifindex, &new->socket);
	if (r < 0)
		return r;
	r = port_socket_fd(new->socket);
	if (epoll_ctl(local->epoll, EPOLL_CTL_ADD, r, &event) < 0) {
		r = -errno;
		port_socket_free(new->socket);
		return r;
	}
	local->n++;
	return 0;
}

void port_local_end(struct port_local *local)
{
	for (unsigned i = 0; i < local->n;) {
		struct one *one = &local->one[i];

		if (one->seen) {
			i++;
			continue;
		}
		add(&local->gone, one->socket);
		port_socket_free(one->socket);
		*one = local->one[--local->n];
	}
}

int port_local_fd(const struct port_local *local)
{
	return local->epoll;
}

void port_local_dispatch(struct port_local *local, port_socket_cb cb, void *arg)
{
	struct epoll_event events[16];
	int n = epoll_wait(local->epoll, events, 16, 0);

	for (int i = 0; i < n; i++)
		for (unsigned j = 0; j < local->n; j++)
			if (local->one[j].ifindex == events[i].data.u32)
				port_socket_dispatch(local->one[j].socket, cb, arg);
}

struct port_socket_counts port_local_counts(struct port_local *local)
{
	struct port_socket_counts sum = local->gone;

	for (unsigned i = 0; i < local->n; i++)
		add(&sum, local->one[i].socket);
	return sum;
}

static void add(struct port_socket_counts *sum, struct port_socket *socket)
{
	const struct port_socket_counts *counts = port_socket_counts(socket);

	sum->frames += counts->frames;
	sum->odd += counts->odd;
	sum->lost += counts->lost;
}
