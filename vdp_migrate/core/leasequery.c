/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The leasequery client, vdp_migrate/leasequery.h: what is asked of whom, and which
 * question a message is about. How many questions a server bears at once, and how long to
 * wait for it, knows core/lq_server; what a message says core/lq_reply.
 *
 * Supported standards: RFC 4388 (by MAC, IP, client-id), RFC 6148 (by remote-id),
 * as DHCPv4 servers speak them (wire/dhcp4).
 *
 * A callback may ask and cancel: a question is taken out before its last answer is
 * told, and nothing of it is touched after a callback.
 */
#include "vdp_migrate/leasequery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lq_flow.h"
#include "lq_reply.h"
#include "lq_server.h"
#include "lq_unknown.h"
#include "wire/dhcp4.h"
#include "wire/text.h"

#define BUCKETS 256

struct lq_asked {
	struct lq_question question;
	struct lq_asked *prev, *next; /* of its bucket */
	unsigned n, open; /* servers asked; those that can still answer */
	struct lq_try tries[];
};

struct lq {
	const struct lq_ops *ops;
	void *arg;
	struct lq_server *servers;
	struct lq_flow *flows;
	struct lq_asked *asked[BUCKETS];
	struct lq_try *known; /* whose answer waits for the next tick */
	struct lq_unknown unknown;
	struct lq_counts counts;
};

static int prepare(struct lq *lq, struct lq_asked *asked);
static bool is_answerable(const struct lq_question *question);
static unsigned index_of(uint64_t tag);
static struct lq_asked **bucket_of(struct lq *lq, uint64_t tag);
static void release(struct lq *lq, struct lq_try *try);
static void tell_known(struct lq *lq);
static void give_up_waiting(struct lq *lq, ms_t now, struct lq_server *server);
static struct lq_server *server_get(struct lq *lq, const struct addr *addr);
static void pump(struct lq *lq, ms_t now, struct lq_server *server);
static void transmit(struct lq *lq, ms_t now, struct lq_try *try);
static struct lq_try *find_try(const struct lq *lq, uint32_t xid,
			       const struct addr *server);
static void tell(struct lq *lq, struct lq_try *try, struct lq_answer *answer);
static void forget(struct lq *lq, struct lq_asked *asked);

struct lq *lq_new(const struct lq_ops *ops, void *arg)
{
	struct lq *lq = calloc(1, sizeof(*lq));

	if (!lq)
		return NULL;
	lq->ops = ops;
	lq->arg = arg;
	lq->unknown.seed = (uint64_t)ops->random(arg) << 32 | ops->random(arg);
	return lq;
}

void lq_free(struct lq *lq)
{
	struct lq_server *next;

	if (!lq)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (lq->asked[i])
			forget(lq, lq->asked[i]);
	for (struct lq_server *s = lq->servers; s; s = next) {
		next = s->next;
		lq_server_done(s);
		free(s);
	}
	lq_flows_free(&lq->flows);
	free(lq);
}

int lq_ask(struct lq *lq, ms_t now, const struct lq_question *question)
{
	struct lq_asked *asked, **bucket = bucket_of(lq, question->tag);
	bool held = false;
	int err;

	if (!is_answerable(question))
		return -EINVAL;
	asked = calloc(1, sizeof(*asked) + question->n_servers * sizeof(asked->tries[0]));
	if (!asked)
		return -ENOMEM;
	asked->question = *question;
	err = prepare(lq, asked);
	if (err) {
		free(asked);
		return err;
	}
	asked->open = asked->n;
	asked->next = *bucket;
	if (*bucket)
		(*bucket)->prev = asked;
	*bucket = asked;
	lq->counts.asked++;
	for (unsigned i = 0; i < asked->n; i++) {
		struct lq_try *try = &asked->tries[i];

		if (!question->fresh &&
		    lq_unknown_is(&lq->unknown, now, question, &try->server->addr)) {
			try->slot = LQ_KNOWN;
			try->next = lq->known;
			lq->known = try;
			continue;
		}
		lq_server_queue(try->server, try, now);
		pump(lq, now, try->server);
		held |= lq_server_holds(try);
	}
	asked->tries[0].budget->flow->held += held;
	return 0;
}

void lq_hurry(struct lq *lq, uint64_t tag, enum lq_rank rank)
{
	for (struct lq_asked *a = *bucket_of(lq, tag); a; a = a->next)
		for (unsigned i = 0; i < a->n && a->question.tag == tag; i++)
			lq_server_hurry(a->tries[i].server, &a->tries[i], rank);
}

void lq_cancel(struct lq *lq, uint64_t tag)
{
	struct lq_asked *next;

	for (struct lq_asked *a = *bucket_of(lq, tag); a; a = next) {
		next = a->next;
		if (a->question.tag == tag)
			forget(lq, a);
	}
}

bool lq_held(const struct lq *lq, uint64_t tag)
{
	bool held = false;

	for (const struct lq_asked *a = lq->asked[index_of(tag)]; a; a = a->next) {
		if (a->question.tag != tag)
			continue;
		for (unsigned i = 0; i < a->n; i++) {
			if (a->tries[i].slot != LQ_DONE && !lq_server_holds(&a->tries[i]))
				return false;
			held |= a->tries[i].slot != LQ_DONE;
		}
	}
	return held;
}

void lq_set_rate(struct lq *lq, uint32_t number, unsigned max_rate)
{
	struct lq_flow *flow;

	HASH_FIND(hh, lq->flows, &number, sizeof(number), flow);
	if (flow)
		flow->most = max_rate;
}

void lq_flow_info(const struct lq *lq, uint32_t number, unsigned *ret_waiting,
		  uint64_t *ret_held)
{
	const struct lq_flow *flow;

	HASH_FIND(hh, lq->flows, &number, sizeof(number), flow);
	*ret_held = flow ? flow->held : 0;
	*ret_waiting = 0;
	for (const struct lq_server *s = lq->servers; s; s = s->next)
		*ret_waiting += lq_server_holding(s, number);
}

enum lq_reject lq_input(struct lq *lq, ms_t now, const struct addr *giaddr,
			const struct addr *server, const uint8_t *msg, size_t len)
{
	enum lq_reject reject = LQ_TAKEN;
	struct lq_try *try = NULL;
	struct lq_server *from;
	struct lq_answer answer;
	struct dhcp4 message;
	bool was_silent;

	if (dhcp4_decode(rd_new(msg, len, 0), &message, NULL))
		reject = LQ_BAD_MESSAGE;
	else if (message.op != DHCP4_BOOTREPLY || message.type < DHCP4_LEASEUNASSIGNED ||
		 message.type > DHCP4_LEASEACTIVE)
		reject = LQ_NOT_A_REPLY;
	else if (!(try = find_try(lq, message.xid, server)))
		reject = LQ_BAD_XID;
	else
		reject = !addr_equal(server, &try->server->addr)
				 ? LQ_BAD_SERVER
				 : lq_reply_check(&message, &try->asked->question, giaddr);
	if (reject != LQ_TAKEN) {
		lq->counts.rejected[reject]++;
		return reject;
	}

	from = try->server;
	was_silent = from->silent;
	lq_server_answered(from, try, now);
	lq_reply_read(&message, &answer);
	if (answer.outcome == LQ_UNKNOWN)
		lq_unknown_note(&lq->unknown, now, &try->asked->question, &from->addr);
	tell(lq, try, &answer);
	if (was_silent)
		lq->ops->back(lq->arg, &from->addr);
	pump(lq, now, from);
	return LQ_TAKEN;
}

ms_t lq_deadline(const struct lq *lq)
{
	ms_t deadline = lq->known ? 0 : MS_NEVER;

	for (const struct lq_server *s = lq->servers; s; s = s->next) {
		ms_t of_server = lq_server_deadline(s);

		if (of_server < deadline)
			deadline = of_server;
	}
	return deadline;
}

void lq_tick(struct lq *lq, ms_t now)
{
	tell_known(lq);
	for (struct lq_server *s = lq->servers; s; s = s->next) {
		for (int i = 0; i < LQ_WINDOW_MAX; i++) {
			struct lq_answer answer = {.outcome = LQ_SILENT,
						   .last_s = LQ_NO_TIME};
			struct lq_try *try = s->out[i];

			if (!try || try->due > now)
				continue;
			if (lq_server_lost(s, try)) {
				if (lq_server_repeat(s, try, now))
					transmit(lq, now, try);
				else
					try->budget->flow->held += lq_server_holds(try);
				continue;
			}
			if (!s->silent && lq->ops->silent)
				lq->ops->silent(lq->arg, &s->addr);
			s->silent = true;
			tell(lq, try, &answer);
			give_up_waiting(lq, now, s);
		}
		pump(lq, now, s);
	}
}

const struct lq_counts *lq_counts(const struct lq *lq)
{
	return &lq->counts;
}

void lq_each_server(const struct lq *lq,
		    void (*cb)(void *arg, const struct lq_server_info *info), void *arg)
{
	for (const struct lq_server *s = lq->servers; s; s = s->next) {
		const struct lq_server_info info = {
			.addr = s->addr,
			.srtt_us = s->srtt_us,
			.window = s->window,
			.lost = s->lost,
			.outstanding = s->outstanding,
			.queued = s->queued,
			.silent = s->silent,
			.answers = s->answers,
		};

		cb(arg, &info);
	}
}

/* A try for each of its servers. */
static int prepare(struct lq *lq, struct lq_asked *asked)
{
	const struct lq_question *question = &asked->question;
	struct lq_flow *flow = lq_flow_get(&lq->flows, question->flow);

	if (!flow)
		return -ENOMEM;
	flow->most = question->max_rate;
	for (unsigned i = 0; i < question->n_servers; i++) {
		struct lq_server *server = server_get(lq, &question->servers[i]);
		struct lq_try *try = asked->tries;

		if (!server)
			return -ENOMEM;
		while (try < asked->tries + asked->n && try->server != server)
			try++;
		if (try < asked->tries + asked->n)
			continue;
		*try = (struct lq_try){
			.asked = asked, .server = server, .rank = question->rank,
			.budget = lq_budget_get(&server->budgets, flow), .slot = LQ_DONE,
		};
		if (!try->budget)
			return -ENOMEM;
		if (flow->most && try->budget->queued >= LQ_HELD_MOST)
			return -ENOBUFS;
		asked->n++;
	}
	return 0;
}

static bool is_answerable(const struct lq_question *question)
{
	uint8_t buf[LQ_MESSAGE_MAX];

	if (!question->n_servers || question->n_servers > LQ_SERVERS_MAX ||
	    question->rank > LQ_RANK_REFRESH || addr_is_any(&question->giaddr))
		return false;
	for (unsigned i = 0; i < question->n_servers; i++)
		if (addr_is_any(&question->servers[i]))
			return false;
	if (question->key == LQ_BY_MAC && mac_is_zero(&question->mac))
		return false;
	if (question->key == LQ_BY_IP && addr_is_any(&question->ip))
		return false;
	return dhcp4_leasequery(buf, sizeof(buf), question, 0) > 0;
}

/* Tags are numbered: the lowest bits count what belongs together. */
static unsigned index_of(uint64_t tag)
{
	return (tag ^ tag >> 8) % BUCKETS;
}

static struct lq_asked **bucket_of(struct lq *lq, uint64_t tag)
{
	return &lq->asked[index_of(tag)];
}

static void release(struct lq *lq, struct lq_try *try)
{
	struct lq_try **at = &lq->known;

	if (try->slot != LQ_KNOWN) {
		lq_server_release(try->server, try);
		return;
	}
	while (*at != try)
		at = &(*at)->next;
	*at = try->next;
	try->slot = LQ_DONE;
}

/* Those that were there at first: an answer may make new ones. */
static void tell_known(struct lq *lq)
{
	unsigned n = 0;

	for (const struct lq_try *i = lq->known; i; i = i->next)
		n++;
	while (n-- && lq->known) {
		struct lq_answer answer = {.outcome = LQ_UNKNOWN, .last_s = LQ_NO_TIME,
					   .cached = true};

		lq->counts.cached++;
		tell(lq, lq->known, &answer);
	}
}

/* The server is silent; what has waited for it as long as the one that has found that
 * out is told so too. */
static void give_up_waiting(struct lq *lq, ms_t now, struct lq_server *server)
{
	ms_t wait = lq_server_patience(server);
	struct lq_try *try;

	while ((try = lq_server_waiting(server, now - wait))) {
		struct lq_answer answer = {.outcome = LQ_SILENT, .last_s = LQ_NO_TIME};

		tell(lq, try, &answer);
	}
}

static struct lq_server *server_get(struct lq *lq, const struct addr *addr)
{
	struct lq_server **at = &lq->servers;

	while (*at && !addr_equal(&(*at)->addr, addr))
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			lq_server_init(*at, addr);
	}
	return *at;
}

/* Fill the server's window. */
static void pump(struct lq *lq, ms_t now, struct lq_server *server)
{
	for (struct lq_try *try; (try = lq_server_next(server, now));) {
		/* Not to be guessed. */
		if (!try->sent)
			try->xid = lq->ops->random(lq->arg);
		transmit(lq, now, try);
	}
}

/* A retransmission keeps its xid: the late answer to the first is one too. */
static void transmit(struct lq *lq, ms_t now, struct lq_try *try)
{
	const struct lq_question *question = &try->asked->question;
	uint8_t buf[LQ_MESSAGE_MAX];
	size_t len = dhcp4_leasequery(buf, sizeof(buf), question, try->xid);

	lq_server_sent(try->server, try, now);
	/* What cannot be sent now counts as lost on the way. */
	if (lq->ops->send(lq->arg, &question->giaddr, &try->server->addr, buf, len))
		return;
	lq->counts.sent++;
	lq->counts.retransmitted += try->sent > 1;
}

/* By xid; where servers share one by chance, that of this server. */
static struct lq_try *find_try(const struct lq *lq, uint32_t xid,
			       const struct addr *server)
{
	struct lq_try *found = NULL;

	for (const struct lq_server *s = lq->servers; s; s = s->next) {
		struct lq_try *try = lq_server_find(s, xid);

		if (try && (!found || addr_equal(&s->addr, server)))
			found = try;
	}
	return found;
}

/* This server has had its say. */
static void tell(struct lq *lq, struct lq_try *try, struct lq_answer *answer)
{
	struct lq_asked *asked = try->asked;

	answer->tag = asked->question.tag;
	answer->server = try->server->addr;
	release(lq, try);
	answer->last = --asked->open == 0;
	if (answer->last)
		forget(lq, asked);
	switch (answer->outcome) {
	case LQ_ACTIVE:
		lq->counts.active++;
		break;
	case LQ_UNASSIGNED:
		lq->counts.unassigned++;
		break;
	case LQ_UNKNOWN:
		lq->counts.unknown++;
		break;
	case LQ_SILENT:
		lq->counts.silent++;
		break;
	}
	lq->ops->answer(lq->arg, answer);
}

static void forget(struct lq *lq, struct lq_asked *asked)
{
	for (unsigned i = 0; i < asked->n; i++)
		release(lq, &asked->tries[i]);
	if (asked->prev)
		asked->prev->next = asked->next;
	else
		*bucket_of(lq, asked->question.tag) = asked->next;
	if (asked->next)
		asked->next->prev = asked->prev;
	free(asked);
}
