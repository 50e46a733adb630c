/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VSI whose user has stopped here, to go on elsewhere: its association is sent once
 * more, with the S-bit (IEEE 802.1Q 41.2.3), which stock lldpad cannot say of a VSI
 * that it holds. For that, each VSI of a station port keeps its last request.
 */
#ifndef MODULE_SUSPEND_H
#define MODULE_SUSPEND_H

#include "counters.h"
#include "port.h"
#include "wire/vdp22.h"

/* A request of this VSI leaves: keep it. No memory: as if it had not been seen. */
void suspend_note(struct vsis_one *one, const uint8_t *pdu,
		  const struct vdp22_assoc *assoc);

/* From now on suspend_turn() has something to do: 0, or a positive errno. ret_text says
 * to a person where, or why not. */
int suspend_ask(struct ports *ports, const struct vsi_id *id, char *ret_text,
		size_t size);
/* Between two turns of lldpad's loop, not in a bus hook. */
void suspend_turn(struct ports *ports, struct counters *counters);

#endif
