/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who announces a VSI. VDP may speak on each slave of a bond or team and on the bond
 * itself; the anchor is the bond, and a VSI seen on several of these members is one:
 * it is as far on as the member that is furthest, and ends when the last one ends it.
 * A member is a number below ANNOUNCED_MAX, the anchor's own matter.
 */
#ifndef CORE_ANNOUNCED_H
#define CORE_ANNOUNCED_H

#include "vsi.h"

#define ANNOUNCED_MAX 32

/* Note that this was seen on that member. False: it is news of the member alone, another
 * one speaks for the VSI as a whole. */
bool announced_see(struct vsi *vsi, unsigned member, const struct link_vsi *seen);
/* Is a request in this mode the member's first, or of another mode than its last? */
bool announced_news(const struct vsi *vsi, unsigned member, uint8_t mode);
/* The member no longer announces it. True: and no other does. */
bool announced_end(struct vsi *vsi, unsigned member);
/* Nobody announces it. */
void announced_end_all(struct vsi *vsi);

/* A replay begins; and at its end: true: no member has named it. */
void announced_replay(struct vsi *vsi);
bool announced_replayed(struct vsi *vsi);

#endif
