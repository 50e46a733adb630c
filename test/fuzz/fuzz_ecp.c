/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any frame. What decodes as an ECPDU also passes the check of lengths and is the
 * same octets when it is written again; what does not says where within the frame.
 */
#include "wire/ecp.h"
#include "wire/wr.h"

#include <stdlib.h>

#include "vdp_migrate/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	uint16_t ethertype = 0;
	bool ok = ecp_survivable(data, size, &ethertype);
	uint8_t again[ECP_HEADER_LEN];
	struct wr w = wr_new(again, sizeof(again));
	struct ecp ecp;

	if (ecp_decode(data, size, &ecp, &error)) {
		if (!error.what || error.at > size)
			abort();
		/* An ECPDU that stock survives is one that we can read. */
		if (ok && ethertype == ETHERTYPE_ECP)
			abort();
		return 0;
	}
	if (!ok || ethertype != ETHERTYPE_ECP)
		abort();
	wr_bytes(&w, ecp.dst.b, 6);
	wr_bytes(&w, ecp.src.b, 6);
	wr_u16(&w, ethertype);
	wr_u16(&w, (uint16_t)(ecp.version << 12 | ecp.op << 10 | ecp.subtype));
	wr_u16(&w, ecp.sequence);
	if (memcmp(again, data, sizeof(again)))
		abort();
	if (ecp.payload.p != data + sizeof(again) || rd_left(&ecp.payload) + 18 != size)
		abort();
	return 0;
}
