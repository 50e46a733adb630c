/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The help TLV: a switch asks the station that a VM arrives on to renew its lease
 * (doc/wire-format). Organizationally specific, OUI 02-56-4D subtype 0x02, carried in a
 * VDPDU (IEEE 802.1Q 41.2). The octets are the TLV's value, from the OUI on; type and
 * length are the carrier's (vdp22_add_org(), vdp22_next_org()).
 */
#ifndef WIRE_ORGTLV_HELP_H
#define WIRE_ORGTLV_HELP_H

#include "rd.h"
#include "wr.h"

#define ORGTLV_HELP_ENTRIES_MAX 50
/* OUI to address family, giaddr, xid, VSI ID format, VSI ID, number, entries. */
#define ORGTLV_HELP_LEN_MAX (7 + 16 + 4 + 17 + 2 + 8 * ORGTLV_HELP_ENTRIES_MAX)

/* A bit not named here is one of a later version, and means nothing. */
enum orgtlv_help_flag {
	ORGTLV_HELP_DHCP4 = 1 << 0,	/* wanted: a DHCPREQUEST */
	ORGTLV_HELP_DHCP6 = 1 << 1,
	ORGTLV_HELP_APART = 1 << 2,	/* giaddr is not in the VM's subnet */
};

struct orgtlv_help {
	uint8_t version;	/* >= 1; written as ours */
	uint8_t flags;
	struct addr giaddr;	/* family 0 = none */
	uint32_t xid;		/* of the first entry's DHCPREQUEST; each further one more */
	struct vsi_id id;
	uint16_t n_entries;	/* 0: the VSI's filter has no MAC */
	struct vsi_entry entries[ORGTLV_HELP_ENTRIES_MAX];
};

/* Write it as this version; ask wr_ok(). What no reader would take is not written. */
void orgtlv_put_help(struct wr *w, const struct orgtlv_help *help);

/* 0; -ENOENT: another TLV; -EBADMSG with the reason and the octet of what the reader's
 * frame is. What a later version has added is passed over. */
int orgtlv_get_help(struct rd value, struct orgtlv_help *ret_help,
		    struct rd_error *ret_error);

#endif
