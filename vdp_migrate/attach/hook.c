/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See hook.h. VDP22's and ECP22's tables of operations are read-only: their nodes
 * get copies in which notify and unregister are ours.
 *
 * In a hook there are look-ups and copies only: ECP22 sends its acknowledgement
 * when VDP22's notify has returned.
 */
#include "hook.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "args.h"
#include "dead.h"
#include "delay.h"
#include "down.h"
#include "input.h"
#include "lldp.h"
#include "ports.h"
#include "spent.h"
#include "vdp_migrate/protocol.h"

static const struct host_events *tell;
static struct lldpad_module own_module;
static struct lldpad_ops own_ops, vdp_ops, ecp_ops;
static const struct lldpad_ops *vdp_stock, *ecp_stock;
static bool in, late, gave;
static bool ended;		/* … in this turn */

static void frame_in(int ifindex, const uint8_t *frame, size_t len);
static int vdp_notify(int sender, char *ifname, void *message);
static void evb_in(const char *ifname, const struct lldpad_message *message);
static int ecp_notify(int sender, char *ifname, void *message);
static void ecp_runs(const char *ifname, uint8_t rte);
static int pdu_out(char *ifname, const struct lldpad_message *message);
static bool may_leave(const char *ifname, struct lldpad_message *message,
		      uint8_t pdu[HOST_PDU_MAX]);
static bool is_dead(const char *ifname);
static void vdp_unregister(struct lldpad_module *module);
static void ecp_unregister(struct lldpad_module *module);
static struct lldpad_module *own_enlist(void);
static void own_unregister(struct lldpad_module *module);
static void own_ifup(char *ifname, struct lldpad_agent *agent);
static void own_ifdown(char *ifname, struct lldpad_agent *agent);
static int own_timer(struct lldpad_port *port, struct lldpad_agent *agent);
static struct lldpad_arg *own_args(void);
static void port_up(const char *ifname, struct lldpad_agent *agent);

void hook_insert(struct lldpad_module **head, const struct host_events *events,
		 bool is_late)
{
	struct lldpad_module **end = head;

	tell = events;
	late = is_late;
	delay_reset();
	for (struct lldpad_module *module; (module = *end); end = &module->next) {
		if (module->id == LLDPAD_VDP22) {
			vdp_stock = module->ops;
			vdp_ops = *vdp_stock;
			vdp_ops.notify = vdp_notify;
			vdp_ops.unregister = vdp_unregister;
			module->ops = &vdp_ops;
		} else if (module->id == LLDPAD_ECP22) {
			ecp_stock = module->ops;
			ecp_ops = *ecp_stock;
			ecp_ops.notify = ecp_notify;
			ecp_ops.unregister = ecp_unregister;
			module->ops = &ecp_ops;
		}
	}
	input_insert(vdp_stock, tell);
	down_insert(*head);
	own_ops = (struct lldpad_ops){
		.enlist = own_enlist,
		.unregister = own_unregister,
		.ifup = own_ifup,
		.ifdown = own_ifdown,
		.timer = own_timer,
		.args = own_args,
	};
	lldp_insert(&own_ops, tell);
	/* At the end of the list: a mandatory TLV must not follow ours, and EVB22's
	 * timer comes before ours. */
	own_module = (struct lldpad_module){
		.id = VDP_MIGRATE_TLVID,
		.ops = &own_ops,
		.prev = end,
	};
	*end = &own_module;
	in = true;
}

bool hook_in(void)
{
	return in;
}

void hook_begin(void)
{
	ended = false;
}

bool hook_ended(void)
{
	return ended;
}

bool hook_stop(ms_t now)
{
	bool reaped = !down_dead_works() && dead_reap(now);

	return down_turn(now) || reaped;
}

void hook_came(void)
{
	input_came();
}

void hook_turn(ms_t now)
{
	if (input_turn(now))
		spent_say(SPENT_ON_FRAMES);
}

void hook_send(const char *ifname, const uint8_t *pdu, size_t len)
{
	struct port *port = ports_find(ifname);
	struct lldpad_message message = {
		.type = LLDPAD_VDP22_TO_ECP22,
		.u.pdu = { .len = (uint16_t)len, .data = (void *)(uintptr_t)pdu },
	};
	unsigned ours;

	if (!in || !port || len > LLDPAD_SEND_MAX || down_goes(ifname))
		return;
	ours = spent_pause();
	ecp_stock->notify(LLDPAD_VDP22, port->name, &message);
	spent_go_on(ours);
	gave = true;
}

void hook_deliver(const char *ifname, const uint8_t *pdu, size_t len)
{
	struct port *port = ports_find(ifname);
	const struct lldpad_message message = {
		.type = LLDPAD_ECP22_TO_ULP,
		.u.pdu = { .len = (uint16_t)len, .data = (void *)(uintptr_t)pdu },
	};

	if (!in || !port || len > HOST_PDU_MAX)
		return;
	input_take(port->name, &message);
	gave = true;
}

bool hook_gave(void)
{
	bool was = gave;

	gave = false;
	return was;
}

bool hook_frame(int fd, int ifindex, const uint8_t *frame, size_t len)
{
	char name[IF_NAMESIZE] = "";
	uint16_t ethertype = 0;

	if (!in)
		return true;
	/* Requests are the new generation's alone; acknowledgements of what the dead
	 * one still sends are let through (operation type, 802.1Q clause 43). */
	if (dead_owns(fd) && len > 14 && (frame[14] >> 2 & 3) == 0)
		return false;
	if (!tell->frame_ok || tell->frame_ok(frame, len, &ethertype)) {
		frame_in(ifindex, frame, len);
		return true;
	}
	if (tell->frame_dropped)
		tell->frame_dropped(if_indextoname((unsigned)ifindex, name) ? name : "?",
				    ethertype, len);
	return false;
}

bool hook_untold(const void *message, size_t len)
{
	return in && tell->untold && tell->untold(message, len);
}

static void frame_in(int ifindex, const uint8_t *frame, size_t len)
{
	const struct port *port = ports_number((unsigned)ifindex);

	if (port && tell->frame_in)
		tell->frame_in(port->name, frame, len);
}

static int vdp_notify(int sender, char *ifname, void *data)
{
	const struct lldpad_message *message = data;
	int r;

	if (sender == LLDPAD_ECP22 && message->type == LLDPAD_ECP22_TO_ULP)
		return input_take(ifname, message);
	r = vdp_stock->notify(sender, ifname, data);
	/* Refused: VDP22 does not run on this port yet. */
	if (sender == LLDPAD_EVB22 && message->type == LLDPAD_EVB22_TO_VDP22 && r == 0)
		evb_in(ifname, message);
	return r;
}

static void evb_in(const char *ifname, const struct lldpad_message *message)
{
	const struct host_evb evb = {
		.retries = message->u.vdp.retries,
		.rte = message->u.vdp.rte,
		.rwd = message->u.vdp.rwd,
		.rka = message->u.vdp.rka,
		.on = message->u.vdp.on,
	};
	struct port *port = ports_get(ifname);

	if (port)
		port->vdp_runs = true;
	if (port && evb.rka)
		input_timed(port);
	delay_note(&evb);
	if (tell->evb)
		tell->evb(ifname, &evb);
}

static int ecp_notify(int sender, char *ifname, void *data)
{
	const struct lldpad_message *message = data;
	int r;

	if (sender == LLDPAD_VDP22 && message->type == LLDPAD_VDP22_TO_ECP22)
		return pdu_out(ifname, message);
	r = ecp_stock->notify(sender, ifname, data);
	if (sender != LLDPAD_EVB22 || message->type != LLDPAD_EVB22_TO_ECP22)
		return r;
	delay_note(&(struct host_evb){ .retries = message->u.ecp.retries,
				       .rte = message->u.ecp.rte });
	if (r == 0)
		ecp_runs(ifname, message->u.ecp.rte);
	return r;
}

static void ecp_runs(const char *ifname, uint8_t rte)
{
	struct port *port = ports_get(ifname);

	if (port && rte > port->rte)
		port->rte = rte;
	if (!port || port->ecp_runs)
		return;
	port->ecp_runs = true;
	if (tell->ecp_started)
		tell->ecp_started(port->name);
}

static int pdu_out(char *ifname, const struct lldpad_message *message)
{
	struct lldpad_message copy = *message;
	uint8_t pdu[HOST_PDU_MAX];
	bool leaves;

	spent_begin();
	spent_say(SPENT_ON_FRAMES);
	leaves = may_leave(ifname, &copy, pdu);
	spent_end();
	/* Else as if it were sent. */
	return leaves ? ecp_stock->notify(LLDPAD_VDP22, ifname, &copy) : 0;
}

/* pdu: for one that is changed. */
static bool may_leave(const char *ifname, struct lldpad_message *message,
		      uint8_t pdu[HOST_PDU_MAX])
{
	size_t len = message->u.pdu.len;
	struct port *port;

	if (is_dead(ifname)) {
		host_log(LOG_DEBUG, "%s: VDPDU of before the SIGHUP dropped", ifname);
		return false;
	}
	if (down_goes(ifname))
		return false;
	port = ports_find(ifname);
	if (port)
		input_answered(port, message->u.pdu.data, len);
	if (!tell->pdu_out || len > HOST_PDU_MAX)
		return true;
	memcpy(pdu, message->u.pdu.data, len);
	if (!tell->pdu_out(ifname, pdu, &len))
		return false;
	if (len <= LLDPAD_SEND_MAX) {
		message->u.pdu.data = pdu;
		message->u.pdu.len = (uint16_t)len;
	}
	return true;
}

/* Is it a VDP22 of before the last SIGHUP that speaks? Its timers run on, and its
 * de-associate would throw out a VSI that the present one holds. */
static bool is_dead(const char *ifname)
{
	struct dead *dead = dead_latest(vdp_stock);
	struct port *port;

	if (dead && dead_speaks(ifname))
		return true;
	port = ports_get(ifname);
	if (!port)
		return false;
	/* The present one cannot have a VSI before it has taken a message. */
	if (dead && !port->vdp_runs && port->voice != ifname) {
		dead_add_voice(dead, ifname);
		return true;
	}
	port->voice = ifname;
	return false;
}

/* Stock frees the VSIs with their timers running: keep them, see dead.h. */
static void vdp_unregister(struct lldpad_module *module)
{
	struct dead *dead = dead_bury(vdp_stock, module->data,
				      host_now() + delay_vdp());

	for (struct port *port = ports_first(); dead && port; port = port->next)
		if (port->voice)
			dead_add_voice(dead, port->voice);
	module->data = NULL;
	vdp_stock->unregister(module);
}

static void ecp_unregister(struct lldpad_module *module)
{
	struct dead *dead = dead_bury(ecp_stock, module->data,
				      host_now() + delay_ecp());

	if (dead)
		dead_add_sockets(dead, ETHERTYPE_ECP);
	module->data = NULL;
	ecp_stock->unregister(module);
}

static struct lldpad_module *own_enlist(void)
{
	return &own_module;
}

/* The last of lldpad's modules to go. No ifdown follows. */
static void own_unregister(struct lldpad_module *module)
{
	(void)module;
	in = false;
	ended = true;
	down_forget();
	input_keep();
	ports_forget_all();
	if (tell->detached)
		tell->detached();
}

static void own_ifup(char *ifname, struct lldpad_agent *agent)
{
	if (agent->type == LLDPAD_AGENT_CUSTOMER)
		port_up(ifname, agent);
}

/* Called at link down, and once more when the interface is deleted. */
static void own_ifdown(char *ifname, struct lldpad_agent *agent)
{
	struct port *port;

	if (agent->type != LLDPAD_AGENT_CUSTOMER)
		return;
	port = ports_find(ifname);
	if (!port || !port->up)
		return;
	port->up = port->ticked = port->ecp_runs = false;
	port->agent = NULL;
	input_port_down(port);
	if (tell->port_down)
		tell->port_down(ifname);
	ports_tidy(port);
}

/* Once a second for each agent. Attached late we have missed the ports' ifup. */
static int own_timer(struct lldpad_port *lldpad_port, struct lldpad_agent *agent)
{
	struct port *port;

	if (agent->type != LLDPAD_AGENT_CUSTOMER ||
	    !memchr(lldpad_port->ifname, '\0', sizeof(lldpad_port->ifname)))
		return 0;
	if (late && lldpad_port->enabled &&
	    if_nametoindex(lldpad_port->ifname) == (unsigned)lldpad_port->ifindex)
		port_up(lldpad_port->ifname, agent);
	port = ports_find(lldpad_port->ifname);
	if (!port || !port->up || port->ticked)
		return 0;
	port->ticked = true;
	if (tell->vdp_started)
		tell->vdp_started(port->name);
	return 0;
}

static struct lldpad_arg *own_args(void)
{
	static struct lldpad_arg *args;

	if (!args)
		args = args_make(tell);
	return args;
}

static void port_up(const char *ifname, struct lldpad_agent *agent)
{
	struct port *port = ports_get(ifname);

	if (!port)
		return;
	port->agent = agent;
	if (port->up)
		return;
	port->up = true;
	port->ifindex = if_nametoindex(ifname);
	if (tell->port_up)
		tell->port_up(port->name);
}
