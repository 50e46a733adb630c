/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VDPDU: Manager ID TLV, association TLVs, organizationally specific TLVs, End
 * TLV. IEEE 802.1Q clause 41.2. A VDPDU is decoded whole before anything is
 * done with it; what decodes here does not hurt stock lldpad.
 */
#ifndef WIRE_VDP22_H
#define WIRE_VDP22_H

#include "rd.h"

#define VDP22_PDU_MAX 1500
#define VDP22_ASSOCS_MAX 56	/* 1500 octets hold no more */

enum vdp22_tlv {
	VDP22_END = 0,
	VDP22_PRE = 1,		/* Pre-Associate */
	VDP22_PRE_RR = 2,	/* Pre-Associate with Resource Reservation */
	VDP22_ASSOC = 3,	/* Associate */
	VDP22_DEASSOC = 4,	/* De-Associate */
	VDP22_MANAGER = 5,	/* VSI Manager ID */
	VDP22_ORG = 0x7f,
};

/* Filter info format, 41.2.9. */
enum vdp22_filter {
	VDP22_FILTER_VID = 1,
	VDP22_FILTER_MAC_VID = 2,
	VDP22_FILTER_GROUP_VID = 3,
	VDP22_FILTER_GROUP_MAC_VID = 4,
};

/* An association TLV. Borrows from the PDU. */
struct vdp22_assoc {
	uint8_t mode;		/* enum vdp22_tlv, PRE … DEASSOC */
	uint8_t status;
	size_t status_at;	/* octet of the PDU */
	uint32_t type_id;	/* VSI type ID, 24 bits */
	uint8_t type_version;
	struct vsi_id id;
	uint8_t filter;		/* enum vdp22_filter */
	uint16_t n_entries;	/* >= 1 */
	struct rd entries;
};

struct vdp22 {
	uint8_t manager_id[16];
	unsigned n;
	struct vdp22_assoc assoc[VDP22_ASSOCS_MAX];
	unsigned n_orgs;	/* organizationally specific TLVs, of any organization */
	size_t len;		/* octets up to the End TLV, or all */
	bool has_end;
};

/* 0 or -EBADMSG with the reason and the octet of the PDU. Checked: Manager ID
 * first, once, 16 octets; each association TLV exactly 25 + n * size octets of a
 * known filter format with n >= 1; no TLV cut. Unknown types are passed over. */
int vdp22_decode(const uint8_t *pdu, size_t len, struct vdp22 *ret_vdpdu,
		 struct rd_error *ret_error);

/* The i-th entry's MAC (zero: none in this format) and VLAN ID (PCP taken off). */
struct vsi_entry vdp22_entry(const struct vdp22_assoc *assoc, unsigned i);

/* The next organizationally specific TLV of a VDPDU that has been decoded, from octet
 * *at on (0 at first): its value, from the OUI on. False: no more. */
bool vdp22_next_org(const uint8_t *pdu, const struct vdp22 *vdpdu, size_t *at,
		    struct rd *ret_value);
/* Put one (its value is n octets) and an End TLV behind the last TLV of a PDU of len
 * octets. New length; 0 where there is no room in size, or no whole PDU (then nothing is
 * changed). */
size_t vdp22_add_org(uint8_t *pdu, size_t len, size_t size, const uint8_t *value,
		     size_t n);

/* Put an End TLV behind the len octets of a PDU that has none and zero what is
 * behind it. New length; len where there is no room (then nothing is changed). */
size_t vdp22_end(uint8_t *pdu, size_t len, size_t size);

/* A VDPDU that says nothing: Manager ID TLV (of zeros), End TLV. */
#define VDP22_EMPTY_LEN 20
void vdp22_empty(uint8_t ret_pdu[VDP22_EMPTY_LEN]);

const char *vdp22_mode_text(uint8_t mode);	/* "pre-associate", … */
/* Error code of a response's status, 41.2.3: "accepted", … */
const char *vdp22_status_text(uint8_t status);

#endif
