/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a DHCP server has just said to be unknown: for LQ_UNKNOWN_MS the same is not asked
 * of it again. A table of fixed size; what is overwritten is asked.
 */
#ifndef CORE_LQ_UNKNOWN_H
#define CORE_LQ_UNKNOWN_H

#include "vdp_migrate/leasequery.h"

#define LQ_UNKNOWNS 1024

struct lq_unknown {
	uint64_t seed;		/* not to be guessed: nobody can make two questions one */
	struct lq_unknown_slot {
		uint64_t hash;	/* of question and server */
		ms_t until;
	} slots[LQ_UNKNOWNS];
};

bool lq_unknown_is(const struct lq_unknown *unknown, ms_t now,
		   const struct lq_question *question, const struct addr *server);
void lq_unknown_note(struct lq_unknown *unknown, ms_t now,
		     const struct lq_question *question, const struct addr *server);

#endif
