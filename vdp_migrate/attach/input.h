/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a VDPDU from ECP22 to VDP22: straight where VDP22 is free, else through the
 * port's queue. Knows the bus, not what a VDPDU means.
 */
#ifndef ATTACH_INPUT_H
#define ATTACH_INPUT_H

#include "lldpad.h"
#include "ports.h"
#include "vdp_migrate/host.h"

/* ops: VDP22's own. */
void input_insert(const struct lldpad_ops *ops, const struct host_events *events);

/* In place of VDP22's notify. ECP22 sends its acknowledgement when it returns: so what
 * comes in on our ports is looked at, and goes on, when the turn ends. */
int input_take(char *ifname, const struct lldpad_message *message);
void input_came(void);

/* VDP22 sends this on a port. */
void input_answered(struct port *port, const uint8_t *pdu, size_t len);
/* VDP22 has its timers on a port. */
void input_timed(struct port *port);
/* The port goes; all of lldpad's modules go (SIGHUP). */
void input_port_down(struct port *port);
void input_keep(void);

/* At the entry of a turn: what waits and may go now. True: something has gone. */
bool input_turn(ms_t now);

#endif
