/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our TLV in the LLDPDUs of the nearest customer bridge agent: lldpad's gettlv,
 * rchange and mibdelete. What the TLV says is the module's.
 */
#ifndef ATTACH_LLDP_H
#define ATTACH_LLDP_H

#include "lldpad.h"
#include "ports.h"
#include "vdp_migrate/host.h"

/* Put these operations into our module's; whom to tell. */
void lldp_insert(struct lldpad_ops *ops, const struct host_events *events);

/* An LLDPDU is due on this port. */
void lldp_changed(struct port *port);

#endif
