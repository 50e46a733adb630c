/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MLD: reports and dones of both versions decoded, an MLDv2 general query encoded.
 *
 * Supported standards: RFC 2710 (version 1), RFC 3810 (version 2).
 */
#ifndef WIRE_MLD_H
#define WIRE_MLD_H

#include "inet.h"
#include "report.h"

/* 0; -ENOENT: no MLD, also without the router alert that each has (RFC 3810 5);
 * -EBADMSG: cut, or a wrong checksum. */
int mld_decode(const struct inet_frame *frame, struct report *ret_report,
	       struct rd_error *ret_error);

/* A whole frame: MLDv2 general query from the link-local address that belongs to the
 * source MAC (RFC 4291 appendix A; without one a host ignores it, RFC 3810 5.1.14).
 * Its length; 0: no room. */
size_t mld_query(uint8_t *ret_frame, size_t size, const struct report_query *query);

#endif
