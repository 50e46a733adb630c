/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages of link.h, octets <-> structs. Both ends may be of different
 * versions: unequal ones are told apart before anything else is read.
 */
#ifndef WIRE_LINKMSG_H
#define WIRE_LINKMSG_H

#include "rd.h"
#include "wr.h"
#include "vdp_migrate/link.h"

/* Append a message. False: it does not fit (nothing is written then, and w stays
 * usable). */
bool linkmsg_put(struct wr *w, const struct link_msg *msg);

/* Append LINK_HEAD or LINK_ROW from n terminated strings. */
bool linkmsg_put_row(struct wr *w, uint8_t type, uint32_t seq, const char *const *fields,
		     unsigned n);

/* The next message of a datagram. 1: got one (borrows from the datagram); 0: the
 * end; -EPROTO: another version; -EBADMSG. */
int linkmsg_get(struct rd *datagram, struct link_msg *ret_msg, struct rd_error *ret_error);

#endif
