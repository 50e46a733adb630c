/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any datagram. A message that comes out is the same octets when it is put in again:
 * there is one way to write each.
 */
#include "wire/linkmsg.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[LINK_DATAGRAM_MAX];
	static struct link_msg msg;
	struct rd r;
	int got;

	if (size > LINK_DATAGRAM_MAX)
		return 0;
	r = rd_new(data, size, 0);
	for (;;) {
		struct wr w = wr_new(again, sizeof(again));
		struct rd_error error = { 0 };
		size_t from = rd_at(&r);

		got = linkmsg_get(&r, &msg, &error);
		if (got < 0 && (!error.what || error.at > size))
			abort();
		if (got == -EPROTO && data[from + 1] == LINK_VERSION)
			abort();
		if (got <= 0)
			break;
		if (!linkmsg_put(&w, &msg) || w.at != rd_at(&r) - from ||
		    memcmp(data + from, again, w.at))
			abort();
	}
	if (!got && rd_at(&r) != size)
		abort();
	return 0;
}
