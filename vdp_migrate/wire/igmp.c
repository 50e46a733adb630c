/* SPDX-License-Identifier: GPL-2.0-only */
/* IGMP messages: igmp.h. The IPv4 packet around them is wire/inet's. */
#include "igmp.h"

#include <errno.h>

/* RFC 3376 4, 2236 2.1, 1112 appendix I. */
#define TYPE_QUERY 0x11
#define TYPE_V1_REPORT 0x12
#define TYPE_V2_REPORT 0x16
#define TYPE_V2_LEAVE 0x17
#define TYPE_V3_REPORT 0x22

#define V3_QUERY_LEN 12
#define OLD_LEN 8

/* RFC 3376 4.1.6, 4.1.7: in a query of ours they are those that are usual. */
#define QRV 2
#define QQIC 125

static void get_query(struct rd *r, size_t len, uint8_t code, struct report *report);
static void get_old(struct rd *r, uint8_t kind, struct report *report);
static void put_ipv4(struct wr *w, size_t payload);

int igmp_decode(const struct inet_frame *frame, struct report *ret_report,
		struct rd_error *ret_error)
{
	struct rd r = frame->payload, all = r;
	size_t len = rd_left(&r);
	struct report report;
	uint8_t kind, code;

	if (frame->ethertype != ETHERTYPE_IPV4 || frame->protocol != INET_IGMP)
		return -ENOENT;
	memset(&report, 0, sizeof(report));
	report.family = ADDR_IPV4;
	kind = rd_u8(&r, "IGMP type");
	code = rd_u8(&r, "IGMP code");
	rd_skip(&r, 2, "IGMP checksum");
	if (rd_ok(&r) && inet_checksum(rd_bytes(&all, len, "IGMP"), len, 0))
		rd_fail(&r, "IGMP checksum");
	if (kind == TYPE_QUERY)
		get_query(&r, len, code, &report);
	else if (kind == TYPE_V1_REPORT || kind == TYPE_V2_REPORT || kind == TYPE_V2_LEAVE)
		get_old(&r, kind, &report);
	else if (kind == TYPE_V3_REPORT) {
		report.what = REPORT_RECORDS;
		report.version = 3;
		rd_skip(&r, 2, "IGMP reserved");
		report.n_records = rd_u16(&r, "number of records");
		report.records = r;
	}
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	if (report.version == 3 && report.what == REPORT_RECORDS &&
	    !report_whole(r, ADDR_IPV4, report.n_records, ret_error))
		return -EBADMSG;
	*ret_report = report;
	return 0;
}

/* RFC 3376 4.1, 4: 224.0.0.1, type of service 0xc0, time to live 1, router alert. */
size_t igmp_query(uint8_t *ret_frame, size_t size, const struct report_query *query)
{
	static const struct mac all_hosts = { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 } };
	struct wr w = wr_new(ret_frame, size);
	size_t at;

	report_put_ether(&w, query, &all_hosts, ETHERTYPE_IPV4);
	put_ipv4(&w, V3_QUERY_LEN);
	at = w.at;
	wr_u8(&w, TYPE_QUERY);
	wr_u8(&w, (uint8_t)query->code);
	wr_u16(&w, 0);
	wr_u32(&w, 0);	/* general */
	wr_u8(&w, QRV);
	wr_u8(&w, QQIC);
	wr_u16(&w, 0);	/* no sources */
	if (wr_ok(&w))
		wr_set_u16(&w, at + 2, inet_checksum(ret_frame + at, V3_QUERY_LEN, 0));
	report_put_padding(&w, query);
	return wr_ok(&w) ? w.at : 0;
}

/* RFC 3376 7.1: told apart by length and code. */
static void get_query(struct rd *r, size_t len, uint8_t code, struct report *report)
{
	report->what = REPORT_QUERY;
	report->version = len >= V3_QUERY_LEN ? 3 : code ? 2 : 1;
	report->group = rd_ipv4(r, "IGMP group");
	if (len > OLD_LEN && len < V3_QUERY_LEN)
		rd_fail(r, "IGMP query length");
}

/* RFC 3376 7.3.2: as a record. */
static void get_old(struct rd *r, uint8_t kind, struct report *report)
{
	report->what = REPORT_RECORDS;
	report->version = kind == TYPE_V1_REPORT ? 1 : 2;
	report->type = kind == TYPE_V2_LEAVE ? REPORT_TO_INCLUDE : REPORT_IS_EXCLUDE;
	report->group = rd_ipv4(r, "IGMP group");
	report->n_records = 1;
}

/* From 0.0.0.0: this is no querier, and takes part in no election (RFC 4541 2.1.1). */
static void put_ipv4(struct wr *w, size_t payload)
{
	static const uint8_t all_systems[] = { 224, 0, 0, 1 };
	static const uint8_t router_alert[] = { 0x94, 0x04, 0, 0 };	/* RFC 2113 */
	size_t at = w->at, len = 20 + sizeof(router_alert);

	wr_u8(w, 0x40 | (uint8_t)(len / 4));
	wr_u8(w, 0xc0);
	wr_u16(w, (uint16_t)(len + payload));
	wr_u16(w, 0);
	wr_u16(w, 0x4000);	/* never in fragments: no identification */
	wr_u8(w, 1);
	wr_u8(w, INET_IGMP);
	wr_u16(w, 0);
	wr_u32(w, 0);
	wr_bytes(w, all_systems, sizeof(all_systems));
	wr_bytes(w, router_alert, sizeof(router_alert));
	if (wr_ok(w))
		wr_set_u16(w, at + 10, inet_checksum(w->p + at, len, 0));
}
