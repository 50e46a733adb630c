/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's socket with any clients: the input is datagrams for up to four
 * connections, each: whose (2 bits; bit 2: then close it), length (2), octets. Questions
 * are answered, and each message of a module is an event to those who watch. No client
 * may bring the server down or keep a place.
 */
#include "engine/link_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/log.h"
#include "engine/sandbox.h"
#include "wire/rd.h"

#define CLIENTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ev_loop *loop;
static struct link_server *server;
static struct sockaddr_un name;
static socklen_t name_len;

/* In the place of log.c and sandbox.c. */
void log_line(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

bool sandbox_may_control(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
	return true;
}

static void module_msg(void *arg, const struct link_msg *msg)
{
	const char *const event[] = { msg->type == LINK_PORT ? msg->u.port.name : "?" };

	(void)arg;
	link_server_tell(server, event, 1);
}

static void module_gone(void *arg)
{
	(void)arg;
}

static void show(void *arg, struct link_client *client, const struct link_show *wanted)
{
	const char *const row[] = { wanted->table };

	(void)arg;
	link_head(client, wanted->seq, row, 1);
	link_row(client, wanted->seq, row, 1);
	link_done(client, wanted->seq, 0, "");
}

static void watch(void *arg, struct link_client *client, uint32_t seq)
{
	(void)arg;
	link_server_watch(client, seq);
}

static void bind_static(void *arg, struct link_client *client, bool in,
			const struct link_bind *what)
{
	(void)arg;
	link_done(client, what->seq, in ? 0 : ENOENT, what->port);
}

static void ask(void *arg, struct link_client *client, const struct link_ask *wanted)
{
	(void)arg;
	link_done(client, wanted->seq, EINVAL, "");
}

static const struct link_server_ops ops = {
	.module_msg = module_msg, .module_gone = module_gone, .show = show,
	.bind = bind_static, .watch = watch, .ask = ask,
};

static void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
	link_server_flush(server);
	link_server_flush_told(server);
}

static void start(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	name.sun_family = AF_UNIX;
	name_len = sizeof(name);
	/* A name that the kernel chooses. */
	if (bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&name, &name_len))
		abort();
	loop = ev_loop_new(0);
	server = link_server_new(loop, fd, &ops, NULL);
	if (!server)
		abort();
}

static int connected(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&name, name_len))
		abort();
	return fd;
}

static void drain(int fd)
{
	static uint8_t b[LINK_DATAGRAM_MAX];

	while (recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd[CLIENTS] = { -1, -1, -1, -1 };
	struct rd r = rd_new(data, size, 0);

	if (!server)
		start();
	while (rd_ok(&r) && rd_left(&r)) {
		uint8_t what = rd_u8(&r, "what");
		uint16_t len = rd_u16(&r, "length");
		const uint8_t *octets = rd_bytes(&r, len, "octets");
		int *one = &fd[what & 3];

		if (!octets || !len)
			continue;
		if (*one < 0)
			*one = connected();
		send(*one, octets, len, MSG_NOSIGNAL);
		turn();
		if (what & 4) {
			close(*one);
			*one = -1;
			turn();
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		if (fd[i] >= 0) {
			drain(fd[i]);
			close(fd[i]);
		}
	turn();
	turn();
	if (link_server_watched(server) || link_server_has_module(server))
		abort();
	return 0;
}
