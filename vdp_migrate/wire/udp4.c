/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UDP in IPv4 in Ethernet, written: lengths, both checksums, one tag. Fragments nothing:
 * what is longer than an Ethernet frame takes is refused.
 */
#include "udp4.h"

#include "inet.h"

#define IPV4_HEADER 20
#define UDP_HEADER 8
#define MTU 1500
#define TTL 64
#define PROTOCOL_UDP 17

static uint16_t udp_checksum(const struct udp4 *head, uint16_t udp_len, const uint8_t *udp);

size_t udp4_frame(uint8_t *buf, size_t size, const struct udp4 *head, const uint8_t *payload,
		  size_t len)
{
	struct wr w = wr_new(buf, size);
	uint16_t sum, total = (uint16_t)(IPV4_HEADER + UDP_HEADER + len);
	size_t ip_at, udp_at;

	if (len > MTU - IPV4_HEADER - UDP_HEADER)
		return 0;
	wr_bytes(&w, head->dst.b, sizeof(head->dst.b));
	wr_bytes(&w, head->src.b, sizeof(head->src.b));
	if (head->vlan) {
		wr_u16(&w, ETHERTYPE_VLAN);
		wr_u16(&w, head->vlan);
	}
	wr_u16(&w, ETHERTYPE_IPV4);
	ip_at = w.at;
	wr_u8(&w, 0x45);
	wr_u8(&w, 0);
	wr_u16(&w, total);
	wr_u32(&w, 0);
	wr_u8(&w, TTL);
	wr_u8(&w, PROTOCOL_UDP);
	wr_u16(&w, 0);
	wr_bytes(&w, head->saddr.b, 4);
	wr_bytes(&w, head->daddr.b, 4);
	udp_at = w.at;
	wr_u16(&w, head->sport);
	wr_u16(&w, head->dport);
	wr_u16(&w, (uint16_t)(UDP_HEADER + len));
	wr_u16(&w, 0);
	wr_bytes(&w, payload, len);
	if (!wr_ok(&w))
		return 0;
	wr_set_u16(&w, ip_at + 10, inet_checksum(buf + ip_at, IPV4_HEADER, 0));
	sum = udp_checksum(head, (uint16_t)(UDP_HEADER + len), buf + udp_at);
	/* RFC 768: 0 would say that there is none. */
	wr_set_u16(&w, udp_at + 6, sum ? sum : 0xffff);
	return w.at;
}

/* Over the pseudo header too, RFC 768. */
static uint16_t udp_checksum(const struct udp4 *head, uint16_t udp_len, const uint8_t *udp)
{
	uint32_t sum = PROTOCOL_UDP + (uint32_t)udp_len;

	for (unsigned i = 0; i < 4; i += 2) {
		sum += (uint32_t)head->saddr.b[i] << 8 | head->saddr.b[i + 1];
		sum += (uint32_t)head->daddr.b[i] << 8 | head->daddr.b[i + 1];
	}
	return inet_checksum(udp, udp_len, sum);
}
