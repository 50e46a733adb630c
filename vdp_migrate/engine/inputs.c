/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What comes in, from the guard, the kernel's links, the leasequery sockets, the ports
 * and the link, and to which story it goes. Nothing is decided here.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "events.h"
#include "log.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"

static void guard_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;
	bool by_hand;
	int what;

	(void)loop;
	(void)events;
	what = engine->guard_ops->dispatch(engine->guard);
	if (what <= 0)
		return;
	by_hand = opened_look(engine);
	if (what == 2 && !by_hand)
		return; /* once more, or taken back since */
	if (!by_hand)
		log_line(LOG_WARNING, "guard: somebody else has changed table bridge "
			 "vdp_migrate; put back");
	if (engine_recover(engine)) {
		if (!engine->guard_failed) {
			log_line(LOG_ERR, "guard: not put back; tried again every second");
			events_tell_state(engine->server, "guard", NULL, "not in place", NULL);
		}
		engine->guard_failed = true;
		return;
	}
	if (by_hand)
		return;
	engine->control.put_back++;
	events_tell_state(engine->server, "guard", NULL, "put back",
			  "changed by somebody else");
}

static void link_changed(void *arg, const char *name)
{
	bool *changed = arg;

	(void)name;
	*changed = true;
}

static void db_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;
	bool changed = false;

	(void)loop;
	(void)events;
	bridge_db_dispatch(engine->db, link_changed, &changed);
	/* Once, however many have: each look is at all ports. */
	if (!changed)
		return;
	watches_links_changed(engine->watches);
	if (engine->wants_dhcp)
		(void)inputs_watch_dhcp(engine);
	bridge_links_changed(engine->bridge, engine_now());
	station_links_changed(engine->station, engine_now());
}

static void lq_message(void *arg, const struct addr *giaddr, const struct addr *server,
		       uint16_t sport, const uint8_t *msg, size_t len)
{
	struct engine *engine = arg;

	if (bridge_lq_input(engine->bridge, engine_now(), giaddr, server, sport, msg, len) ==
	    LQ_NOT_A_REPLY)
		giaddr_suspect(engine->giaddr, giaddr);
}

static void lq_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;

	(void)loop;
	(void)events;
	lq_socket_dispatch(engine->lq, lq_message, engine);
}

static void frame(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
		  const uint8_t *octets, size_t len)
{
	struct engine *engine = arg;
	struct inet_frame decoded;
	char port[VM_IFNAME_MAX];

	(void)out;
	if (inet_decode(octets, len, &decoded, NULL))
		return;
	if (!bridge_db_name(engine->db, ifindex, port) &&
	    (decoded.ethertype != ETHERTYPE_LLDP ||
	     !bridge_db_anchor(engine->db, ifindex, port)))
		return;
	if (vlan)
		decoded.vlan = vlan;
	bridge_frame(engine->bridge, engine_now(), port, &decoded);
	station_frame(engine->station, engine_now(), port, &decoded);
}

static void ports_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;

	(void)loop;
	(void)events;
	port_socket_dispatch(engine->ports, frame, engine);
}

static void probed_frame(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
			 const uint8_t *octets, size_t len)
{
	struct engine *engine = arg;
	struct inet_frame decoded;
	char port[VM_IFNAME_MAX];

	(void)out;
	if (inet_decode(octets, len, &decoded, NULL) ||
	    !bridge_db_name(engine->db, ifindex, port))
		return;
	if (vlan)
		decoded.vlan = vlan;
	bridge_probed(engine->bridge, engine_now(), port, &decoded);
}

static void probed_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;

	(void)loop;
	(void)events;
	port_socket_dispatch(engine->probed, probed_frame, engine);
}

/* In its octets. */
static bool is_tagged(const uint8_t *frame)
{
	return (frame[12] << 8 | frame[13]) == ETHERTYPE_VLAN;
}

/* A datagram, and behind one tag at most: a switch may take one away. */
static bool is_plain(const struct inet_frame *frame, uint16_t vlan, const uint8_t *octets)
{
	return frame->udp && !(vlan && is_tagged(octets));
}

static void dhcp_frame(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
		       const uint8_t *octets, size_t len)
{
	struct engine *engine = arg;
	struct inet_frame decoded;
	char interface[VM_IFNAME_MAX];

	if (!ifindex)
		station_dhcp_doubt(engine->station, engine_now(), NULL);
	if (!bridge_db_any_name(engine->db, ifindex, interface))
		return;
	if (inet_decode(octets, len, &decoded, NULL) ||
	    !is_plain(&decoded, vlan, octets)) {
		if (out)
			station_dhcp_doubt(engine->station, engine_now(), interface);
		return;
	}
	/* It has lost its tag: this is another one. */
	if (!out && is_tagged(octets))
		return;
	if (vlan)
		decoded.vlan = vlan;
	station_dhcp(engine->station, engine_now(), interface, out, &decoded);
}

static void dhcp_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct engine *engine = watcher->data;

	(void)loop;
	(void)events;
	port_socket_dispatch(engine->dhcp, dhcp_frame, engine);
}

static void module_msg(void *arg, const struct link_msg *msg)
{
	struct engine *engine = arg;
	ms_t now = engine_now();

	switch (msg->type) {
	case LINK_REPLAY:
	case LINK_REPLAY_END:
		if (msg->type == LINK_REPLAY)
			events_tell_state(engine->server, "module", NULL, "connected", NULL);
		bridge_replay(engine->bridge, now, msg->type == LINK_REPLAY_END);
		if (msg->type == LINK_REPLAY_END)
			station_replayed(engine->station, now);
		break;
	case LINK_PORT:
		bridge_port(engine->bridge, now, &msg->u.port);
		station_port(engine->station, now, &msg->u.port);
		break;
	case LINK_VSI:
		bridge_vsi(engine->bridge, now, &msg->u.vsi);
		station_vsi(engine->station, now, &msg->u.vsi);
		break;
	case LINK_FORGOTTEN:
		bridge_forgotten(engine->bridge, now, msg->u.forgotten);
		station_forgotten(engine->station, now, msg->u.forgotten);
		break;
	case LINK_MARK:
		station_mark(engine->station, now, &msg->u.mark);
		break;
	case LINK_HELP_ASKED:
		station_help_asked(engine->station, now, &msg->u.help);
		break;
	case LINK_UNMARK:
		station_unmark(engine->station, now, &msg->u.mark.id);
		break;
	case LINK_COUNTER:
		control_counter(&engine->control, &msg->u.counter);
		break;
	}
}

static void module_gone(void *arg)
{
	struct engine *engine = arg;

	events_tell_state(engine->server, "module", NULL, "gone", NULL);
	bridge_module_gone(engine->bridge, engine_now());
	station_module_gone(engine->station, engine_now());
}

static void show(void *arg, struct link_client *client, const struct link_show *table)
{
	struct engine *engine = arg;

	engine->control.now = engine_now();
	control_show(&engine->control, client, table);
}

static void watched(void *arg, struct link_client *client, uint32_t seq)
{
	(void)arg;
	events_watch(client, seq);
}

static void asked(void *arg, struct link_client *client, const struct link_ask *ask)
{
	struct engine *engine = arg;

	engine->control.now = engine_now();
	control_ask(&engine->control, client, ask);
}

static void bound(void *arg, struct link_client *client, bool bind,
		  const struct link_bind *what)
{
	struct engine *engine = arg;

	kept_bind(engine->kept, engine_now(), client, bind, what);
}

const struct link_server_ops inputs_link_ops = {
	.module_msg = module_msg, .module_gone = module_gone, .show = show, .bind = bound,
	.watch = watched, .ask = asked,
};


static void watch_fd(struct engine *engine, ev_io *watcher, int fd, int priority,
		     void (*cb)(struct ev_loop *loop, ev_io *watcher, int events))
{
	ev_io_init(watcher, cb, fd, EV_READ);
	ev_set_priority(watcher, priority);
	watcher->data = engine;
	ev_io_start(engine->loop, watcher);
}

void inputs_watch(struct engine *engine)
{
	watch_fd(engine, &engine->guard_readable, engine->guard_ops->fd(engine->guard), 0,
		 guard_event);
	watch_fd(engine, &engine->db_readable, bridge_db_fd(engine->db), 0, db_event);
	watch_fd(engine, &engine->lq_readable, lq_socket_fd(engine->lq), 0, lq_event);
	/* A VM's request before this machine's answer to it, which another socket has. */
	watch_fd(engine, &engine->ports_readable, port_socket_fd(engine->ports), EV_MAXPRI,
		 ports_event);
}

int inputs_watch_probed(struct engine *engine, bool on)
{
	int err;

	if (!on) {
		if (engine->probed)
			ev_io_stop(engine->loop, &engine->probed_readable);
		port_socket_free(engine->probed);
		engine->probed = NULL;
		return 0;
	}
	err = engine->probed ? 0 : port_socket_new_probed(&engine->probed);
	if (err)
		log_line(LOG_ERR, "packet socket for answers to probes: %s",
			 strerror(-err));
	else if (!ev_is_active(&engine->probed_readable))
		watch_fd(engine, &engine->probed_readable, port_socket_fd(engine->probed),
			 0, probed_event);
	return err;
}

int inputs_watch_dhcp(struct engine *engine)
{
	int err = 0;

	/* The kernel copies each frame that goes out at any interface for this socket:
	 * not where there is none to hear. It is never closed: that waits for the
	 * kernel. */
	engine->wants_dhcp = true;
	if (!engine->dhcp && !bridge_db_any_direct(engine->db))
		return 0;
	if (!engine->dhcp)
		err = port_socket_new_dhcp(&engine->dhcp);
	if (err) {
		if (!engine->dhcp_failed)
			log_line(LOG_ERR, "packet socket for DHCP of macvtap: %s",
				 strerror(-err));
		engine->dhcp_failed = true;
		return err;
	}
	engine->control.dhcp = engine->dhcp;
	if (!ev_is_active(&engine->dhcp_readable))
		watch_fd(engine, &engine->dhcp_readable, port_socket_fd(engine->dhcp), 0,
			 dhcp_event);
	return 0;
}

static const char *turned(void *arg, const char *interface, const struct mac *mac)
{
	struct engine *engine = arg;

	return station_turned(engine->station, engine_now(), interface, mac);
}

int inputs_watch_first(struct engine *engine, const char *interface,
		       const struct mac *mac, bool on)
{
	if (!engine->first && on)
		engine->first = first_frames_new(engine->loop, engine->frames, turned,
						 engine);
	if (!engine->first)
		return on ? -ENOMEM : 0;
	if (on)
		return first_frames_hear(engine->first, interface, mac);
	first_frames_quiet(engine->first, interface, mac);
	return 0;
}
