/* SPDX-License-Identifier: GPL-2.0-only */
/* The schedule of queries for one host: querying.h. */
#include "querying.h"

void querying_begin(struct querying *q, ms_t now, uint8_t families)
{
	*q = (struct querying){ .sign = now, .families = families };
}

void querying_again(struct querying *q, ms_t now)
{
	q->sign = now;
	q->next = 0;
}

void querying_answered(struct querying *q, uint8_t family)
{
	q->families &= (uint8_t)~(1u << family);
}

ms_t querying_deadline(const struct querying *q, const struct querying_schedule *schedule)
{
	return q->families && q->next < schedule->n ? q->sign + schedule->at[q->next]
						    : MS_NEVER;
}

bool querying_due(struct querying *q, ms_t now, const struct querying_schedule *schedule,
		  struct querying_due *ret_due)
{
	bool first = !q->next;

	if (querying_deadline(q, schedule) > now)
		return false;
	while (querying_deadline(q, schedule) <= now)
		q->next++;
	*ret_due = (struct querying_due){ q->families, first ? 0 : 1 };
	return true;
}
