/* SPDX-License-Identifier: GPL-2.0-only */
/* See icmp6.h. */
#include "icmp6.h"

uint16_t icmp6_checksum(const struct addr *from, const struct addr *to, const uint8_t *p,
			size_t len)
{
	uint32_t sum = (uint32_t)len + INET_ICMPV6;

	for (unsigned i = 0; i < 16; i += 2)
		sum += ((uint32_t)from->b[i] << 8 | from->b[i + 1]) +
		       ((uint32_t)to->b[i] << 8 | to->b[i + 1]);
	return inet_checksum(p, len, sum);
}

struct addr icmp6_link_local(const struct mac *mac)
{
	struct addr addr = { .family = ADDR_IPV6, .b = { 0xfe, 0x80 } };

	memcpy(addr.b + 8, mac->b, 3);
	addr.b[8] ^= 2;
	addr.b[11] = 0xff;
	addr.b[12] = 0xfe;
	memcpy(addr.b + 13, mac->b + 3, 3);
	return addr;
}
