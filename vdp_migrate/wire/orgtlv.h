/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our own organizationally specific TLVs: OUI 02-56-4D. Here the capability TLV of
 * LLDP (IEEE 802.1AB 8.6): what a station or bridge with this product can do. The
 * octets are the TLV's value, from the OUI on; type and length are the carrier's.
 */
#ifndef WIRE_ORGTLV_H
#define WIRE_ORGTLV_H

#include "rd.h"
#include "wr.h"

/* OUI, subtype, version, role, flags. */
#define ORGTLV_CAPABILITY_LEN 7

enum orgtlv_role {
	ORGTLV_STATION = 1,
	ORGTLV_BRIDGE = 2,
};

/* Understood or done; a bit not named here is one of a later version. */
enum orgtlv_flag {
	ORGTLV_DRAFT_M = 1 << 0,	/* the M-bit in draft 0.2 */
	ORGTLV_HELP = 1 << 1,		/* help requests */
	ORGTLV_GROUPS = 1 << 2,		/* group query */
	ORGTLV_LEASEQUERY = 1 << 3,
};

struct orgtlv_capability {
	uint8_t version;	/* >= 1 */
	uint8_t role;		/* enum orgtlv_role */
	uint8_t flags;
};

/* Write it as this version; ask wr_ok(). */
void orgtlv_put_capability(struct wr *w, const struct orgtlv_capability *capability);

/* 0; -ENOENT: another TLV; -EBADMSG. What a later version has added is passed over. */
int orgtlv_get_capability(const uint8_t *value, size_t len,
			  struct orgtlv_capability *ret_capability,
			  struct rd_error *ret_error);

#endif
