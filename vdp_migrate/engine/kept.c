/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store at work: kept.h.
 */
#include "kept.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "log.h"
#include "store.h"

struct kept {
	struct ev_loop *loop;
	struct bridge *bridge;
	const struct bridge_db *db;
	struct link_server *server;
	struct store *store;
	struct answer *answers;
	atomic_bool asked; /* there are some */
	ev_async progress;
	ms_t now;
};

/* For one who has bound something. */
struct answer {
	struct answer *next;
	uint64_t number; /* of the commit that it waits for; 0 = of the next one */
	unsigned client;
	uint32_t seq;
	char text[LINK_TEXT_MAX];
};

struct keeping {
	struct kept *kept;
	bool all;
};

static void log_text(int priority, const char *text);
static void progress(void *arg);
static void take_back(void *arg, const struct store_record *record);
static void keep_again(void *arg, struct binding *binding);
static void record_of(struct kept *kept, const struct binding *binding,
		      struct client_id *id, struct store_record *ret_record);
static void written(struct ev_loop *loop, ev_async *watcher, int events);
static void answer_all(struct kept *kept);

static const struct store_ops store_ops = { .log = log_text, .progress = progress };

struct kept *kept_open(struct ev_loop *loop, const char *dir, struct bridge *bridge,
		       const struct bridge_db *db, struct link_server *server)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->loop = loop;
	kept->bridge = bridge;
	kept->db = db;
	kept->server = server;
	ev_async_init(&kept->progress, written);
	kept->progress.data = kept;
	ev_async_start(loop, &kept->progress);
	kept->store = store_open(dir, &store_ops, kept);
	return kept;
}

void kept_close(struct kept *kept)
{
	struct answer *next;

	if (!kept)
		return;
	store_close(kept->store);
	ev_async_stop(kept->loop, &kept->progress);
	for (struct answer *i = kept->answers; i; i = next) {
		next = i->next;
		free(i);
	}
	free(kept);
}

void kept_load(struct kept *kept, ms_t now)
{
	struct keeping keeping = { .kept = kept };

	kept->now = now;
	if (!kept->store)
		return;
	/* What only the kernel has had until now is kept from now on. */
	keeping.all = !store_load(kept->store, take_back, kept);
	binding_each(bridge_bindings(kept->bridge), keep_again, &keeping);
}

void kept_keep(struct kept *kept, const struct binding *binding)
{
	struct store_record record;
	struct client_id id;

	if (!kept || !kept->store)
		return;
	record_of(kept, binding, &id, &record);
	store_keep(kept->store, &record);
}

void kept_forget(struct kept *kept, const struct binding *binding)
{
	struct store_record record;

	if (!kept || !kept->store)
		return;
	record_of(kept, binding, NULL, &record);
	store_forget(kept->store, &record);
}

void kept_bind(struct kept *kept, ms_t now, struct link_client *client, bool bind,
	       const struct link_bind *what)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	char text[LINK_TEXT_MAX] = "";
	int code;

	code = bind ? bridge_bind_static(kept->bridge, now, what, text, sizeof(text))
		    : bridge_unbind_static(kept->bridge, now, what, text, sizeof(text));
	if (code || !answer) {
		link_done(client, what->seq, code, text);
		free(answer);
		return;
	}
	answer->client = link_client_number(client);
	answer->seq = what->seq;
	memcpy(answer->text, text, sizeof(answer->text));
	answer->next = kept->answers;
	kept->answers = answer;
}

void kept_commit(struct kept *kept)
{
	uint64_t number = kept->store ? store_commit(kept->store) : 1;

	if (!kept->answers)
		return;
	for (struct answer *i = kept->answers; i; i = i->next)
		if (!i->number)
			i->number = number;
	kept->asked = true;
	/* It may have been written before the thread could see that. */
	ev_async_send(kept->loop, &kept->progress);
}

/* Statics. */

static void log_text(int priority, const char *text)
{
	log_line(priority, "%s", text);
}

/* In the store's thread. */
static void progress(void *arg)
{
	struct kept *kept = arg;

	if (kept->asked)
		ev_async_send(kept->loop, &kept->progress);
}

static void take_back(void *arg, const struct store_record *record)
{
	struct kept *kept = arg;

	bridge_restore_kept(kept->bridge, kept->now, record->port, &record->binding,
			    record->client_id);
}

static void keep_again(void *arg, struct binding *binding)
{
	const struct keeping *keeping = arg;

	if (keeping->all || binding->origin == BINDING_KERNEL)
		kept_keep(keeping->kept, binding);
}

static void record_of(struct kept *kept, const struct binding *binding,
		      struct client_id *id, struct store_record *ret_record)
{
	struct bridge_db_port place;
	const char *port = bridge_port_name(kept->bridge, binding->port);

	memset(ret_record, 0, sizeof(*ret_record));
	ret_record->binding = *binding;
	if (binding->port)
		memcpy(ret_record->port, port,
		       strnlen(port, sizeof(ret_record->port) - 1));
	if (id && binding->port && bridge_db_port(kept->db, port, &place))
		memcpy(ret_record->bridge, place.bridge_name, sizeof(ret_record->bridge));
	if (id && binding_client_id(bridge_bindings(kept->bridge), &binding->host, id))
		ret_record->client_id = id;
}

static void written(struct ev_loop *loop, ev_async *watcher, int events)
{
	struct kept *kept = watcher->data;

	(void)loop;
	(void)events;
	answer_all(kept);
	kept->asked = kept->answers;
}

/* Those whose commit is on disk, or is not to come there now. */
static void answer_all(struct kept *kept)
{
	struct answer **at = &kept->answers;

	while (*at) {
		struct answer *answer = *at;
		struct link_client *client =
			link_server_client(kept->server, answer->client);
		int done = !answer->number ? 0
			   : kept->store   ? store_written(kept->store, answer->number)
					   : -ENODEV;

		if (!done) {
			at = &answer->next;
			continue;
		}
		if (client)
			link_done(client, answer->seq, done > 0 ? 0 : -done,
				  done > 0 ? answer->text
					   : "in force, but not in the store: the next "
					     "start "
					     "forgets it; see the log");
		*at = answer->next;
		free(answer);
	}
}
