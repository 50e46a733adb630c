/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ECPDU header, IEEE 802.1Q-2018 43.3: version 4 bits, operation 2, subtype 10,
 * sequence number 16. Knows the header and the lengths that stock lldpad survives;
 * nothing of acknowledgement or repetition.
 */
#include "ecp.h"

#include <errno.h>

#include "vdp_migrate/protocol.h"

/* Draft 0.2: Ethernet 14, OUI and padding 4, subtype 2, mode 1, sequence number 2. */
#define DRAFT_HEADER_LEN 23

int ecp_decode(const uint8_t *frame, size_t len, struct ecp *ret_ecp,
	       struct rd_error *ret_error)
{
	struct rd r = rd_new(frame, len, 0);
	struct ecp ecp;
	uint16_t v;

	ecp.dst = rd_mac(&r, "destination");
	ecp.src = rd_mac(&r, "source");
	if (rd_u16(&r, "ethertype") != ETHERTYPE_ECP)
		rd_fail(&r, "ethertype");
	v = rd_u16(&r, "ECP header");
	ecp.version = (uint8_t)(v >> 12);
	ecp.op = v >> 10 & 3;
	ecp.subtype = v & 0x3ff;
	ecp.sequence = rd_u16(&r, "ECP sequence number");
	if (len > ECP_FRAME_MAX)
		rd_fail(&r, "end of frame");
	ecp.payload = rd_sub(&r, rd_left(&r), "payload");
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_ecp = ecp;
	return 0;
}

bool ecp_survivable(const uint8_t *frame, size_t len, uint16_t *ret_ethertype)
{
	struct rd r = rd_new(frame, len, 0);
	uint16_t ethertype;

	rd_skip(&r, 12, "addresses");
	ethertype = rd_u16(&r, "ethertype");
	if (!rd_ok(&r))
		return true;
	*ret_ethertype = ethertype;
	switch (ethertype) {
	case ETHERTYPE_ECP:
		/* Stock takes 18 off the length without looking, then copies. */
		return len >= ECP_HEADER_LEN && len <= ECP_FRAME_MAX;
	case ETHERTYPE_ECP_DRAFT:
		/* And 23 here, when it clears the TLVs of its acknowledgement. */
		return len >= DRAFT_HEADER_LEN && len <= ECP_FRAME_MAX;
	default:
		return true;
	}
}
