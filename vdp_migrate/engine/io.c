/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the story's wishes become: calls to the guard, datagrams, log lines. No
 * decision is made here.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine.h"
#include "events.h"
#include "log.h"
#include "wire/text.h"

ms_t engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drop_unwanted(void *arg, const struct guard_element *element)
{
	struct engine *engine = arg;

	if (!bridge_wants(engine->bridge, element))
		(void)engine->guard_ops->drop(engine->guard, element);
}

/* What was queued is lost with the old rules: say all that is true, and take out what
 * is in the kernel and not in the table. */
int engine_recover(struct engine *engine)
{
	int err;

	(void)opened_look(engine);
	err = engine->guard_ops->recover(engine->guard);
	if (!err)
		err = opened_hold(engine);
	if (err)
		return err;
	engine->guard_dirty = true;
	bridge_say_all(engine->bridge, engine_now());
	bridge_open(engine->bridge, engine_now(), engine->opened);
	return engine->guard_ops->list(engine->guard, drop_unwanted, engine);
}

void engine_commit(struct engine *engine)
{
	int err = 0;

	if (engine->guard_failed)
		err = engine_recover(engine);
	if (!err && engine->guard_dirty) {
		err = engine->guard_ops->commit(engine->guard);
		engine->control.commits++;
	}
	engine->control.commits_failed += err != 0;
	if (engine->guard_dirty)
		engine->announced = false;
	engine->guard_dirty = false;
	if (err && !engine->guard_failed)
		log_line(LOG_ERR, "guard: the kernel refused a change: %s; tried again every "
			 "second", strerror(-err));
	else if (!err && engine->guard_failed)
		log_line(LOG_NOTICE, "guard: in place again");
	if (!err != !engine->guard_failed)
		events_tell_state(engine->server, "guard", NULL,
				  err ? "not in place" : "in place",
				  err ? strerror(-err) : NULL);
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

/* True: this server fails since now. */
static bool note_failing(struct engine *engine, const struct addr *server, int err)
{
	unsigned i = 0;

	while (i < engine->n_failing && !addr_equal(&engine->failing[i], server))
		i++;
	if (!err && i < engine->n_failing)
		engine->failing[i] = engine->failing[--engine->n_failing];
	if (!err || i < engine->n_failing || i == FAILING_MAX)
		return false;
	engine->failing[engine->n_failing++] = *server;
	return true;
}

static int lq_send(void *arg, const struct addr *from, const struct addr *server,
		   const uint8_t *msg, size_t len)
{
	struct engine *engine = arg;
	char from_text[ADDR_TEXT_MAX], server_text[ADDR_TEXT_MAX];
	int err;

	if (!giaddr_may_send(engine->giaddr, engine_now(), from))
		return -EADDRINUSE;	/* giaddr says so itself */
	err = lq_socket_send(engine->lq, from, server, msg, len);
	if (note_failing(engine, server, err))
		log_line(LOG_WARNING, "leasequery from giaddr %s to %s not sent: %s",
			 addr_text(from, from_text), addr_text(server, server_text),
			 strerror(-err));
	if (!err)
		engine->announce_by = engine_now() + ANNOUNCE_MS;
	return err;
}

static int frame_send(void *arg, const char *interface, const uint8_t *frame, size_t len)
{
	struct engine *engine = arg;

	return frame_out_send(engine->frames, interface, frame, len);
}

static bool own_mac(void *arg, const char *interface, struct mac *ret_mac)
{
	struct engine *engine = arg;

	return frame_out_mac(engine->frames, interface, ret_mac);
}

static int hear_probed(void *arg, bool on)
{
	return inputs_watch_probed(arg, on);
}

static int hear_dhcp(void *arg)
{
	return inputs_watch_dhcp(arg);
}

static int hear_first(void *arg, const char *interface, const struct mac *mac, bool on)
{
	return inputs_watch_first(arg, interface, mac, on);
}

static void tell_module(void *arg, const struct link_msg *msg)
{
	struct engine *engine = arg;

	link_server_tell_module(engine->server, msg);
}

static bool place(void *arg, const char *port, struct bridge_place *ret_place)
{
	struct engine *engine = arg;
	struct bridge_db_port found;
	bool placed = bridge_db_port(engine->db, port, &found);
	struct bridge_db_below below;

	*ret_place = (struct bridge_place){ .offloaded = found.offloaded };
	memcpy(ret_place->anchor, found.port_name, sizeof(ret_place->anchor));
	if (bridge_db_below(engine->db, port, &below)) {
		ret_place->ifindex = below.ifindex;
		ret_place->direct = below.direct;
		ret_place->beside = below.beside;
		ret_place->mac = below.mac;
		ret_place->bottom_ifindex = below.bottom_ifindex;
		ret_place->bottom_vlan = below.vlan;
		memcpy(ret_place->bottom, below.bottom_name, sizeof(ret_place->bottom));
	}
	if (!placed)
		return false;
	ret_place->bridge = found.bridge_ifindex;
	ret_place->vlans = found.vlans;
	ret_place->pvid = found.pvid;
	ret_place->pvid_tagged = found.pvid_tagged;
	return true;
}

static bool vlan_on(void *arg, uint32_t bottom, uint16_t vlan,
		    char ret_name[VM_IFNAME_MAX])
{
	struct engine *engine = arg;

	return bridge_db_vlan_on(engine->db, bottom, vlan, ret_name);
}

static bool giaddr(void *arg, const char *port, struct addr *ret_giaddr)
{
	struct engine *engine = arg;

	return giaddr_default(engine->giaddr, engine_now(), port, ret_giaddr);
}

static bool giaddr_listen(void *arg, const struct addr *address)
{
	struct engine *engine = arg;
	char text[ADDR_TEXT_MAX];
	int err;

	if (!giaddr_may_send(engine->giaddr, engine_now(), address))
		return false;	/* giaddr says so itself */
	err = lq_socket_open(engine->lq, address);
	if (note_failing(engine, address, err))
		log_line(LOG_WARNING, "nothing can be received at giaddr %s: %s",
			 addr_text(address, text), strerror(-err));
	return !err;
}

static bool giaddr_apart(void *arg, const struct addr *address)
{
	struct engine *engine = arg;

	return !bridge_db_in_subnet(engine->db, address);
}

static void cases(void *arg, const struct link_cases *told)
{
	struct engine *engine = arg;
	const struct link_msg msg = { .type = LINK_CASES, .u.cases = *told };

	link_server_tell_module(engine->server, &msg);
}

static void watch_fdb(void *arg, const char *port, bool on)
{
	struct engine *engine = arg;

	watches_fdb(engine->watches, port, on);
}

static int fdb_quiet_at(void *arg, const char *port, uint16_t vlan, ms_t so_long,
			void (*cb)(void *cb_arg, const struct mac *mac), void *cb_arg)
{
	struct engine *engine = arg;

	return watches_quiet(engine->watches, port, vlan, so_long, cb, cb_arg);
}

static void keep(void *arg, const struct binding *binding)
{
	struct engine *engine = arg;

	kept_keep(engine->kept, binding);
}

static void forget(void *arg, const struct binding *binding)
{
	struct engine *engine = arg;

	kept_forget(engine->kept, binding);
}

static void event(void *arg, const struct bridge_event *happened)
{
	struct engine *engine = arg;

	events_tell(engine->server, happened);
}

static uint32_t random_bits(void *arg)
{
	struct engine *engine = arg;
	const ssize_t size = sizeof(engine->random);

	if (!engine->n_random && getrandom(engine->random, (size_t)size, 0) != size)
		return (uint32_t)engine_now() * 2654435761u;
	if (!engine->n_random)
		engine->n_random = RANDOM_MAX;
	return engine->random[--engine->n_random];
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
	.giaddr = giaddr, .giaddr_listen = giaddr_listen, .giaddr_apart = giaddr_apart,
	.keep = keep, .forget = forget, .event = event, .cases = cases,
	.frame_send = frame_send, .own_mac = own_mac, .hear_probed = hear_probed,
	.hear_dhcp = hear_dhcp, .hear_first = hear_first, .vlan_on = vlan_on,
	.tell_module = tell_module, .mdb_put = engine_mdb_put, .mdb_drop = engine_mdb_drop,
	.fdb_move = engine_fdb_move, .fdb_back = engine_fdb_back,
	.router_port = engine_router_port, .port_of_mac = engine_port_of_mac,
	.watch_fdb = watch_fdb, .fdb_quiet = fdb_quiet_at, .random = random_bits,
	.log = log_wish,
};
