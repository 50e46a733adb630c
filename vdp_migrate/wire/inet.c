/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet, one 802.1Q tag, IPv4 (RFC 791), UDP (RFC 768), IPv6 (RFC 8200) with its
 * hop-by-hop header, as far down as a frame goes. Knows lengths and the IPv4 header
 * checksum; puts no fragments together, and reads no IPv4 options.
 */
#include "inet.h"

#include <errno.h>

#define IPV4_MORE_FRAGMENTS 0x2000u
#define IPV4_OFFSET_MASK 0x1fffu
#define VID_MASK 0xfffu
/* RFC 8200 4.2, RFC 2711. */
#define IPV6_OPTION_PAD1 0
#define IPV6_OPTION_ROUTER_ALERT 5

static void get_ipv4(struct rd *r, struct inet_frame *frame);
static void get_udp(struct rd *r, bool whole, struct inet_frame *frame);
static void get_ipv6(struct rd *r, struct inet_frame *frame);
static void get_hop_by_hop(struct rd *r, struct inet_frame *frame);

int inet_decode(const uint8_t *frame, size_t len, struct inet_frame *ret_frame,
		struct rd_error *ret_error)
{
	struct rd r = rd_new(frame, len, 0);
	struct inet_frame f;

	memset(&f, 0, sizeof(f));
	f.dst = rd_mac(&r, "destination");
	f.src = rd_mac(&r, "source");
	f.ethertype = rd_u16(&r, "ethertype");
	if (f.ethertype == ETHERTYPE_VLAN) {
		f.vlan = rd_u16(&r, "VLAN tag") & VID_MASK;
		f.ethertype = rd_u16(&r, "ethertype");
	}
	if (f.ethertype == ETHERTYPE_IPV4)
		get_ipv4(&r, &f);
	else if (f.ethertype == ETHERTYPE_IPV6)
		get_ipv6(&r, &f);
	else
		f.payload = rd_sub(&r, rd_left(&r), "payload");
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_frame = f;
	return 0;
}

uint16_t inet_checksum(const void *p, size_t len, uint32_t start)
{
	const uint8_t *b = p;
	uint64_t sum = start;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	if (len & 1)
		sum += (uint32_t)b[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Everything is read through `packet`, which ends where IPv4 says; what a short
 * Ethernet frame is padded with is passed over. */
static void get_ipv4(struct rd *r, struct inet_frame *frame)
{
	struct rd packet = *r, peek = *r;
	uint8_t version = rd_u8(&peek, "IPv4 header");
	size_t header_len = (version & 15u) * 4u, total;
	const uint8_t *header;
	uint16_t fragment;

	rd_skip(&peek, 1, "IPv4 header");
	total = rd_u16(&peek, "IPv4 total length");
	if (!rd_ok(&peek) || version >> 4 != 4 || header_len < 20) {
		rd_fail(r, "IPv4 header");
		return;
	}
	if (total < header_len) {
		rd_fail(r, "IPv4 total length");
		return;
	}
	packet = rd_sub(r, total, "IPv4 packet");
	header = rd_bytes(&packet, header_len, "IPv4 header");
	if (!header)
		return;
	if (inet_checksum(header, header_len, 0)) {
		*r = packet;
		rd_fail(r, "IPv4 header checksum");
		return;
	}
	peek = rd_new(header, header_len, packet.base);
	rd_skip(&peek, 6, "IPv4 header");
	fragment = rd_u16(&peek, "IPv4 fragment");
	rd_skip(&peek, 1, "IPv4 header");
	frame->protocol = rd_u8(&peek, "IPv4 protocol");
	rd_skip(&peek, 2, "IPv4 header");
	frame->saddr = rd_ipv4(&peek, "IPv4 source");
	frame->daddr = rd_ipv4(&peek, "IPv4 destination");
	if (fragment & IPV4_OFFSET_MASK)
		frame->protocol = 0;
	if (frame->protocol == INET_UDP)
		get_udp(&packet, !(fragment & IPV4_MORE_FRAGMENTS), frame);
	else
		frame->payload = rd_sub(&packet, rd_left(&packet), "payload");
	if (!rd_ok(&packet))
		*r = packet;
}

static void get_udp(struct rd *r, bool whole, struct inet_frame *frame)
{
	size_t len;

	frame->sport = rd_u16(r, "UDP source port");
	frame->dport = rd_u16(r, "UDP destination port");
	len = rd_u16(r, "UDP length");
	rd_skip(r, 2, "UDP checksum");
	if (!whole) {
		frame->payload = rd_sub(r, rd_left(r), "payload");
		return;
	}
	if (len < 8)
		rd_fail(r, "UDP length");
	frame->payload = rd_sub(r, len < 8 ? 0 : len - 8, "UDP datagram");
	frame->udp = rd_ok(r);
}

/* As with IPv4: the packet ends where its header says. A jumbogram (RFC 2675: length 0)
 * fits into no frame. */
static void get_ipv6(struct rd *r, struct inet_frame *frame)
{
	struct rd packet = *r, peek = *r;
	size_t len;

	if (rd_u8(&peek, "IPv6 header") >> 4 != 6) {
		rd_fail(r, "IPv6 header");
		return;
	}
	rd_skip(&packet, 4, "IPv6 header");
	len = rd_u16(&packet, "IPv6 payload length");
	frame->protocol = rd_u8(&packet, "IPv6 next header");
	frame->hop_limit = rd_u8(&packet, "IPv6 hop limit");
	frame->saddr = rd_ipv6(&packet, "IPv6 source");
	frame->daddr = rd_ipv6(&packet, "IPv6 destination");
	packet = rd_sub(&packet, len, "IPv6 packet");
	if (frame->protocol == INET_HOP_BY_HOP)
		get_hop_by_hop(&packet, frame);
	frame->payload = rd_sub(&packet, rd_left(&packet), "payload");
	if (!rd_ok(&packet))
		*r = packet;
}

/* RFC 8200 4.3. */
static void get_hop_by_hop(struct rd *r, struct inet_frame *frame)
{
	struct rd options;

	frame->protocol = rd_u8(r, "hop-by-hop next header");
	options = rd_sub(r, rd_u8(r, "hop-by-hop length") * 8u + 6u, "hop-by-hop options");
	while (rd_ok(r) && rd_left(&options)) {
		uint8_t type = rd_u8(&options, "hop-by-hop option");

		if (type == IPV6_OPTION_PAD1)
			continue;
		rd_skip(&options, rd_u8(&options, "hop-by-hop option"), "hop-by-hop option");
		frame->router_alert |= type == IPV6_OPTION_ROUTER_ALERT;
	}
	if (rd_ok(r) && !rd_ok(&options))
		*r = options;
}
