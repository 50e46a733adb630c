/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * List and hash of a port's VSIs; what a request, a response and a time-out do to
 * one. It judges nothing: what stock lldpad answers is what holds.
 */
#include "vsis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static int request(struct vsis *vsis, const struct link_vsi *seen);
static int response(struct vsis *vsis, const struct link_vsi *seen);
static void refused(struct vsis *vsis, struct vsis_one *one, uint8_t status);
static struct vsis_one *get(struct vsis *vsis, const struct vsi_id *id, int *ret_error);
static void drop_unanswered(struct vsis *vsis);
static void drop(struct vsis *vsis, struct vsis_one *one);
static int set_entries(struct vsis_one *one, const struct link_vsi *seen);
static struct vsis_one **bucket_of(struct vsis *vsis, const struct vsi_id *id);

void vsis_clear(struct vsis *vsis)
{
	while (vsis->first)
		drop(vsis, vsis->first);
}

struct vsis_one *vsis_find(const struct vsis *vsis, const struct vsi_id *id)
{
	struct vsis_one *one;

	for (one = vsis->bucket[vsis_hash(id) % VSIS_BUCKETS]; one; one = one->chain)
		if (vsi_id_equal(&one->id, id))
			return one;
	return NULL;
}

const struct vsis_one *vsis_after(const struct vsis *vsis, uint64_t serial)
{
	const struct vsis_one *one = vsis->first;

	while (one && one->serial <= serial)
		one = one->next;
	return one;
}

int vsis_see(struct vsis *vsis, const struct link_vsi *seen)
{
	struct vsis_one *one;

	switch (seen->what) {
	case LINK_VSI_REQUEST:
		return request(vsis, seen);
	case LINK_VSI_RESPONSE:
		return response(vsis, seen);
	case LINK_VSI_TIMEOUT:
		one = vsis_find(vsis, &seen->id);
		if (one)
			drop(vsis, one);
	}
	return 0;
}

int vsis_set_help(struct vsis *vsis, struct vsis_one *one, const uint8_t *tlv, size_t len)
{
	uint8_t *own = tlv ? malloc(len ? len : 1) : NULL;

	if (tlv && !own)
		return -ENOMEM;
	if (tlv)
		memcpy(own, tlv, len);
	vsis->n_helps -= one->help.tlv != NULL;
	vsis->n_helps += own != NULL;
	free(one->help.tlv);
	one->help = (struct vsis_help){ .tlv = own, .len = own ? len : 0 };
	return 0;
}

bool vsis_confirmed(const struct vsis_one *one)
{
	return one && one->mode == VDP22_ASSOC;
}

/* FNV-1a: UUIDs of one maker differ in few octets. */
uint32_t vsis_hash(const struct vsi_id *id)
{
	uint32_t h = 2166136261u;
	unsigned i;

	for (i = 0; i < sizeof(id->b); i++)
		h = (h ^ id->b[i]) * 16777619u;
	return h ^ h >> 16;
}

static int request(struct vsis *vsis, const struct link_vsi *seen)
{
	struct vsis_one *one;
	int rc = 0;

	if (seen->mode == VDP22_DEASSOC) {
		one = vsis_find(vsis, &seen->id);
		if (one)
			drop(vsis, one);
		return 0;
	}
	one = get(vsis, &seen->id, &rc);
	if (!one)
		return rc;
	/* A keep-alive repeats the mode: then the request that began it counts. */
	if (seen->mode != (one->asked ? one->asked : one->mode)) {
		one->asked_status = seen->status;
		one->ready = false;
	} else if (!one->asked) {
		one->asked_status = one->status;
	}
	one->asked = seen->mode;
	return set_entries(one, seen);
}

static int response(struct vsis *vsis, const struct link_vsi *seen)
{
	struct vsis_one *one = vsis_find(vsis, &seen->id);
	int rc = 0;

	if (seen->status & VDP_STATUS_ERROR) {
		if (one)
			refused(vsis, one, seen->status);
		return 0;
	}
	if (seen->mode == VDP22_DEASSOC) {
		if (one)
			drop(vsis, one);
		return 0;
	}
	/* None: we were not asked to look at this port when its request passed. */
	if (!one) {
		one = get(vsis, &seen->id, &rc);
		if (!one)
			return rc;
		rc = set_entries(one, seen);
	}
	if (one->mode != seen->mode)
		one->status = one->asked == seen->mode ? one->asked_status : 0;
	one->mode = seen->mode;
	one->kept_refused = false;
	if (one->asked == seen->mode)
		one->asked = 0;
	return rc;
}

/* KEEP: what was accepted before stands (41.2.3). */
static void refused(struct vsis *vsis, struct vsis_one *one, uint8_t status)
{
	one->asked = 0;
	one->kept_refused = true;
	if (!(status & VDP_STATUS_KEEP) || !one->mode)
		drop(vsis, one);
}

/* Found, or made new. */
static struct vsis_one *get(struct vsis *vsis, const struct vsi_id *id, int *ret_error)
{
	struct vsis_one *one = vsis_find(vsis, id), **bucket = bucket_of(vsis, id);

	if (one)
		return one;
	if (vsis->n >= VSIS_MAX)
		drop_unanswered(vsis);
	one = vsis->n < VSIS_MAX ? calloc(1, sizeof(*one)) : NULL;
	if (!one) {
		*ret_error = vsis->n < VSIS_MAX ? -ENOMEM : -ENOSPC;
		return NULL;
	}
	one->id = *id;
	one->serial = ++vsis->serial;
	one->prev = vsis->last;
	if (vsis->last)
		vsis->last->next = one;
	else
		vsis->first = one;
	vsis->last = one;
	one->chain = *bucket;
	*bucket = one;
	vsis->n++;
	return one;
}

/* The oldest request that nobody has answered: lldpad may never have seen it. */
static void drop_unanswered(struct vsis *vsis)
{
	for (struct vsis_one *one = vsis->first; one; one = one->next)
		if (!one->mode) {
			drop(vsis, one);
			return;
		}
}

static void drop(struct vsis *vsis, struct vsis_one *one)
{
	struct vsis_one **at = bucket_of(vsis, &one->id);

	while (*at != one)
		at = &(*at)->chain;
	*at = one->chain;
	if (one->prev)
		one->prev->next = one->next;
	else
		vsis->first = one->next;
	if (one->next)
		one->next->prev = one->prev;
	else
		vsis->last = one->prev;
	vsis->n--;
	(void)vsis_set_help(vsis, one, NULL, 0);
	if (one->held)
		one->let_go(one->held);
	free(one->entries);
	free(one->said);
	free(one);
}

static int set_entries(struct vsis_one *one, const struct link_vsi *seen)
{
	size_t size = seen->n_entries * sizeof(seen->entries[0]);
	struct vsi_entry *entries;

	if (one->n_entries != seen->n_entries) {
		entries = malloc(size ? size : 1);
		if (!entries)
			return -ENOMEM;
		free(one->entries);
		one->entries = entries;
		one->n_entries = seen->n_entries;
	}
	if (size)
		memcpy(one->entries, seen->entries, size);
	return 0;
}

static struct vsis_one **bucket_of(struct vsis *vsis, const struct vsi_id *id)
{
	return &vsis->bucket[vsis_hash(id) % VSIS_BUCKETS];
}
