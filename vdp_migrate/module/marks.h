/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which VSIs migrate to this station: marks by VSI instance ID, set by the
 * companion, and what they do to the status octet of a request (IEEE 802.1Q
 * 41.2.3). A mark lives until it is taken away or runs out; it outlives the
 * VSI, the port and lldpad's SIGHUP.
 */
#ifndef MODULE_MARKS_H
#define MODULE_MARKS_H

#include "vsis.h"
#include "vdp_migrate/link.h"

#define MARKS_MAX 4096
#define MARKS_TTL_MAX_S (24 * 3600)

struct mark {
	struct link_mark what;
	ms_t expires;
	uint64_t serial;
	struct mark *next, *prev, *chain;
};

struct marks;

/* NULL: no memory. The others take that as a table that is empty and stays so. */
struct marks *marks_new(void);
void marks_free(struct marks *marks);

/* Mark a VSI; a mark that it has already is replaced. 0, -EINVAL (lives too long),
 * -ENOSPC or -ENOMEM. */
int marks_set(struct marks *marks, ms_t now, const struct link_mark *mark);
/* 0 or -ENOENT. */
int marks_unset(struct marks *marks, ms_t now, const struct vsi_id *id);
bool marks_has(const struct marks *marks, ms_t now, const struct vsi_id *id);
/* The VSI has come, and has left: what the mark says of its lease may be over. */
void marks_left(struct marks *marks, const struct vsi_id *id);
/* Forget what has run out. */
void marks_tick(struct marks *marks, ms_t now);
/* All, oldest first: then ->next. */
const struct mark *marks_first(const struct marks *marks);

/* The oldest whose serial is higher; NULL: no more. */
const struct mark *marks_after(const struct marks *marks, uint64_t serial);
/* A mark as the engine is told of it: its time is what is left. False: it is over. */
bool marks_describe(const struct mark *mark, ms_t now, struct link_mark *ret_mark);

/* The status octet with which a marked VSI's request of this mode goes out. known:
 * what the port holds of it before this request, NULL = nothing. */
uint8_t marks_status(const struct vsis_one *known, uint8_t mode, uint8_t status);

/* How far it has come on one port: "waiting", "pre-associated", "associated". */
const char *marks_state_text(const struct vsis_one *known);

#endif
