/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's end of @vdp-migrate, on libev. One module and some companions at
 * most. What cannot be sent at once waits in a bounded queue of datagrams; a
 * client that does not read is cut off. Knows who speaks, not what it means.
 */
#include "link_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "vdp_migrate/protocol.h"
#include "wire/linkmsg.h"

/* Read at most so many datagrams of one client before the loop goes on. */
#define BURST 64
#define CLIENTS_MAX 32
#define QUEUE_MAX 4096		/* datagrams */
#define BEHIND_MAX 64		/* datagrams that one who watches may be behind */
#define PENDING_MAX 64		/* questions passed on to the module */

struct datagram {
	struct datagram *next;
	size_t len;
	uint8_t b[];
};

struct link_client {
	struct link_server *server;
	struct link_client *next;
	ev_io readable, writable;
	uid_t uid;
	uint8_t who;		/* enum link_who; 0 before its hello */
	unsigned number;	/* never reused */
	bool dead;
	bool apart;		/* of another version: is told ours, and not listened to */
	bool watches;
	uint32_t watch_seq;
	unsigned n_queued;
	struct datagram *queue, **queue_end;
	struct wr out;		/* being filled */
	uint8_t room[LINK_DATAGRAM_MAX];
};

struct link_server {
	struct ev_loop *loop;
	const struct link_server_ops *ops;
	void *arg;
	ev_io acceptable;
	struct link_client *clients, *module;
	unsigned n_clients, n_watching, last_number;
	bool told_version, told_uid;
	uint32_t last_seq;
	struct pending {
		uint32_t seq, client_seq;
		unsigned client;
	} pending[PENDING_MAX];
};

static void accept_client(struct ev_loop *loop, ev_io *watcher, int events);
static void read_client(struct ev_loop *loop, ev_io *watcher, int events);
static void write_client(struct ev_loop *loop, ev_io *watcher, int events);
static void take_datagram(struct link_client *client, const uint8_t *b, size_t len);
static void take(struct link_client *client, const struct link_msg *msg);
static void hello(struct link_client *client, const struct link_hello *hello);
static void say_hello(struct link_client *client);
static void pass_back(struct link_server *server, const struct link_msg *msg);
static void refuse_pending(struct link_server *server);
static void send_msg(struct link_client *client, const struct link_msg *msg);
static void push_out(struct link_client *client);
static void bury(struct link_server *server);

struct link_server *link_server_new(struct ev_loop *loop, int fd,
				    const struct link_server_ops *ops, void *arg)
{
	struct link_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->loop = loop;
	server->ops = ops;
	server->arg = arg;
	ev_io_init(&server->acceptable, accept_client, fd, EV_READ);
	server->acceptable.data = server;
	ev_io_start(loop, &server->acceptable);
	return server;
}

void link_server_free(struct link_server *server)
{
	if (!server)
		return;
	for (struct link_client *i = server->clients; i; i = i->next)
		i->dead = true;
	server->module = NULL;	/* the engine ends, not the module */
	bury(server);
	ev_io_stop(server->loop, &server->acceptable);
	close(server->acceptable.fd);
	free(server);
}

void link_server_flush(struct link_server *server)
{
	for (struct link_client *i = server->clients; i; i = i->next)
		if (!i->dead && !i->watches)
			push_out(i);
	bury(server);
}

void link_server_tell_module(struct link_server *server, const struct link_msg *msg)
{
	if (!server->module || server->module->dead)
		return;
	send_msg(server->module, msg);
}

void link_server_flush_module(struct link_server *server)
{
	if (server->module && !server->module->dead)
		push_out(server->module);
}

unsigned link_client_number(const struct link_client *client)
{
	return client->number;
}

struct link_client *link_server_client(const struct link_server *server, unsigned number)
{
	struct link_client *client = server->clients;

	while (client && (client->number != number || client->dead))
		client = client->next;
	return client;
}

bool link_server_has_module(const struct link_server *server)
{
	return server->module;
}

void link_server_ask_module(struct link_client *client, const struct link_msg *msg)
{
	struct link_server *server = client->server;
	struct link_msg passed = *msg;
	uint32_t *seq = msg->type == LINK_SHOW	? &passed.u.show.seq
			: msg->type == LINK_SET ? &passed.u.set.seq
			: msg->type == LINK_SUSPEND ? &passed.u.suspend.seq
						: &passed.u.mark.seq;
	struct pending *pending = NULL;

	if (!server->module) {
		link_done(client, *seq, ENOTCONN, "module not loaded in lldpad");
		return;
	}
	for (unsigned i = 0; i < PENDING_MAX && !pending; i++)
		if (!server->pending[i].seq)
			pending = &server->pending[i];
	if (!pending) {
		link_done(client, *seq, EBUSY, "too many questions are open at the module");
		return;
	}
	if (!++server->last_seq)
		server->last_seq = 1;
	*pending = (struct pending){ server->last_seq, *seq, client->number };
	*seq = pending->seq;
	send_msg(server->module, &passed);
}

void link_server_watch(struct link_client *client, uint32_t seq)
{
	client->watch_seq = seq;
	client->server->n_watching += !client->watches;
	client->watches = true;
}

bool link_server_watched(const struct link_server *server)
{
	return server->n_watching;
}

void link_server_tell(struct link_server *server, const char *const *fields, unsigned n)
{
	for (struct link_client *i = server->clients; i; i = i->next) {
		if (!i->watches || i->dead)
			continue;
		if (i->n_queued < BEHIND_MAX) {
			link_row(i, i->watch_seq, fields, n);
			continue;
		}
		i->watches = false;
		server->n_watching--;
		link_done(i, i->watch_seq, ENOBUFS,
			  "cut off: events come faster than they are read");
	}
}

void link_server_flush_told(struct link_server *server)
{
	for (struct link_client *i = server->clients; i && server->n_watching; i = i->next)
		if (i->watches && !i->dead)
			push_out(i);
}

void link_head(struct link_client *client, uint32_t seq, const char *const *fields, unsigned n)
{
	if (!linkmsg_put_row(&client->out, LINK_HEAD, seq, fields, n)) {
		push_out(client);
		linkmsg_put_row(&client->out, LINK_HEAD, seq, fields, n);
	}
}

void link_row(struct link_client *client, uint32_t seq, const char *const *fields, unsigned n)
{
	if (!linkmsg_put_row(&client->out, LINK_ROW, seq, fields, n)) {
		push_out(client);
		linkmsg_put_row(&client->out, LINK_ROW, seq, fields, n);
	}
}

void link_done(struct link_client *client, uint32_t seq, int code, const char *text)
{
	struct link_msg msg = { .type = LINK_DONE, .u.done = { .seq = seq, .code = code } };

	snprintf(msg.u.done.text, sizeof(msg.u.done.text), "%s", text);
	send_msg(client, &msg);
}

/* Statics: connections. */

static void accept_client(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct link_server *server = watcher->data;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct link_client *client;
	int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    !sandbox_may_control(peer.uid, peer.gid)) {
		if (!server->told_uid)
			log_line(LOG_WARNING, "a connection of uid %u refused: neither root nor "
				 "in group vdp-migrate", peer.uid);
		server->told_uid = true;
		close(fd);
		return;
	}
	client = server->n_clients < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return;
	}
	client->server = server;
	client->uid = peer.uid;
	client->number = ++server->last_number;
	client->queue_end = &client->queue;
	client->out = wr_new(client->room, sizeof(client->room));
	ev_io_init(&client->readable, read_client, fd, EV_READ);
	ev_io_init(&client->writable, write_client, fd, EV_WRITE);
	client->readable.data = client->writable.data = client;
	ev_io_start(loop, &client->readable);
	client->next = server->clients;
	server->clients = client;
	server->n_clients++;
}

static void read_client(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct link_client *client = watcher->data;
	uint8_t b[LINK_DATAGRAM_MAX];
	ssize_t n = 1;

	(void)loop;
	(void)events;
	for (int i = 0; i < BURST && !client->dead && n > 0; i++) {
		n = recv(watcher->fd, b, sizeof(b), 0);
		if (n > 0)
			take_datagram(client, b, (size_t)n);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		client->dead = true;
}

static void write_client(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct link_client *client = watcher->data;

	(void)events;
	while (client->queue) {
		struct datagram *first = client->queue;

		if (send(watcher->fd, first->b, first->len, MSG_NOSIGNAL) < 0) {
			client->dead = errno != EAGAIN && errno != EINTR;
			return;
		}
		client->queue = first->next;
		if (!client->queue)
			client->queue_end = &client->queue;
		client->n_queued--;
		free(first);
	}
	ev_io_stop(loop, watcher);
}

/* Statics: messages. */

static void take_datagram(struct link_client *client, const uint8_t *b, size_t len)
{
	struct rd rd = rd_new(b, len, 0);
	struct rd_error error = { 0 };
	struct link_msg msg;
	int got;

	if (client->apart)
		return;
	while (!client->dead && (got = linkmsg_get(&rd, &msg, &error)) > 0)
		take(client, &msg);
	if (client->dead || got == 0)
		return;
	client->apart = got == -EPROTO && !client->who;
	if (client->apart)
		say_hello(client);
	if (got == -EPROTO && !client->server->told_version)
		log_line(LOG_ERR, "a client speaks version %u of the link, this engine %u: "
			 "restart lldpad, or vdp-migrated, whichever is not of the version "
			 "that is installed", b[1], LINK_VERSION);
	else if (got != -EPROTO)
		log_line(LOG_ERR, "link: %s at octet %zu: client cut off", error.what, error.at);
	client->server->told_version = got == -EPROTO;
	client->dead = !client->apart;
}

static void take(struct link_client *client, const struct link_msg *msg)
{
	struct link_server *server = client->server;

	if (msg->type == LINK_HELLO) {
		hello(client, &msg->u.hello);
	} else if (client->who == LINK_MODULE) {
		if (msg->type == LINK_HEAD || msg->type == LINK_ROW || msg->type == LINK_DONE)
			pass_back(server, msg);
		else if (client == server->module)
			server->ops->module_msg(server->arg, msg);
	} else if (client->who == LINK_COMPANION) {
		if (msg->type == LINK_MARK || msg->type == LINK_UNMARK ||
		    msg->type == LINK_SET || msg->type == LINK_SUSPEND)
			link_server_ask_module(client, msg);
		else if (msg->type == LINK_SHOW)
			server->ops->show(server->arg, client, &msg->u.show);
		else if (msg->type == LINK_WATCH)
			server->ops->watch(server->arg, client, msg->u.show.seq);
		else if (msg->type == LINK_BIND || msg->type == LINK_UNBIND)
			server->ops->bind(server->arg, client, msg->type == LINK_BIND,
					  &msg->u.bind);
		else if (msg->type == LINK_ASK)
			server->ops->ask(server->arg, client, &msg->u.ask);
	}
}

static void hello(struct link_client *client, const struct link_hello *hello)
{
	struct link_server *server = client->server;

	if (hello->who == LINK_MODULE && client->uid != 0) {
		log_line(LOG_WARNING, "uid %u says it is lldpad: refused", client->uid);
		client->dead = true;
		return;
	}
	client->who = hello->who;
	say_hello(client);
	if (hello->who != LINK_MODULE)
		return;
	if (server->module && server->module != client) {
		server->module->dead = true;	/* lldpad was restarted */
		refuse_pending(server);
	}
	server->module = client;
	log_line(LOG_INFO, "module in lldpad (pid %u) connected", hello->pid);
}

static void say_hello(struct link_client *client)
{
	struct link_msg msg = { .type = LINK_HELLO };

	msg.u.hello.who = LINK_ENGINE;
	msg.u.hello.pid = (uint32_t)getpid();
	send_msg(client, &msg);
}

static void pass_back(struct link_server *server, const struct link_msg *msg)
{
	struct link_msg passed = *msg;
	uint32_t *seq = msg->type == LINK_DONE ? &passed.u.done.seq : &passed.u.row.seq;

	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &server->pending[i];

		if (!*seq || pending->seq != *seq)
			continue;
		*seq = pending->client_seq;
		for (struct link_client *j = server->clients; j; j = j->next)
			if (j->number == pending->client && !j->dead)
				send_msg(j, &passed);
		if (msg->type == LINK_DONE)
			pending->seq = 0;
		return;
	}
}

static void refuse_pending(struct link_server *server)
{
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &server->pending[i];

		for (struct link_client *j = server->clients; pending->seq && j; j = j->next)
			if (j->number == pending->client && !j->dead)
				link_done(j, pending->client_seq, ENOTCONN,
					  "lldpad ended before it answered");
		pending->seq = 0;
	}
}

static void send_msg(struct link_client *client, const struct link_msg *msg)
{
	if (linkmsg_put(&client->out, msg))
		return;
	push_out(client);
	linkmsg_put(&client->out, msg);
}

/* The datagram that is being filled goes out, or waits behind others. */
static void push_out(struct link_client *client)
{
	struct datagram *datagram;
	size_t len = client->out.at;

	client->out = wr_new(client->room, sizeof(client->room));
	if (!len)
		return;
	if (!client->queue && send(client->readable.fd, client->room, len, MSG_NOSIGNAL) >= 0)
		return;
	if (!client->queue && errno != EAGAIN && errno != EINTR) {
		client->dead = true;
		return;
	}
	datagram = client->n_queued < QUEUE_MAX ? malloc(sizeof(*datagram) + len) : NULL;
	if (!datagram) {
		client->dead = true;
		return;
	}
	datagram->next = NULL;
	datagram->len = len;
	memcpy(datagram->b, client->room, len);
	*client->queue_end = datagram;
	client->queue_end = &datagram->next;
	client->n_queued++;
	ev_io_start(client->server->loop, &client->writable);
}

static void bury(struct link_server *server)
{
	struct link_client **at = &server->clients;

	while (*at) {
		struct link_client *client = *at;

		if (!client->dead) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		server->n_clients--;
		server->n_watching -= client->watches;
		if (client == server->module) {
			server->module = NULL;
			log_line(LOG_INFO, "module in lldpad disconnected");
			server->ops->module_gone(server->arg);
			refuse_pending(server);
		}
		ev_io_stop(server->loop, &client->readable);
		ev_io_stop(server->loop, &client->writable);
		close(client->readable.fd);
		while (client->queue) {
			struct datagram *first = client->queue;

			client->queue = first->next;
			free(first);
		}
		free(client);
	}
}
