/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ICMPv6 messages of MLD and of Neighbor Discovery have in common.
 *
 * Supported standards: RFC 4443 (checksum), RFC 4291 (link-local address).
 */
#ifndef WIRE_ICMP6_H
#define WIRE_ICMP6_H

#include "inet.h"

/* RFC 4443 2.3, with its pseudo-header, over a message whose checksum field is 0; or 0
 * over one with the right checksum. */
uint16_t icmp6_checksum(const struct addr *from, const struct addr *to, const uint8_t *p,
			size_t len);

/* The link-local address that an interface makes of its MAC (RFC 4291 appendix A:
 * modified EUI-64). */
struct addr icmp6_link_local(const struct mac *mac);

#endif
