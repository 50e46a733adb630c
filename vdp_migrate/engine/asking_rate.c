/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rate of a port's leasequeries (its setting max-rate; 0: no bound): a port is a flow
 * of the client's, which counts and holds up what goes out, questions and repetitions
 * (core/lq_flow). What a person asks by hand is of no port, and is not bounded.
 */
#include "bridge_private.h"

int asking_rate_ask(struct bridge *b, const struct port *port,
		    struct lq_question *question)
{
	question->flow = port->number;
	question->max_rate = port->settings.max_rate;
	return lq_ask(b->lq, b->now, question);
}

void asking_rate_port(struct bridge *b, const struct port *port)
{
	lq_set_rate(b->lq, port->number, port->settings.max_rate);
}
