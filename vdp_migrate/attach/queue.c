/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See queue.h. VDP22 has read what it was given when it answers a request, or when the
 * timer that it had started has been run: not each VDPDU is answered, and where many
 * ports are busy the loop is hardly ever without a timer that is due.
 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

struct queued {
	struct queued *next;
	bool again;
	size_t len;
	uint8_t pdu[];
};

static struct queued *make(const uint8_t *pdu, size_t len);
static void append(struct queue *queue, struct queued *queued);
static struct queued *take(struct queue *queue);
static void give(struct queue *queue, struct queued *queued, int64_t due);

bool queue_free(struct queue *queue)
{
	if (queue->busy && (queue->answered || clock_past(queue->due)))
		queue->busy = false;
	return !queue->busy;
}

int queue_put(struct queue *queue, const uint8_t *pdu, size_t len)
{
	struct queued *queued;

	if (queue->n >= QUEUE_MAX)
		return -ENOSPC;
	queued = make(pdu, len);
	if (!queued)
		return -ENOMEM;
	append(queue, queued);
	return 0;
}

const uint8_t *queue_first(const struct queue *queue, size_t *ret_len, bool *ret_again)
{
	if (!queue->n)
		return NULL;
	*ret_len = queue->first->len;
	*ret_again = queue->first->again;
	return queue->first->pdu;
}

void queue_drop(struct queue *queue)
{
	free(take(queue));
}

void queue_gave(struct queue *queue, const uint8_t *pdu, size_t len, int64_t due)
{
	give(queue, make(pdu, len), due);
}

void queue_gave_first(struct queue *queue, int64_t due)
{
	give(queue, take(queue), due);
}

void queue_answered(struct queue *queue)
{
	queue->answered = true;
}

unsigned queue_keep(struct queue *queue)
{
	if (!queue_free(queue) && queue->given) {
		queue->given->next = queue->first;
		queue->first = queue->given;
		if (!queue->n++)
			queue->end = &queue->first->next;
		queue->given = NULL;
	}
	free(queue->given);
	queue->given = NULL;
	queue->busy = queue->answered = false;
	for (struct queued *queued = queue->first; queued; queued = queued->next)
		queued->again = true;
	return queue->n;
}

unsigned queue_clear(struct queue *queue)
{
	unsigned n = queue->n;

	while (queue->n)
		queue_drop(queue);
	free(queue->given);
	queue->given = NULL;
	return n;
}

static struct queued *make(const uint8_t *pdu, size_t len)
{
	struct queued *queued = malloc(sizeof(*queued) + len);

	if (!queued)
		return NULL;
	queued->next = NULL;
	queued->again = false;
	queued->len = len;
	memcpy(queued->pdu, pdu, len);
	return queued;
}

static void append(struct queue *queue, struct queued *queued)
{
	if (queue->n++)
		*queue->end = queued;
	else
		queue->first = queued;
	queue->end = &queued->next;
}

static struct queued *take(struct queue *queue)
{
	struct queued *queued = queue->first;

	queue->first = queued->next;
	queue->n--;
	return queued;
}

static void give(struct queue *queue, struct queued *queued, int64_t due)
{
	free(queue->given);
	queue->given = queued;
	queue->busy = true;
	queue->answered = false;
	queue->due = due;
}
