/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any TLV value. What decodes as a capability of our version is the same octets when
 * it is written again; a later version's first octets are; what does not decode says
 * where.
 */
#include "wire/orgtlv.h"

#include <errno.h>
#include <stdlib.h>

#include "vdp_migrate/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct orgtlv_capability capability;
	uint8_t again[ORGTLV_CAPABILITY_LEN];
	struct wr w = wr_new(again, sizeof(again));
	int rc = orgtlv_get_capability(data, size, &capability, &error);

	if (rc == -EBADMSG && (!error.what || error.at > size))
		abort();
	if (rc)
		return 0;
	orgtlv_put_capability(&w, &capability);
	if (!wr_ok(&w) || w.at > size || memcmp(again, data, w.at))
		abort();
	if (capability.version == VDP_MIGRATE_TLV_VERSION && w.at != size)
		abort();
	return 0;
}
