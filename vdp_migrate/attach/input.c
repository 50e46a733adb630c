/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See input.h. What waits at a SIGHUP was acknowledged, and its sender would wait for an
 * answer for 15 s: it waits for the next VDP22, until that has its timers (without, stock's
 * bridge ends each VSI at once).
 */
#include "input.h"

#include <string.h>

#include "clock.h"
#include "spent.h"

#define CAME_MAX 64
#define KEPT_MS 10000		/* so long, where no timers come */

static const struct host_events *tell;
static const struct lldpad_ops *vdp;
static unsigned waiting;	/* VDPDUs in all queues */

/* What has come in in this turn. */
static unsigned n_came;
static size_t used;
static struct came {
	struct port *port;
	size_t from, len;	/* of octets */
	int64_t at;
} came[CAME_MAX];
static uint8_t octets[4 * HOST_PDU_MAX];

static bool note(struct port *port, const uint8_t *pdu, size_t len);
static int take(struct port *port, char *ifname, const uint8_t *from, size_t len,
		int64_t at);
static size_t with_end(size_t len);
static int give(struct port *port, char *ifname, const uint8_t *pdu, size_t len,
		enum host_pace pace, int64_t since, int64_t *ret_due);
static void give_first(struct port *port);
static enum host_pace pace_of(const char *ifname);

void input_insert(const struct lldpad_ops *ops, const struct host_events *events)
{
	vdp = ops;
	tell = events;
}

int input_take(char *ifname, const struct lldpad_message *message)
{
	size_t len = message->u.pdu.len;
	struct port *port;
	bool now;
	int r = 0;

	if (len > HOST_PDU_MAX)
		return 0;
	spent_begin();
	spent_say(SPENT_ON_FRAMES);
	port = ports_get(ifname);
	now = !port || (pace_of(ifname) == HOST_PACE_STOCK && !port->queue.n) ||
	      !note(port, message->u.pdu.data, len);
	spent_end();
	if (now)
		r = take(port, ifname, message->u.pdu.data, len, clock_us());
	return r;
}

void input_came(void)
{
	unsigned n = n_came;

	n_came = 0;
	used = 0;
	for (unsigned i = 0; i < n; i++)
		(void)take(came[i].port, came[i].port->name, octets + came[i].from,
			   came[i].len, came[i].at);
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
	unsigned n = 0;

	for (unsigned i = 0; i < n_came; i++)
		if (came[i].port != port)
			came[n++] = came[i];
	n_came = n;
	waiting -= queue_clear(&port->queue);
	port->kept_until = 0;
}

void input_keep(void)
{
	ms_t until = host_now() + KEPT_MS;

	for (unsigned i = 0; i < n_came; i++)
		(void)queue_put(&came[i].port->queue, octets + came[i].from, came[i].len);
	n_came = 0;
	used = 0;
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

	input_came();
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

/* False: no room. */
static bool note(struct port *port, const uint8_t *pdu, size_t len)
{
	if (n_came == CAME_MAX || len > sizeof(octets) - used)
		return false;
	memcpy(octets + used, pdu, len);
	came[n_came++] = (struct came){ port, used, len, clock_us() };
	used += len;
	return true;
}

/* at: when it has come in. */
static int take(struct port *port, char *ifname, const uint8_t *from, size_t len,
		int64_t at)
{
	enum host_pace pace = pace_of(ifname);
	uint8_t pdu[HOST_PDU_MAX];
	int64_t due;
	bool ok;
	int r;

	memcpy(pdu, from, len);
	memset(pdu + len, 0, with_end(len) - len);
	spent_begin();
	ok = !tell->pdu_in || tell->pdu_in(ifname, pdu, len);
	spent_end();
	if (!ok)
		return 0;
	if (!port || (pace == HOST_PACE_STOCK && !port->queue.n))
		return give(port, ifname, pdu, len, pace, at, &due);
	if (!port->queue.n && queue_free(&port->queue)) {
		r = give(port, ifname, pdu, len, pace, at, &due);
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

/* VDP22 reads on until an End TLV, past the length that it is given, and stock sends
 * none: it gets one, zero as what is behind the VDPDU. */
static size_t with_end(size_t len)
{
	return len + HOST_PDU_ZERO < HOST_PDU_MAX ? len + HOST_PDU_ZERO : HOST_PDU_MAX;
}

/* since: VDP22's wait has begun then. */
static int give(struct port *port, char *ifname, const uint8_t *pdu, size_t len,
		enum host_pace pace, int64_t since, int64_t *ret_due)
{
	struct lldpad_message message = {
		.type = LLDPAD_ECP22_TO_ULP,
		.u.pdu = { .len = (uint16_t)with_end(len),
			   .data = (void *)(uintptr_t)pdu },
	};
	unsigned ours;
	int r;

	clock_lend(pace == HOST_PACE_AT_ONCE ? CLOCK_VDP_WAIT_US : clock_us() - since);
	ours = spent_pause();
	r = vdp->notify(LLDPAD_ECP22, ifname, &message);
	spent_go_on(ours);
	*ret_due = clock_take_back();
	if (r == 0 && port)
		port->vdp_runs = true;
	/* The loop may have reckoned its time-out without it. */
	clock_look_at(*ret_due);
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
	    give(port, port->name, pdu, len, pace_of(port->name), clock_us(), &due)) {
		queue_drop(&port->queue);
		return;
	}
	queue_gave_first(&port->queue, due);
}

static enum host_pace pace_of(const char *ifname)
{
	return tell->pace ? tell->pace(ifname) : HOST_PACE_STOCK;
}
