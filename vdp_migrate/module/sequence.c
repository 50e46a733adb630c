/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A repetition has the same octets, and comes while the sender still repeats: it sends
 * once more each time its timer of 2^rte * 10 us runs out, `retries` times. Twice that
 * long is given, and time for a busy machine.
 */
#include "sequence.h"

#include <stdlib.h>
#include <string.h>

#include "wire/ecp.h"

#define REPEATS_MIN_MS 20

static ms_t repeats_ms(const struct host_evb *evb);

void sequence_reset(struct sequence *sequence)
{
	sequence->heard = sequence->kept_back = false;
}

void sequence_free(struct sequence *sequence)
{
	free(sequence->pdu);
	*sequence = (struct sequence){ 0 };
}

bool sequence_frame(struct sequence *s, ms_t now, const struct host_evb *evb,
		    const uint8_t *frame, size_t len)
{
	const uint8_t *pdu;
	struct ecp ecp;
	size_t n;
	bool same;

	if (ecp_decode(frame, len, &ecp, NULL) || ecp.version != 1 ||
	    ecp.op != ECP_REQUEST || ecp.subtype != ECP_SUBTYPE_VDP)
		return false;
	n = rd_left(&ecp.payload);
	pdu = rd_bytes(&ecp.payload, n, "payload");
	if (!s->pdu)
		s->pdu = malloc(HOST_PDU_MAX);
	if (!s->pdu || n > HOST_PDU_MAX)
		return false;
	same = s->heard && s->number == ecp.sequence;
	if (same && n == s->len && !memcmp(s->pdu, pdu, n) &&
	    now - s->at <= repeats_ms(evb)) {
		s->at = now;
		return false;
	}
	s->heard = true;
	s->number = ecp.sequence;
	s->at = now;
	s->len = n;
	memcpy(s->pdu, pdu, n);
	s->kept_back = same;
	return same;
}

void sequence_handed_on(struct sequence *sequence)
{
	sequence->kept_back = false;
}

const uint8_t *sequence_kept_back(struct sequence *sequence, size_t *ret_len)
{
	if (!sequence->kept_back)
		return NULL;
	sequence->kept_back = false;
	*ret_len = sequence->len;
	return sequence->pdu;
}

static ms_t repeats_ms(const struct host_evb *evb)
{
	ms_t ms = (2 * (1 + (ms_t)(evb->retries & 7)) << (evb->rte & 31)) / 100;

	return ms > REPEATS_MIN_MS ? ms : REPEATS_MIN_MS;
}
