/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lldpad and a client of its VDP module say to each other: lines of text whose
 * fields carry their length before them in hex digits. Pure: octets in, values out.
 * Numbers of the interface: lldpad/clif_msgs.h and lldpad_status.h of lldpad-dev; the
 * names of a VSI's fields: vdptool(8). Knows no socket.
 */
#ifndef COMPANION_LLDPAD_MSG_H
#define COMPANION_LLDPAD_MSG_H

#include "vdp_migrate/types.h"
#include "wire/rd.h"
#include "wire/vdp22.h"
#include "wire/wr.h"

#define LLDPAD_MSG_MAX 4096	/* MAX_CLIF_MSGBUF */
#define LLDPAD_ENTRIES_MAX 60	/* of MAC and VLAN in one association TLV */
#define LLDPAD_MANAGER_MAX 16

/* What lldpad itself thinks of a request: cmd_status, and three of its VDP module. */
enum lldpad_status {
	LLDPAD_OK = 0,
	LLDPAD_NO_DEVICE = 2,
	LLDPAD_BAD_PARAMETERS = 5,
	LLDPAD_NOT_CAPABLE = 8,
	LLDPAD_NOT_APPLICABLE = 9,
	LLDPAD_NO_ACCESS = 10,
	LLDPAD_NO_EVB = 13,
	LLDPAD_NO_MEMORY = 14,
	LLDPAD_BUSY = 15,
};

/* A report's answer: the status octet of the switch's response without Ack bit, or that
 * none came; above it why lldpad ended the VSI. */
#define LLDPAD_ANSWER_OF_SWITCH 0x00ffu
#define LLDPAD_ANSWER_NONE 0x00ffu
#define LLDPAD_KEEPALIVE_DUE 0x0100u
#define LLDPAD_NO_RESPONSE 0x0200u
#define LLDPAD_NOT_SENT 0x0400u

/* A VSI, asked for or reported. */
struct lldpad_vsi {
	uint8_t mode;			/* VDP22_PRE … VDP22_DEASSOC */
	uint8_t manager[LLDPAD_MANAGER_MAX];
	uint32_t type_id;
	uint8_t type_version;
	uint8_t uuid[16];
	bool to;			/* asked: hint "to", the M-bit */
	uint16_t answer;		/* reported */
	unsigned n;
	struct vsi_entry entry[LLDPAD_ENTRIES_MAX]; /* vlan with its priority bits; no MAC: VID only */
};

enum lldpad_kind { LLDPAD_OTHER, LLDPAD_RESPONSE, LLDPAD_EVENT };

struct lldpad_msg {
	enum lldpad_kind kind;
	uint8_t status;			/* of a response: enum lldpad_status */
	struct rd vsis;			/* of an event, and of the answer to a question */
};

/* Events of the VDP module to this client, please; and no more. */
void lldpad_msg_attach(struct wr *w);
void lldpad_msg_detach(struct wr *w);
void lldpad_msg_request(struct wr *w, const char *port, const struct lldpad_vsi *vsi);
/* Which VSIs with this UUID are there in this mode? */
void lldpad_msg_find(struct wr *w, const char *port, uint8_t mode, const uint8_t uuid[16]);

/* 0, or -EBADMSG with what and where. What is of no VDP client is LLDPAD_OTHER. */
int lldpad_msg_decode(const uint8_t *p, size_t len, struct lldpad_msg *ret_msg,
		      struct rd_error *ret_error);
/* The next VSI: 1, 0 at the end, -EBADMSG. */
int lldpad_msg_vsi(struct rd *vsis, struct lldpad_vsi *ret_vsi);

/* Same manager, type and UUID: lldpad's idea of one VSI. A manager ID is compared as
 * lldpad reports it, up to its first zero octet. */
bool lldpad_vsi_same(const struct lldpad_vsi *a, const struct lldpad_vsi *b);
const char *lldpad_mode_text(uint8_t mode);

#endif
