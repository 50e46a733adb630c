/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module tells the engine of its own accord, besides the VSIs (vdpdu.c): a
 * port with its settings, what is forgotten, what is counted. link NULL: there was no
 * memory for one, nobody is told.
 */
#ifndef MODULE_TELL_H
#define MODULE_TELL_H

#include "link.h"
#include "port.h"

/* One that is not used is told once more when it has been, then no longer. */
void tell_port(struct link *link, struct port *port);
/* All VSIs of this port; "": of all. */
void tell_forgotten(struct link *link, const char *port);
/* Those counters that the engine does not know as they are. */
void tell_counters(struct link *link, struct counters *counters);

#endif
