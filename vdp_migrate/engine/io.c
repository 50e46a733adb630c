/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the story's wishes become: calls to the guard, datagrams, log lines. No
 * decision is made here but one: which address leasequeries come from where none
 * is configured.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine.h"
#include "log.h"
#include "wire/text.h"

ms_t engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void engine_commit(struct engine *engine)
{
	int err = 0;

	if (engine->guard_failed) {
		err = engine->guard_ops->recover(engine->guard);
		if (!err)
			bridge_say_all(engine->bridge, engine_now());
		engine->guard_dirty = true;
	}
	if (!err && engine->guard_dirty)
		err = engine->guard_ops->commit(engine->guard);
	if (engine->guard_dirty)
		engine->announced = false;
	engine->guard_dirty = false;
	if (err && !engine->guard_failed)
		log_line(LOG_ERR, "guard: the kernel refused a change: %s; tried again every "
			 "second", strerror(-err));
	else if (!err && engine->guard_failed)
		log_line(LOG_NOTICE, "guard: in place again");
	engine->guard_failed = err;
}

/* The wishes. */

static int put(void *arg, const struct guard_element *element)
{
	struct engine *engine = arg;

	engine->guard_dirty = true;
	return engine->guard_ops->put(engine->guard, element);
}

static int renew(void *arg, const struct guard_element *element)
{
	struct engine *engine = arg;

	engine->guard_dirty = true;
	return engine->guard_ops->renew(engine->guard, element);
}

static int drop(void *arg, const struct guard_element *element)
{
	struct engine *engine = arg;

	engine->guard_dirty = true;
	return engine->guard_ops->drop(engine->guard, element);
}

static int announce(void *arg, const char *port, const struct mac *mac)
{
	struct engine *engine = arg;

	engine->announced = true;
	return engine->guard_ops->announce(engine->guard, port, mac);
}

static int renounce(void *arg, const char *port, const struct mac *mac)
{
	struct engine *engine = arg;

	engine->guard_dirty = true;
	return engine->guard_ops->renounce(engine->guard, port, mac);
}

static int mode(void *arg, const char *port, enum link_guard wanted)
{
	struct engine *engine = arg;

	engine->guard_dirty = true;
	return engine->guard_ops->mode(engine->guard, port, wanted);
}

static int lq_send(void *arg, const struct addr *from, const struct addr *server,
		   const uint8_t *msg, size_t len)
{
	struct engine *engine = arg;
	char from_text[ADDR_TEXT_MAX], server_text[ADDR_TEXT_MAX];
	int err = lq_socket_send(engine->lq, from, server, msg, len);

	if (err && !engine->send_error_logged)
		log_line(LOG_WARNING, "leasequery from giaddr %s to %s not sent: %s",
			 addr_text(from, from_text), addr_text(server, server_text),
			 strerror(-err));
	if (!err)
		engine->announce_by = engine_now() + ANNOUNCE_MS;
	engine->send_error_logged = err;
	return err;
}

static bool place(void *arg, const char *port, uint32_t *ret_bridge)
{
	struct engine *engine = arg;
	struct bridge_db_port found;

	if (!bridge_db_port(engine->db, port, &found))
		return false;
	*ret_bridge = found.bridge_ifindex;
	return true;
}

/* The bridge's own address, unless somebody else on this machine lives on UDP
 * port 67: a socket of ours on giaddr:67 would make a relay deaf. */
static bool giaddr(void *arg, const char *port, struct addr *ret_giaddr)
{
	struct engine *engine = arg;
	struct bridge_db_port found;
	const char *why = NULL;

	if (!bridge_db_port(engine->db, port, &found))
		return false;
	if (!bridge_db_address(engine->db, found.bridge_ifindex, ret_giaddr))
		why = "the bridge has no IPv4 address";
	else if (!lq_socket_holds(engine->lq, ret_giaddr) &&
		 !lq_socket_port67_free(engine->lq))
		why = "another program on this machine holds UDP port 67";
	if (why && !engine->no_giaddr_logged)
		log_line(LOG_WARNING, "%s: no giaddr to ask from: %s; set giaddr to an address "
			 "of this machine that nobody else uses, for instance a /32 on lo",
			 port, why);
	engine->no_giaddr_logged = why;
	return !why;
}

static uint32_t random_bits(void *arg)
{
	uint32_t bits;

	(void)arg;
	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		bits = (uint32_t)engine_now() * 2654435761u;
	return bits;
}

static void log_wish(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		     const char *text)
{
	(void)arg;
	log_about(priority, port, vsi, text);
}

const struct bridge_io engine_io = {
	.put = put, .renew = renew, .drop = drop, .announce = announce,
	.renounce = renounce, .mode = mode, .lq_send = lq_send, .place = place,
	.giaddr = giaddr, .random = random_bits, .log = log_wish,
};
