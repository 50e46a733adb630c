/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any VDPDU. In what decodes each association is the same octets when it is written
 * again; with an End TLV behind it, it decodes to the same, and with one more TLV
 * before that to the same and it; and a receiver that walks its TLVs as stock lldpad
 * does, looking at nothing but types and lengths, stays within the zero-padded buffer.
 */
#include "wire/vdp22.h"
#include "wire/wr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_assoc(const uint8_t *data, const struct vdp22_assoc *a)
{
	size_t len = rd_left(&a->entries);
	uint8_t again[600];
	struct wr w = wr_new(again, sizeof(again));

	wr_u16(&w, (uint16_t)((size_t)a->mode << 9 | (len + 25)));
	wr_u8(&w, a->status);
	wr_u32(&w, a->type_id << 8 | a->type_version);
	wr_u8(&w, a->id.format);
	wr_bytes(&w, a->id.b, 16);
	wr_u8(&w, a->filter);
	wr_u16(&w, a->n_entries);
	wr_bytes(&w, a->entries.p, len);
	if (!wr_ok(&w) || memcmp(data + a->status_at - 2, again, w.at))
		abort();
	for (unsigned i = 0; i < a->n_entries; i++)
		if (vdp22_entry(a, i).vlan > 0xfff)
			abort();
}

static void check_orgs(uint8_t *pdu, size_t len, const struct vdp22 *v)
{
	static const uint8_t ours[] = { 0x02, 0x56, 0x4d, 0x02, 0xaa };
	struct rd_error error;
	struct vdp22 more;
	struct rd value;
	unsigned n = 0;
	size_t at = 0;

	while (vdp22_next_org(pdu, v, &at, &value))
		n += rd_ok(&value) && rd_left(&value) >= 4;
	if (n != v->n_orgs)
		abort();
	len = vdp22_add_org(pdu, len, VDP22_PDU_MAX, ours, sizeof(ours));
	if (!len)
		return;
	if (vdp22_decode(pdu, len, &more, &error) || !more.has_end || more.n != v->n ||
	    more.n_orgs != n + 1 || more.len != v->len + 2 + sizeof(ours) ||
	    memcmp(pdu + v->len + 2, ours, sizeof(ours)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	uint8_t pdu[VDP22_PDU_MAX] = { 0 };
	struct vdp22 v, again;
	size_t end, at = 0;

	if (vdp22_decode(data, size, &v, &error))
		return error.what && error.at <= size ? 0 : (abort(), 0);
	for (unsigned i = 0; i < v.n; i++)
		check_assoc(data, &v.assoc[i]);
	memcpy(pdu, data, size);
	while (at + 2 <= sizeof(pdu) && pdu[at] >> 1)
		at += 2u + ((pdu[at] & 1u) << 8 | pdu[at + 1]);
	if (at != v.len || at + 2 > sizeof(pdu))
		abort();
	end = vdp22_end(pdu, size, sizeof(pdu));
	if (vdp22_decode(pdu, end, &again, &error) || !again.has_end || again.n != v.n ||
	    again.len != v.len)
		abort();
	check_orgs(pdu, end, &again);
	return 0;
}
