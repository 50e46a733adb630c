/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases that nobody has been seen renewing: near the end of each, and of what was
 * bound before a start of the engine, the DHCP servers are asked once, by its address,
 * at the lowest rank. What they say of it lengthens the binding; that they know
 * nothing, or are silent, ends none: its own end does.
 *
 * Supported standards: RFC 4388 (query by IP address).
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/hash.h"
#include "wire/text.h"

/* So many questions are open at once, whatever comes due together; the rest tries
 * again within the time that its lease has left. */
#define OPEN_MAX 256
#define LATER_PART 16
/* Leases are whole seconds, and each end rounds: no renewal. */
#define SAME_MS 2000

struct refreshing {
	uint64_t tag;
	struct binding_host host;
	struct addr ip;
	UT_hash_handle hh;
};

struct sure {
	struct bridge *b;
	const struct port *port;
	unsigned n;
};

static void look_at(void *arg, struct binding *binding);
static void later(struct bridge *b, struct binding *binding);
static void ask(struct bridge *b, struct port *port, struct binding *binding);
static void renew(struct bridge *b, const struct refreshing *r,
		  const struct lq_answer *answer);
static void forget(struct bridge *b, struct refreshing *refreshing);

void refresh_due(struct bridge *b, struct binding *binding)
{
	struct port *port = ports_number(b, binding->port);

	if (!port->known || !ports_may_query(port))
		return;
	if (HASH_COUNT(b->refreshing) >= OPEN_MAX)
		later(b, binding);
	else
		ask(b, port, binding);
}

void refresh_port(struct bridge *b, const struct port *port)
{
	struct sure sure = { .b = b, .port = port };

	if (ports_may_query(port) && port->settings.n_servers)
		binding_each(b->bindings, look_at, &sure);
}

void refresh_answer(struct bridge *b, const struct lq_answer *answer)
{
	struct refreshing *refreshing;

	HASH_FIND(hh, b->refreshing, &answer->tag, sizeof(answer->tag), refreshing);
	if (!refreshing)
		return;
	if (answer->outcome == LQ_ACTIVE)
		renew(b, refreshing, answer);
	if (answer->last)
		forget(b, refreshing);
}

void refresh_done(struct bridge *b)
{
	while (b->refreshing)
		forget(b, b->refreshing);
}

/* Statics. */

/* T1 (RFC 2131 4.4.5) has passed: its client may have renewed it while nobody looked.
 * Where its length is not known, it may have too. */
static void look_at(void *arg, struct binding *binding)
{
	struct sure *sure = arg;
	ms_t left = binding->lease_end - sure->b->now;

	if (binding->port != sure->port->number || binding->lease_end == MS_NEVER ||
	    (binding->lease_s && left > (ms_t)binding->lease_s * 500))
		return;
	if (sure->n++ < OPEN_MAX)
		refresh_due(sure->b, binding);
	else
		later(sure->b, binding);
}

/* Spread, so that they do not all come at once again. */
static void later(struct bridge *b, struct binding *binding)
{
	ms_t part = (binding->lease_end - b->now) / LATER_PART;
	uint32_t wait = part < 60000 ? (uint32_t)part : 60000;

	binding_refresh_at(b->bindings, binding,
			   b->now + 1000 + b->io->random(b->arg) % (wait + 1));
}

static void ask(struct bridge *b, struct port *port, struct binding *binding)
{
	struct lq_question question = {
		.tag = TAG_REFRESH | ++b->last_tag, .key = LQ_BY_IP,
		.rank = LQ_RANK_REFRESH, .mac = binding->host.mac, .ip = binding->ip,
	};
	struct refreshing *refreshing;

	question.n_servers = ports_servers(b, port, binding->host.vlan, question.servers,
					   &question.giaddr);
	if (!question.n_servers)
		return;
	refreshing = calloc(1, sizeof(*refreshing));
	if (!refreshing)
		return;
	refreshing->tag = question.tag;
	refreshing->host = binding->host;
	refreshing->ip = binding->ip;
	HASH_ADD(hh, b->refreshing, tag, sizeof(refreshing->tag), refreshing);
	if (!refreshing->hh.tbl) {
		free(refreshing);
	} else if (asking_rate_ask(b, port, &question)) {
		/* No memory, or too many wait there. */
		forget(b, refreshing);
		later(b, binding);
	} else {
		b->counts.refreshed++;
	}
}

/* Only a later end is news; where the length was not known, it is now. */
static void renew(struct bridge *b, const struct refreshing *r,
		  const struct lq_answer *answer)
{
	ms_t end = bridge_lease_end(b->now, answer->lease_s);
	uint32_t lease_s = answer->lease_s == LQ_FOREVER ? 0 : answer->lease_s;

	for (struct binding *i = binding_first(b->bindings, &r->host); i; i = i->next) {
		if (!addr_equal(&i->ip, &r->ip))
			continue;
		if (i->lease_end != MS_NEVER && end - i->lease_end >= SAME_MS) {
			binding_renew(b->bindings, &r->host, &r->ip, end, lease_s);
			return;
		}
		if (!i->lease_s && i->lease_end != MS_NEVER) {
			binding_renew(b->bindings, &r->host, &r->ip, i->lease_end, lease_s);
			return;
		}
	}
}

static void forget(struct bridge *b, struct refreshing *refreshing)
{
	lq_cancel(b->lq, refreshing->tag);
	HASH_DEL(b->refreshing, refreshing);
	free(refreshing);
}
