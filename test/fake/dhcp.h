/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCPv4 messages as servers and clients send them (RFC 2131, RFC 4388), right or
 * wrong as a test wants them.
 */
#ifndef FAKE_DHCP_H
#define FAKE_DHCP_H

#include "wire/dhcp4.h"

struct fake_dhcp {
	uint8_t op, type;
	uint8_t hlen; /* 0 = 6 */
	uint32_t xid;
	struct addr ciaddr, yiaddr, giaddr;
	struct mac chaddr;
	bool has_lease;
	uint32_t lease_s;
	struct addr server, requested; /* options 54 and 50; family 0 = none */
	bool has_last;
	uint32_t last_s;	       /* option 91 */
	struct client_id client_id;
	bool long_client_id;	       /* one of 400 octets, in two parts: RFC 3396 */
	unsigned n_others;	       /* octets of option 92 */
	uint8_t others[64];
};

static inline void fake_dhcp_addr(struct wr *w, uint8_t option, const struct addr *addr)
{
	if (!addr->family)
		return;
	wr_u8(w, option);
	wr_u8(w, 4);
	wr_bytes(w, addr->b, 4);
}

/* Octets written. */
static inline size_t fake_dhcp(uint8_t *buf, size_t size, const struct fake_dhcp *f)
{
	struct wr w = wr_new(buf, size);

	wr_u8(&w, f->op);
	wr_u8(&w, 1);
	wr_u8(&w, f->hlen ? f->hlen : 6);
	wr_u8(&w, 0);
	wr_u32(&w, f->xid);
	wr_u32(&w, 0);
	wr_bytes(&w, f->ciaddr.b, 4);
	wr_bytes(&w, f->yiaddr.b, 4);
	wr_zero(&w, 4);
	wr_bytes(&w, f->giaddr.b, 4);
	wr_bytes(&w, f->chaddr.b, 6);
	wr_zero(&w, 10 + 64 + 128);
	wr_u32(&w, 0x63825363);
	wr_u8(&w, DHCP4_OPT_TYPE);
	wr_u8(&w, 1);
	wr_u8(&w, f->type);
	fake_dhcp_addr(&w, DHCP4_OPT_SERVER_ID, &f->server);
	fake_dhcp_addr(&w, DHCP4_OPT_REQUESTED_ADDRESS, &f->requested);
	if (f->has_lease) {
		wr_u8(&w, DHCP4_OPT_LEASE_TIME);
		wr_u8(&w, 4);
		wr_u32(&w, f->lease_s);
	}
	if (f->has_last) {
		wr_u8(&w, DHCP4_OPT_LAST_TRANSACTION);
		wr_u8(&w, 4);
		wr_u32(&w, f->last_s);
	}
	if (f->client_id.len) {
		wr_u8(&w, DHCP4_OPT_CLIENT_ID);
		wr_u8(&w, f->client_id.len);
		wr_bytes(&w, f->client_id.b, f->client_id.len);
	}
	for (unsigned i = 0; f->long_client_id && i < 2; i++) {
		wr_u8(&w, DHCP4_OPT_CLIENT_ID);
		wr_u8(&w, 200);
		wr_zero(&w, 200);
	}
	if (f->n_others) {
		wr_u8(&w, DHCP4_OPT_ASSOCIATED_IP);
		wr_u8(&w, (uint8_t)f->n_others);
		wr_bytes(&w, f->others, f->n_others);
	}
	wr_u8(&w, DHCP4_OPT_END);
	return wr_ok(&w) ? w.at : 0;
}

#endif
