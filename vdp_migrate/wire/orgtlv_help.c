/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The help TLV, octets <-> struct. Knows its layout; not who may ask whom for what.
 */
#include "orgtlv_help.h"

#include <errno.h>

#include "vdp_migrate/protocol.h"

#define KIND (VDP_MIGRATE_OUI << 8 | VDP_MIGRATE_SUBTYPE_HELP)
#define VID_LAST 4094

_Static_assert(ORGTLV_HELP_LEN_MAX <= 511, "a TLV has at most 511 octets");

static void get_addr(struct rd *r, struct addr *addr);
static bool is_wrong(const struct addr *addr);

void orgtlv_put_help(struct wr *w, const struct orgtlv_help *help)
{
	if (help->n_entries > ORGTLV_HELP_ENTRIES_MAX || is_wrong(&help->giaddr)) {
		w->full = true;
		return;
	}
	wr_u32(w, KIND);
	wr_u8(w, VDP_MIGRATE_TLV_VERSION);
	wr_u8(w, help->flags);
	wr_u8(w, help->giaddr.family);
	if (help->giaddr.family)
		wr_bytes(w, help->giaddr.b, help->giaddr.family == ADDR_IPV4 ? 4 : 16);
	wr_u32(w, help->xid);
	wr_u8(w, help->id.format);
	wr_bytes(w, help->id.b, sizeof(help->id.b));
	wr_u16(w, help->n_entries);
	for (unsigned i = 0; i < help->n_entries; i++) {
		wr_bytes(w, help->entries[i].mac.b, sizeof(help->entries[i].mac.b));
		wr_u16(w, help->entries[i].vlan);
	}
}

int orgtlv_get_help(struct rd r, struct orgtlv_help *ret_help, struct rd_error *ret_error)
{
	uint32_t kind = rd_u32(&r, "OUI and subtype");
	struct orgtlv_help help = { 0 };

	if (rd_ok(&r) && kind != KIND)
		return -ENOENT;
	help.version = rd_u8(&r, "version");
	if (!help.version)
		rd_fail(&r, "version");
	help.flags = rd_u8(&r, "flags");
	get_addr(&r, &help.giaddr);
	help.xid = rd_u32(&r, "xid");
	help.id.format = rd_u8(&r, "VSI ID format");
	rd_copy(&r, help.id.b, sizeof(help.id.b), "VSI ID");
	help.n_entries = rd_u16(&r, "number of entries");
	if (help.n_entries > ORGTLV_HELP_ENTRIES_MAX)
		rd_fail(&r, "number of entries");
	for (unsigned i = 0; rd_ok(&r) && i < help.n_entries; i++) {
		help.entries[i].mac = rd_mac(&r, "MAC address");
		help.entries[i].vlan = rd_u16(&r, "VLAN ID");
		if (help.entries[i].vlan > VID_LAST)
			rd_fail(&r, "VLAN ID");
	}
	/* Version 1 ends here. */
	if (help.version == VDP_MIGRATE_TLV_VERSION && rd_left(&r))
		rd_fail(&r, "end of help request");
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_help = help;
	return 0;
}

static void get_addr(struct rd *r, struct addr *addr)
{
	switch (rd_u8(r, "address family")) {
	case ADDR_NONE:
		return;
	case ADDR_IPV4:
		*addr = rd_ipv4(r, "giaddr");
		break;
	case ADDR_IPV6:
		*addr = rd_ipv6(r, "giaddr");
		break;
	default:
		rd_fail(r, "address family");
	}
	if (is_wrong(addr))
		rd_fail(r, "giaddr");
}

/* None is said by the family, not by an address of zeros. */
static bool is_wrong(const struct addr *addr)
{
	static const struct addr zero;

	return addr->family > ADDR_IPV6 ||
	       (addr->family && !memcmp(addr->b, zero.b, sizeof(zero.b)));
}
