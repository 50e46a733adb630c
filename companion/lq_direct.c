/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leasequery without the engine, by the same client (vdp_migrate/leasequery.h).
 * Replies go to giaddr:67 (RFC 4388 6.4), and so would those to a relay on that
 * address while our socket is open: without --giaddr none is taken that somebody may
 * live on.
 */
#include "lq_direct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DHCP_SERVER_PORT 67
#define MESSAGE_MAX 1500

struct direct {
	int fd;
	struct addr giaddr;
	struct lq_replies *replies;
	bool done;
};

static const struct lq_ops ops;
static int own_address(const struct addr *server, struct addr *ret_addr);
static bool port67_taken(void);
static int open_on(const struct addr *giaddr);
static void run(struct direct *direct, struct lq *lq, ms_t end);
static void receive(struct direct *direct, struct lq *lq);
static struct sockaddr_in with_port(const struct addr *addr);
static ms_t now_ms(void);

int lq_direct(const struct lq_question *asked, unsigned timeout_ms,
	      struct lq_replies *replies, const char **ret_why)
{
	struct direct direct = { .replies = replies };
	struct lq_question question = *asked;
	struct lq *lq;
	int err;

	if (!question.giaddr.family) {
		*ret_why = "another program on this machine holds UDP port 67: say --giaddr, "
			   "an address of this machine that it does not use";
		if (port67_taken())
			return -EADDRINUSE;
		*ret_why = "no route to the server: say --giaddr";
		err = own_address(&question.servers[0], &question.giaddr);
		if (err)
			return err;
	}
	direct.giaddr = question.giaddr;
	direct.fd = open_on(&question.giaddr);
	*ret_why = "UDP port 67 of giaddr cannot be opened";
	if (direct.fd < 0)
		return direct.fd;
	lq = lq_new(&ops, &direct);
	*ret_why = "this cannot be asked by leasequery";
	err = lq ? lq_ask(lq, now_ms(), &question) : -ENOMEM;
	if (!err)
		run(&direct, lq, now_ms() + timeout_ms);
	lq_free(lq);
	close(direct.fd);
	return err;
}

/* Statics. */

static int own_address(const struct addr *server, struct addr *ret_addr)
{
	struct sockaddr_in to = with_port(server), own;
	socklen_t len = sizeof(own);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)&to, sizeof(to)) ||
	    getsockname(fd, (void *)&own, &len))
		err = -errno;
	close(fd);
	if (err)
		return err;
	*ret_addr = (struct addr){ .family = ADDR_IPV4 };
	memcpy(ret_addr->b, &own.sin_addr, 4);
	return 0;
}

/* "  12: 0100007F:0043 …": the local address ends with the port. What cannot be read
 * counts as taken. */
static bool port67_taken(void)
{
	FILE *table = fopen("/proc/self/net/udp", "re");
	bool taken = false;
	char line[256];

	if (!table)
		return true;
	while (fgets(line, sizeof(line), table)) {
		const char *colon = strchr(line, ':');

		colon = colon ? strchr(colon + 1, ':') : NULL;
		if (colon && strtoul(colon + 1, NULL, 16) == DHCP_SERVER_PORT)
			taken = true;
	}
	fclose(table);
	return taken;
}

static int open_on(const struct addr *giaddr)
{
	struct sockaddr_in own = with_port(giaddr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, err;

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, (const void *)&own, sizeof(own)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void run(struct direct *direct, struct lq *lq, ms_t end)
{
	for (ms_t now; !direct->done && (now = now_ms()) < end;) {
		ms_t due = lq_deadline(lq) < end ? lq_deadline(lq) : end;
		struct pollfd readable = { .fd = direct->fd, .events = POLLIN };

		if (due <= now)
			lq_tick(lq, now);
		else if (poll(&readable, 1, (int)(due - now)) > 0)
			receive(direct, lq);
	}
}

static void receive(struct direct *direct, struct lq *lq)
{
	struct addr server = { .family = ADDR_IPV4 };
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t msg[MESSAGE_MAX];
	ssize_t len = recvfrom(direct->fd, msg, sizeof(msg), MSG_TRUNC, (void *)&from,
			       &from_len);

	if (len < 0 || (size_t)len > sizeof(msg))
		return;
	memcpy(server.b, &from.sin_addr, 4);
	(void)lq_input(lq, now_ms(), &direct->giaddr, &server, msg, (size_t)len);
}

static int send_to(void *arg, const struct addr *giaddr, const struct addr *server,
		   const uint8_t *msg, size_t len)
{
	const struct direct *direct = arg;
	const struct sockaddr_in to = with_port(server);

	(void)giaddr;
	return sendto(direct->fd, msg, len, 0, (const void *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static void take(void *arg, const struct lq_answer *answer)
{
	struct direct *direct = arg;

	lq_replies_add(direct->replies, answer);
	direct->done = answer->last;
}

static void back(void *arg, const struct addr *server)
{
	(void)arg;
	(void)server;
}

static uint32_t random_bits(void *arg)
{
	uint32_t bits;

	(void)arg;
	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		bits = (uint32_t)now_ms() * 2654435761u;
	return bits;
}

static const struct lq_ops ops = {
	.send = send_to, .answer = take, .back = back, .random = random_bits,
};

static struct sockaddr_in with_port(const struct addr *addr)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT),
	};

	memcpy(&sin.sin_addr, addr->b, 4);
	return sin;
}

static ms_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
