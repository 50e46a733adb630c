/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ECPDU header, IEEE 802.1Q clause 43, and the frame that carries it; what stock
 * lldpad survives of it. Draft 0.2's ECP (ethertype 0x88b7) only as far as that.
 */
#ifndef WIRE_ECP_H
#define WIRE_ECP_H

#include "rd.h"

#define ECP_FRAME_MAX 1514	/* without FCS; a longer one overruns stock's buffer */
#define ECP_HEADER_LEN 18	/* Ethernet 14, ECP 4 */

enum ecp_op { ECP_REQUEST = 0, ECP_ACK = 1 };
enum ecp_subtype { ECP_SUBTYPE_VDP = 1, ECP_SUBTYPE_PE_CSP = 2 };

struct ecp {
	struct mac dst, src;
	uint8_t version;
	uint8_t op;		/* enum ecp_op */
	uint16_t subtype;
	uint16_t sequence;
	struct rd payload;	/* borrows from the frame */
};

/* A frame with ethertype 0x8940. 0 or -EBADMSG. */
int ecp_decode(const uint8_t *frame, size_t len, struct ecp *ret_ecp,
	       struct rd_error *ret_error);

/* May stock lldpad see this frame (of any ethertype)? It dies or goes deaf of
 * some lengths of ECP frames, both kinds. *ret_ethertype is set where there is one. */
bool ecp_survivable(const uint8_t *frame, size_t len, uint16_t *ret_ethertype);

#endif
