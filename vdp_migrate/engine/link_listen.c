/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The name @vdp-migrate: taken as root, before the engine gives root up, or found to
 * be somebody else's.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "link_server.h"
#include "vdp_migrate/protocol.h"

static socklen_t make_name(struct sockaddr_un *ret_name);

int link_server_listen(void)
{
	struct sockaddr_un name;
	socklen_t len = make_name(&name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&name, len) && !listen(fd, 16))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

const char *link_server_holder(char *ret_text, size_t size)
{
	struct sockaddr_un name;
	socklen_t len = make_name(&name);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t peer_len = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&name, len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len))
		snprintf(ret_text, size, "by whom is not to be found out");
	else
		snprintf(ret_text, size, "%s (pid %d, uid %u)",
			 peer.uid ? "by a program that is not root's: end it"
				  : "an engine runs already",
			 (int)peer.pid, peer.uid);
	if (fd >= 0)
		close(fd);
	return ret_text;
}

static socklen_t make_name(struct sockaddr_un *ret_name)
{
	*ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_name->sun_path + 1, VDP_MIGRATE_SOCKET, strlen(VDP_MIGRATE_SOCKET));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   strlen(VDP_MIGRATE_SOCKET));
}
