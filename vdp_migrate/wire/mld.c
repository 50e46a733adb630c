/* SPDX-License-Identifier: GPL-2.0-only */
/* MLD messages: mld.h. The IPv6 packet around them is wire/inet's. */
#include "mld.h"

#include <errno.h>

#include "icmp6.h"

/* RFC 2710 3.1, RFC 3810 5.2. */
#define TYPE_QUERY 130
#define TYPE_V1_REPORT 131
#define TYPE_V1_DONE 132
#define TYPE_V2_REPORT 143

#define V1_LEN 24
#define V2_QUERY_LEN 28
#define HOP_BY_HOP_LEN 8

#define QRV 2
#define QQIC 125

static bool is_mld(uint8_t kind);
static void get_old(struct rd *r, uint8_t kind, struct report *report);

static const struct addr all_nodes = {
	.family = ADDR_IPV6, .b = { 0xff, 2, [15] = 1 },
};

int mld_decode(const struct inet_frame *frame, struct report *ret_report,
	       struct rd_error *ret_error)
{
	struct rd r = frame->payload, all = r;
	size_t len = rd_left(&r);
	struct report report;
	uint8_t kind;

	if (frame->ethertype != ETHERTYPE_IPV6 || frame->protocol != INET_ICMPV6 ||
	    !frame->router_alert)
		return -ENOENT;
	memset(&report, 0, sizeof(report));
	report.family = ADDR_IPV6;
	kind = rd_u8(&r, "ICMPv6 type");
	rd_skip(&r, 3, "ICMPv6 header");
	if (rd_ok(&r) && !is_mld(kind))
		return -ENOENT;
	if (rd_ok(&r) && icmp6_checksum(&frame->saddr, &frame->daddr,
					rd_bytes(&all, len, "MLD"), len))
		rd_fail(&r, "ICMPv6 checksum");
	if (kind != TYPE_V2_REPORT) {
		get_old(&r, kind, &report);
	} else {
		report.what = REPORT_RECORDS;
		report.version = 2;
		rd_skip(&r, 2, "MLD reserved");
		report.n_records = rd_u16(&r, "number of records");
		report.records = r;
	}
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	/* RFC 3810 8.1. */
	if (kind == TYPE_QUERY && len >= V2_QUERY_LEN)
		report.version = 2;
	if (kind == TYPE_V2_REPORT &&
	    !report_whole(r, ADDR_IPV6, report.n_records, ret_error))
		return -EBADMSG;
	*ret_report = report;
	return 0;
}

/* RFC 3810 5, 5.1: to ff02::1, hop limit 1, router alert (RFC 2711: MLD) in a
 * hop-by-hop header that padding (RFC 8200 4.2: PadN) makes whole. */
size_t mld_query(uint8_t *ret_frame, size_t size, const struct report_query *query)
{
	static const struct mac all_hosts = { { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 } };
	static const uint8_t hop_by_hop[HOP_BY_HOP_LEN] = { INET_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	const struct addr from = icmp6_link_local(&query->src);
	struct wr w = wr_new(ret_frame, size);
	size_t at;

	report_put_ether(&w, query, &all_hosts, ETHERTYPE_IPV6);
	wr_u32(&w, 6u << 28);
	wr_u16(&w, HOP_BY_HOP_LEN + V2_QUERY_LEN);
	wr_u8(&w, INET_HOP_BY_HOP);
	wr_u8(&w, 1);
	wr_bytes(&w, from.b, 16);
	wr_bytes(&w, all_nodes.b, 16);
	wr_bytes(&w, hop_by_hop, sizeof(hop_by_hop));
	at = w.at;
	wr_u8(&w, TYPE_QUERY);
	wr_u8(&w, 0);
	wr_u16(&w, 0);
	wr_u16(&w, query->code);
	wr_u16(&w, 0);
	wr_zero(&w, 16);	/* general */
	wr_u8(&w, QRV);
	wr_u8(&w, QQIC);
	wr_u16(&w, 0);	/* no sources */
	if (wr_ok(&w))
		wr_set_u16(&w, at + 2,
			   icmp6_checksum(&from, &all_nodes, ret_frame + at,
					  V2_QUERY_LEN));
	report_put_padding(&w, query);
	return wr_ok(&w) ? w.at : 0;
}

static bool is_mld(uint8_t kind)
{
	return kind == TYPE_QUERY || kind == TYPE_V1_REPORT || kind == TYPE_V1_DONE ||
	       kind == TYPE_V2_REPORT;
}

/* RFC 2710 3: maximum response delay, reserved, address; a query of version 2 begins
 * alike. */
static void get_old(struct rd *r, uint8_t kind, struct report *report)
{
	rd_skip(r, 4, "MLD header");
	report->group = rd_ipv6(r, "MLD group");
	report->version = 1;
	report->what = kind == TYPE_QUERY ? REPORT_QUERY : REPORT_RECORDS;
	if (kind == TYPE_QUERY)
		return;
	report->type = kind == TYPE_V1_DONE ? REPORT_TO_INCLUDE : REPORT_IS_EXCLUDE;
	report->n_records = 1;
}
