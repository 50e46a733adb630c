/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any frame. The payload of what decodes lies within the frame; addresses are there
 * for IPv4 and IPv6 and only there; a whole UDP datagram has a header before it.
 */
#include "wire/inet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct inet_frame f;
	size_t at, tag;

	if (inet_decode(data, size, &f, &error)) {
		if (!error.what || error.at > size)
			abort();
		return 0;
	}
	at = rd_at(&f.payload);
	tag = data[12] == 0x81 && data[13] == 0 ? 4 : 0;
	if (!rd_ok(&f.payload) || at + rd_left(&f.payload) > size || at < 14 + tag ||
	    f.payload.p != data + at)
		abort();
	if ((f.ethertype == ETHERTYPE_IPV4) != (f.saddr.family == ADDR_IPV4) ||
	    (f.ethertype == ETHERTYPE_IPV6) != (f.saddr.family == ADDR_IPV6) ||
	    f.saddr.family != f.daddr.family)
		abort();
	if (!tag && f.vlan)
		abort();
	if (f.ethertype == ETHERTYPE_IPV4 && at < 34 + tag)
		abort();
	if (f.udp && (f.protocol != 17 || at < 42 + tag))
		abort();
	if (f.ethertype == ETHERTYPE_IPV6 &&
	    (at < (f.router_alert ? 62u : 54u) + tag || f.udp || f.sport || f.dport))
		abort();
	if (f.ethertype != ETHERTYPE_IPV6 && f.router_alert)
		abort();
	if (f.protocol != 17 && (f.sport || f.dport))
		abort();
	/* The header's checksum was right, and shows any one changed octet. */
	if (f.ethertype == ETHERTYPE_IPV4) {
		uint8_t changed[64];
		size_t len = (data[14 + tag] & 15u) * 4u;

		memcpy(changed, data + 14 + tag, len);
		changed[len - 1] ^= 0x10;
		if (!inet_checksum(changed, len, 0))
			abort();
	}
	return 0;
}
