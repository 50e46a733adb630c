/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does the old place of a VM still answer? When to probe it, how often, and what counts
 * as an answer. A VM that has migrated has been stopped at its old place before it was
 * associated at the new one: there, nobody answers. No frames here, no clock.
 */
#ifndef CORE_CONFLICT_H
#define CORE_CONFLICT_H

#include "vdp_migrate/types.h"

#define CONFLICT_PROBES 3
#define CONFLICT_EVERY_MS 100
#define CONFLICT_PLACES_MAX 4

/* Where an address of it was, and may be still. */
struct conflict_place {
	uint16_t port, vlan;
	struct mac mac;
	struct addr ip;
};

struct conflict {
	unsigned n_places, sent;
	ms_t due;
	struct conflict_place places[CONFLICT_PLACES_MAX];
};

/* Nothing is probed yet; the first probes are due now. */
void conflict_init(struct conflict *conflict, ms_t now);
/* One more place. False: there are enough. */
bool conflict_add(struct conflict *conflict, const struct conflict_place *place);

enum conflict_do {
	CONFLICT_WAIT,	/* until conflict->due */
	CONFLICT_PROBE,	/* every place, now */
	CONFLICT_OVER,	/* nobody has answered */
};
enum conflict_do conflict_tick(struct conflict *conflict, ms_t now);

/* What has come in on that port says that `mac` has `ip`: which place has answered,
 * -1: none. */
int conflict_answer(const struct conflict *conflict, const struct conflict_place *from);

#endif
