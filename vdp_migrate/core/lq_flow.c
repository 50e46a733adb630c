/* SPDX-License-Identifier: GPL-2.0-only */
/* See lq_flow.h. */
#include "lq_flow.h"

struct lq_flow *lq_flow_get(struct lq_flow **flows, uint32_t number)
{
	struct lq_flow *flow;

	HASH_FIND(hh, *flows, &number, sizeof(number), flow);
	if (flow)
		return flow;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->number = number;
	HASH_ADD(hh, *flows, number, sizeof(flow->number), flow);
	if (flow->hh.tbl)
		return flow;
	free(flow);
	return NULL;
}

struct lq_budget *lq_budget_get(struct lq_budget **budgets, struct lq_flow *flow)
{
	struct lq_budget *budget;

	HASH_FIND(hh, *budgets, &flow->number, sizeof(flow->number), budget);
	if (budget)
		return budget;
	budget = calloc(1, sizeof(*budget));
	if (!budget)
		return NULL;
	budget->number = flow->number;
	budget->flow = flow;
	HASH_ADD(hh, *budgets, number, sizeof(budget->number), budget);
	if (budget->hh.tbl)
		return budget;
	free(budget);
	return NULL;
}

void lq_flows_free(struct lq_flow **flows)
{
	struct lq_flow *flow, *next;

	HASH_ITER(hh, *flows, flow, next) {
		HASH_DEL(*flows, flow);
		free(flow);
	}
}

void lq_budgets_free(struct lq_budget **budgets)
{
	struct lq_budget *budget, *next;

	HASH_ITER(hh, *budgets, budget, next) {
		HASH_DEL(*budgets, budget);
		free(budget);
	}
}

bool lq_budget_may(struct lq_budget *budget, ms_t now)
{
	return !budget->flow->most || rate_may(&budget->rate, now, budget->flow->most);
}

bool lq_budget_had(const struct lq_budget *budget)
{
	return !budget->flow->most || rate_had(&budget->rate, budget->flow->most);
}

/* Of one without a bound as well: it may get one. */
void lq_budget_take(struct lq_budget *budget, ms_t now)
{
	rate_take(&budget->rate, now);
}

ms_t lq_budget_next(const struct lq_budget *budget)
{
	return lq_budget_had(budget) ? 0 : rate_next(&budget->rate);
}
