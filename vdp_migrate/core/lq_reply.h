/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DHCP server's reply to a leasequery: whether it answers this question, and what it
 * says. Who has sent it, and which question has its xid, is the client's matter
 * (core/leasequery).
 *
 * Supported standards: RFC 4388 (6.4), RFC 6148.
 */
#ifndef CORE_LQ_REPLY_H
#define CORE_LQ_REPLY_H

#include "vdp_migrate/leasequery.h"
#include "wire/dhcp4.h"

/* message: of types DHCPLEASEUNASSIGNED to DHCPLEASEACTIVE; it came to this giaddr. */
enum lq_reject lq_reply_check(const struct dhcp4 *message,
			      const struct lq_question *question,
			      const struct addr *giaddr);
/* Its tag, server and last are the client's. */
void lq_reply_read(const struct dhcp4 *message, struct lq_answer *ret_answer);

#endif
