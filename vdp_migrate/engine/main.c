/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdp-migrated, the engine: way in. Arguments, privileges, the loop; joins the
 * parts to the story (bridge.c), which decides. One wake-up: events come in, the
 * story runs what is due, one transaction makes the guard true, the loop waits.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "engine.h"
#include "guard_backend.h"
#include "log.h"
#include "sandbox.h"
#include "store.h"

#define STATE_DIR "/var/lib/vdp-migrate"
#define RETRY_MS 1000		/* a commit that failed */

struct arguments {
	bool debug;
	const char *user, *guard, *state;
};

static int parse(int argc, char **argv, struct arguments *ret_arguments);
static int start(struct engine *engine, const struct arguments *arguments);
static int open_edges(struct engine *engine, const struct arguments *arguments);
static void take_back(struct engine *engine);
static void watch(struct engine *engine);
static void stop(struct engine *engine);

int main(int argc, char **argv)
{
	struct engine engine = { .loop = ev_default_loop(0) };
	struct arguments arguments = { .user = "vdp-migrate", .state = STATE_DIR };
	int code = parse(argc, argv, &arguments);

	if (code >= 0)
		return code;
	log_open(arguments.debug);
	signal(SIGPIPE, SIG_IGN);
	if (start(&engine, &arguments)) {
		stop(&engine);
		return EXIT_FAILURE;
	}
	log_started();
	log_line(LOG_INFO, "vdp-migrated " PACKAGE_VERSION " serves");
	ev_run(engine.loop, 0);
	log_line(LOG_INFO, "ends; the guard stays in the kernel");
	stop(&engine);
	return EXIT_SUCCESS;
}

/* Exit status, or -1 to go on. */
static int parse(int argc, char **argv, struct arguments *ret_arguments)
{
	static const struct option options[] = {
		{ "debug", no_argument, NULL, 'd' },
		{ "user", required_argument, NULL, 'u' },
		{ "guard", required_argument, NULL, 'g' },
		{ "state", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "dh", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			ret_arguments->debug = true;
			break;
		case 'u':
			ret_arguments->user = optarg;
			break;
		case 'g':
			ret_arguments->guard = optarg;
			break;
		case 's':
			ret_arguments->state = optarg;
			break;
		case 'v':
			printf("vdp-migrated %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			printf("vdp-migrated [-d] [--user NAME] [--guard BACKEND] [--state DIR]\n\n"
			       "The engine of vdp_migrate: bindings, leasequeries, guard.\n\n"
			       "  -d, --debug      log everything to stderr\n"
			       "  --user NAME      run as this user (vdp-migrate)\n"
			       "  --guard BACKEND  nft\n"
			       "  --state DIR      where bindings are kept (" STATE_DIR ")\n");
			return EXIT_SUCCESS;
		default:
			return 3;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "vdp-migrated: what is '%s'? See vdp-migrated --help\n", argv[optind]);
	return 3;
}

static int start(struct engine *engine, const struct arguments *arguments)
{
	char error[256];
	int listener = geteuid() ? -EPERM : link_server_listen();

	if (listener < 0) {
		if (geteuid())
			log_line(LOG_ERR, "start it as root: module and companion trust a "
				 "socket of root's alone; it becomes user %s by itself",
				 arguments->user);
		else if (listener == -EADDRINUSE)
			log_line(LOG_ERR, "socket @vdp-migrate is held already: %s",
				 link_server_holder(error, sizeof(error)));
		else
			log_line(LOG_ERR, "socket @vdp-migrate: %s", strerror(-listener));
		return listener;
	}
	engine->server = link_server_new(engine->loop, listener, &inputs_link_ops, engine);
	engine->bridge = bridge_new(&engine_io, engine);
	engine->station = station_new(&engine_io, engine);
	if (!engine->server || !engine->bridge || !engine->station) {
		log_line(LOG_ERR, "no memory");
		return -ENOMEM;
	}
	if (store_prepare(arguments->state, arguments->user, error, sizeof(error)))
		log_line(LOG_ERR, "%s", error);
	if (sandbox_enter(arguments->user, error, sizeof(error))) {
		log_line(LOG_ERR, "%s", error);
		return -EPERM;
	}
	if (open_edges(engine, arguments))
		return -EIO;
	engine->kept = kept_open(engine->loop, arguments->state, engine->bridge, engine->db,
				 engine->server);
	if (!engine->kept)
		return -ENOMEM;
	engine->control = (struct control){
		.bridge = engine->bridge, .station = engine->station,
		.guard_ops = engine->guard_ops,
		.guard = engine->guard, .server = engine->server,
		.lq = engine->lq, .ports = engine->ports,
	};
	take_back(engine);
	bridge_loading(engine->bridge, engine_now(), true);
	kept_load(engine->kept, engine_now());
	bridge_loading(engine->bridge, engine_now(), false);
	watch(engine);
	return 0;
}

static int open_edges(struct engine *engine, const struct arguments *arguments)
{
	char error[256] = "no memory";
	const char *what = "giaddr";
	int err;

	engine->guard_ops = guard_backend(arguments->guard);
	if (!engine->guard_ops) {
		log_line(LOG_ERR, "no guard backend '%s'; there is: nft", arguments->guard);
		return -EINVAL;
	}
	err = engine->guard_ops->open(&engine->guard, error, sizeof(error));
	if (err) {
		log_line(LOG_ERR, "guard %s: %s", engine->guard_ops->name, error);
		return err;
	}
	err = bridge_db_new(&engine->db);
	if (err) {
		log_line(LOG_ERR, "the kernel's links: %s", strerror(-err));
		return err;
	}
	err = lq_socket_new(&engine->lq);
	if (err) {
		log_line(LOG_ERR, "leasequery sockets: %s", strerror(-err));
		return err;
	}
	err = port_socket_new(&engine->ports);
	if (err) {
		log_line(LOG_ERR, "packet socket for snooping: %s", strerror(-err));
		return err;
	}
	err = frame_out_new(&engine->frames);
	if (err) {
		log_line(LOG_ERR, "packet socket for sending: %s", strerror(-err));
		return err;
	}
	err = bridge_set_new(&engine->set);
	if (err) {
		log_line(LOG_ERR, "the kernel's bridges: %s", strerror(-err));
		return err;
	}
	engine->routers = router_ports_new(engine->set, arguments->state);
	if (!engine->routers)
		return -ENOMEM;
	engine->giaddr = giaddr_new(engine->db, engine->lq);
	err = engine->giaddr ? watches_new(engine->loop, engine->bridge, engine->db,
					   &engine->watches, &what)
			     : -ENOMEM;
	if (err)
		log_line(LOG_ERR, "%s: %s", what, strerror(-err));
	return err;
}

/* What the kernel's guard holds are our bindings: nobody is cut off by a start. */

static void take_back_element(void *arg, const struct guard_element *element)
{
	struct engine *engine = arg;

	bridge_restore(engine->bridge, engine_now(), element);
}

static void take_back_mode(void *arg, const char *port, enum link_guard mode)
{
	struct engine *engine = arg;

	bridge_restore_mode(engine->bridge, port, mode);
}

static void take_back(struct engine *engine)
{
	int err = engine->guard_ops->list_modes(engine->guard, take_back_mode, engine);

	if (!err)
		err = engine->guard_ops->list(engine->guard, take_back_element, engine);
	if (err)
		log_line(LOG_ERR, "guard: what the kernel holds cannot be read: %s",
			 strerror(-err));
	(void)opened_look(engine);
	bridge_open(engine->bridge, engine_now(), engine->opened);
}

/* The loop. */

static void deadline(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;	/* before_waiting does what is due */
}

/* Binding first: what is due, then the kernel, then group queries, then the wait. */
static void before_waiting(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct engine *engine = watcher->data;
	ms_t now = engine_now(), next;

	(void)events;
	link_server_flush(engine->server);
	watches_before_waiting(engine->watches);
	if (giaddr_deadline(engine->giaddr) <= now)
		giaddr_tick(engine->giaddr, now);
	if (bridge_deadline(engine->bridge) <= now)
		bridge_tick(engine->bridge, now);
	if (station_deadline(engine->station) <= now)
		station_tick(engine->station, now);
	if (engine->announced && engine->announce_by <= now)
		engine->guard_dirty = true;
	engine_commit(engine);
	/* Somebody's answer waits for this. */
	if (!engine->guard_failed)
		bridge_ready_say(engine->bridge, engine_now());
	link_server_flush_module(engine->server);
	if (!engine->guard_failed)
		bridge_committed(engine->bridge, engine_now());
	else
		bridge_not_committed(engine->bridge, engine_now());
	bridge_set_flushed(engine->set);
	kept_commit(engine->kept);
	/* What the start has needed, once it is done. */
	if (!engine->begun)
		malloc_trim(0);
	engine->begun = true;
	link_server_flush_told(engine->server);
	next = bridge_deadline(engine->bridge);
	if (station_deadline(engine->station) < next)
		next = station_deadline(engine->station);
	if (giaddr_deadline(engine->giaddr) < next)
		next = giaddr_deadline(engine->giaddr);
	if (engine->guard_failed && next > now + RETRY_MS)
		next = now + RETRY_MS;
	if (engine->announced && next > engine->announce_by)
		next = engine->announce_by;
	ev_timer_stop(loop, &engine->deadline);
	if (next == MS_NEVER)
		return;
	next = next > now ? next - now : 1;
	ev_now_update(loop);
	ev_timer_set(&engine->deadline, (double)next / 1000.0, 0.0);
	ev_timer_start(loop, &engine->deadline);
}

static void end(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)watcher;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void watch(struct engine *engine)
{
	inputs_watch(engine);
	ev_timer_init(&engine->deadline, deadline, 0.0, 0.0);
	ev_prepare_init(&engine->before_waiting, before_waiting);
	engine->before_waiting.data = engine;
	ev_prepare_start(engine->loop, &engine->before_waiting);
	ev_signal_init(&engine->term, end, SIGTERM);
	ev_signal_start(engine->loop, &engine->term);
	ev_signal_init(&engine->intr, end, SIGINT);
	ev_signal_start(engine->loop, &engine->intr);
}

static void stop(struct engine *engine)
{
	kept_close(engine->kept);
	link_server_free(engine->server);
	bridge_free(engine->bridge);
	station_free(engine->station);
	watches_free(engine->watches);
	giaddr_free(engine->giaddr);
	port_socket_free(engine->ports);
	port_socket_free(engine->probed);
	first_frames_free(engine->first);
	port_socket_free(engine->dhcp);
	frame_out_free(engine->frames);
	router_ports_free(engine->routers);
	bridge_set_free(engine->set);
	lq_socket_free(engine->lq);
	bridge_db_free(engine->db);
	if (engine->guard)
		engine->guard_ops->close(engine->guard);
	ev_loop_destroy(engine->loop);
}
