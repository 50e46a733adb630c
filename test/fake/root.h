/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests with sockets: a network namespace of their own (abstract socket names
 * belong to one), as root, which is made by a user namespace where the test is run
 * by somebody else; and a listener there.
 */
#ifndef FAKE_ROOT_H
#define FAKE_ROOT_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* False: not possible here. */
static inline bool fake_root(void)
{
	char map[64];
	bool done;
	int fd;

	if (geteuid() == 0)
		return !unshare(CLONE_NEWNET);
	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, map, strlen(map)) > 0;
	close(fd);
	return done;
}

/* A listening SOCK_SEQPACKET socket of an abstract name, or -1. */
static inline int fake_listen(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    strlen(name));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path + 1, name, strlen(name));
	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&addr, len) && !listen(fd, 5))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

#endif
