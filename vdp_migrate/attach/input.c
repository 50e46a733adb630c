/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See input.h. What waits at a SIGHUP was acknowledged, and its sender would wait for an
 * answer for 15 s: it waits for the next VDP22, until that has its timers (without, stock's
 * bridge ends each VSI at once).
 */
#include "input.h"

#include <string.h>

#include "clock.h"

#define KEPT_MS 10000		/* so long, where no timers come */

static const struct host_events *tell;
static const struct lldpad_ops *vdp;
static unsigned waiting;	/* VDPDUs in all queues */

static size_t with_end(size_t len);
static int give(struct port *port, char *ifname, const uint8_t *pdu, size_t len,
		bool ahead, int64_t *ret_due);
static void give_first(struct port *port);
static enum host_pace pace_of(const char *ifname);

void input_insert(const struct lldpad_ops *ops, const struct host_events *events)
{
	vdp = ops;
	tell = events;
}

int input_take(char *ifname, const struct lldpad_message *message)
{
	uint8_t pdu[HOST_PDU_MAX];
	size_t len = message->u.pdu.len;
	enum host_pace pace;
	struct port *port;
	int64_t due;
	int r;

	if (len > sizeof(pdu))
		return 0;
	memcpy(pdu, message->u.pdu.data, len);
	memset(pdu + len, 0, with_end(len) - len);
	if (tell->pdu_in && !tell->pdu_in(ifname, pdu, len))
		return 0;
	port = ports_get(ifname);
	pace = pace_of(ifname);
	if (!port || (pace == HOST_PACE_STOCK && !port->queue.n))
		return give(port, ifname, pdu, len, false, &due);
	if (!port->queue.n && queue_free(&port->queue)) {
		r = give(port, ifname, pdu, len, pace == HOST_PACE_AT_ONCE, &due);
		if (r == 0)
			queue_gave(&port->queue, pdu, len, due);
		return r;
	}
	if (queue_put(&port->queue, pdu, len) == 0)
		waiting++;
	else if (tell->pdu_lost)
		tell->pdu_lost(ifname);
	return 0;
}

void input_answered(struct port *port, const uint8_t *pdu, size_t len)
{
	if (len > LLDPAD_ANSWER_STATUS && pdu[LLDPAD_ANSWER_STATUS] & LLDPAD_ANSWER)
		queue_answered(&port->queue);
}

void input_timed(struct port *port)
{
	port->kept_until = 0;
}

void input_port_down(struct port *port)
{
	waiting -= queue_clear(&port->queue);
	port->kept_until = 0;
}

void input_keep(void)
{
	ms_t until = host_now() + KEPT_MS;

	waiting = 0;
	for (struct port *port = ports_first(); port; port = port->next) {
		waiting += queue_keep(&port->queue);
		port->kept_until = until;
	}
}

bool input_turn(ms_t now)
{
	struct port *port, *next;
	bool any = false;

	if (!waiting)
		return false;
	for (port = ports_first(); port; port = next) {
		next = port->next;
		if (!port->queue.n || now < port->kept_until)
			continue;
		if (!queue_free(&port->queue)) {
			clock_look_at(port->queue.due);
			continue;
		}
		give_first(port);
		any = true;
	}
	return any;
}

/* VDP22 reads on until an End TLV, past the length that it is given, and stock sends
 * none: it gets one, zero as what is behind the VDPDU. */
static size_t with_end(size_t len)
{
	return len + HOST_PDU_ZERO < HOST_PDU_MAX ? len + HOST_PDU_ZERO : HOST_PDU_MAX;
}

static int give(struct port *port, char *ifname, const uint8_t *pdu, size_t len,
		bool ahead, int64_t *ret_due)
{
	struct lldpad_message message = {
		.type = LLDPAD_ECP22_TO_ULP,
		.u.pdu = { .len = (uint16_t)with_end(len),
			   .data = (void *)(uintptr_t)pdu },
	};
	int r;

	clock_lend(ahead);
	r = vdp->notify(LLDPAD_ECP22, ifname, &message);
	*ret_due = clock_take_back();
	if (r == 0 && port)
		port->vdp_runs = true;
	return r;
}

static void give_first(struct port *port)
{
	uint8_t pdu[HOST_PDU_MAX];
	const uint8_t *first;
	int64_t due;
	bool again;
	size_t len;

	first = queue_first(&port->queue, &len, &again);
	memcpy(pdu, first, len);
	memset(pdu + len, 0, with_end(len) - len);
	waiting--;
	/* The module has forgotten what it has seen of it. */
	if ((again && tell->pdu_in && !tell->pdu_in(port->name, pdu, len)) ||
	    give(port, port->name, pdu, len, pace_of(port->name) == HOST_PACE_AT_ONCE,
		 &due) != 0) {
		queue_drop(&port->queue);
		return;
	}
	queue_gave_first(&port->queue, due);
}

static enum host_pace pace_of(const char *ifname)
{
	return tell->pace ? tell->pace(ifname) : HOST_PACE_STOCK;
}
