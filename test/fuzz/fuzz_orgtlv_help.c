/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any value of a help TLV. What decodes of our version is the same octets when it is
 * written again, and fits into a VDPDU, out of which it comes as it went in; what does not
 * decode says where.
 */
#include "wire/orgtlv_help.h"
#include "wire/vdp22.h"

#include <errno.h>
#include <stdlib.h>

#include "vdp_migrate/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void through_a_vdpdu(const uint8_t *value, size_t size)
{
	uint8_t pdu[VDP22_PDU_MAX];
	struct rd_error error;
	struct vdp22 v;
	struct rd out;
	size_t len, at = 0;

	vdp22_empty(pdu);
	len = vdp22_add_org(pdu, VDP22_EMPTY_LEN, sizeof(pdu), value, size);
	if (len != VDP22_EMPTY_LEN + 2 + size || vdp22_decode(pdu, len, &v, &error))
		abort();
	if (!v.has_end || v.n_orgs != 1 || !vdp22_next_org(pdu, &v, &at, &out) ||
	    rd_left(&out) != size || memcmp(out.p, value, size) ||
	    vdp22_next_org(pdu, &v, &at, &out))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct orgtlv_help help, same;
	uint8_t again[ORGTLV_HELP_LEN_MAX];
	struct wr w = wr_new(again, sizeof(again));
	int rc = orgtlv_get_help(rd_new(data, size, 0), &help, &error);

	if (rc == -EBADMSG && (!error.what || error.at > size))
		abort();
	if (rc)
		return 0;
	orgtlv_put_help(&w, &help);
	if (!wr_ok(&w) || w.at > size)
		abort();
	if (orgtlv_get_help(rd_new(again, w.at, 0), &same, &error))
		abort();
	same.version = help.version;
	if (memcmp(&same, &help, sizeof(help)))
		abort();
	if (help.version == VDP_MIGRATE_TLV_VERSION &&
	    (w.at != size || memcmp(again, data, size)))
		abort();
	through_a_vdpdu(again, w.at);
	return 0;
}
