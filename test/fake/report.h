/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames with reports of multicast groups, as a host sends them: IGMP version 1 to 3, MLD
 * version 1 and 2; written apart from the product's own encoders.
 */
#ifndef FAKE_REPORT_H
#define FAKE_REPORT_H

#include "wire/inet.h"
#include "wire/report.h"

#define FAKE_REPORT_MAX 1514

struct fake_record {
	uint8_t type;
	struct addr group;
	uint16_t n_sources;
	const struct addr *sources;
};

struct fake_report {
	struct mac src;
	uint16_t vlan;		/* of a tag; 0: none */
	uint8_t family, version;
	/* IGMPv3 and MLDv2: all of them; older: the first, TO_INCLUDE is a leave */
	unsigned n;
	const struct fake_record *records;
	bool no_alert;		/* MLD: without the router alert */
};

static inline void fake_report_addr(struct wr *w, const struct addr *addr)
{
	wr_bytes(w, addr->b, addr->family == ADDR_IPV6 ? 16 : 4);
}

static inline void fake_report_records(struct wr *w, const struct fake_report *report)
{
	wr_u16(w, 0);
	wr_u16(w, (uint16_t)report->n);
	for (unsigned i = 0; i < report->n; i++) {
		const struct fake_record *r = &report->records[i];

		wr_u8(w, r->type);
		wr_u8(w, 0);
		wr_u16(w, r->n_sources);
		fake_report_addr(w, &r->group);
		for (unsigned j = 0; j < r->n_sources; j++)
			fake_report_addr(w, &r->sources[j]);
	}
}

static inline void fake_report_igmp(struct wr *w, const struct fake_report *report)
{
	static const uint8_t kinds[] = { 0, 0x12, 0x16, 0x22 };
	bool leave = report->version < 3 && report->records[0].type == REPORT_TO_INCLUDE;
	size_t ip = w->at, at;

	wr_u32(w, 0x46c00000);
	wr_u32(w, 0);
	wr_u32(w, 0x01020000);
	wr_u32(w, 0x0a000001);
	wr_u32(w, 0xe0000016);
	wr_u32(w, 0x94040000);
	at = w->at;
	wr_u8(w, leave ? 0x17 : kinds[report->version]);
	wr_u8(w, 0);
	wr_u16(w, 0);
	if (report->version == 3)
		fake_report_records(w, report);
	else
		fake_report_addr(w, &report->records[0].group);
	wr_set_u16(w, at + 2, inet_checksum(w->p + at, w->at - at, 0));
	wr_set_u16(w, ip + 2, (uint16_t)(w->at - ip));
	wr_set_u16(w, ip + 10, inet_checksum(w->p + ip, at - ip, 0));
}

static inline void fake_report_mld(struct wr *w, const struct fake_report *report)
{
	bool leave = report->version < 2 && report->records[0].type == REPORT_TO_INCLUDE;
	size_t ip = w->at, at;

	wr_u32(w, 6u << 28);
	wr_u16(w, 0);
	wr_u16(w, 0x0001);
	for (unsigned i = 0; i < 2; i++) {	/* fe80::1, ff02::16 */
		wr_u16(w, i ? 0xff02 : 0xfe80);
		wr_zero(w, 13);
		wr_u8(w, i ? 0x16 : 1);
	}
	wr_u32(w, 58u << 24 | (report->no_alert ? 0x0104u : 0x0502u));
	wr_u32(w, report->no_alert ? 0 : 0x0100);
	at = w->at;
	wr_u8(w, report->version == 2 ? 143 : leave ? 132 : 131);
	wr_u8(w, 0);
	wr_u16(w, 0);
	if (report->version == 2)
		fake_report_records(w, report);
	else {
		wr_u32(w, 0);
		fake_report_addr(w, &report->records[0].group);
	}
	wr_set_u16(w, ip + 4, (uint16_t)(w->at - ip - 40));
	wr_set_u16(w, at + 2,
		   inet_checksum(w->p + at, w->at - at,
				 (uint16_t)~inet_checksum(w->p + ip + 8, 32, 58) +
					 (uint32_t)(w->at - at)));
}

/* Its length; 0: no room. */
static inline size_t fake_report(uint8_t *buf, size_t size, const struct fake_report *report)
{
	static const struct mac routers = { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x16 } };
	struct wr w = wr_new(buf, size);

	wr_bytes(&w, routers.b, sizeof(routers.b));
	wr_bytes(&w, report->src.b, sizeof(report->src.b));
	if (report->vlan) {
		wr_u16(&w, ETHERTYPE_VLAN);
		wr_u16(&w, report->vlan);
	}
	wr_u16(&w, report->family == ADDR_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	if (report->family == ADDR_IPV6)
		fake_report_mld(&w, report);
	else
		fake_report_igmp(&w, report);
	return wr_ok(&w) ? w.at : 0;
}

#endif
