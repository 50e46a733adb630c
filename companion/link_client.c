/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The companion's end of @vdp-migrate. Blocks, but never longer than ten seconds
 * without a word from the engine, unless it is to have patience. Knows nothing of
 * what is asked.
 */
#include "link_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vdp_migrate/protocol.h"
#include "wire/linkmsg.h"

#define USUAL_MS 10000

static int connect_to_engine(int fd, unsigned ms);
static int send_msg(int fd, const struct link_msg *msg);
static int shake_hands(int fd);
static struct link_msg hello(void);

int link_client_connect(void)
{
	return link_client_connect_within(USUAL_MS);
}

int link_client_connect_within(unsigned ms)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = connect_to_engine(fd, ms);
	if (!err)
		err = shake_hands(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int link_client_tell(const struct link_msg *msgs, unsigned n)
{
	const struct link_msg first = hello();
	uint8_t b[LINK_DATAGRAM_MAX];
	struct wr wr = wr_new(b, sizeof(b));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool fits = linkmsg_put(&wr, &first);
	int err;

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < n; i++)
		fits = fits && linkmsg_put(&wr, &msgs[i]);
	err = fits ? connect_to_engine(fd, USUAL_MS) : -EMSGSIZE;
	if (!err && send(fd, b, wr.at, MSG_NOSIGNAL) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int link_client_within(int fd, unsigned ms)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		return -errno;
	return 0;
}

int link_client_patience(int fd)
{
	const struct timeval for_ever = { 0 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever)) ? -errno
										    : 0;
}

int link_client_ask(int fd, const struct link_msg *question, const struct link_answer_ops *ops,
		    void *arg, struct link_done *ret_done)
{
	uint8_t b[LINK_DATAGRAM_MAX];
	struct link_msg msg;
	ssize_t n;
	int err = send_msg(fd, question);

	while (!err) {
		struct rd rd;

		n = recv(fd, b, sizeof(b), 0);
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		rd = rd_new(b, (size_t)n, 0);
		while ((err = linkmsg_get(&rd, &msg, NULL)) > 0) {
			if (msg.type == LINK_DONE) {
				*ret_done = msg.u.done;
				return 0;
			}
			if (msg.type == LINK_HEAD || msg.type == LINK_ROW)
				ops->row(arg, msg.type == LINK_HEAD, &msg.u.row);
		}
	}
	return err;
}

/* Statics. */

static int connect_to_engine(int fd, unsigned ms)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    strlen(VDP_MIGRATE_SOCKET));
	struct ucred peer;
	socklen_t peer_len = sizeof(peer);

	memcpy(name.sun_path + 1, VDP_MIGRATE_SOCKET, strlen(VDP_MIGRATE_SOCKET));
	if (link_client_within(fd, ms) || connect(fd, (struct sockaddr *)&name, len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len))
		return -errno;
	return peer.uid ? -EPERM : 0;
}

static int send_msg(int fd, const struct link_msg *msg)
{
	uint8_t b[LINK_DATAGRAM_MAX];
	struct wr wr = wr_new(b, sizeof(b));

	if (!linkmsg_put(&wr, msg))
		return -EMSGSIZE;
	return send(fd, b, wr.at, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int shake_hands(int fd)
{
	const struct link_msg first = hello();
	struct link_msg answer;
	uint8_t b[LINK_DATAGRAM_MAX];
	struct rd rd;
	ssize_t n;
	int err;

	err = send_msg(fd, &first);
	if (err)
		return err == -EPIPE ? -EACCES : err;
	n = recv(fd, b, sizeof(b), 0);
	/* Cut off without a word: not let in. */
	if (n <= 0)
		return n && errno != ECONNRESET ? -errno : -EACCES;
	rd = rd_new(b, (size_t)n, 0);
	err = linkmsg_get(&rd, &answer, NULL);
	if (err < 0)
		return err;
	return err && answer.type == LINK_HELLO && answer.u.hello.who == LINK_ENGINE ? 0
										     : -EPROTO;
}

static struct link_msg hello(void)
{
	struct link_msg msg = { .type = LINK_HELLO };

	msg.u.hello.who = LINK_COMPANION;
	msg.u.hello.pid = (uint32_t)getpid();
	return msg;
}
