/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See hold.h. Usually LINK_READY comes before there is a response: then the VSI is marked
 * and nothing waits. A response may pass one of another VSI: stations match by VSI.
 */
#include "hold.h"

#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

/* Stock's ECP22 refuses to send 1494 octets or more. */
#define OUT_MAX 1493

struct held {
	struct held *next, *prev;
	struct hold *hold;
	struct vsis_one *of;	/* NULL: forgotten */
	char port[VM_IFNAME_MAX];
	ms_t until;
	size_t len;
	uint8_t pdu[OUT_MAX];
};

static void let_go(struct held *held);
static ms_t margin(const struct host_evb *evb);
static ms_t patience(const struct host_evb *evb);
static void insert(struct hold *hold, struct held *held);
static void take_out(struct held *held);
static void let_leave(struct held *held);
static bool is_of(const struct held *held, const char *port);

ms_t hold_time(const struct hold *hold, const struct port *port,
	       const struct vsis_one *one, uint8_t mode, uint8_t status)
{
	ms_t most;

	if (!hold->answered_for || !port->settings.hold_ms || !port->timed ||
	    port->role != LINK_ROLE_BRIDGE || mode == VDP22_DEASSOC ||
	    !(status & VDP_STATUS_ACK) || status & VDP_STATUS_ERROR)
		return 0;
	/* To the engine this may be a keep-alive. */
	if (host_now() < port->hold_from)
		return 0;
	/* A keep-alive repeats the mode. */
	if (!one || one->asked != mode || one->mode == mode ||
	    !(one->asked_status & VDP_STATUS_M) || one->ready)
		return 0;
	most = margin(&port->evb) / 2;
	if (most > patience(&port->evb) / 2)
		most = patience(&port->evb) / 2;
	return port->settings.hold_ms < most ? port->settings.hold_ms : most;
}

bool hold_keep(struct hold *hold, ms_t until, const struct port *port,
	       struct vsis_one *one, const uint8_t *pdu, size_t len)
{
	struct held *held = len <= OUT_MAX ? malloc(sizeof(*held)) : NULL;

	if (!held)
		return false;
	held->hold = hold;
	held->of = one;
	held->until = until;
	held->len = len;
	memcpy(held->port, port->name, sizeof(held->port));
	memcpy(held->pdu, pdu, len);
	one->held = held;
	one->let_go = let_go;
	insert(hold, held);
	counters_add(hold->counters, COUNT_HELD, 1);
	return true;
}

bool hold_add_org(struct vsis_one *one, const uint8_t *value, size_t len)
{
	struct held *held = one->held;
	size_t longer;

	if (!held)
		return false;
	longer = vdp22_add_org(held->pdu, held->len, sizeof(held->pdu), value, len);
	if (longer)
		held->len = longer;
	return longer;
}

void hold_ready(struct hold *hold, struct vsis_one *one)
{
	one->ready = true;
	if (!one->held)
		return;
	counters_add(hold->counters, COUNT_HELD_READY, 1);
	let_leave(one->held);
}

void hold_overtaken(struct vsis_one *one)
{
	if (one->held)
		let_leave(one->held);
}

void hold_turn(struct hold *hold, ms_t now)
{
	if (!hold->answered_for)
		hold_release(hold, NULL);
	while (hold->first && hold->first->until <= now) {
		if (hold->first->of)
			counters_add(hold->counters, COUNT_HELD_DEADLINE, 1);
		let_leave(hold->first);
	}
	if (hold->first)
		host_turn_at(hold->first->until);
}

void hold_release(struct hold *hold, const char *port)
{
	struct held *next;

	for (struct held *held = hold->first; held; held = next) {
		next = held->next;
		if (is_of(held, port))
			let_leave(held);
	}
}

void hold_drop(struct hold *hold, const char *port)
{
	struct held *next;

	for (struct held *held = hold->first; held; held = next) {
		next = held->next;
		if (!is_of(held, port))
			continue;
		take_out(held);
		free(held);
	}
}

/* The VSI is forgotten: its response leaves at the next turn. */
static void let_go(struct held *held)
{
	struct hold *hold = held->hold;

	take_out(held);
	held->of = NULL;
	held->until = 0;
	insert(hold, held);
}

/* What the bridge's time-out is longer than the station's period (802.1Q 41.5.5.7,
 * 41.5.5.9; exponents D.2.13). */
static ms_t margin(const struct host_evb *evb)
{
	return (ms_t)port_keepalive_ms(evb) - (ms_t)((1ull << (evb->rka & 31)) / 100);
}

/* So long the station waits for a response, at least (41.5.5.9: without the time that it
 * takes to send the request). */
static ms_t patience(const struct host_evb *evb)
{
	return (ms_t)((1ull << (evb->rwd & 31)) / 100);
}

static void insert(struct hold *hold, struct held *held)
{
	struct held *before = hold->last;

	while (before && before->until > held->until)
		before = before->prev;
	held->prev = before;
	held->next = before ? before->next : hold->first;
	if (held->next)
		held->next->prev = held;
	else
		hold->last = held;
	if (before)
		before->next = held;
	else
		hold->first = held;
	hold->n++;
}

static void take_out(struct held *held)
{
	struct hold *hold = held->hold;

	if (held->prev)
		held->prev->next = held->next;
	else
		hold->first = held->next;
	if (held->next)
		held->next->prev = held->prev;
	else
		hold->last = held->prev;
	hold->n--;
	if (held->of)
		held->of->held = NULL;
}

static void let_leave(struct held *held)
{
	const struct hold *hold = held->hold;

	take_out(held);
	host_pdu_send(held->port, held->pdu, held->len);
	if (held->of && hold->left)
		hold->left(hold->arg, held->port, held->pdu, held->len);
	free(held);
}

static bool is_of(const struct held *held, const char *port)
{
	return !port || !strcmp(held->port, port);
}
