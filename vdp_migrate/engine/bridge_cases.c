/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What speaks against guard=enforce on a port whose guard is `monitor`: each MAC that
 * its VSIs and the kernel's FDB have there, and that is not bound, is asked about by
 * leasequery, and those of which no address is known then are the open cases
 * (core/cases keeps the list). A lease that is found is bound. Asked at the lowest
 * rank, at most so many a second; told at most once a second.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_groups.h"
#include "core/keys.h"
#include "wire/text.h"

#define REVIEW_MS 1000
#define ASKS_MAX 50			/* outstanding, and new ones a review */

/* A question: about this MAC; of its further addresses, if it has several. */
struct ask {
	uint64_t tag;			/* 0 = free */
	uint16_t port, vlan;
	struct mac mac;
	bool by_ip;
	int outcome;			/* enum lq_outcome, the best so far */
	unsigned n_others;
	struct addr others[LQ_ADDRS_MAX];
};

struct bridge_cases {
	struct cases *list;
	struct ask asks[ASKS_MAX];
	uint64_t last_tag;
	ms_t reviewed, due;
	uint8_t vlans[4096 / 8];	/* in which there was a binding */
};

static void review(struct bridge *b);
static void look_at_vsis(struct bridge *b);
static void look_at_port(struct bridge *b, struct port *port, unsigned *asks_left);
static void ask_about(struct bridge *b, const struct port *port, struct cases_item *item);
static void asked(struct bridge *b, struct cases_item *item, enum bridge_found found);
static enum bridge_found found_of(int outcome);
static struct ask *free_ask(struct bridge_cases *cases);
static bool send(struct bridge *b, struct ask *ask, const struct addr *ip);
static void take(struct bridge *b, struct ask *ask, const struct lq_answer *answer);
static bool is_bound(struct bridge *b, const struct port *port,
		     const struct cases_item *item);
static bool is_bound_in(struct bridge *b, const struct port *port, uint16_t vlan,
			const struct mac *mac);
static uint16_t bound_elsewhere(struct bridge *b, const struct port *port,
				const struct binding_host *host);
static struct binding_host host_of(const struct port *port, uint16_t vlan,
				   const struct mac *mac);
static void touch_at(struct bridge *b, ms_t at);

struct bridge_cases *bridge_cases_new(void)
{
	struct bridge_cases *cases = calloc(1, sizeof(*cases));

	if (!cases)
		return NULL;
	cases->due = MS_NEVER;
	cases->reviewed = -REVIEW_MS;
	cases->list = cases_new();
	if (cases->list)
		return cases;
	free(cases);
	return NULL;
}

void bridge_cases_free(struct bridge_cases *cases)
{
	if (!cases)
		return;
	cases_free(cases->list);
	free(cases);
}

void bridge_cases_port(struct bridge *b, const struct port *port)
{
	struct cases *list = b->cases->list;
	bool on = port->placed && port->mode == LINK_GUARD_MONITOR;
	struct link_cases none = { .complete = false };

	if (on == cases_watches(list, port->number))
		return;
	if (!cases_watch(list, port->number, on)) {
		b->io->log(b->arg, LOG_ERR, port->name, NULL, "open cases: no memory");
		return;
	}
	if (b->io->watch_fdb)
		b->io->watch_fdb(b->arg, port->name, on);
	if (on) {
		bridge_cases_touch(b);
		return;
	}
	members_tell_cases(b, port, &none);
}

void bridge_cases_touch(struct bridge *b)
{
	touch_at(b, b->now);
}

void bridge_cases_tell_again(struct bridge *b)
{
	cases_tell_again(b->cases->list);
	bridge_cases_touch(b);
}

void bridge_cases_bound(struct bridge *b, uint16_t vlan)
{
	b->cases->vlans[vlan / 8 % sizeof(b->cases->vlans)] |= (uint8_t)(1u << vlan % 8);
	bridge_cases_touch(b);
}

void bridge_cases_neighbour(struct bridge *b, const struct port *port,
			    const struct mac *mac)
{
	cases_neighbour(b->cases->list, port->number, mac);
	bridge_cases_touch(b);
}

bool bridge_cases_is_neighbour(const struct bridge *b, const struct port *port,
			       const struct mac *mac)
{
	return cases_is_neighbour(b->cases->list, port->number, mac);
}

void bridge_fdb(struct bridge *b, ms_t now, const char *name, uint16_t vlan,
		const struct mac *mac, enum cases_fdb what)
{
	const struct port *here = ports_find(b, name);
	struct bridge_place place;

	b->now = now;
	if (!cases_watches_any(b->cases->list) || !b->io->place(b->arg, name, &place))
		return;
	/* It is at one port of a bridge, be that one of ours or not. */
	for (unsigned i = 0; what != CASES_FDB_GONE && i < b->n_ports; i++)
		if (b->ports[i] != here && b->ports[i]->bridge == place.bridge)
			cases_fdb(b->cases->list, b->ports[i]->number, vlan, mac,
				  CASES_FDB_GONE);
	if (here)
		cases_fdb(b->cases->list, here->number, vlan, mac, what);
	bridge_cases_touch(b);
}

void bridge_fdb_read(struct bridge *b, ms_t now, const char *name, bool before)
{
	const struct port *port = ports_find(b, name);

	b->now = now;
	if (!port)
		return;
	cases_fdb_read(b->cases->list, port->number, before);
	bridge_cases_touch(b);
}

bool bridge_cases_answer(struct bridge *b, const struct lq_answer *answer)
{
	struct cases_item *item;

	if ((answer->tag & TAG_WHO) != TAG_CASES)
		return false;
	for (unsigned i = 0; i < ASKS_MAX; i++) {
		struct ask *ask = &b->cases->asks[i];

		if (ask->tag != answer->tag)
			continue;
		if (keys_better(answer,
				&(struct lq_answer){
					.outcome = (enum lq_outcome)ask->outcome }))
			ask->outcome = (int)answer->outcome;
		take(b, ask, answer);
		if (!answer->last)
			return true;
		while (ask->n_others)
			if (send(b, ask, &ask->others[--ask->n_others]))
				return true;
		ask->tag = 0;
		item = cases_find(b->cases->list, ask->port, ask->vlan, &ask->mac);
		if (item) {
			item->asking = false;
			asked(b, item, found_of(ask->outcome));
		}
		bridge_cases_touch(b);
		break;
	}
	return true;
}

ms_t bridge_cases_deadline(const struct bridge *b)
{
	return b->cases->due;
}

void bridge_cases_tick(struct bridge *b)
{
	if (b->cases->due <= b->now)
		review(b);
}

void bridge_cases_left(struct bridge *b, const struct vsi *vsi)
{
	struct bridge_hosts at = { 0 };

	while (bridge_next_host(b, vsi, &at))
		bridge_cases_left_host(b, vsi->port, &at.host);
}

/* A bridge without VLANs has told it as of any. */
void bridge_cases_left_host(struct bridge *b, uint16_t port,
			    const struct binding_host *host)
{
	const uint16_t vlans[] = { host->vlan, LINK_VLAN_ANY };

	for (unsigned i = 0; i < 2; i++) {
		const struct cases_item *item =
			cases_find(b->cases->list, port, vlans[i], &host->mac);

		if (item && item->fdb && !item->by_hand)
			bridge_kernel_fdb_back(b, port, 0, host->vlan, &host->mac);
	}
}

void bridge_each_case(struct bridge *b,
		      void (*cb)(void *arg, const struct bridge_case *open), void *arg)
{
	for (unsigned i = 0; i < b->n_ports; i++) {
		const struct port *port = b->ports[i];

		for (const struct cases_item *item =
			     cases_first(b->cases->list, port->number);
		     item; item = item->next) {
			const struct binding_host host =
				host_of(port, item->vlan, &item->mac);
			const struct bridge_case open = {
				.port = port->name, .item = item,
				.bound_at = bound_elsewhere(b, port, &host),
			};

			/* Those that the last review has found, and that are so still. */
			if (!item->covered && item->since && item->open &&
			    !is_bound(b, port, item))
				cb(arg, &open);
		}
	}
}

struct link_cases bridge_cases_of(const struct bridge *b, const struct port *port)
{
	return cases_told(b->cases->list, port->number);
}

/* Statics. */

static void review(struct bridge *b)
{
	unsigned asks_left = ASKS_MAX;

	b->cases->due = MS_NEVER;
	b->cases->reviewed = b->now;
	look_at_vsis(b);
	for (unsigned i = 0; i < b->n_ports; i++)
		if (cases_watches(b->cases->list, b->ports[i]->number))
			look_at_port(b, b->ports[i], &asks_left);
}

/* Those whose VM is there. */
static void look_at_vsis(struct bridge *b)
{
	cases_vsis_begin(b->cases->list);
	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		if (vsi->state != MIGRATION_ARRIVED && vsi->state != MIGRATION_SETTLED)
			continue;
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			struct vsi_entry entry = vsi->leases[i].entry;

			entry.vlan = bridge_host(b, vsi, &entry).vlan;
			cases_vsi(b->cases->list, vsi->port, &entry);
		}
	}
	cases_vsis_end(b->cases->list);
}

static void look_at_port(struct bridge *b, struct port *port, unsigned *asks_left)
{
	struct link_cases told;
	bool changed;

	for (struct cases_item *item = cases_first(b->cases->list, port->number); item;
	     item = item->next) {
		bool open = !is_bound(b, port, item);
		ms_t when;

		if (open && (!item->open || !item->since))
			item->since = b->now;
		item->open = open;
		if (!cases_due(item, b->now, &when)) {
			touch_at(b, when);
		} else if (!*asks_left) {
			touch_at(b, b->now);
		} else {
			--*asks_left;
			ask_about(b, port, item);
		}
	}
	told = cases_count(b->cases->list, port->number, &changed);
	if (changed)
		members_tell_cases(b, port, &told);
}

static void ask_about(struct bridge *b, const struct port *port, struct cases_item *item)
{
	struct ask *ask = free_ask(b->cases);

	item->ask_at = b->now + REVIEW_MS;
	touch_at(b, item->ask_at);
	if (!ask)
		return;
	*ask = (struct ask){ .port = port->number, .vlan = item->vlan, .mac = item->mac };
	item->asking = send(b, ask, NULL);
	if (item->asking)
		return;
	/* Nobody to ask: then this is all that can be found out. */
	ask->tag = 0;
	asked(b, item, BRIDGE_NOBODY_TO_ASK);
}

static void asked(struct bridge *b, struct cases_item *item, enum bridge_found found)
{
	item->asked = true;
	item->found = (uint8_t)found;
	item->ask_at = b->now + ASK_AGAIN_MS;
}

static enum bridge_found found_of(int outcome)
{
	return outcome == LQ_ACTIVE ? BRIDGE_LEASE_ENDED
	       : outcome	    ? BRIDGE_NO_LEASE
				    : BRIDGE_NO_ANSWER;
}

static struct ask *free_ask(struct bridge_cases *cases)
{
	for (unsigned i = 0; i < ASKS_MAX; i++)
		if (!cases->asks[i].tag)
			return &cases->asks[i];
	return NULL;
}

/* By MAC; with ip, by that address, of which the MAC must be the holder. */
static bool send(struct bridge *b, struct ask *ask, const struct addr *ip)
{
	struct port *port = ports_number(b, ask->port);
	uint16_t vlan = ask->vlan == LINK_VLAN_ANY ? 0 : ask->vlan;
	struct lq_question question = {
		.key = ip ? LQ_BY_IP : LQ_BY_MAC, .rank = LQ_RANK_REFRESH,
		.mac = ask->mac,
	};

	if (!ports_may_query(port))
		return false;
	if (ip)
		question.ip = *ip;
	question.n_servers = ports_servers(b, port, vlan, question.servers,
					   &question.giaddr);
	if (!question.n_servers)
		return false;
	ask->by_ip = ip;
	ask->tag = question.tag = TAG_CASES | ++b->cases->last_tag;
	return !asking_rate_ask(b, port, &question);
}

/* Only while the MAC is still there. What is bound elsewhere, and no VSI stands for
 * here, may be somebody's who sends with another's MAC: that stays an open case. */
static void take(struct bridge *b, struct ask *ask, const struct lq_answer *answer)
{
	const struct port *port = ports_number(b, ask->port);
	const struct binding_host host = host_of(port, ask->vlan, &ask->mac);
	const struct known known = {
		.ip = answer->addrs[0], .server = answer->server,
		.lease_s = answer->lease_s, .origin = BINDING_LEASEQUERY,
	};
	const struct cases_item *item;

	item = cases_find(b->cases->list, ask->port, ask->vlan, &ask->mac);
	if (answer->outcome != LQ_ACTIVE || !answer->n_addrs || !item ||
	    (!item->vsi && bound_elsewhere(b, port, &host)))
		return;
	/* It may have been snooped meanwhile. */
	if (!binding_find(b->bindings, &host, &known.ip, port->number))
		bridge_found(b, port->number, &host, &known);
	/* RFC 4388 6.1, option 92: the others, of which it says no lease time. */
	if (ask->by_ip)
		return;
	for (unsigned i = 1; i < answer->n_addrs && ask->n_others < LQ_ADDRS_MAX; i++)
		if (!binding_find(b->bindings, &host, &answer->addrs[i], port->number))
			ask->others[ask->n_others++] = answer->addrs[i];
}

static bool is_bound(struct bridge *b, const struct port *port,
		     const struct cases_item *item)
{
	if (item->vlan != LINK_VLAN_ANY)
		return is_bound_in(b, port, item->vlan, &item->mac);
	for (unsigned i = 0; i < sizeof(b->cases->vlans); i++)
		for (unsigned j = 0; b->cases->vlans[i] >> j; j++)
			if (b->cases->vlans[i] >> j & 1 &&
			    is_bound_in(b, port, (uint16_t)(i * 8 + j), &item->mac))
				return true;
	return false;
}

/* What is staged or leaving is let through as well. */
static bool is_bound_in(struct bridge *b, const struct port *port, uint16_t vlan,
			const struct mac *mac)
{
	const struct binding_host host = { port->bridge, vlan, *mac };

	for (struct binding *i = binding_first(b->bindings, &host); i; i = i->next)
		if (i->port == port->number)
			return true;
	return false;
}

/* 0: nowhere. */
static uint16_t bound_elsewhere(struct bridge *b, const struct port *port,
				const struct binding_host *host)
{
	for (struct binding *i = binding_first(b->bindings, host); i; i = i->next)
		if (i->port && i->port != port->number)
			return i->port;
	return 0;
}

static struct binding_host host_of(const struct port *port, uint16_t vlan,
				   const struct mac *mac)
{
	return (struct binding_host){ port->bridge, vlan == LINK_VLAN_ANY ? 0 : vlan,
				      *mac };
}

static void touch_at(struct bridge *b, ms_t at)
{
	if (!cases_watches_any(b->cases->list))
		return;
	if (at < b->cases->reviewed + REVIEW_MS)
		at = b->cases->reviewed + REVIEW_MS;
	if (at < b->cases->due)
		b->cases->due = at;
}
