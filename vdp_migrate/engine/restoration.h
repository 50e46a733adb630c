/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a VM that migrates in waits for its bindings: from the first request of its VSI
 * with M on a port to the guard's commit after which the kernel holds a binding there for
 * each entry of its filter info. A histogram of that, and nothing of who measures it
 * (bridge_ready.c).
 *
 * Supported standards: none; the shape is that of a Prometheus histogram.
 */
#ifndef ENGINE_RESTORATION_H
#define ENGINE_RESTORATION_H

#include <stdbool.h>

#include "vdp_migrate/types.h"

#define RESTORATION_BOUNDS 15

struct restoration {
	uint64_t within[RESTORATION_BOUNDS];	/* each alone, not cumulative */
	uint64_t n, sum_ms;
};

void restoration_add(struct restoration *restoration, ms_t took);
/* The n-th bound, ascending: how many took at most ret_ms. False: there is none. */
bool restoration_bound(const struct restoration *restoration, unsigned n, unsigned *ret_ms,
		       uint64_t *ret_within);

#endif
