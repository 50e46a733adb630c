/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of an ECP peer that has started anew. ECP22 takes a request with the number
 * of the last one for a repetition: it acknowledges it and keeps it back. But a peer
 * that was restarted begins at 1 again, and where the last number was 1 its first
 * request is lost so. IEEE 802.1Q clause 43.
 */
#ifndef MODULE_SEQUENCE_H
#define MODULE_SEQUENCE_H

#include "vdp_migrate/host.h"

/* What was last heard of a port's peer. A zeroed one has heard nothing. */
struct sequence {
	bool heard;
	bool kept_back;		/* no repetition, and not handed on yet */
	uint16_t number;
	ms_t at;
	size_t len;
	uint8_t *pdu;		/* owned; HOST_PDU_MAX */
};

/* ECP22 begins anew too: its first request is taken whatever its number. */
void sequence_reset(struct sequence *sequence);
void sequence_free(struct sequence *sequence);

/* A frame comes in. True: if nothing comes of it by the next turn, ECP22 has kept
 * back what is no repetition. */
bool sequence_frame(struct sequence *sequence, ms_t now, const struct host_evb *evb,
		    const uint8_t *frame, size_t len);
/* ECP22 has handed on a VDPDU. */
void sequence_handed_on(struct sequence *sequence);
/* The next turn: the VDPDU that was kept back, NULL: none. */
const uint8_t *sequence_kept_back(struct sequence *sequence, size_t *ret_len);

#endif
