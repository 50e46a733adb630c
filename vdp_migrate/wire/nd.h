/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Neighbor Discovery for IPv6 over Ethernet: a neighbour is asked whether it is there,
 * and what it says. Of the other messages nothing is known here.
 *
 * Supported standards: RFC 4861 (4.3, 4.4, 4.6.1, 7.1.2), RFC 2464 (6).
 */
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include "inet.h"

#define ND_FRAME_MAX 96

/* A Neighbor Advertisement. */
struct nd_advert {
	struct addr target;	/* whose address it is about */
	struct mac mac;		/* that this address has; zero: it is not said */
	bool solicited;
};

/* 0; -ENOENT: no Neighbor Advertisement; -EBADMSG: cut, a wrong checksum, or one that
 * has come through a router, or is not valid for another reason (RFC 4861 7.1.2). */
int nd_advert_decode(const struct inet_frame *frame, struct nd_advert *ret_advert,
		     struct rd_error *ret_error);

/* A whole frame: a Neighbor Solicitation as it verifies that a neighbour is still there
 * (RFC 4861 7.2.2, 7.3.3: unicast, to that MAC and that address alone; vlan 0: no tag),
 * from the link-local address that belongs to `from`. Whoever has that address as a
 * tentative one ignores it (RFC 4862 5.4.3), which it would not if the source were
 * unspecified. Its length, 0: it does not fit. */
size_t nd_solicit(uint8_t *buf, size_t size, const struct mac *from, const struct mac *to,
		  uint16_t vlan, const struct addr *target);

#endif
