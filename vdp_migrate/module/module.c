/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module in lldpad: way in, and the only place where its rooms meet. What the
 * host tells is handed to the room that knows what to do; what the rooms see goes
 * to the engine by link.c. Nothing here waits: hooks look up, copy and collect.
 *
 * A port whose setting `use` is no is left alone: its VDPDUs pass unread.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "counters.h"
#include "help_ask.h"
#include "hold.h"
#include "left.h"
#include "limit.h"
#include "link.h"
#include "marks.h"
#include "port.h"
#include "replay.h"
#include "requests.h"
#include "restarted.h"
#include "set.h"
#include "settings.h"
#include "suspend.h"
#include "tell.h"
#include "tlv.h"
#include "vdp_migrate/host.h"
#include "vdp_migrate/protocol.h"
#include "vdpdu.h"
#include "wire/ecp.h"
#include "wire/vdp22.h"

static struct module {
	struct ports ports;
	struct counters counters;
	struct limit frame_limit;	/* of ports that are not ours */
	struct marks *marks;
	struct link *link;
	struct replay replay;
	struct vdpdu vdpdu;
	struct hold hold;
	struct left left;
	struct set set;
	bool asked_suspend;	/* suspend_turn() may have something to do */
	bool kept_back;		/* a sequence_frame() has said so since the last turn */
	char value[SETTINGS_VALUE_MAX];	/* the last one got */
} module;

static void catch_up(void);
static void begin_anew(struct port *port);
static struct port *get_port(const char *name);
static struct port *used_port(const char *name);

static void attached(void)
{
	if (module.link)
		link_enable(module.link);
}

static void detached(void)
{
	struct port *port;

	catch_up();
	hold_drop(&module.hold, NULL);
	for (port = module.ports.first; port; port = port->next) {
		vsis_clear(&port->vsis);
		/* The next generation reads its role from lldpad.conf again. */
		port->role_seen = false;
		begin_anew(port);
		port->timed = false;
		tell_port(module.link, port);
	}
	tell_forgotten(module.link, "");
	/* lldpad may be about to end: there may be no next turn. */
	if (module.link)
		link_flush(module.link);
}

static void port_up(const char *name)
{
	struct port *port = get_port(name);

	if (!port)
		return;
	port->up = true;
	port->hold_from = 0;
	port_read_role(port);
	port_read_settings(port);
	tlv_refresh(port);
	tell_port(module.link, port);
}

static void port_down(const char *name)
{
	struct port *port = port_find(&module.ports, name);

	if (!port || !port->up)
		return;
	catch_up();
	begin_anew(port);
	hold_drop(&module.hold, name);
	vsis_clear(&port->vsis);
	if (port->settings.use)
		tell_forgotten(module.link, name);
	tell_port(module.link, port);
}

static void evb(const char *name, const struct host_evb *evb)
{
	struct port *port = get_port(name);
	uint32_t before;

	if (!port)
		return;
	before = port_keepalive_ms(&port->evb);
	port->evb = *evb;
	port->timed = evb->rka;
	if (port_keepalive_ms(&port->evb) != before)
		tell_port(module.link, port);
}

static bool pdu_in(const char *name, uint8_t *pdu, size_t len)
{
	struct port *port = used_port(name);

	if (!port)
		return true;
	sequence_handed_on(&port->sequence);
	return vdpdu_in(&module.vdpdu, host_now(), port, pdu, len);
}

static enum host_pace pace(const char *name)
{
	const struct port *port = used_port(name);

	return port ? port_pace(port) : HOST_PACE_STOCK;
}

static void pdu_lost(const char *name)
{
	struct port *port = used_port(name);

	if (port)
		vdpdu_lost(&module.vdpdu, host_now(), port);
}

static bool pdu_out(const char *name, uint8_t *pdu, size_t *len)
{
	struct port *port = used_port(name);

	catch_up();
	return !port || vdpdu_out(&module.vdpdu, host_now(), port, pdu, len);
}

/* Until its next LLDPDU, up to 30 s, VDP22 would have no timers, nor would a peer that
 * has started with us. */
static void vdp_started(const char *name)
{
	struct port *port = used_port(name);

	if (port && port->role != LINK_ROLE_NONE)
		host_lldp_changed(name);
}

/* A peer that has heard us before our restart takes the first number for a repetition
 * if its last was the same: let it be a VDPDU that says nothing. */
static void ecp_started(const char *name)
{
	struct port *port = used_port(name);
	uint8_t pdu[VDP22_EMPTY_LEN];

	if (!port || port->role == LINK_ROLE_NONE)
		return;
	vdp22_empty(pdu);
	host_pdu_send(name, pdu, sizeof(pdu));
}

static void frame_in(const char *name, const uint8_t *frame, size_t len)
{
	struct port *port = used_port(name);

	if (port && sequence_frame(&port->sequence, host_now(), &port->evb, frame, len))
		module.kept_back = true;
}

static void frame_dropped(const char *name, uint16_t ethertype, size_t len)
{
	struct port *port = port_find(&module.ports, name);
	struct limit *limit = port ? &port->limit[LIMIT_FRAME] : &module.frame_limit;
	char before[40] = "";
	unsigned kept_back;

	counters_add(&module.counters, COUNT_FRAMES_DROPPED, 1);
	if (!limit_pass(limit, host_now(), &kept_back))
		return;
	if (kept_back)
		snprintf(before, sizeof(before), " (and %u before it)", kept_back);
	host_log(LOG_WARNING, "%s: frame dropped: ethertype 0x%04x, %zu octets, lldpad "
		 "would not survive it%s", name, ethertype, len, before);
}

static void tick(ms_t now)
{
	catch_up();
	marks_tick(module.marks, now);
	if (!module.link)
		return;
	if (!link_connected(module.link))
		help_ask_forget(&module.ports);
	tell_counters(module.link, &module.counters);
	link_tick(module.link, now);
	help_ask_tick(&module.counters, &module.ports, now);
}

static void turn(ms_t now)
{
	if (module.kept_back)
		restarted_hand_on(&module.ports, &module.counters);
	module.kept_back = false;
	catch_up();
	if (module.asked_suspend)
		suspend_turn(&module.ports, &module.counters);
	module.asked_suspend = false;
	if (!module.link)
		return;
	link_turn(module.link, now);
	module.hold.answered_for &= link_connected(module.link);
	if (module.hold.n)
		hold_turn(&module.hold, now);
}

static size_t tlv_out(const char *name, uint8_t *ret_value, size_t size)
{
	const struct port *port = used_port(name);

	return port ? tlv_say(port, ret_value, size) : 0;
}

/* Of a port that is not ours too: it may become ours before the neighbour's LLDPDU
 * changes, and one that is the same lldpad does not show again. */
static void tlv_in(const char *name, const uint8_t *value, size_t len)
{
	struct port *port = port_find(&module.ports, name);

	if (port && tlv_hear(port, value, len))
		tell_port(module.link, port);
}

static void tlv_is_gone(const char *name)
{
	struct port *port = port_find(&module.ports, name);

	if (port && tlv_gone(port))
		tell_port(module.link, port);
}

static enum host_set_result setting_test(const char *port, const char *name,
					 const char *value)
{
	return set_test(&module.set, port, name, value);
}

static enum host_set_result setting_set(const char *port, const char *name,
					const char *value)
{
	return set_value(&module.set, port, name, value);
}

static const char *setting_get(const char *name_of_port, const char *name)
{
	const char *value = settings_value(name_of_port, name, NULL);
	const struct port *port = port_find(&module.ports, name_of_port);

	if (!value)
		return NULL;
	if (port && port->offloaded && !strcmp(name, "guard"))
		value = "off";
	snprintf(module.value, sizeof(module.value), "%s", value);
	return module.value;
}

/* From the rooms. */

static void seen(void *arg, const struct link_msg *msg)
{
	(void)arg;
	if (module.link)
		link_put(module.link, msg);
}

static void response_left(void *arg, const char *name, const uint8_t *pdu, size_t len)
{
	const struct port *port = port_find(&module.ports, name);

	(void)arg;
	if (port)
		vdpdu_left(&module.vdpdu, port, pdu, len);
}

static void role_changed(void *arg, struct port *port)
{
	(void)arg;
	tlv_refresh(port);
	tell_port(module.link, port);
}

static void settings_changed(void *arg, struct port *port)
{
	(void)arg;
	catch_up();
	if (!port->settings.use) {
		hold_release(&module.hold, port->name);
		vsis_clear(&port->vsis);
		sequence_reset(&port->sequence);
		port->hold_from = MS_NEVER;
	} else if (port->hold_from == MS_NEVER) {
		port->hold_from = host_now() + port_keepalive_ms(&port->evb);
	}
	/* The engine keeps the list while it is monitor. */
	if (port->settings.guard != LINK_GUARD_MONITOR)
		port->cases = (struct link_cases){ 0 };
	tlv_refresh(port);
	tell_port(module.link, port);
}

static bool replay_part(void *arg, struct wr *datagram, bool restart)
{
	(void)arg;
	if (restart)
		replay_start(&module.replay);
	return replay_fill(&module.replay, &module.ports, module.marks, host_now(),
			   &module.counters, datagram);
}

static void ready(const struct link_vsi_of *of)
{
	const struct port *port = used_port(of->port);
	struct vsis_one *one = port ? vsis_find(&port->vsis, &of->id) : NULL;

	if (one)
		hold_ready(&module.hold, one);
}

static void message(void *arg, const struct link_msg *msg)
{
	struct port *port;

	(void)arg;
	catch_up();
	if (msg->type == LINK_HELLO) {
		set_forget_cases(&module.ports);
		help_ask_forget(&module.ports);
		help_answer_forget(&module.ports);
		module.hold.answered_for = true;
	} else if (msg->type == LINK_READY) {
		ready(&msg->u.vsi_of);
	} else if (msg->type == LINK_HELP) {
		help_ask(&module.counters, host_now(),
			 port_find(&module.ports, msg->u.help.port), &msg->u.help);
	} else if (msg->type == LINK_HELP_END) {
		help_ask_end(port_find(&module.ports, msg->u.vsi_of.port),
			     &msg->u.vsi_of.id);
	} else if (msg->type == LINK_CASES) {
		port = port_find(&module.ports, msg->u.cases.port);
		if (port)
			port->cases = msg->u.cases;
	} else if (!set_message(&module.set, msg)) {
		requests_message(module.link, module.marks, &module.ports, host_now(),
				 msg);
		module.asked_suspend |= msg->type == LINK_SUSPEND;
	}
}

static bool untold(const void *message, size_t len)
{
	return left_untold(&module.left, message, len);
}

const struct host_events *module_init(void)
{
	static const struct link_ops link_ops = { replay_part, message };
	static const struct host_events events = {
		.attached = attached,
		.detached = detached,
		.port_up = port_up,
		.port_down = port_down,
		.evb = evb,
		.pdu_in = pdu_in,
		.pace = pace,
		.pdu_lost = pdu_lost,
		.pdu_out = pdu_out,
		.vdp_started = vdp_started,
		.ecp_started = ecp_started,
		.frame_in = frame_in,
		.frame_ok = ecp_survivable,
		.frame_dropped = frame_dropped,
		.untold = untold,
		.tick = tick,
		.turn = turn,
		.tlv_out = tlv_out,
		.tlv_in = tlv_in,
		.tlv_gone = tlv_is_gone,
		.setting_test = setting_test,
		.setting_set = setting_set,
		.setting_get = setting_get,
		.setting_name = settings_name,
	};

	module.marks = marks_new();
	module.hold.counters = &module.counters;
	module.hold.left = response_left;
	module.link = link_new(VDP_MIGRATE_SOCKET, &link_ops, NULL, &module.counters);
	module.vdpdu = (struct vdpdu){
		.marks = module.marks,
		.counters = &module.counters,
		.see = seen,
		.hold = &module.hold,
		.left = &module.left,
		.role = role_changed,
		.answer = {
			.marks = module.marks,
			.counters = &module.counters,
			.asked = seen,
		},
	};
	module.set = (struct set){
		.ports = &module.ports,
		.link = module.link,
		.changed = settings_changed,
	};
	return &events;
}

static void catch_up(void)
{
	if (module.vdpdu.n_unseen)
		vdpdu_catch_up(&module.vdpdu, host_now());
}

/* The port goes, or comes anew: nothing that was heard on it counts. */
static void begin_anew(struct port *port)
{
	port->up = false;
	sequence_reset(&port->sequence);
	tlv_gone(port);
}

/* NULL: no memory or no room; then the port is as one that is not ours. */
static struct port *get_port(const char *name)
{
	struct port *port = port_get(&module.ports, name), *spare;

	if (port)
		return port;
	spare = port_spare(&module.ports);
	if (!spare)
		return NULL;
	catch_up();
	spare->settings.use = false;
	tell_port(module.link, spare);
	port_drop(&module.ports, spare);
	return port_get(&module.ports, name);
}

static struct port *used_port(const char *name)
{
	struct port *port = port_find(&module.ports, name);

	return port && port->settings.use ? port : NULL;
}
