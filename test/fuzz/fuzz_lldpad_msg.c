/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any datagram from lldpad. What decodes to a VSI is a request that can be written, and
 * is the same VSI as itself.
 */
#include "companion/lldpad_msg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct lldpad_vsi *vsi)
{
	uint8_t again[LLDPAD_MSG_MAX];
	struct wr w = wr_new(again, sizeof(again));

	if (vsi->mode < VDP22_PRE || vsi->mode > VDP22_DEASSOC || vsi->type_id > 0xffffff ||
	    vsi->n > LLDPAD_ENTRIES_MAX || !lldpad_vsi_same(vsi, vsi))
		abort();
	lldpad_msg_request(&w, "eth0", vsi);
	if (!wr_ok(&w))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct lldpad_msg msg;
	struct lldpad_vsi vsi;

	if (lldpad_msg_decode(data, size, &msg, &error))
		return error.what && error.at <= size ? 0 : (abort(), 0);
	while (lldpad_msg_vsi(&msg.vsis, &vsi) > 0)
		check(&vsi);
	return 0;
}
