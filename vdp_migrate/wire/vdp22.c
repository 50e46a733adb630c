/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VDPDU decoder, IEEE 802.1Q-2018 41.2. Knows the layout of TLVs and nothing of
 * which request may follow which.
 *
 * As strict as a stock receiver must be protected: stock lldpad reads an
 * association TLV before it has compared its length, copies 16 octets of a Manager
 * ID of any length, and goes on reading its buffer until it meets a TLV type 0. As
 * lenient as stock senders need: they send no End TLV, and a short frame is padded
 * with zeros, of which a single octet may be left at the end.
 */
#include "vdp22.h"

#include <errno.h>

#include "wr.h"

#include "vdp_migrate/protocol.h"

#define TLV_HEADER_LEN 2
#define TLV_TYPE(header) ((header) >> 9)
#define TLV_LENGTH(header) ((header) & 0x1ffu)
#define MANAGER_ID_LEN 16
#define ORG_MIN_LEN 4		/* OUI and subtype */
#define TLV_LENGTH_MAX 511u
#define VID_MASK 0xfffu

static void get_tlv(struct rd *tlv, uint8_t type, bool first, struct vdp22 *v);
static void get_assoc(struct rd *tlv, uint8_t mode, struct vdp22_assoc *assoc);
static size_t entry_size(uint8_t filter);
static size_t end_of(const uint8_t *pdu, size_t len);
static bool has_end(const uint8_t *pdu, size_t len, size_t end);
static bool is_padding(struct rd rest);

int vdp22_decode(const uint8_t *pdu, size_t len, struct vdp22 *ret_vdpdu,
		 struct rd_error *ret_error)
{
	struct rd r = rd_new(pdu, len, 0);
	struct vdp22 v;

	/* Not the whole: of 5 kB few octets are used, and lldpad's ACK waits. */
	memset(&v, 0, offsetof(struct vdp22, assoc));
	v.n_orgs = 0;
	v.len = 0;
	v.has_end = false;
	if (!rd_left(&r))
		rd_fail(&r, "Manager ID TLV");
	while (rd_left(&r) && !(r.at && is_padding(r))) {
		bool first = !r.at;
		uint16_t header = rd_u16(&r, "TLV header");
		struct rd tlv;

		/* Stock stops at a type 0 of any length. */
		v.has_end = rd_ok(&r) && !first && TLV_TYPE(header) == VDP22_END;
		if (v.has_end)
			break;
		tlv = rd_sub(&r, TLV_LENGTH(header), "TLV");
		get_tlv(&tlv, (uint8_t)TLV_TYPE(header), first, &v);
		if (!rd_ok(&tlv)) {
			rd_error(&tlv, ret_error);
			return -EBADMSG;
		}
		v.len = r.at;
	}
	/* Stock's buffer must have room for the zeros that end an unended PDU. */
	if (len > VDP22_PDU_MAX || (!v.has_end && len > VDP22_PDU_MAX - TLV_HEADER_LEN))
		rd_fail(&r, "end of VDPDU");
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	memcpy(ret_vdpdu, &v, offsetof(struct vdp22, assoc) + v.n * sizeof(v.assoc[0]));
	ret_vdpdu->n_orgs = v.n_orgs;
	ret_vdpdu->len = v.len;
	ret_vdpdu->has_end = v.has_end;
	return 0;
}

struct vsi_entry vdp22_entry(const struct vdp22_assoc *assoc, unsigned i)
{
	struct vsi_entry entry = { .vlan = 0 };
	struct rd r = assoc->entries;

	rd_skip(&r, i * entry_size(assoc->filter), "entry");
	/* 41.2.9: group ID, MAC address, PS-PCP-VID, as far as the format has them. */
	if (assoc->filter >= VDP22_FILTER_GROUP_VID)
		rd_skip(&r, 4, "group ID");
	if (assoc->filter == VDP22_FILTER_MAC_VID ||
	    assoc->filter == VDP22_FILTER_GROUP_MAC_VID)
		entry.mac = rd_mac(&r, "MAC address");
	entry.vlan = rd_u16(&r, "VLAN ID") & VID_MASK;
	return entry;
}

bool vdp22_next_org(const uint8_t *pdu, const struct vdp22 *vdpdu, size_t *at,
		    struct rd *ret_value)
{
	struct rd r = rd_new(pdu, vdpdu->len, 0);

	if (!vdpdu->n_orgs)
		return false;
	rd_skip(&r, *at, "TLV");
	while (rd_left(&r)) {
		uint16_t header = rd_u16(&r, "TLV header");
		struct rd value = rd_sub(&r, TLV_LENGTH(header), "TLV");

		if (!rd_ok(&r) || TLV_TYPE(header) != VDP22_ORG)
			continue;
		*at = r.at;
		*ret_value = value;
		return true;
	}
	return false;
}

size_t vdp22_add_org(uint8_t *pdu, size_t len, size_t size, const uint8_t *value,
		     size_t n)
{
	size_t end = end_of(pdu, len);
	struct wr w = wr_new(pdu, size);

	if (!end || n < ORG_MIN_LEN || n > TLV_LENGTH_MAX || end > size ||
	    size - end < TLV_HEADER_LEN + n + TLV_HEADER_LEN)
		return 0;
	w.at = end;
	wr_u16(&w, (uint16_t)(VDP22_ORG << 9 | n));
	wr_bytes(&w, value, n);
	wr_zero(&w, TLV_HEADER_LEN);
	end = w.at;
	wr_zero(&w, size - end);
	return end;
}

size_t vdp22_end(uint8_t *pdu, size_t len, size_t size)
{
	size_t end = end_of(pdu, len);

	if (!end || has_end(pdu, len, end) || size < end + TLV_HEADER_LEN)
		return len;
	memset(pdu + end, 0, size - end);
	return end + TLV_HEADER_LEN;
}

void vdp22_empty(uint8_t ret_pdu[VDP22_EMPTY_LEN])
{
	struct wr w = wr_new(ret_pdu, VDP22_EMPTY_LEN);

	wr_u16(&w, VDP22_MANAGER << 9 | MANAGER_ID_LEN);
	wr_zero(&w, MANAGER_ID_LEN + TLV_HEADER_LEN);
}

const char *vdp22_mode_text(uint8_t mode)
{
	switch (mode) {
	case VDP22_PRE:
		return "pre-associate";
	case VDP22_PRE_RR:
		return "pre-associate with RR";
	case VDP22_ASSOC:
		return "associate";
	case VDP22_DEASSOC:
		return "de-associate";
	default:
		return "unknown mode";
	}
}

const char *vdp22_status_text(uint8_t status)
{
	switch (status & VDP_STATUS_ERROR) {
	case 0:
		return "accepted";
	case 1:
		return "invalid format";
	case 2:
		return "insufficient resources";
	case 3:
		return "VSI manager not reached";
	case 4:
		return "other failure";
	case 5:
		return "invalid VLAN ID, group ID or MAC address";
	default:
		return "unknown error";
	}
}

static void get_tlv(struct rd *tlv, uint8_t type, bool first, struct vdp22 *v)
{
	if (first != (type == VDP22_MANAGER))
		rd_fail(tlv, first ? "Manager ID TLV" : "second Manager ID TLV");

	switch (type) {
	case VDP22_MANAGER:
		rd_copy(tlv, v->manager_id, MANAGER_ID_LEN, "Manager ID");
		if (rd_left(tlv))
			rd_fail(tlv, "end of Manager ID");
		break;
	case VDP22_PRE:
	case VDP22_PRE_RR:
	case VDP22_ASSOC:
	case VDP22_DEASSOC:
		if (v->n == VDP22_ASSOCS_MAX)
			rd_fail(tlv, "number of association TLVs");
		else
			get_assoc(tlv, type, &v->assoc[v->n++]);
		break;
	case VDP22_ORG:
		rd_skip(tlv, ORG_MIN_LEN, "OUI and subtype");
		v->n_orgs++;
		break;
	}
}

/* 41.2.2: status, VSI type ID and version, VSI ID format, VSI ID, filter info. */
static void get_assoc(struct rd *tlv, uint8_t mode, struct vdp22_assoc *assoc)
{
	size_t size;

	assoc->mode = mode;
	assoc->status_at = rd_at(tlv);
	assoc->status = rd_u8(tlv, "status");
	assoc->type_id = rd_u24(tlv, "VSI type ID");
	assoc->type_version = rd_u8(tlv, "VSI type version");
	assoc->id.format = rd_u8(tlv, "VSI ID format");
	rd_copy(tlv, assoc->id.b, sizeof(assoc->id.b), "VSI ID");
	assoc->filter = rd_u8(tlv, "filter info format");
	size = entry_size(assoc->filter);
	if (!size)
		rd_fail(tlv, "filter info format");
	assoc->n_entries = rd_u16(tlv, "number of entries");
	if (!assoc->n_entries)
		rd_fail(tlv, "number of entries");
	assoc->entries = rd_sub(tlv, assoc->n_entries * size, "filter info");
	if (rd_left(tlv))
		rd_fail(tlv, "end of filter info");
}

static size_t entry_size(uint8_t filter)
{
	switch (filter) {
	case VDP22_FILTER_VID:
		return 2;
	case VDP22_FILTER_MAC_VID:
		return 8;
	case VDP22_FILTER_GROUP_VID:
		return 6;
	case VDP22_FILTER_GROUP_MAC_VID:
		return 12;
	default:
		return 0;
	}
}

/* The octet behind the last TLV before the End TLV or the end; 0: a TLV is cut. */
static size_t end_of(const uint8_t *pdu, size_t len)
{
	struct rd r = rd_new(pdu, len, 0);
	size_t end = 0;

	while (rd_left(&r) && !is_padding(r)) {
		uint16_t header = rd_u16(&r, "TLV header");

		if (TLV_TYPE(header) == VDP22_END)
			return rd_ok(&r) ? end : 0;
		rd_skip(&r, TLV_LENGTH(header), "TLV");
		end = r.at;
	}
	return rd_ok(&r) ? end : 0;
}

static bool has_end(const uint8_t *pdu, size_t len, size_t end)
{
	return len >= end + TLV_HEADER_LEN && pdu[end] >> 1 == VDP22_END;
}

/* A single zero octet is the first half of an End TLV to stock, too. */
static bool is_padding(struct rd rest)
{
	return rd_left(&rest) == 1 && !rd_u8(&rest, "padding");
}
