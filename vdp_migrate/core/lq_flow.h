/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows of leasequeries (one a port): how many messages a second each may send to one
 * server, and what it has sent there lately. A message is a message, whether it is a
 * question's first or is repeated. Flow 0 has no bound.
 */
#ifndef CORE_LQ_FLOW_H
#define CORE_LQ_FLOW_H

#include "hash.h"
#include "rate.h"

struct lq_flow {
	uint32_t number;
	unsigned most; /* messages a second at a server; 0: no bound */
	uint64_t held; /* messages that had to wait for it, ever */
	UT_hash_handle hh;
};

/* What a server has had of a flow. */
struct lq_budget {
	uint32_t number; /* the flow's */
	struct lq_flow *flow;
	struct rate rate;
	unsigned queued; /* of the flow, at this server */
	unsigned turn;	 /* counts up to LQ_TURN (lq_server.h) */
	UT_hash_handle hh;
};

/* The one of this number, made if need be; NULL: no memory. */
struct lq_flow *lq_flow_get(struct lq_flow **flows, uint32_t number);
struct lq_budget *lq_budget_get(struct lq_budget **budgets, struct lq_flow *flow);
void lq_flows_free(struct lq_flow **flows);
void lq_budgets_free(struct lq_budget **budgets);

/* One more message may go out now. */
bool lq_budget_may(struct lq_budget *budget, ms_t now);
/* The same, when it was last looked at. */
bool lq_budget_had(const struct lq_budget *budget);
/* One goes out. */
void lq_budget_take(struct lq_budget *budget, ms_t now);
/* When one may: in the past, or as soon as the oldest is forgotten. */
ms_t lq_budget_next(const struct lq_budget *budget);

#endif
