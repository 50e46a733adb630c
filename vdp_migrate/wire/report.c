/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Group records of IGMPv3 (RFC 3376 4.2.4) and MLDv2 (RFC 3810 5.2.5): they differ in
 * the length of an address alone. And what the queries of both begin and end with.
 */
#include "report.h"

#include "inet.h"
#include "text.h"

#define FRAME_MIN 60	/* IEEE 802.3 less the frame check sequence */
#define TAG_LEN 4

static struct addr get_addr(struct rd *r, uint8_t family, const char *what);
static struct report_record get_record(struct rd *r, uint8_t family);

bool report_is_state(const struct report *report)
{
	struct report copy = *report;
	struct report_record record;

	if (report->what != REPORT_RECORDS)
		return false;
	if (report->type)
		return report->type == REPORT_IS_EXCLUDE;
	while (report_next(&copy, &record))
		if (record.type == REPORT_IS_INCLUDE || record.type == REPORT_IS_EXCLUDE)
			return true;
	return false;
}

bool report_next(struct report *report, struct report_record *ret_record)
{
	if (report->what != REPORT_RECORDS || !report->n_records)
		return false;
	report->n_records--;
	if (report->type) {
		*ret_record = (struct report_record){
			.type = report->type, .group = report->group,
		};
		return true;
	}
	*ret_record = get_record(&report->records, report->family);
	return rd_ok(&report->records);
}

struct addr report_source(struct report_record *record)
{
	return get_addr(&record->sources, record->group.family, "source");
}

bool report_whole(struct rd records, uint8_t family, uint16_t n, struct rd_error *ret_error)
{
	while (n-- && rd_ok(&records))
		(void)get_record(&records, family);
	if (!rd_ok(&records))
		rd_error(&records, ret_error);
	return rd_ok(&records);
}

void report_put_ether(struct wr *w, const struct report_query *query,
		      const struct mac *all_hosts, uint16_t ethertype)
{
	const struct mac *dst = mac_is_zero(&query->dst) ? all_hosts : &query->dst;

	wr_bytes(w, dst->b, sizeof(dst->b));
	wr_bytes(w, query->src.b, sizeof(query->src.b));
	if (query->vlan) {
		wr_u16(w, ETHERTYPE_VLAN);
		wr_u16(w, query->vlan);
	}
	wr_u16(w, ethertype);
}

/* A bridge that takes the tag off must not make the frame too short. */
void report_put_padding(struct wr *w, const struct report_query *query)
{
	size_t least = query->vlan ? FRAME_MIN + TAG_LEN : FRAME_MIN;

	if (w->at < least)
		wr_zero(w, least - w->at);
}

static struct addr get_addr(struct rd *r, uint8_t family, const char *what)
{
	return family == ADDR_IPV6 ? rd_ipv6(r, what) : rd_ipv4(r, what);
}

/* RFC 3376 4.2.4, RFC 3810 5.2.5: type, length of auxiliary data in words of 32 bits,
 * number of sources, group, sources, auxiliary data (passed over). */
static struct report_record get_record(struct rd *r, uint8_t family)
{
	struct report_record record;
	size_t aux, size = family == ADDR_IPV6 ? 16 : 4;

	memset(&record, 0, sizeof(record));
	record.type = rd_u8(r, "record type");
	aux = rd_u8(r, "auxiliary data length") * 4u;
	record.n_sources = rd_u16(r, "number of sources");
	record.group = get_addr(r, family, "group");
	record.sources = rd_sub(r, record.n_sources * size, "sources");
	rd_skip(r, aux, "auxiliary data");
	return record;
}
