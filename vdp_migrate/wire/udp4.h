/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A UDP datagram in IPv4 in Ethernet, written as a whole frame (RFC 768, 791, 894), with
 * an 802.1Q tag where it has a VLAN. The reading side is inet.
 */
#ifndef WIRE_UDP4_H
#define WIRE_UDP4_H

#include "wr.h"

#define UDP4_OVERHEAD 46	/* octets of all headers, tagged */

struct udp4 {
	struct mac dst, src;
	uint16_t vlan;		/* 0 = untagged */
	struct addr saddr, daddr;	/* IPv4 */
	uint16_t sport, dport;
};

/* Octets of the frame (no FCS, not padded), or 0 if it does not fit. */
size_t udp4_frame(uint8_t *buf, size_t size, const struct udp4 *head, const uint8_t *payload,
		  size_t len);

#endif
