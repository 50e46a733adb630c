/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IGMP: reports and leaves of all versions decoded, an IGMPv3 general query encoded.
 *
 * Supported standards: RFC 1112 (version 1), RFC 2236 (version 2), RFC 3376 (version 3).
 */
#ifndef WIRE_IGMP_H
#define WIRE_IGMP_H

#include "inet.h"
#include "report.h"

/* 0; -ENOENT: no IGMP; -EBADMSG: cut, or a wrong checksum (RFC 3376 4.1.2, 4.2.2).
 * Types that are not known: 0, REPORT_OTHER. */
int igmp_decode(const struct inet_frame *frame, struct report *ret_report,
		struct rd_error *ret_error);

/* A whole frame: IGMPv3 general query (never an older one: a host that hears it answers
 * in that version for minutes), from 0.0.0.0. Its length; 0: no room. */
size_t igmp_query(uint8_t *ret_frame, size_t size, const struct report_query *query);

#endif
