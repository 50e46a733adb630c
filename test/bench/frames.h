/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames that the injector sends and reads, octet by octet as stock lldpad has
 * them: IEEE 802.1AB (LLDP) with the EVB TLV of IEEE 802.1Q D.2.12, ECP (clause 43)
 * with one VDP association TLV (clause 41). VSI number n has a VSI ID and a MAC
 * address that both end in n.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define ETHERTYPE_ECP 0x8940
#define FRAME_SIZE 128

enum frame_kind {
	FRAME_OTHER,
	FRAME_REQUEST,		/* an association request */
	FRAME_ACK,		/* of ECP */
	FRAME_RESPONSE,		/* accepted */
	FRAME_REFUSED,
	FRAME_DEASSOC,		/* unasked, by the bridge */
};

struct frame {
	enum frame_kind kind;
	int wants_ack;
	uint16_t sequence;	/* ECP's */
	uint32_t vsi;		/* n, but not of an ACK */
};

/* Each returns the length of what it has put into frame. */
size_t frame_hello(uint8_t frame[FRAME_SIZE], const uint8_t mac[6]);
size_t frame_assoc(uint8_t frame[FRAME_SIZE], const uint8_t mac[6], uint16_t sequence,
		   uint8_t status, uint32_t vsi);
size_t frame_ack(uint8_t frame[FRAME_SIZE], const uint8_t mac[6], uint16_t sequence);

struct frame frame_read(const uint8_t *frame, size_t len);

#endif
