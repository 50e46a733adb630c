/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of marks, and the rule: a marked VSI's pre-associate and associate
 * requests carry the M-bit until its association is confirmed; the keep-alives
 * after that do not, also where stock would repeat it (it repeats the hint of a
 * VSI's first request for ever). An association that was confirmed without our
 * doing is left as it is.
 */
#include "marks.h"

#include <errno.h>
#include <stdlib.h>

#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define BUCKETS 512

struct marks {
	unsigned n;
	uint64_t serial;
	struct mark *first, *last;
	struct mark *bucket[BUCKETS];
};

static struct mark *find(const struct marks *marks, const struct vsi_id *id);
static void append(struct marks *marks, struct mark *mark);
static void drop(struct marks *marks, struct mark *mark);
static struct mark **bucket_of(struct marks *marks, const struct vsi_id *id);

struct marks *marks_new(void)
{
	return calloc(1, sizeof(struct marks));
}

void marks_free(struct marks *marks)
{
	while (marks && marks->first)
		drop(marks, marks->first);
	free(marks);
}

int marks_set(struct marks *marks, ms_t now, const struct link_mark *mark)
{
	uint32_t ttl = mark->ttl_s ? mark->ttl_s : MARKS_TTL_MAX_S;
	struct mark *one;

	if (!marks)
		return -ENOMEM;
	if (ttl > MARKS_TTL_MAX_S)
		return -EINVAL;
	one = find(marks, &mark->id);
	if (!one) {
		marks_tick(marks, now);
		if (marks->n >= MARKS_MAX)
			return -ENOSPC;
		one = calloc(1, sizeof(*one));
		if (!one)
			return -ENOMEM;
		one->what = *mark;
		one->serial = ++marks->serial;
		append(marks, one);
	}
	one->what = *mark;
	one->expires = now + (ms_t)ttl * 1000;
	return 0;
}

int marks_unset(struct marks *marks, ms_t now, const struct vsi_id *id)
{
	if (!marks_has(marks, now, id))
		return -ENOENT;
	drop(marks, find(marks, id));
	return 0;
}

void marks_left(struct marks *marks, const struct vsi_id *id)
{
	struct mark *mark = marks && marks->n ? find(marks, id) : NULL;

	if (!mark)
		return;
	mark->what.ip = (struct addr){ 0 };
	mark->what.client_id = (struct client_id){ 0 };
	mark->what.no_client_id = false;
}

bool marks_has(const struct marks *marks, ms_t now, const struct vsi_id *id)
{
	const struct mark *mark = marks && marks->n ? find(marks, id) : NULL;

	return mark && now < mark->expires;
}

void marks_tick(struct marks *marks, ms_t now)
{
	struct mark *mark, *next;

	for (mark = marks ? marks->first : NULL; mark; mark = next) {
		next = mark->next;
		if (now >= mark->expires)
			drop(marks, mark);
	}
}

const struct mark *marks_first(const struct marks *marks)
{
	return marks ? marks->first : NULL;
}

const struct mark *marks_after(const struct marks *marks, uint64_t serial)
{
	const struct mark *mark = marks_first(marks);

	while (mark && mark->serial <= serial)
		mark = mark->next;
	return mark;
}

bool marks_describe(const struct mark *mark, ms_t now, struct link_mark *ret_mark)
{
	if (now >= mark->expires)
		return false;
	*ret_mark = mark->what;
	ret_mark->seq = 0;
	ret_mark->ttl_s = (uint32_t)((mark->expires - now + 999) / 1000);
	return true;
}

uint8_t marks_status(const struct vsis_one *known, uint8_t mode, uint8_t status)
{
	switch (mode) {
	case VDP22_PRE:
	case VDP22_PRE_RR:
		return status | VDP_STATUS_M;
	case VDP22_ASSOC:
		if (!vsis_confirmed(known))
			return status | VDP_STATUS_M;
		return known->marked ? status & (uint8_t)~VDP_STATUS_M : status;
	default:
		return status;
	}
}

const char *marks_state_text(const struct vsis_one *known)
{
	if (vsis_confirmed(known))
		return "associated";
	if (known && (known->mode == VDP22_PRE || known->mode == VDP22_PRE_RR))
		return "pre-associated";
	return "waiting";
}

static struct mark *find(const struct marks *marks, const struct vsi_id *id)
{
	struct mark *mark;

	for (mark = marks->bucket[vsis_hash(id) % BUCKETS]; mark; mark = mark->chain)
		if (vsi_id_equal(&mark->what.id, id))
			return mark;
	return NULL;
}

static void append(struct marks *marks, struct mark *mark)
{
	struct mark **bucket = bucket_of(marks, &mark->what.id);

	mark->prev = marks->last;
	if (marks->last)
		marks->last->next = mark;
	else
		marks->first = mark;
	marks->last = mark;
	mark->chain = *bucket;
	*bucket = mark;
	marks->n++;
}

static void drop(struct marks *marks, struct mark *mark)
{
	struct mark **at = bucket_of(marks, &mark->what.id);

	while (*at != mark)
		at = &(*at)->chain;
	*at = mark->chain;
	if (mark->prev)
		mark->prev->next = mark->next;
	else
		marks->first = mark->next;
	if (mark->next)
		mark->next->prev = mark->prev;
	else
		marks->last = mark->prev;
	marks->n--;
	free(mark);
}

static struct mark **bucket_of(struct marks *marks, const struct vsi_id *id)
{
	return &marks->bucket[vsis_hash(id) % BUCKETS];
}
