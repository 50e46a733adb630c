/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capability TLV, octets <-> struct. Knows its layout; not when it is sent nor
 * what follows from it.
 */
#include "orgtlv.h"

#include <errno.h>

#include "vdp_migrate/protocol.h"

void orgtlv_put_capability(struct wr *w, const struct orgtlv_capability *capability)
{
	wr_u32(w, VDP_MIGRATE_OUI << 8 | VDP_MIGRATE_SUBTYPE_CAPABILITY);
	wr_u8(w, capability->version);
	wr_u8(w, capability->role);
	wr_u8(w, capability->flags);
}

int orgtlv_get_capability(const uint8_t *value, size_t len,
			  struct orgtlv_capability *ret_capability,
			  struct rd_error *ret_error)
{
	struct rd r = rd_new(value, len, 0);
	struct orgtlv_capability capability;
	uint32_t kind = rd_u32(&r, "OUI and subtype");

	if (rd_ok(&r) && kind != (VDP_MIGRATE_OUI << 8 | VDP_MIGRATE_SUBTYPE_CAPABILITY))
		return -ENOENT;
	capability.version = rd_u8(&r, "version");
	if (!capability.version)
		rd_fail(&r, "version");
	capability.role = rd_u8(&r, "role");
	if (capability.role != ORGTLV_STATION && capability.role != ORGTLV_BRIDGE)
		rd_fail(&r, "role");
	capability.flags = rd_u8(&r, "flags");
	/* Version 1 ends here. */
	if (capability.version == VDP_MIGRATE_TLV_VERSION && rd_left(&r))
		rd_fail(&r, "end of capability");
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_capability = capability;
	return 0;
}
