/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any frame: what decodes as ARP is long enough for it, and a probe made of what it says
 * is one.
 */
#include "wire/arp.h"

#include <stdlib.h>

#include "wire/inet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct inet_frame f;
	uint8_t frame[ARP_FRAME_MAX];
	struct arp arp, probe;
	size_t len;

	if (inet_decode(data, size, &f, NULL) || f.ethertype != ETHERTYPE_ARP)
		return 0;
	if (arp_decode(f.payload, &arp, &error)) {
		if (!error.what || error.at > size)
			abort();
		return 0;
	}
	if (rd_left(&f.payload) < 28 || arp.sender_ip.family != ADDR_IPV4)
		abort();
	len = arp_probe(frame, sizeof(frame), &arp.target_mac, &arp.sender_mac, f.vlan,
			&arp.sender_ip);
	if (!len || inet_decode(frame, len, &f, NULL) || arp_decode(f.payload, &probe, NULL) ||
	    memcmp(&probe.target_ip, &arp.sender_ip, sizeof(arp.sender_ip)) != 0)
		abort();
	return 0;
}
