/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that the module knows, told again: ports with their settings, the VSIs that
 * lldpad holds, marks, counters. In parts of one datagram each; between two parts the
 * lists may change, since it goes on by serial number.
 */
#ifndef MODULE_REPLAY_H
#define MODULE_REPLAY_H

#include "counters.h"
#include "marks.h"
#include "port.h"
#include "wire/linkmsg.h"

struct replay {
	unsigned stage;
	uint64_t port, vsi, mark;	/* serials of what was told last */
	unsigned counter;
};

/* Begin anew. */
void replay_start(struct replay *replay);
/* Fill an empty datagram. True: this was the last part. */
bool replay_fill(struct replay *replay, struct ports *ports, const struct marks *marks,
		 ms_t now, struct counters *counters, struct wr *datagram);

#endif
