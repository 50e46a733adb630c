/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our place in lldpad: a module of our own at the end of its list, and a hand on
 * what VDP22 and ECP22 tell each other. Knows the bus, not what a VDPDU means.
 */
#ifndef ATTACH_HOOK_H
#define ATTACH_HOOK_H

#include "lldpad.h"
#include "vdp_migrate/host.h"

/* Into the list that scan.c has found; whom to tell. is_late: ports may be up already. */
void hook_insert(struct lldpad_module **head, const struct host_events *events,
		 bool is_late);
/* Is our module in lldpad's list? */
bool hook_in(void);

/* A turn begins. Have lldpad's modules ended (SIGHUP) since? */
void hook_begin(void);
bool hook_ended(void);
/* At the entry of a turn. hook_stop: what is to be freed now; true: sockets of lldpad
 * were closed, the sets of the select() to come are void. hook_came: what has come in in
 * the turn before is dealt with; hook_turn: what VDP22 is to be given of what waits. */
bool hook_stop(ms_t now);
void hook_came(void);
void hook_turn(ms_t now);

/* Hand ECP22 a VDPDU as if it came from VDP22; and VDP22 one as if from ECP22. */
void hook_send(const char *ifname, const uint8_t *pdu, size_t len);
void hook_deliver(const char *ifname, const uint8_t *pdu, size_t len);
/* Has lldpad been given something since this was last asked? Then the time-out of the
 * select() to come is too long. */
bool hook_gave(void);

/* A frame that lldpad reads from a packet socket: may it have it? */
bool hook_frame(int fd, int ifindex, const uint8_t *frame, size_t len);
/* A netlink message to another process: is it not to be sent? */
bool hook_untold(const void *message, size_t len);

#endif
