/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ARP for IPv4 over Ethernet (RFC 826), and its probe (RFC 5227 2.1.1), here unicast to
 * one host: a sender without address changes nobody's cache.
 */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include "rd.h"

#define ARP_REQUEST 1
#define ARP_REPLY 2
#define ARP_FRAME_MAX 64

struct arp {
	uint16_t op;
	struct mac sender_mac, target_mac;
	struct addr sender_ip, target_ip;
};

/* What follows the ethertype (struct inet_frame's payload). 0 or -EBADMSG: cut, or not
 * IPv4 over Ethernet. */
int arp_decode(struct rd payload, struct arp *ret_arp, struct rd_error *ret_error);

/* A whole frame: who has `ip`, of nobody in particular, to that MAC alone; vlan 0: no
 * tag. Its length, 0: it does not fit. */
size_t arp_probe(uint8_t *buf, size_t size, const struct mac *from, const struct mac *to,
		 uint16_t vlan, const struct addr *ip);

#endif
