/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bound to giaddr itself, with SO_REUSEADDR: beside a relay on 0.0.0.0:67 the more
 * specific socket gets the reply (and what else is sent to that address: so ask
 * lq_socket_port67_free() before a giaddr is taken that somebody may use).
 * No IP_RECVERR: a pending error of one server would make the next send, to
 * another server, fail and be lost. What a reply is worth is not decided here.
 */
#include "lq_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/text.h"

#define DHCP_SERVER_PORT 67 /* RFC 2131 4.1; RFC 4388 6.4: replies go to giaddr:67 */
/* A server answers in one burst what it was asked in one: 16 outstanding of
 * several servers, and 1.3 kB of accounting for each datagram. */
#define RCVBUF (256 << 10)
#define MESSAGE_MAX 1500
/* Read at most so many from one socket before the loop goes on. */
#define BURST 256

struct one {
	int fd;
	struct addr giaddr;
};

struct lq_socket {
	int epoll;
	unsigned n;
	struct one one[LQ_SOCKET_MAX];
	struct lq_socket_counts counts;
};

static int open_for(struct lq_socket *sockets, const struct addr *giaddr, int *ret_fd);
static int bound(const struct addr *giaddr);
static void drain(struct lq_socket *sockets, const struct one *one, lq_socket_cb cb,
		  void *arg);
static bool table_free(const struct lq_socket *sockets, const char *path);
static bool is_own(const struct lq_socket *sockets, unsigned long inode);
static struct sockaddr_in server_address(const struct addr *addr);

int lq_socket_new(struct lq_socket **ret_sockets)
{
	struct lq_socket *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return -ENOMEM;
	sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sockets->epoll < 0) {
		free(sockets);
		return -errno;
	}
	*ret_sockets = sockets;
	return 0;
}

void lq_socket_free(struct lq_socket *sockets)
{
	if (!sockets)
		return;
	for (unsigned i = 0; i < sockets->n; i++)
		close(sockets->one[i].fd);
	close(sockets->epoll);
	free(sockets);
}

int lq_socket_send(struct lq_socket *sockets, const struct addr *giaddr,
		   const struct addr *server, const uint8_t *msg, size_t len)
{
	struct sockaddr_in to = server_address(server);
	int fd = -1, r;

	if (giaddr->family != ADDR_IPV4 || server->family != ADDR_IPV4)
		return -EAFNOSUPPORT;
	r = open_for(sockets, giaddr, &fd);
	if (!r && sendto(fd, msg, len, MSG_DONTWAIT, (const void *)&to, sizeof(to)) < 0)
		r = -errno;
	if (r < 0)
		sockets->counts.send_errors++;
	else
		sockets->counts.sent++;
	return r;
}

int lq_socket_open(struct lq_socket *sockets, const struct addr *giaddr)
{
	int fd;

	return giaddr->family == ADDR_IPV4 ? open_for(sockets, giaddr, &fd) : -EAFNOSUPPORT;
}

void lq_socket_close(struct lq_socket *sockets, const struct addr *giaddr)
{
	struct epoll_event event = { .events = EPOLLIN };

	for (unsigned i = 0; i < sockets->n; i++) {
		if (!addr_equal(&sockets->one[i].giaddr, giaddr))
			continue;
		close(sockets->one[i].fd);
		sockets->one[i] = sockets->one[--sockets->n];
		event.data.u32 = i;
		if (i < sockets->n)
			(void)epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, sockets->one[i].fd,
					&event);
		return;
	}
}

int lq_socket_fd(const struct lq_socket *sockets)
{
	return sockets->epoll;
}

void lq_socket_dispatch(struct lq_socket *sockets, lq_socket_cb cb, void *arg)
{
	struct epoll_event events[LQ_SOCKET_MAX];
	int n = epoll_wait(sockets->epoll, events, LQ_SOCKET_MAX, 0);

	for (int i = 0; i < n; i++)
		drain(sockets, &sockets->one[events[i].data.u32], cb, arg);
}

const struct lq_socket_counts *lq_socket_counts(const struct lq_socket *sockets)
{
	return &sockets->counts;
}

bool lq_socket_holds(const struct lq_socket *sockets, const struct addr *giaddr)
{
	for (unsigned i = 0; i < sockets->n; i++)
		if (!memcmp(&sockets->one[i].giaddr, giaddr, sizeof(*giaddr)))
			return true;
	return false;
}

bool lq_socket_port67_free(const struct lq_socket *sockets)
{
	return table_free(sockets, "/proc/self/net/udp") &&
	       table_free(sockets, "/proc/self/net/udp6");
}

static int open_for(struct lq_socket *sockets, const struct addr *giaddr, int *ret_fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd;

	for (unsigned i = 0; i < sockets->n; i++) {
		if (!memcmp(&sockets->one[i].giaddr, giaddr, sizeof(*giaddr))) {
			*ret_fd = sockets->one[i].fd;
			return 0;
		}
	}
	if (sockets->n == LQ_SOCKET_MAX)
		return -EMFILE;
	fd = bound(giaddr);
	if (fd < 0)
		return fd;
	event.data.u32 = sockets->n;
	if (epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	sockets->one[sockets->n++] = (struct one){ .fd = fd, .giaddr = *giaddr };
	*ret_fd = fd;
	return 0;
}

static int bound(const struct addr *giaddr)
{
	struct sockaddr_in own = server_address(giaddr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, size = RCVBUF, r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const void *)&own, sizeof(own)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static void drain(struct lq_socket *sockets, const struct one *one, lq_socket_cb cb,
		  void *arg)
{
	for (int i = 0; i < BURST; i++) {
		uint8_t msg[MESSAGE_MAX];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		struct addr server = { .family = ADDR_IPV4 };
		ssize_t len =
			recvfrom(one->fd, msg, sizeof(msg), MSG_DONTWAIT | MSG_TRUNC,
				 (void *)&from, &from_len);

		if (len < 0 && errno != EINTR)
			return;
		if (len < 0)
			continue;
		sockets->counts.received++;
		if ((size_t)len > sizeof(msg)) {
			sockets->counts.too_long++;
			continue;
		}
		if (ntohs(from.sin_port) != DHCP_SERVER_PORT)
			sockets->counts.other_port++;
		memcpy(server.b, &from.sin_addr, 4);
		cb(arg, &one->giaddr, &server, ntohs(from.sin_port), msg, (size_t)len);
	}
}

/* Lines like "  12: 0100007F:0043 00000000:0000 07 … uid timeout inode". Where the
 * table cannot be read, say no: a giaddr must then be configured. No table of
 * IPv6 (no such protocol here) is an empty one. */
static bool table_free(const struct lq_socket *sockets, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool is_free = true;

	if (!file)
		return errno == ENOENT && strstr(path, "udp6");
	while (is_free && fgets(line, sizeof(line), file)) {
		unsigned port;
		unsigned long inode;

		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu",
			   &port, &inode) == 2 &&
		    port == DHCP_SERVER_PORT && !is_own(sockets, inode))
			is_free = false;
	}
	fclose(file);
	return is_free;
}

static bool is_own(const struct lq_socket *sockets, unsigned long inode)
{
	struct stat st;

	for (unsigned i = 0; sockets && i < sockets->n; i++)
		if (!fstat(sockets->one[i].fd, &st) && st.st_ino == inode)
			return true;
	return false;
}

static struct sockaddr_in server_address(const struct addr *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(DHCP_SERVER_PORT) };

	memcpy(&in.sin_addr, addr->b, 4);
	return in;
}
