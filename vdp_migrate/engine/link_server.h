/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's end of @vdp-migrate: listens, tells module and companions apart by
 * their hello and their credentials, passes marks on to the module and its
 * answers back. What a message means is its caller's business.
 */
#ifndef ENGINE_LINK_SERVER_H
#define ENGINE_LINK_SERVER_H

#include <ev.h>

#include "vdp_migrate/link.h"

struct link_server;
struct link_client;

struct link_server_ops {
	/* Each message of the module, but answers to marks. */
	void (*module_msg)(void *arg, const struct link_msg *msg);
	void (*module_gone)(void *arg);
	/* A companion asks for a table; answer by link_row() and link_done(). */
	void (*show)(void *arg, struct link_client *client, const struct link_show *show);
	/* A companion binds, or unbinds, a static address; answer by link_done(). */
	void (*bind)(void *arg, struct link_client *client, bool bind,
		     const struct link_bind *what);
	/* A companion wants to watch; answer by link_head() and link_server_watch(). */
	void (*watch)(void *arg, struct link_client *client, uint32_t seq);
	/* A companion asks by leasequery; answer as to show, when the answers come. */
	void (*ask)(void *arg, struct link_client *client, const struct link_ask *ask);
};

/* Bind and listen, still as root: the owner of the listening socket is what the
 * others trust. fd, or -errno (-EADDRINUSE: an engine runs already). */
int link_server_listen(void);
/* Who holds the name, in words: returns ret_text. */
const char *link_server_holder(char *ret_text, size_t size);

/* Serve on that descriptor; ops and arg are borrowed. NULL: no memory. */
struct link_server *link_server_new(struct ev_loop *loop, int fd,
				    const struct link_server_ops *ops, void *arg);
void link_server_free(struct link_server *server);

/* Before the loop waits: what was said goes out; who is gone is told (module_gone). */
void link_server_flush(struct link_server *server);

/* From now on this client is told what link_server_tell() says, until it goes, or falls
 * so far behind that it is cut off with LINK_DONE. */
void link_server_watch(struct link_client *client, uint32_t seq);
bool link_server_watched(const struct link_server *server);
/* A row to all who watch. It goes out by link_server_flush_told(): after the kernel has
 * what it tells. */
void link_server_tell(struct link_server *server, const char *const *fields, unsigned n);
void link_server_flush_told(struct link_server *server);

/* To the module, if it is there. */
void link_server_tell_module(struct link_server *server, const struct link_msg *msg);
/* What was said to it goes out now. */
void link_server_flush_module(struct link_server *server);

/* For an answer that comes later: who asked, by number; NULL: gone. */
unsigned link_client_number(const struct link_client *client);
struct link_client *link_server_client(const struct link_server *server, unsigned number);

bool link_server_has_module(const struct link_server *server);
/* Pass a question on to the module in the client's name. */
void link_server_ask_module(struct link_client *client, const struct link_msg *msg);

/* Rows of text, n fields; the client's own seq. */
void link_head(struct link_client *client, uint32_t seq, const char *const *fields, unsigned n);
void link_row(struct link_client *client, uint32_t seq, const char *const *fields, unsigned n);
void link_done(struct link_client *client, uint32_t seq, int code, const char *text);

#endif
