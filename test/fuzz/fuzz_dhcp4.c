/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any UDP payload. The options of what decodes lie within their store, one behind
 * the other; written again, each option whole where it fits, it decodes to the same.
 */
#include "wire/dhcp4.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fixed part, then the options as pieces of at most 255 octets. */
static size_t encode(const uint8_t *data, const struct dhcp4 *m, uint8_t *buf, size_t size)
{
	struct wr w = wr_new(buf, size);
	size_t next = 0;

	wr_bytes(&w, data, 240);
	for (unsigned i = 0; i < 256; i++) {
		size_t left = m->opt_len[i], at = m->opt_at[i];

		if (at != next || at + left > sizeof(m->opt) || (left && !m->opt_seen[i]))
			abort();
		next = at + left;
		if (i == DHCP4_OPT_OVERLOAD)
			continue;
		for (size_t n; m->opt_seen[i]; at += n, left -= n) {
			n = left < 255 ? left : 255;
			wr_u8(&w, (uint8_t)i);
			wr_u8(&w, (uint8_t)n);
			wr_bytes(&w, m->opt + at, n);
			if (n == left)
				break;
		}
	}
	return wr_ok(&w) ? w.at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dhcp4 m, again;
	struct rd_error error = { 0 };
	uint8_t buf[4096];
	size_t len;

	if (dhcp4_decode(rd_new(data, size, 0), &m, &error))
		return error.what && error.at <= size ? 0 : (abort(), 0);
	len = encode(data, &m, buf, sizeof(buf));
	if (!len || dhcp4_decode(rd_new(buf, len, 0), &again, &error))
		abort();
	for (unsigned i = 0; i < 256; i++) {
		size_t was_len = 0, is_len = 0;
		const uint8_t *was = dhcp4_opt(&m, (uint8_t)i, &was_len);
		const uint8_t *is = dhcp4_opt(&again, (uint8_t)i, &is_len);

		if (i != DHCP4_OPT_OVERLOAD &&
		    (!was != !is || was_len != is_len || (was && memcmp(was, is, was_len))))
			abort();
	}
	return 0;
}
