/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our numbers on the wire, and those of the standards that we write into.
 * Data only.
 *
 * Supported standards: IEEE 802.1Q-2018 clause 41 (VDP) and 43 (ECP), as stock
 * lldpad speaks them ("VDP22", "ECP22").
 */
#ifndef VDP_MIGRATE_PROTOCOL_H
#define VDP_MIGRATE_PROTOCOL_H

/* Ethertype of ECP, IEEE 802.1Q clause 43; and of the draft 0.2 protocol. */
#define ETHERTYPE_ECP 0x8940
#define ETHERTYPE_ECP_DRAFT 0x88b7

/* Status octet of a VDP association TLV in a request, IEEE 802.1Q 41.2.3. */
#define VDP_STATUS_M 0x10	/* the VSI's user is migrating to this station */
#define VDP_STATUS_S 0x20	/* the VSI's user is suspended here */
/* The same octet of a response: KEEP and HARD stand where S and M do. */
#define VDP_STATUS_ACK 0x40
#define VDP_STATUS_KEEP 0x20
#define VDP_STATUS_HARD 0x10
#define VDP_STATUS_ERROR 0x0f	/* mask: error code, 0 = accepted */

/* Our organizationally specific TLVs: 02-56-4D, locally administered. */
#define VDP_MIGRATE_OUI 0x02564du
#define VDP_MIGRATE_SUBTYPE_CAPABILITY 0x01
#define VDP_MIGRATE_SUBTYPE_HELP 0x02
#define VDP_MIGRATE_TLV_VERSION 1

/* TLV ID of our module in lldpad: OUI and subtype of the capability TLV. */
#define VDP_MIGRATE_TLVID 0x02564d01u

/* The local socket (abstract, one for each network namespace). */
#define VDP_MIGRATE_SOCKET "vdp-migrate"

#endif
