/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ARP, see arp.h. Knows one hardware type and one protocol; what an answer means is its
 * reader's matter.
 */
#include "arp.h"

#include <errno.h>

#include "inet.h"
#include "wr.h"

#define HARDWARE_ETHERNET 1
#define FRAME_MIN 60

int arp_decode(struct rd payload, struct arp *ret_arp, struct rd_error *ret_error)
{
	struct arp arp;

	memset(&arp, 0, sizeof(arp));
	if (rd_u16(&payload, "ARP hardware type") != HARDWARE_ETHERNET)
		rd_fail(&payload, "ARP hardware type");
	if (rd_u16(&payload, "ARP protocol type") != ETHERTYPE_IPV4)
		rd_fail(&payload, "ARP protocol type");
	if (rd_u8(&payload, "ARP hardware length") != 6)
		rd_fail(&payload, "ARP hardware length");
	if (rd_u8(&payload, "ARP protocol length") != 4)
		rd_fail(&payload, "ARP protocol length");
	arp.op = rd_u16(&payload, "ARP operation");
	arp.sender_mac = rd_mac(&payload, "ARP sender MAC");
	arp.sender_ip = rd_ipv4(&payload, "ARP sender address");
	arp.target_mac = rd_mac(&payload, "ARP target MAC");
	arp.target_ip = rd_ipv4(&payload, "ARP target address");
	if (!rd_ok(&payload)) {
		rd_error(&payload, ret_error);
		return -EBADMSG;
	}
	*ret_arp = arp;
	return 0;
}

size_t arp_probe(uint8_t *buf, size_t size, const struct mac *from, const struct mac *to,
		 uint16_t vlan, const struct addr *ip)
{
	struct wr w = wr_new(buf, size);

	wr_bytes(&w, to->b, sizeof(to->b));
	wr_bytes(&w, from->b, sizeof(from->b));
	if (vlan) {
		wr_u16(&w, ETHERTYPE_VLAN);
		wr_u16(&w, vlan);
	}
	wr_u16(&w, ETHERTYPE_ARP);
	wr_u16(&w, HARDWARE_ETHERNET);
	wr_u16(&w, ETHERTYPE_IPV4);
	wr_u8(&w, 6);
	wr_u8(&w, 4);
	wr_u16(&w, ARP_REQUEST);
	wr_bytes(&w, from->b, sizeof(from->b));
	wr_zero(&w, 4 + 6); /* RFC 5227 2.1.1: no sender address, no target MAC */
	wr_bytes(&w, ip->b, 4);
	if (wr_ok(&w) && w.at < FRAME_MIN)
		wr_zero(&w, FRAME_MIN - w.at);
	return wr_ok(&w) ? w.at : 0;
}
