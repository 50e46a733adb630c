/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The replies to a leasequery by hand, gathered, and shown: the chosen one first.
 */
#ifndef COMPANION_LQ_REPLIES_H
#define COMPANION_LQ_REPLIES_H

#include <stdio.h>

#include "vdp_migrate/leasequery.h"

struct lq_replies {
	unsigned n;
	struct lq_answer reply[LQ_SERVERS_MAX];	/* none is silent */
};

void lq_replies_add(struct lq_replies *replies, const struct lq_answer *answer);
/* LQ_SILENT: none. */
enum lq_outcome lq_replies_outcome(const struct lq_replies *replies);
void lq_replies_print(const struct lq_replies *replies, FILE *to);
/* { "outcome": …, "replies": [ { "from", "type", … }, … ] }. What a reply does not
 * say is left out; "lease": null has no end. 0 or -ENOMEM. */
int lq_replies_json(const struct lq_replies *replies, FILE *to);

#endif
