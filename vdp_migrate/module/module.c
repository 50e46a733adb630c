/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module in lldpad: way in, and the only place where its rooms meet. What the
 * host tells is handed to the room that knows what to do; what the rooms see goes
 * to the engine by link.c. Nothing here waits: bus hooks (pdu_in, pdu_out) only
 * look up, copy and collect.
 *
 * A port whose setting `use` is no is left alone: its VDPDUs pass unread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "counters.h"
#include "limit.h"
#include "link.h"
#include "marks.h"
#include "port.h"
#include "replay.h"
#include "requests.h"
#include "settings.h"
#include "vdp_migrate/host.h"
#include "vdp_migrate/protocol.h"
#include "vdpdu.h"
#include "wire/ecp.h"

static struct module {
	struct ports ports;
	struct counters counters;
	struct limit frame_limit;	/* of ports that are not ours */
	struct marks *marks;
	struct link *link;
	struct replay replay;
	struct vdpdu vdpdu;
	char value[SETTINGS_VALUE_MAX];	/* the last one got */
} module;

static struct port *get_port(const char *name);
static struct port *used_port(const char *name);
static void tell_port(struct port *port);
static void tell_forgotten(const char *name);
static void tell_counters(void);

static void attached(void)
{
	if (module.link)
		link_enable(module.link);
}

static void detached(void)
{
	struct port *port;

	for (port = module.ports.first; port; port = port->next) {
		vsis_clear(&port->vsis);
		/* The next generation reads its role from lldpad.conf again. */
		port->role_seen = false;
	}
	tell_forgotten("");
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
	port_read_role(port);
	port_read_settings(port);
	tell_port(port);
}

static void port_down(const char *name)
{
	struct port *port = port_find(&module.ports, name);

	if (!port || !port->up)
		return;
	port->up = false;
	vsis_clear(&port->vsis);
	if (port->settings.use)
		tell_forgotten(name);
	tell_port(port);
}

static void evb(const char *name, const struct host_evb *evb)
{
	struct port *port = get_port(name);
	uint32_t before;

	if (!port)
		return;
	before = port_keepalive_ms(&port->evb);
	port->evb = *evb;
	if (port_keepalive_ms(&port->evb) != before)
		tell_port(port);
}

static bool pdu_in(const char *name, uint8_t *pdu, size_t len)
{
	struct port *port = used_port(name);

	return !port || vdpdu_in(&module.vdpdu, host_now(), port, pdu, len);
}

static void pdu_out(const char *name, uint8_t *pdu, size_t *len)
{
	struct port *port = used_port(name);

	if (port)
		vdpdu_out(&module.vdpdu, host_now(), port, pdu, len);
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
	marks_tick(module.marks, now);
	if (!module.link)
		return;
	tell_counters();
	link_tick(module.link, now);
}

static void turn(ms_t now)
{
	if (module.link)
		link_turn(module.link, now);
}

static enum host_set_result setting_test(const char *port, const char *name,
					 const char *value)
{
	const char *takes;

	switch (settings_check(name, value, &takes)) {
	case 0:
		return HOST_SET_OK;
	case -ENOENT:
		return HOST_SET_NO_SUCH_NAME;
	default:
		host_log(LOG_WARNING, "%s: setting %s: '%s' refused: takes %s", port,
			 name, value, takes);
		return HOST_SET_BAD_VALUE;
	}
}

static enum host_set_result setting_set(const char *name_of_port, const char *name,
					const char *value)
{
	enum host_set_result result = setting_test(name_of_port, name, value);
	struct port *port;
	int rc;

	if (result != HOST_SET_OK)
		return result;
	rc = host_setting_store(name_of_port, name, value);
	if (rc) {
		host_log(LOG_ERR, "%s: setting %s: '%s' could not be stored: %s",
			 name_of_port, name, value, strerror(-rc));
		return HOST_SET_FAILED;
	}
	port = port_find(&module.ports, name_of_port);
	if (!port)
		return HOST_SET_OK;
	port_read_settings(port);
	if (!port->settings.use)
		vsis_clear(&port->vsis);
	tell_port(port);
	return HOST_SET_OK;
}

static const char *setting_get(const char *port, const char *name)
{
	const char *value = settings_value(port, name, NULL);

	if (!value)
		return NULL;
	snprintf(module.value, sizeof(module.value), "%s", value);
	return module.value;
}

/* From the rooms. */

static void vsi_seen(void *arg, const struct link_msg *msg)
{
	(void)arg;
	if (module.link)
		link_put(module.link, msg);
}

static void role_changed(void *arg, struct port *port)
{
	(void)arg;
	tell_port(port);
}

static bool replay_part(void *arg, struct wr *datagram, bool restart)
{
	(void)arg;
	if (restart)
		replay_start(&module.replay);
	return replay_fill(&module.replay, &module.ports, &module.counters, datagram);
}

static void message(void *arg, const struct link_msg *msg)
{
	(void)arg;
	requests_message(module.link, module.marks, &module.ports, host_now(), msg);
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
		.pdu_out = pdu_out,
		.frame_ok = ecp_survivable,
		.frame_dropped = frame_dropped,
		.tick = tick,
		.turn = turn,
		.setting_test = setting_test,
		.setting_set = setting_set,
		.setting_get = setting_get,
		.setting_name = settings_name,
	};

	module.marks = marks_new();
	module.link = link_new(VDP_MIGRATE_SOCKET, &link_ops, NULL, &module.counters);
	module.vdpdu = (struct vdpdu){
		.marks = module.marks,
		.counters = &module.counters,
		.see = vsi_seen,
		.role = role_changed,
	};
	return &events;
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
	spare->settings.use = false;
	tell_port(spare);
	port_drop(&module.ports, spare);
	return port_get(&module.ports, name);
}

static struct port *used_port(const char *name)
{
	struct port *port = port_find(&module.ports, name);

	return port && port->settings.use ? port : NULL;
}

static void tell_port(struct port *port)
{
	struct link_msg msg = { .type = LINK_PORT };

	if (!port->settings.use && !port->told)
		return;
	port->told = port->settings.use;
	if (!module.link)
		return;
	port_describe(port, &msg.u.port);
	link_put(module.link, &msg);
}

static void tell_forgotten(const char *name)
{
	struct link_msg msg = { .type = LINK_FORGOTTEN };

	if (!module.link)
		return;
	snprintf(msg.u.forgotten, sizeof(msg.u.forgotten), "%s", name);
	link_put(module.link, &msg);
}

static void tell_counters(void)
{
	struct link_msg msg = { .type = LINK_COUNTER };
	unsigned at = 0;

	while (link_connected(module.link) &&
	       counters_next(&module.counters, false, &at, &msg.u.counter))
		link_put(module.link, &msg);
}
