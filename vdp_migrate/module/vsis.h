/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VSIs of one port that lldpad holds, as far as the bus shows it: what the
 * engine is told again at a replay, and whether an association is confirmed
 * (then its keep-alives carry no M-bit of ours). Bounded; what does not fit is
 * not kept, and works on without a replay.
 *
 * A VSI begins with its first request. It ends with the station's de-associate
 * request (stock's bridge keeps it until its time-out, but nobody wants it back),
 * with a refusal, or with the bridge's own de-associate. IEEE 802.1Q 41.2, 41.5.
 */
#ifndef MODULE_VSIS_H
#define MODULE_VSIS_H

#include "vdp_migrate/link.h"

#define VSIS_MAX 4096		/* a port */
#define VSIS_BUCKETS 512

/* Bridge port: the help TLV that goes with the answers to a VSI (help_ask.c). */
struct vsis_help {
	uint8_t *tlv;		/* its value, owned; NULL: none */
	size_t len;
	bool waits;		/* it has not left yet, since then */
	ms_t since;
};

/* Station port: the help requests for a VSI (help_answer.c). */
struct vsis_asked {
	bool any;
	uint32_t xid;		/* of the last one handed on */
	const char *refused;	/* why the last one was, static; NULL: handed on */
	ms_t rate;		/* limit_rate() */
};
struct held;

struct vsis_one {
	struct vsi_id id;
	uint8_t mode;		/* of the last accepted request, 0 = none accepted */
	uint8_t status;		/* of the request by which this mode began */
	uint8_t asked;		/* mode of the request not yet answered, 0 = none */
	uint8_t asked_status;	/* of the first request of that mode */
	bool untimed;		/* stock's answer found it without its timers: it will
				 * de-associate it at once */
	bool kept_refused;	/* its last answer: an error, what was accepted stays */
	bool marked;		/* its associate request has got the M-bit from us */
	ms_t confirmed_at;	/* the first answer that accepted its association */
	struct vsis_help help;
	struct vsis_asked asked_for_help;
	bool suspend;		/* its bridge is to be told: suspend.c */
	uint16_t said_len;
	uint8_t *said;		/* owned; a station's last request, see suspend.c; NULL */
	bool ready;		/* LINK_READY has come for this mode: see hold.h */
	struct held *held;	/* its response that waits for that, NULL: none */
	void (*let_go)(struct held *held);	/* the VSI is dropped */
	uint16_t n_entries;
	struct vsi_entry *entries;	/* owned */
	uint64_t serial;	/* grows from VSI to VSI: a place to go on from */
	struct vsis_one *next, *prev, *chain;
};

struct vsis {
	unsigned n;
	unsigned n_helps;	/* that have a help.tlv */
	uint64_t serial;
	struct vsis_one *first, *last;
	struct vsis_one *bucket[VSIS_BUCKETS];
};

/* A zeroed struct vsis is empty and ready. */
void vsis_clear(struct vsis *vsis);

struct vsis_one *vsis_find(const struct vsis *vsis, const struct vsi_id *id);
/* The oldest whose serial is higher; NULL: no more. */
const struct vsis_one *vsis_after(const struct vsis *vsis, uint64_t serial);

/* Take note of what was seen (LINK_VSI_REQUEST, RESPONSE, TIMEOUT). 0, -ENOSPC
 * (the list is full) or -ENOMEM: not kept. */
int vsis_see(struct vsis *vsis, const struct link_vsi *seen);

/* Give it a help TLV of its own, or (tlv NULL) none. 0 or -ENOMEM: as before. */
int vsis_set_help(struct vsis *vsis, struct vsis_one *one, const uint8_t *tlv, size_t len);

/* Is its association confirmed? NULL is not. */
bool vsis_confirmed(const struct vsis_one *one);

uint32_t vsis_hash(const struct vsi_id *id);

#endif
