/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which help requests there are: by port and VSI, by xid, those that are open, and those
 * that have ended and are remembered for a while, oldest first. A station makes VSIs and
 * ends them as fast as it likes: of a port so many ended ones are kept and no more, and
 * nothing that comes in makes anybody look at all of them.
 */
#include <stdlib.h>

#include "helping.h"

#define REMEMBER_MS 30000
#define ENDED_MOST 1024		/* of a port */
#define DRAWS_MOST 8

static void append(struct helping_list *list, struct helping *h);
static void take_out(struct helping_list *list, struct helping *h);
static void drop_ended(struct bridge *b, struct helping *h);
static void drop_xids(struct bridge *b, struct helping_xids *xids);

struct helping *helping_find(const struct bridge *b, uint16_t port, const struct vsi_id *id)
{
	const struct helping_key key = { .id = *id, .port = port };
	struct helping *h;

	HASH_FIND(hh, b->helping, &key, sizeof(key), h);
	return h;
}

struct helping *helping_get(struct bridge *b, const struct vsi *vsi)
{
	struct helping *h = helping_find(b, vsi->port, &vsi->id);

	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->key = (struct helping_key){ .id = vsi->id, .port = vsi->port };
	HASH_ADD(hh, b->helping, key, sizeof(h->key), h);
	if (!h->hh.tbl) {
		free(h);
		return NULL;
	}
	helping_close(b, h);
	return h;
}

void helping_open(struct bridge *b, struct helping *h)
{
	take_out(&b->helping_ended, h);
	ports_number(b, h->key.port)->helping_ended--;
	append(&b->helping_open, h);
	h->open = true;
}

void helping_close(struct bridge *b, struct helping *h)
{
	struct port *port = ports_number(b, h->key.port);
	struct helping *oldest = b->helping_ended.first;

	if (h->open)
		take_out(&b->helping_open, h);
	h->open = false;
	h->ends = b->now + REMEMBER_MS;
	while (port->helping_ended >= ENDED_MOST && oldest->key.port != port->number)
		oldest = oldest->next;
	if (port->helping_ended >= ENDED_MOST)
		drop_ended(b, oldest);
	port->helping_ended++;
	append(&b->helping_ended, h);
}

ms_t helping_fade(struct bridge *b)
{
	while (b->helping_ended.first && b->helping_ended.first->ends <= b->now)
		drop_ended(b, b->helping_ended.first);
	return b->helping_ended.first ? b->helping_ended.first->ends : MS_NEVER;
}

void helping_done(struct bridge *b)
{
	while (b->helping_open.first)
		helping_close(b, b->helping_open.first);
	while (b->helping_ended.first)
		drop_ended(b, b->helping_ended.first);
}

uint32_t helping_new_xids(struct bridge *b, struct helping *h)
{
	struct helping_xids *xids = &h->xids[h->last_xids ^= 1];
	unsigned draws = 0;

	drop_xids(b, xids);
	xids->of = h;
	do
		xids->first = b->io->random(b->arg) & ~(HELPING_XIDS - 1);
	while (helping_of_xid(b, xids->first) && ++draws < DRAWS_MOST);
	/* Not drawn, or no memory: no answer will be known for one to this. */
	if (draws == DRAWS_MOST)
		return xids->first;
	HASH_ADD(hh, b->helping_xids, first, sizeof(xids->first), xids);
	xids->used = xids->hh.tbl;
	return xids->first;
}

struct helping *helping_of_xid(const struct bridge *b, uint32_t xid)
{
	const uint32_t first = xid & ~(HELPING_XIDS - 1);
	struct helping_xids *xids;

	HASH_FIND(hh, b->helping_xids, &first, sizeof(first), xids);
	return xids ? xids->of : NULL;
}

/* Statics. */

static void append(struct helping_list *list, struct helping *h)
{
	h->before = list->last;
	h->next = NULL;
	if (list->last)
		list->last->next = h;
	else
		list->first = h;
	list->last = h;
}

static void take_out(struct helping_list *list, struct helping *h)
{
	if (h->before)
		h->before->next = h->next;
	else
		list->first = h->next;
	if (h->next)
		h->next->before = h->before;
	else
		list->last = h->before;
}

static void drop_ended(struct bridge *b, struct helping *h)
{
	take_out(&b->helping_ended, h);
	ports_number(b, h->key.port)->helping_ended--;
	for (unsigned i = 0; i < 2; i++)
		drop_xids(b, &h->xids[i]);
	HASH_DEL(b->helping, h);
	free(h);
}

static void drop_xids(struct bridge *b, struct helping_xids *xids)
{
	if (xids->used)
		HASH_DEL(b->helping_xids, xids);
	xids->used = false;
}
