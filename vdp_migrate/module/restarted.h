/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peers that have started anew: their first request has the number of their last, and
 * ECP22 has taken it for a repetition (sequence.h).
 */
#ifndef MODULE_RESTARTED_H
#define MODULE_RESTARTED_H

#include "counters.h"
#include "port.h"

/* Give VDP22 what ECP22 has kept back. From turn() only. */
void restarted_hand_on(struct ports *ports, struct counters *counters);

#endif
