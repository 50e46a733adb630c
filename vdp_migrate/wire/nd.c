/* SPDX-License-Identifier: GPL-2.0-only */
/* See nd.h. */
#include "nd.h"

#include <errno.h>

#include "icmp6.h"
#include "wr.h"

#define TYPE_SOLICITATION 135
#define TYPE_ADVERTISEMENT 136
#define FLAG_SOLICITED 0x40
#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define HOP_LIMIT 255 /* of what has come through no router */
#define SOLICITATION_LEN 32

static bool is_multicast(const struct addr *addr);
static void get_options(struct rd *r, struct nd_advert *advert);

int nd_advert_decode(const struct inet_frame *frame, struct nd_advert *ret_advert,
		     struct rd_error *ret_error)
{
	struct nd_advert advert = { 0 };
	struct rd r = frame->payload, all = r;
	size_t len = rd_left(&r);

	if (frame->ethertype != ETHERTYPE_IPV6 || frame->protocol != INET_ICMPV6)
		return -ENOENT;
	if (rd_u8(&r, "ICMPv6 type") != TYPE_ADVERTISEMENT && rd_ok(&r))
		return -ENOENT;
	if (frame->hop_limit != HOP_LIMIT)
		rd_fail(&r, "hop limit of an advertisement");
	if (rd_u8(&r, "ICMPv6 code") && rd_ok(&r))
		rd_fail(&r, "ICMPv6 code");
	if (rd_ok(&r) && icmp6_checksum(&frame->saddr, &frame->daddr,
					rd_bytes(&all, len, "advertisement"), len))
		rd_fail(&r, "ICMPv6 checksum");
	rd_skip(&r, 2, "ICMPv6 checksum");
	advert.solicited = rd_u8(&r, "advertisement flags") & FLAG_SOLICITED;
	rd_skip(&r, 3, "advertisement flags");
	advert.target = rd_ipv6(&r, "advertisement target");
	if (rd_ok(&r) && (is_multicast(&advert.target) ||
			  (is_multicast(&frame->daddr) && advert.solicited)))
		rd_fail(&r, "advertisement target");
	get_options(&r, &advert);
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_advert = advert;
	return 0;
}

size_t nd_solicit(uint8_t *buf, size_t size, const struct mac *from, const struct mac *to,
		  uint16_t vlan, const struct addr *target)
{
	const struct addr source = icmp6_link_local(from);
	struct wr w = wr_new(buf, size);
	size_t at;

	wr_bytes(&w, to->b, sizeof(to->b));
	wr_bytes(&w, from->b, sizeof(from->b));
	if (vlan) {
		wr_u16(&w, ETHERTYPE_VLAN);
		wr_u16(&w, vlan);
	}
	wr_u16(&w, ETHERTYPE_IPV6);
	wr_u32(&w, 6u << 28);
	wr_u16(&w, SOLICITATION_LEN);
	wr_u8(&w, INET_ICMPV6);
	wr_u8(&w, HOP_LIMIT);
	wr_bytes(&w, source.b, 16);
	wr_bytes(&w, target->b, 16);
	at = w.at;
	wr_u8(&w, TYPE_SOLICITATION);
	wr_u8(&w, 0);
	wr_zero(&w, 2 + 4);
	wr_bytes(&w, target->b, 16);
	/* RFC 4861 7.2.2: without it, who answers would have to ask for us first. */
	wr_u8(&w, OPTION_SOURCE_MAC);
	wr_u8(&w, 1);
	wr_bytes(&w, from->b, sizeof(from->b));
	if (wr_ok(&w))
		wr_set_u16(&w, at + 2,
			   icmp6_checksum(&source, target, buf + at, SOLICITATION_LEN));
	return wr_ok(&w) ? w.at : 0;
}

static bool is_multicast(const struct addr *addr)
{
	return addr->b[0] == 0xff;
}

/* RFC 4861 4.6: type, length in units of 8 octets, which is never 0. */
static void get_options(struct rd *r, struct nd_advert *advert)
{
	while (rd_ok(r) && rd_left(r)) {
		uint8_t type = rd_u8(r, "option");
		size_t len = rd_u8(r, "option length") * 8u;

		if (!len)
			rd_fail(r, "option length");
		else if (type == OPTION_TARGET_MAC && len == 8)
			advert->mac = rd_mac(r, "target MAC");
		else
			rd_skip(r, len - 2, "option");
	}
}
