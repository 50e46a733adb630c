/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet, IPv4 and UDP (RFC 894, 791, 768), IPv6 with a hop-by-hop header (RFC 8200):
 * a received frame down to its UDP payload, or to what IP carries. Frames of other kinds
 * decode as far as their Ethernet header.
 */
#ifndef WIRE_INET_H
#define WIRE_INET_H

#include "rd.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_RARP 0x8035
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_LLDP 0x88cc

/* Protocols of IPv4, next headers of IPv6. */
#define INET_HOP_BY_HOP 0
#define INET_IGMP 2
#define INET_UDP 17
#define INET_ICMPV6 58

struct inet_frame {
	struct mac dst, src;
	uint16_t vlan;		/* of an inline tag, else 0 */
	uint16_t ethertype;	/* behind the tag */
	uint8_t protocol;	/* of IPv4, first or only fragment; of IPv6, behind a
				 * hop-by-hop header; else 0 */
	uint8_t hop_limit;	/* of IPv6 */
	bool router_alert;	/* IPv6: a hop-by-hop header says so (RFC 2711) */
	struct addr saddr, daddr;	/* family 0 where not IP */
	uint16_t sport, dport;	/* UDP over IPv4, first or only fragment; else 0 */
	bool udp;		/* whole UDP datagram in payload */
	struct rd payload;	/* borrows; UDP payload, else what follows the last
				 * decoded header */
};

/* 0 or -EBADMSG (cut, bad lengths or a wrong IPv4 header checksum; the UDP checksum
 * is not checked: senders leave it to hardware). */
int inet_decode(const uint8_t *frame, size_t len, struct inet_frame *ret_frame,
		struct rd_error *ret_error);

/* RFC 1071 over p; start is a sum so far (0). */
uint16_t inet_checksum(const void *p, size_t len, uint32_t start);

#endif
