/* SPDX-License-Identifier: GPL-2.0-only */
/* Any UDP payload. The options of what decodes lie within their store, one behind
 * the other; written again in pieces of 255 octets, they decode to the same. */
#include "wire/dhcp4.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t encode(const uint8_t *data, const struct dhcp4 *m, uint8_t buf[4096])
{
	struct wr w = wr_new(buf, 4096);
	size_t next = 0;

	wr_bytes(&w, data, 240);
	for (unsigned i = 0; i < 256; next += m->opt_len[i++]) {
		size_t len = m->opt_len[i];

		if (m->opt_at[i] != next || next + len > sizeof(m->opt) ||
		    (len && !m->opt_seen[i]))
			abort();
		if (!m->opt_seen[i] || i == DHCP4_OPT_OVERLOAD)
			continue;
		for (size_t at = 0; at < len || !at; at += 255) {
			size_t n = len - at < 255 ? len - at : 255;

			wr_u8(&w, (uint8_t)i);
			wr_u8(&w, (uint8_t)n);
			wr_bytes(&w, m->opt + next + at, n);
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
	len = encode(data, &m, buf);
	if (!len || dhcp4_decode(rd_new(buf, len, 0), &again, &error))
		abort();
	for (unsigned i = 0; i < 256; i++) {
		if (i == DHCP4_OPT_OVERLOAD)
			continue;
		if (m.opt_seen[i] != again.opt_seen[i] ||
		    m.opt_len[i] != again.opt_len[i] ||
		    memcmp(m.opt + m.opt_at[i], again.opt + again.opt_at[i],
			   m.opt_len[i]))
			abort();
	}
	return 0;
}
