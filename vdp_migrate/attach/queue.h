/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has come in on a port for VDP22, which has one buffer for it and reads it some
 * time later: what comes before that would overwrite it. Knows the order and when the
 * next may go; not who takes it.
 */
#ifndef ATTACH_QUEUE_H
#define ATTACH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX 256		/* what comes then is lost, as it is without a queue */

struct queued;

/* Zeroed: empty, VDP22 is free. */
struct queue {
	bool busy;		/* VDP22 has one that it may not have read */
	bool answered;		/* it has: it has answered since */
	int64_t due;		/* it will have read it then, see clock.h */
	unsigned n;
	struct queued *first, **end;
	struct queued *given;	/* the one that VDP22 was given last */
};

/* May the next be given to VDP22? */
bool queue_free(struct queue *queue);

/* Behind the others. 0, -ENOSPC, -ENOMEM. */
int queue_put(struct queue *queue, const uint8_t *pdu, size_t len);
/* The next, NULL: none; again: it was put before queue_keep(). Valid until it was given
 * or dropped. */
const uint8_t *queue_first(const struct queue *queue, size_t *ret_len, bool *ret_again);
void queue_drop(struct queue *queue);

/* VDP22 was given this one, or the first; due: when it will have read it. */
void queue_gave(struct queue *queue, const uint8_t *pdu, size_t len, int64_t due);
void queue_gave_first(struct queue *queue, int64_t due);
/* It has answered a request. */
void queue_answered(struct queue *queue);

/* The present VDP22 ends: what it has not read comes first, for the next one. Returns
 * how many there are. */
unsigned queue_keep(struct queue *queue);
/* Nothing waits any more; returns how many did. */
unsigned queue_clear(struct queue *queue);

#endif
