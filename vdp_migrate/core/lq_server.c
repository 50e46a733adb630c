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
#define GRANULARITY_US 1000 /* of ms_t */

static struct lq_try *first_of(const struct lq_queue *queue, uint32_t flow);
static void add_turn(struct lq_queue *queue, struct lq_try *try);
static void remove_turn(struct lq_queue *queue, struct lq_try *try);
static void replace_turn(struct lq_queue *queue, struct lq_try *old, struct lq_try *new);
static void unqueue(struct lq_server *server, struct lq_try *try);
static void measured(struct lq_server *server, ms_t round_trip);
static void grow(struct lq_server *server);
static void cut(struct lq_server *server, const struct lq_try *try);

void lq_server_init(struct lq_server *server, const struct addr *addr)
{
	memset(server, 0, sizeof(*server));
	server->addr = *addr;
	server->window = LQ_WINDOW_START;
	server->fast = LQ_WINDOW_FAST;
}

void lq_server_queue(struct lq_server *server, struct lq_try *try, ms_t now)
{
	struct lq_queue *queue = &server->queue[try->rank];
	struct lq_try *first = first_of(queue, try->flow);

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
}

void lq_server_hurry(struct lq_server *server, struct lq_try *try, enum lq_rank rank)
{
	ms_t since = try->queued_at;

	if (try->slot != LQ_QUEUED || rank >= try->rank)
		return;
	unqueue(server, try);
	try->rank = rank;
	lq_server_queue(server, try, since);
}

struct lq_try *lq_server_next(struct lq_server *server)
{
	struct lq_try *try = NULL, *behind;
	int slot = 0, rank;

	if (server->outstanding >= server->window || !server->queued)
		return NULL;
	for (rank = 0; rank < LQ_RANKS && !try; rank++)
		try = server->queue[rank].first;
	behind = try->next;
	unqueue(server, try);
	/* The others of its flow have had their turn too. */
	if (behind) {
		remove_turn(&server->queue[behind->rank], behind);
		add_turn(&server->queue[behind->rank], behind);
	}
	while (server->out[slot])
		slot++;
	try->slot = slot;
	server->out[slot] = try;
	server->outstanding++;
	return try;
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
	for (int rank = 0; rank < LQ_RANKS; rank++)
		for (struct lq_try *i = server->queue[rank].first; i; i = i->turn)
			if (i->queued_at <= since)
				return i;
	return NULL;
}

void lq_server_sent(struct lq_server *server, struct lq_try *try, ms_t now)
{
	try->sent++;
	try->passed = 0;
	try->number = ++server->sent;
	try->sent_at = now;
	try->due = now + lq_server_wait(server, try->timed_out + 1);
}

void lq_server_answered(struct lq_server *server, const struct lq_try *try, ms_t now)
{
	server->answers++;
	server->silent = false;
	if (try->sent == 1)
		measured(server, now - try->sent_at);
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
		return 0;
	for (int i = 0; i < LQ_WINDOW_MAX && server->outstanding; i++)
		if (server->out[i] && server->out[i]->due < deadline)
			deadline = server->out[i]->due;
	return deadline;
}

/* Statics: the queue of one rank. */

static struct lq_try *first_of(const struct lq_queue *queue, uint32_t flow)
{
	struct lq_try *first = queue->first;

	while (first && first->flow != flow)
		first = first->turn;
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
	struct lq_queue *queue = &server->queue[try->rank];

	server->queued--;
	if (try->prev) {
		try->prev->next = try->next;
		if (try->next)
			try->next->prev = try->prev;
		else
			first_of(queue, try->flow)->last = try->prev;
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

	if (!srtt) { /* RFC 6298 (2.2) */
		server->srtt_us = r;
		server->rttvar_us = r / 2;
		return;
	}
	/* RFC 6298 (2.3): alpha 1/8, beta 1/4. */
	server->rttvar_us = server->rttvar_us - server->rttvar_us / 4 + off / 4;
	server->srtt_us = srtt - srtt / 8 + r / 8;
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
	server->fast = server->window;
	server->credit = 0;
}
