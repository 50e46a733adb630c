/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Window, queue and round trip of one DHCP server. Supported standards: RFC 6298
 * (SRTT, RTTVAR, the doubling), with other bounds: its minimum of 1 s is more than
 * the whole down time of a VM. The window is that of RFC 5681 in its idea, counted in
 * questions.
 */
#include "lq_server.h"

#include <string.h>

#define WAIT_START_MS 250
#define WAIT_MIN_MS 100
#define WAIT_MAX_MS 2000
#define UNMEASURED_MAX 8 /* so many answers in a row to repeated ones: no chance */
#define GRANULARITY_US 1000 /* of ms_t */

static struct lq_queue *queue_of(struct lq_server *server, const struct lq_try *try);
static struct lq_try *first_of(const struct lq_queue *queue,
			       const struct lq_budget *budget);
static struct lq_try *pick(struct lq_server *server, ms_t now);
static struct lq_try *starved(struct lq_server *server, unsigned below,
			      struct lq_budget *budget, ms_t now);
static ms_t may_leave_at(const struct lq_server *server);
static void add_turn(struct lq_queue *queue, struct lq_try *try);
static void remove_turn(struct lq_queue *queue, struct lq_try *try);
static void replace_turn(struct lq_queue *queue, struct lq_try *old, struct lq_try *new);
static void unqueue(struct lq_server *server, struct lq_try *try);
static void measured(struct lq_server *server, ms_t round_trip);
static bool as_measured(const struct lq_server *server, ms_t since);
static void grow(struct lq_server *server);
static void cut(struct lq_server *server, const struct lq_try *try);

void lq_server_init(struct lq_server *server, const struct addr *addr)
{
	memset(server, 0, sizeof(*server));
	server->addr = *addr;
	server->window = LQ_WINDOW_START;
	server->fast = LQ_WINDOW_FAST;
}

void lq_server_done(struct lq_server *server)
{
	lq_budgets_free(&server->budgets);
}

void lq_server_queue(struct lq_server *server, struct lq_try *try, ms_t now)
{
	struct lq_queue *queue = queue_of(server, try);
	struct lq_try *first = first_of(queue, try->budget);

	try->slot = LQ_QUEUED;
	try->queued_at = now;
	try->next = NULL;
	try->prev = first ? first->last : NULL;
	if (first) {
		first->last->next = try;
		first->last = try;
	} else {
		try->last = try;
		add_turn(queue, try);
	}
	server->queued++;
	try->budget->queued++;
}

void lq_server_hurry(struct lq_server *server, struct lq_try *try, enum lq_rank rank)
{
	ms_t since = try->queued_at;

	if (rank >= try->rank)
		return;
	if (try->slot != LQ_QUEUED) { /* It may have to be repeated. */
		try->rank = rank;
		return;
	}
	unqueue(server, try);
	try->rank = rank;
	lq_server_queue(server, try, since);
}

struct lq_try *lq_server_next(struct lq_server *server, ms_t now)
{
	struct lq_try *try = NULL, *behind;
	struct lq_queue *queue;
	int slot = 0;

	if (server->outstanding < server->window && server->queued)
		try = pick(server, now);
	if (!try)
		return NULL;
	queue = queue_of(server, try);
	behind = try->next;
	unqueue(server, try);
	/* The others of its flow have had their turn too. */
	if (behind) {
		remove_turn(queue, behind);
		add_turn(queue, behind);
	}
	lq_budget_take(try->budget, now);
	while (server->out[slot])
		slot++;
	try->slot = slot;
	server->out[slot] = try;
	server->outstanding++;
	return try;
}

bool lq_server_holds(const struct lq_try *try)
{
	return try->slot == LQ_QUEUED && !lq_budget_had(try->budget);
}

bool lq_server_repeat(struct lq_server *server, struct lq_try *try, ms_t now)
{
	bool may = lq_budget_may(try->budget, now);

	for (struct lq_queue *i = server->queue; may && i <= queue_of(server, try); i++)
		may = !try->budget->flow->most || !first_of(i, try->budget);
	if (may) {
		lq_budget_take(try->budget, now);
		return true;
	}
	lq_server_release(server, try);
	lq_server_queue(server, try, now);
	return false;
}

unsigned lq_server_holding(const struct lq_server *server, uint32_t flow)
{
	const struct lq_budget *budget;

	HASH_FIND(hh, server->budgets, &flow, sizeof(flow), budget);
	return budget && !lq_budget_had(budget) ? budget->queued : 0;
}

struct lq_try *lq_server_find(const struct lq_server *server, uint32_t xid)
{
	for (int i = 0; i < LQ_WINDOW_MAX && server->outstanding; i++)
		if (server->out[i] && server->out[i]->xid == xid)
			return server->out[i];
	for (unsigned i = 0; i < LQ_QUEUES; i += 2)
		for (struct lq_try *j = server->queue[i].first; j; j = j->turn)
			for (struct lq_try *try = j; try; try = try->next)
				if (try->xid == xid)
					return try;
	return NULL;
}

void lq_server_release(struct lq_server *server, struct lq_try *try)
{
	if (try->slot >= 0) {
		server->out[try->slot] = NULL;
		server->outstanding--;
	} else if (try->slot == LQ_QUEUED) {
		unqueue(server, try);
	}
	try->slot = LQ_DONE;
}

struct lq_try *lq_server_waiting(const struct lq_server *server, ms_t since)
{
	for (unsigned i = 0; i < LQ_QUEUES; i++)
		for (struct lq_try *try = server->queue[i].first; try; try = try->turn)
			if (try->queued_at <= since && !lq_server_holds(try))
				return try;
	return NULL;
}

void lq_server_sent(struct lq_server *server, struct lq_try *try, ms_t now)
{
	try->sent++;
	try->passed = 0;
	try->number = ++server->sent;
	try->sent_at = now;
	try->doubled = server->doubled + try->timed_out;
	try->due = now + lq_server_wait(server, try->doubled + 1);
}

void lq_server_answered(struct lq_server *server, const struct lq_try *try, ms_t now)
{
	server->answers++;
	server->silent = false;
	if (try->sent == 1)
		measured(server, now - try->sent_at);
	else if ((++server->unmeasured > UNMEASURED_MAX ||
		  !as_measured(server, now - try->sent_at)) &&
		 try->doubled > server->doubled)
		server->doubled = try->doubled;
	grow(server);
	/* Which of its transmissions is answered is known of the first alone. */
	for (int i = 0; i < LQ_WINDOW_MAX && try->sent == 1; i++) {
		struct lq_try *other = server->out[i];

		if (!other || other == try || (int32_t)(try->number - other->number) < 0)
			continue;
		if (++other->passed == LQ_PASSED &&
		    other->sent - other->timed_out <= LQ_FAST_MAX)
			other->due = now;
	}
}

bool lq_server_lost(struct lq_server *server, struct lq_try *try)
{
	server->lost++;
	cut(server, try);
	if (try->passed >= LQ_PASSED && try->sent - try->timed_out <= LQ_FAST_MAX)
		return true;
	return ++try->timed_out < LQ_TRIES;
}

ms_t lq_server_wait(const struct lq_server *server, unsigned n)
{
	uint32_t var = 4 * server->rttvar_us;
	ms_t wait = WAIT_START_MS;

	if (server->srtt_us)
		wait = (server->srtt_us + (var > GRANULARITY_US ? var : GRANULARITY_US)) /
		       1000;
	if (wait < WAIT_MIN_MS)
		wait = WAIT_MIN_MS;
	while (n-- > 1 && wait < WAIT_MAX_MS)
		wait *= 2;
	return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}

ms_t lq_server_patience(const struct lq_server *server)
{
	ms_t wait = 0;

	for (unsigned i = 1; i <= LQ_TRIES; i++)
		wait += lq_server_wait(server, i);
	return wait;
}

ms_t lq_server_deadline(const struct lq_server *server)
{
	ms_t deadline = MS_NEVER;

	if (server->queued && server->outstanding < server->window)
		deadline = may_leave_at(server);
	for (int i = 0; i < LQ_WINDOW_MAX && server->outstanding; i++)
		if (server->out[i] && server->out[i]->due < deadline)
			deadline = server->out[i]->due;
	return deadline;
}

/* Statics: the queues. */

static struct lq_queue *queue_of(struct lq_server *server, const struct lq_try *try)
{
	return &server->queue[2 * try->rank + !try->sent];
}

static struct lq_try *first_of(const struct lq_queue *queue,
			       const struct lq_budget *budget)
{
	struct lq_try *first = queue->first;

	while (first && first->budget != budget)
		first = first->turn;
	return first;
}

static struct lq_try *pick(struct lq_server *server, ms_t now)
{
	for (unsigned i = 0; i < LQ_QUEUES; i++)
		for (struct lq_try *try = server->queue[i].first; try; try = try->turn) {
			struct lq_try *other;

			if (!lq_budget_may(try->budget, now))
				continue;
			other = starved(server, i, try->budget, now);
			return other ? other : try;
		}
	return NULL;
}

static struct lq_try *starved(struct lq_server *server, unsigned below,
			      struct lq_budget *budget, ms_t now)
{
	struct lq_try *oldest = NULL;

	if (++budget->turn % LQ_TURN)
		return NULL;
	for (unsigned i = below + 1; i < LQ_QUEUES; i++) {
		struct lq_try *first = first_of(&server->queue[i], budget);

		if (first && now - first->queued_at >= LQ_STARVED_MS &&
		    (!oldest || first->queued_at < oldest->queued_at))
			oldest = first;
	}
	return oldest;
}

static ms_t may_leave_at(const struct lq_server *server)
{
	ms_t first = MS_NEVER;

	for (unsigned i = 0; i < LQ_QUEUES && first; i++)
		for (const struct lq_try *try = server->queue[i].first; try;
		     try = try->turn) {
			ms_t next = lq_budget_next(try->budget);

			first = next < first ? next : first;
		}
	return first;
}

static void add_turn(struct lq_queue *queue, struct lq_try *try)
{
	try->turn = NULL;
	try->turn_prev = queue->last;
	if (queue->last)
		queue->last->turn = try;
	else
		queue->first = try;
	queue->last = try;
}

static void remove_turn(struct lq_queue *queue, struct lq_try *try)
{
	if (try->turn_prev)
		try->turn_prev->turn = try->turn;
	else
		queue->first = try->turn;
	if (try->turn)
		try->turn->turn_prev = try->turn_prev;
	else
		queue->last = try->turn_prev;
}

static void replace_turn(struct lq_queue *queue, struct lq_try *old, struct lq_try *new)
{
	new->turn_prev = old->turn_prev;
	new->turn = old->turn;
	if (new->turn_prev)
		new->turn_prev->turn = new;
	else
		queue->first = new;
	if (new->turn)
		new->turn->turn_prev = new;
	else
		queue->last = new;
}

static void unqueue(struct lq_server *server, struct lq_try *try)
{
	struct lq_queue *queue = queue_of(server, try);

	server->queued--;
	try->budget->queued--;
	if (try->prev) {
		try->prev->next = try->next;
		if (try->next)
			try->next->prev = try->prev;
		else
			first_of(queue, try->budget)->last = try->prev;
	} else if (try->next) {
		try->next->prev = NULL;
		try->next->last = try->last;
		replace_turn(queue, try, try->next);
	} else {
		remove_turn(queue, try);
	}
}

/* Statics: what is measured. */

static void measured(struct lq_server *server, ms_t round_trip)
{
	/* Less than a tick of our clock counts as half of one. */
	ms_t bounded = round_trip < WAIT_MAX_MS ? round_trip : WAIT_MAX_MS;
	uint32_t r = bounded > 0 ? (uint32_t)bounded * 1000 : GRANULARITY_US / 2;
	uint32_t srtt = server->srtt_us, off = r > srtt ? r - srtt : srtt - r;

	server->doubled = server->unmeasured = 0;
	if (!srtt) { /* RFC 6298 (2.2) */
		server->srtt_us = r;
		server->rttvar_us = r / 2;
		return;
	}
	/* RFC 6298 (2.3): alpha 1/8, beta 1/4. */
	server->rttvar_us = server->rttvar_us - server->rttvar_us / 4 + off / 4;
	server->srtt_us = srtt - srtt / 8 + r / 8;
}

/* Since the last of several transmissions: is that one answered, and those before are
 * lost? Else it is rather one of these, and the server slower than we thought. */
static bool as_measured(const struct lq_server *server, ms_t since)
{
	uint32_t us = since > 0 ? (uint32_t)since * 1000 : GRANULARITY_US / 2;

	return us >= server->srtt_us / 2 &&
	       us <= server->srtt_us + 4 * server->rttvar_us + GRANULARITY_US;
}

/* Only a window that was in the way. */
static void grow(struct lq_server *server)
{
	if (server->outstanding < server->window || server->window == LQ_WINDOW_MAX)
		return;
	if (server->window >= server->fast && ++server->credit < server->window)
		return;
	server->credit = 0;
	server->window++;
}

/* Once for all that were out together. Four keep a server busy; where it has answered
 * later questions it is alive, and sixteen never overload it: then the path loses, and a
 * small window would stand still for want of answers that pass the lost ones. */
static void cut(struct lq_server *server, const struct lq_try *try)
{
	unsigned least = try->passed ? LQ_WINDOW_FAST : LQ_WINDOW_START;

	if ((int32_t)(try->number - server->cut) <= 0)
		return;
	server->cut = server->sent;
	if (server->window > least)
		server->window = server->window / 2 > least ? server->window / 2 : least;
	/* Nothing measured yet: it may be just slow. */
	if (server->srtt_us)
		server->fast = server->window;
	server->credit = 0;
}
