/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710, 3810) have in common: who reports
 * which groups, as records, and a general query to be sent. wire/igmp and wire/mld
 * decode and encode the one and the other.
 *
 * Reports of the older versions say the same as a record: a report is "exclude nothing",
 * a leave or done "include nothing" (RFC 3376 7.3.2, RFC 3810 8.3.2).
 */
#ifndef WIRE_REPORT_H
#define WIRE_REPORT_H

#include "rd.h"
#include "wr.h"

enum report_what {
	REPORT_OTHER = 0,	/* of another kind: nothing of it is decoded */
	REPORT_QUERY,
	REPORT_RECORDS,		/* report_next() gives them */
};

/* Group record types, RFC 3376 4.2.12, RFC 3810 5.2.12. */
enum report_type {
	REPORT_IS_INCLUDE = 1,
	REPORT_IS_EXCLUDE = 2,
	REPORT_TO_INCLUDE = 3,
	REPORT_TO_EXCLUDE = 4,
	REPORT_ALLOW = 5,
	REPORT_BLOCK = 6,
};

struct report {
	uint8_t what;		/* enum report_what */
	uint8_t family;		/* ADDR_IPV4: IGMP; ADDR_IPV6: MLD */
	uint8_t version;	/* IGMP 1 to 3, MLD 1 or 2 */
	struct addr group;	/* of a query (any: a general one), or of an older report */
	uint8_t type;		/* of an older report; else 0 */
	uint16_t n_records;	/* left */
	struct rd records;	/* borrows; IGMPv3, MLDv2: the rest of them */
};

struct report_record {
	uint8_t type;		/* enum report_type; others: to be passed over */
	struct addr group;
	uint16_t n_sources;
	struct rd sources;	/* borrows; report_source() takes one after the other */
};

/* Does it tell what the host is a member of, not merely what has changed: the answer to
 * a query? */
bool report_is_state(const struct report *report);

/* The next record of what has decoded; false: there is no more. */
bool report_next(struct report *report, struct report_record *ret_record);
struct addr report_source(struct report_record *record);

/* For the decoders: n records of this family are all there, and whole. */
bool report_whole(struct rd records, uint8_t family, uint16_t n, struct rd_error *ret_error);

/* A general query to be sent, IGMPv3 or MLDv2. */
#define REPORT_QUERY_MAX 128
struct report_query {
	struct mac src;
	struct mac dst;		/* zero: all hosts' */
	uint16_t vlan;		/* of an 802.1Q tag; 0 = untagged */
	uint16_t code;		/* maximum response code: IGMP 1/10 s, MLD ms */
};

/* For the encoders: Ethernet header with its tag; fill up what is shorter than an
 * Ethernet frame may be. */
void report_put_ether(struct wr *w, const struct report_query *query,
		      const struct mac *all_hosts, uint16_t ethertype);
void report_put_padding(struct wr *w, const struct report_query *query);

#endif
