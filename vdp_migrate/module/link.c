/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One non-blocking SOCK_SEQPACKET socket to the engine. States: closed (wait some
 * ticks, connect), open. A new connection says HELLO and replays at once; whoever
 * answers with another version, or is not root's, is left alone for a minute.
 *
 * lldpad leaves SIGPIPE at its default: every send has MSG_NOSIGNAL.
 */
#include "link.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "vdp_migrate/host.h"

#define SEND_BUFFER (1 << 20)	/* a default one holds 278 datagrams of one event */
#define READS_MAX 64		/* datagrams at one wake-up */
#define PARTS_MAX 8		/* of a replay, at one turn */
#define BACK_OFF_MAX 5		/* ticks */
#define APART_TICKS 60
#define BLOCKED_MS 20		/* a full socket is not tried again earlier, at turns */

enum said {			/* the last state that was logged */
	SAID_NOTHING,
	SAID_NOT_RUNNING,
	SAID_CONNECTED,
	SAID_VERSION,
	SAID_OWNER,
	SAID_BAD_MESSAGE,
};

struct link {
	struct sockaddr_un addr;
	socklen_t addr_len;
	const struct link_ops *ops;
	void *arg;
	struct counters *counters;

	int fd;			/* -1: closed */
	int replay_max;		/* octets in the socket, above which a replay waits */
	bool enabled;
	enum said said;
	unsigned wait, back_off;	/* ticks */

	bool reading;
	bool replay_wanted;	/* from the beginning */
	bool replaying;
	bool last_part;		/* the one in `part` */
	bool blocked;
	ms_t blocked_at;

	struct wr out, part;
	unsigned out_n;		/* messages in out, but for counters */
	uint8_t out_buf[LINK_DATAGRAM_MAX], part_buf[LINK_DATAGRAM_MAX];
	uint8_t in_buf[LINK_DATAGRAM_MAX + 1];
};

static void open_socket(struct link *link);
static int connect_socket(const struct link *link);
static int half_of_buffer(int fd);
static bool say_hello(struct link *link);
static void give_up(struct link *link, enum said why, unsigned wait);
static void broken(struct link *link);
static void close_socket(struct link *link);
static void readable(void *arg);
static void hear(struct link *link, size_t len);
static void other_version(struct link *link, size_t len);
static void go_on(struct link *link, ms_t now);
static bool has_room(const struct link *link);
static bool replay_part(struct link *link);
static int send_datagram(struct link *link, const struct wr *datagram);
static void log_once(struct link *link, enum said what, int priority, const char *text);

struct link *link_new(const char *name, const struct link_ops *ops, void *arg,
		      struct counters *counters)
{
	struct link *link = calloc(1, sizeof(*link));
	size_t len = strlen(name);

	if (!link || len + 1 > sizeof(link->addr.sun_path)) {
		free(link);
		return NULL;
	}
	link->addr.sun_family = AF_UNIX;
	memcpy(link->addr.sun_path + 1, name, len);
	link->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
	link->ops = ops;
	link->arg = arg;
	link->counters = counters;
	link->fd = -1;
	link->out = wr_new(link->out_buf, sizeof(link->out_buf));
	link->part = wr_new(link->part_buf, sizeof(link->part_buf));
	return link;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	close_socket(link);
	free(link);
}

void link_enable(struct link *link)
{
	link->enabled = true;
}

bool link_connected(const struct link *link)
{
	return link->fd >= 0;
}

void link_put(struct link *link, const struct link_msg *msg)
{
	if (link->fd < 0)
		return;
	if (linkmsg_put(&link->out, msg)) {
		link->out_n += msg->type != LINK_COUNTER;
		return;
	}
	counters_add(link->counters, COUNT_LOST, 1);
	link->replay_wanted = true;
}

void link_put_row(struct link *link, uint8_t type, uint32_t seq,
		  const char *const *fields, unsigned n)
{
	if (link->fd >= 0 && linkmsg_put_row(&link->out, type, seq, fields, n))
		link->out_n++;
}

size_t link_room(const struct link *link)
{
	return link->out.size - link->out.at;
}

bool link_flush(struct link *link)
{
	unsigned n = link->out_n;
	int rc;

	if (link->fd < 0)
		return false;
	if (!link->out.at)
		return true;
	rc = send_datagram(link, &link->out);
	link->out = wr_new(link->out_buf, sizeof(link->out_buf));
	link->out_n = 0;
	counters_add(link->counters, rc ? COUNT_LOST : COUNT_SENT, n);
	if (rc == -EAGAIN)
		link->replay_wanted = true;
	else if (rc)
		broken(link);
	return !rc;
}

void link_turn(struct link *link, ms_t now)
{
	if (link->fd < 0)
		return;
	link_flush(link);
	if (link->blocked && now < link->blocked_at + BLOCKED_MS)
		return;
	go_on(link, now);
}

void link_tick(struct link *link, ms_t now)
{
	if (link->fd < 0 && link->enabled) {
		if (link->wait)
			link->wait--;
		else
			open_socket(link);
	}
	if (link->fd < 0)
		return;
	link_flush(link);
	go_on(link, now);
}

static void open_socket(struct link *link)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = connect_socket(link);

	if (fd < 0) {
		give_up(link, SAID_NOT_RUNNING, 0);
		return;
	}
	/* Of the process that called listen(): the engine did so as root. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid != 0) {
		close(fd);
		give_up(link, SAID_OWNER, APART_TICKS);
		return;
	}
	if (host_watch(fd, readable, link)) {
		close(fd);
		give_up(link, SAID_NOT_RUNNING, 0);
		return;
	}
	link->fd = fd;
	link->replay_max = half_of_buffer(fd);
	link->replay_wanted = true;
	if (!say_hello(link))
		give_up(link, SAID_NOT_RUNNING, 0);
}

/* The descriptor, or -errno. */
static int connect_socket(const struct link *link)
{
	const int size = SEND_BUFFER;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&link->addr, link->addr_len)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	/* Without CAP_NET_ADMIN as much as one gets. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static int half_of_buffer(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	(void)getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len);
	return size / 2;
}

static bool say_hello(struct link *link)
{
	struct link_msg hello = {
		.type = LINK_HELLO,
		.u.hello = { .who = LINK_MODULE, .pid = (uint32_t)getpid() },
	};

	link_put(link, &hello);
	return link_flush(link);
}

/* A send has failed. What the peer has said before it closed tells why. */
static void broken(struct link *link)
{
	if (!link->reading)
		readable(link);
	if (link->fd >= 0)
		give_up(link, SAID_NOT_RUNNING, 0);
}

/* wait: ticks until the next try; 0: the back-off's. */
static void give_up(struct link *link, enum said why, unsigned wait)
{
	static const char *const text[] = {
		[SAID_NOT_RUNNING] = "engine not running; VDP and the M-bit work on",
		[SAID_OWNER] = "the engine's socket is not root's; staying away from it",
		[SAID_BAD_MESSAGE] = "the engine sends what this module cannot read; "
				     "staying away from it",
	};

	close_socket(link);
	if (text[why])
		log_once(link, why, why == SAID_NOT_RUNNING ? LOG_INFO : LOG_ERR,
			 text[why]);
	if (wait) {
		link->wait = wait;
		return;
	}
	link->wait = link->back_off;
	link->back_off = link->back_off ? link->back_off * 2 : 1;
	if (link->back_off > BACK_OFF_MAX - 1)
		link->back_off = BACK_OFF_MAX - 1;
}

static void close_socket(struct link *link)
{
	if (link->fd < 0)
		return;
	host_unwatch(link->fd);
	close(link->fd);
	link->fd = -1;
	link->out = wr_new(link->out_buf, sizeof(link->out_buf));
	link->out_n = 0;
	link->part = wr_new(link->part_buf, sizeof(link->part_buf));
	link->replaying = link->replay_wanted = link->blocked = false;
}

static void readable(void *arg)
{
	struct link *link = arg;
	unsigned i;
	ssize_t n;

	link->reading = true;
	for (i = 0; i < READS_MAX && link->fd >= 0; i++) {
		n = recv(link->fd, link->in_buf, sizeof(link->in_buf), MSG_DONTWAIT);
		/* A reset comes before what the peer had still said. */
		if (n < 0 && errno == ECONNRESET)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			give_up(link, SAID_NOT_RUNNING, 0);
		else
			hear(link, (size_t)n);
	}
	link->reading = false;
}

static void hear(struct link *link, size_t len)
{
	struct rd datagram = rd_new(link->in_buf, len, 0);
	struct rd_error error;
	struct link_msg msg;
	int rc = -EBADMSG;

	while (len <= LINK_DATAGRAM_MAX &&
	       (rc = linkmsg_get(&datagram, &msg, &error)) > 0) {
		if (msg.type == LINK_HELLO) {
			link->back_off = 0;
			log_once(link, SAID_CONNECTED, LOG_INFO, "engine connected");
		}
		link->ops->message(link->arg, &msg);
		if (link->fd < 0)
			return;
	}
	if (rc == -EPROTO)
		other_version(link, len);
	else if (rc)
		give_up(link, SAID_BAD_MESSAGE, APART_TICKS);
}

static void other_version(struct link *link, size_t len)
{
	struct rd datagram = rd_new(link->in_buf, len, 0);
	uint8_t version;

	rd_skip(&datagram, 1, "type");
	version = rd_u8(&datagram, "version");
	if (link->said != SAID_VERSION)
		host_log(LOG_ERR, "engine speaks version %u of the link, this module %u; "
			 "staying away from it: restart lldpad, or vdp-migrated, whichever "
			 "is not of the version that is installed", version, LINK_VERSION);
	link->said = SAID_VERSION;
	give_up(link, SAID_VERSION, APART_TICKS);
}

/* The next parts of the replay, as the socket takes them. */
static void go_on(struct link *link, ms_t now)
{
	unsigned i;
	int rc;

	for (i = 0; i < PARTS_MAX && replay_part(link); i++) {
		rc = has_room(link) ? send_datagram(link, &link->part) : -EAGAIN;
		link->blocked = rc == -EAGAIN;
		link->blocked_at = now;
		if (link->blocked)
			return;
		if (rc) {
			broken(link);
			return;
		}
		link->part = wr_new(link->part_buf, sizeof(link->part_buf));
		if (!link->last_part)
			continue;
		link->replaying = false;
		counters_add(link->counters, COUNT_REPLAYS, 1);
	}
}

/* A replay that filled the socket would lose live messages, and so begin anew for
 * ever. */
static bool has_room(const struct link *link)
{
	int queued;

	return ioctl(link->fd, SIOCOUTQ, &queued) || queued <= link->replay_max;
}

/* Have a part of the replay ready to be sent. False: there is none. */
static bool replay_part(struct link *link)
{
	bool restart = link->replay_wanted;

	if (restart) {
		link->part = wr_new(link->part_buf, sizeof(link->part_buf));
		link->replay_wanted = false;
		link->replaying = true;
	}
	if (!link->replaying)
		return false;
	if (!link->part.at)
		link->last_part = link->ops->replay(link->arg, &link->part, restart);
	return true;
}

static int send_datagram(struct link *link, const struct wr *datagram)
{
	ssize_t n;

	do
		n = send(link->fd, datagram->p, datagram->at,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

static void log_once(struct link *link, enum said what, int priority, const char *text)
{
	if (link->said != what)
		host_log(priority, "%s", text);
	link->said = what;
}
