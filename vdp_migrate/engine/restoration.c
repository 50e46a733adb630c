/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See restoration.h. The bounds: a move inside the switch and a near DHCP server are at
 * the low end (a VM is stopped for some 10 ms); tries, servers in turn and a help request
 * in the middle; at the high end what only a renewal of the VM's own has ended.
 */
#include "restoration.h"

static const unsigned bounds[RESTORATION_BOUNDS] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 60000, 600000,
};

void restoration_add(struct restoration *restoration, ms_t took)
{
	restoration->n++;
	restoration->sum_ms += (uint64_t)took;
	for (unsigned i = 0; i < RESTORATION_BOUNDS; i++) {
		if (took > (ms_t)bounds[i])
			continue;
		restoration->within[i]++;
		return;
	}
}

bool restoration_bound(const struct restoration *restoration, unsigned n, unsigned *ret_ms,
		       uint64_t *ret_within)
{
	uint64_t within = 0;

	if (n >= RESTORATION_BOUNDS)
		return false;
	for (unsigned i = 0; i <= n; i++)
		within += restoration->within[i];
	*ret_ms = bounds[n];
	*ret_within = within;
	return true;
}
