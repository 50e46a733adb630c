/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Window, queue and round trip of one DHCP server. Supported standards: RFC 6298
 * (SRTT, RTTVAR, the doubling), with other bounds: its minimum of 1 s is more than
 * the whole down time of a VM.
 */
#include "lq_server.h"

#define WAIT_START_MS 250
#define WAIT_MIN_MS 100
#define WAIT_MAX_MS 2000
#define GRANULARITY_US 1000 /* of ms_t */

void lq_server_queue(struct lq_server *server, struct lq_try *try, enum lq_rank rank)
{
	struct lq_queue *queue = &server->queue[rank];

	try->slot = LQ_QUEUED;
	try->prev = queue->last;
	try->next = NULL;
	if (queue->last)
		queue->last->next = try;
	else
		queue->first = try;
	queue->last = try;
	server->queued++;
}

struct lq_try *lq_server_next(struct lq_server *server)
{
	struct lq_try *try = NULL;
	int slot = 0, rank;

	if (server->outstanding == LQ_WINDOW || !server->queued)
		return NULL;
	for (rank = 0; rank < LQ_RANKS && !try; rank++)
		try = server->queue[rank].first;
	lq_server_release(server, try, (enum lq_rank)(rank - 1));
	while (server->out[slot])
		slot++;
	try->slot = slot;
	server->out[slot] = try;
	server->outstanding++;
	return try;
}

void lq_server_release(struct lq_server *server, struct lq_try *try, enum lq_rank rank)
{
	struct lq_queue *queue = &server->queue[rank];

	if (try->slot >= 0) {
		server->out[try->slot] = NULL;
		server->outstanding--;
	} else if (try->slot == LQ_QUEUED) {
		if (try->prev)
			try->prev->next = try->next;
		else
			queue->first = try->next;
		if (try->next)
			try->next->prev = try->prev;
		else
			queue->last = try->prev;
		server->queued--;
	}
	try->slot = LQ_DONE;
}

void lq_server_measured(struct lq_server *server, ms_t round_trip)
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

ms_t lq_server_deadline(const struct lq_server *server)
{
	ms_t deadline = MS_NEVER;

	if (server->queued && server->outstanding < LQ_WINDOW)
		return 0;
	for (int i = 0; i < LQ_WINDOW; i++)
		if (server->out[i] && server->out[i]->due < deadline)
			deadline = server->out[i]->due;
	return deadline;
}
