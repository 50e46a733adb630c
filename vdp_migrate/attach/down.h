/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Link down while ECP22 works. Stock frees ECP22's data of the port at once, with the
 * timer running that ECP22 starts at each frame that it sends, and dies of it. Here EVB22
 * hears of the link only when that timer is over; until then lldpad is shown no further
 * news of links, so that the interface does not vanish under it.
 */
#ifndef ATTACH_DOWN_H
#define ATTACH_DOWN_H

#include <sys/select.h>

#include "lldpad.h"
#include "vdp_migrate/types.h"

/* Stand in for EVB22's ifup and ifdown, if it is the EVB22 that we know. */
void down_insert(struct lldpad_module *head);
/* Its generation of modules ends. */
void down_forget(void);

/* Is this port going down? Then nothing is to be sent. */
bool down_goes(const char *ifname);

/* lldpad has sent a frame; gone: its interface is not there any more. */
void down_sent(int fd, const uint8_t *frame, size_t len, bool gone);
/* lldpad asks for the number of an interface, of which the kernel says *number (0: there
 * is none). True: it is to be told another. */
bool down_number(const char *ifname, int *number);

/* Does a dead ECP22 (dead.h) still work? Then it must not be freed. */
bool down_dead_works(void);

/* The clock has been set back by so much: the timers that run now run on. */
void down_later(int64_t us);

/* At the entry of a turn. True: sockets of lldpad were closed, the sets of the select()
 * to come are void. */
bool down_turn(ms_t now);
/* Take out what lldpad shall not hear now. */
void down_gate(int n, fd_set *readable);

#endif
