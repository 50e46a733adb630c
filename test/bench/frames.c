/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See frames.h. Only what stock lldpad's bridge sends is understood: one association
 * TLV, behind the manager ID.
 */
#include "frames.h"

#include <string.h>

#define MAC_LEN 6
#define AT_ECP 14
#define AT_VDPDU 18
#define AT_ASSOC (AT_VDPDU + 18)	/* TLV type and length; status follows */
#define AT_STATUS (AT_ASSOC + 2)
#define AT_VSI (AT_STATUS + 18)		/* the last four octets of the VSI ID */
#define MIN_LEN 60

#define ECP_REQUEST 0x10		/* version 1, operation 0; 43.3.3 */
#define ECP_ACK 0x14
#define ECP_VDP 1			/* subtype */
#define VDP_ASSOC 3
#define VDP_DEASSOC 4
#define VDP_STATUS_ACK 0x40
#define VDP_STATUS_ERROR 0x0f

/* Nearest customer bridge. */
static const uint8_t group[MAC_LEN] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 };

static size_t ethernet(uint8_t *frame, const uint8_t *mac, uint16_t type);
static size_t put(uint8_t *frame, size_t at, const void *octets, size_t len);
static void number(uint8_t *at, uint32_t n);

/* The larger of both ends' exponents counts: a VSI lives 10 us * 2^26 * 1.5 and more. */
size_t frame_hello(uint8_t frame[FRAME_SIZE], const uint8_t mac[6])
{
	static const uint8_t chassis[] = { 0x02, 0x07, 0x04 };
	static const uint8_t port[] = { 0x04, 0x07, 0x03 };
	static const uint8_t rest[] = {
		0x06, 0x02, 0x0e, 0x10,			/* lives 3600 s */
		0xfe, 0x09, 0x00, 0x80, 0xc2, 0x0d,	/* EVB */
		0x00, 0x00,				/* bridge status, station status */
		3 << 5 | 8, 2 << 6 | 20, 26,		/* R RTE, station RWD, RKA */
		0x00, 0x00,				/* end */
	};
	size_t at = ethernet(frame, mac, 0x88cc);

	at = put(frame, at, chassis, sizeof(chassis));
	at = put(frame, at, mac, MAC_LEN);
	at = put(frame, at, port, sizeof(port));
	at = put(frame, at, mac, MAC_LEN);
	at = put(frame, at, rest, sizeof(rest));
	return at < MIN_LEN ? MIN_LEN : at;
}

size_t frame_assoc(uint8_t frame[FRAME_SIZE], const uint8_t mac[6], uint16_t sequence,
		   uint8_t status, uint32_t vsi)
{
	const uint8_t ecp[] = { ECP_REQUEST, ECP_VDP, (uint8_t)(sequence >> 8),
				(uint8_t)sequence };
	static const uint8_t manager[18] = { 0x0a, 0x10, 0x01 };
	const uint8_t assoc[] = {
		VDP_ASSOC << 1, 33, status,
		0x01, 0x02, 0x03, 0x04,			/* type ID, version */
		0x05, 0xfa, 0x9b, 0x7f, 0xff, 0xb0, 0xa0, 0x48, 0x93,	/* a UUID */
		0xab, 0xcd, 0xbe, 0xef, 0, 0, 0, 0,
		0x02, 0x00, 0x01,			/* MAC and VID, one entry */
		0x52, 0x54, 0, 0, 0, 0, 0x00, 0x00,
	};
	size_t at = ethernet(frame, mac, ETHERTYPE_ECP);

	at = put(frame, at, ecp, sizeof(ecp));
	at = put(frame, at, manager, sizeof(manager));
	at = put(frame, at, assoc, sizeof(assoc));
	number(frame + AT_VSI, vsi);
	number(frame + at - 6, vsi);
	return at;
}

size_t frame_ack(uint8_t frame[FRAME_SIZE], const uint8_t mac[6], uint16_t sequence)
{
	const uint8_t ecp[] = { ECP_ACK, ECP_VDP, (uint8_t)(sequence >> 8),
				(uint8_t)sequence };

	put(frame, ethernet(frame, mac, ETHERTYPE_ECP), ecp, sizeof(ecp));
	return MIN_LEN;
}

struct frame frame_read(const uint8_t *frame, size_t len)
{
	struct frame read = { .kind = FRAME_OTHER };
	uint8_t mode, status;

	if (len < AT_VDPDU || frame[12] != ETHERTYPE_ECP >> 8 ||
	    frame[13] != (ETHERTYPE_ECP & 0xff) || frame[AT_ECP + 1] != ECP_VDP)
		return read;
	read.sequence = (uint16_t)(frame[AT_ECP + 2] << 8 | frame[AT_ECP + 3]);
	if (frame[AT_ECP] == ECP_ACK)
		read.kind = FRAME_ACK;
	read.wants_ack = frame[AT_ECP] == ECP_REQUEST;
	if (frame[AT_ECP] != ECP_REQUEST || len < AT_VSI + 4)
		return read;
	mode = frame[AT_ASSOC] >> 1;
	status = frame[AT_STATUS];
	read.vsi = (uint32_t)frame[AT_VSI] << 24 | (uint32_t)frame[AT_VSI + 1] << 16 |
		   (uint32_t)frame[AT_VSI + 2] << 8 | frame[AT_VSI + 3];
	if (status & VDP_STATUS_ACK)
		read.kind = status & VDP_STATUS_ERROR ? FRAME_REFUSED : FRAME_RESPONSE;
	else if (mode == VDP_ASSOC)
		read.kind = FRAME_REQUEST;
	else if (mode == VDP_DEASSOC)
		read.kind = FRAME_DEASSOC;
	return read;
}

static size_t ethernet(uint8_t *frame, const uint8_t *mac, uint16_t type)
{
	const uint8_t ethertype[] = { (uint8_t)(type >> 8), (uint8_t)type };
	size_t at;

	memset(frame, 0, FRAME_SIZE);
	at = put(frame, 0, group, MAC_LEN);
	at = put(frame, at, mac, MAC_LEN);
	return put(frame, at, ethertype, sizeof(ethertype));
}

static size_t put(uint8_t *frame, size_t at, const void *octets, size_t len)
{
	memcpy(frame + at, octets, len);
	return at + len;
}

static void number(uint8_t *at, uint32_t n)
{
	at[0] = (uint8_t)(n >> 24);
	at[1] = (uint8_t)(n >> 16);
	at[2] = (uint8_t)(n >> 8);
	at[3] = (uint8_t)n;
}
