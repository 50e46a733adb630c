/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridge port: help requests of the engine on their way to the station. The help TLV of a
 * VSI rides in the next answer to it, behind the association TLV; if none is due, or its
 * answer does not come, it leaves in a VDPDU of its own (Manager ID TLV, help TLV, End
 * TLV); and it rides again in each further answer until the engine ends it.
 *
 * Only to a neighbour whose capability TLV says that it is a station that helps. One
 * request a VSI, kept with the VSI: it goes when the VSI goes.
 */
#ifndef MODULE_HELP_ASK_H
#define MODULE_HELP_ASK_H

#include "counters.h"
#include "port.h"

/* The engine wants it: what is sent at once is sent from here, so never from a bus hook.
 * port NULL: not one of ours. */
void help_ask(struct counters *counters, ms_t now, struct port *port,
	      const struct link_help *wanted);
/* … and no longer. */
void help_ask_end(struct port *port, const struct vsi_id *id);
/* The engine has gone, or begun anew: nothing is wanted any more. */
void help_ask_forget(struct ports *ports);

/* An answer to this VSI leaves: put its TLV into it. *len grows, up to max. */
void help_ask_ride(struct counters *counters, struct port *port, struct vsis_one *one,
		   uint8_t *pdu, size_t *len, size_t max);

/* Once a second: what waits for an answer that does not come. */
void help_ask_tick(struct counters *counters, struct ports *ports, ms_t now);

#endif
