/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any frame: what decodes as an advertisement has come through no router, is long enough,
 * and its checksum is right; a solicitation made of what it says has a right one too.
 */
#include "wire/nd.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/icmp6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_summed(const struct inet_frame *frame)
{
	struct rd payload = frame->payload;
	size_t len = rd_left(&payload);

	return !icmp6_checksum(&frame->saddr, &frame->daddr, rd_bytes(&payload, len, ""),
			       len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	uint8_t ask[ND_FRAME_MAX];
	struct nd_advert advert;
	struct inet_frame f;
	size_t len;
	int err;

	if (inet_decode(data, size, &f, NULL))
		return 0;
	err = nd_advert_decode(&f, &advert, &error);
	if (err) {
		if (err != -ENOENT && (err != -EBADMSG || !error.what || error.at > size))
			abort();
		return 0;
	}
	if (f.hop_limit != 255 || rd_left(&f.payload) < 24 || !is_summed(&f) ||
	    advert.target.family != ADDR_IPV6 || advert.target.b[0] == 0xff)
		abort();
	len = nd_solicit(ask, sizeof(ask), &f.dst, &f.src, f.vlan, &advert.target);
	if (!len || inet_decode(ask, len, &f, NULL) || !is_summed(&f) ||
	    nd_advert_decode(&f, &advert, NULL) != -ENOENT)
		abort();
	return 0;
}
