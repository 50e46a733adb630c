/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching: once for each generation of lldpad's modules (start, SIGHUP), or not at
 * all. And our part of lldpad's loop.
 */
#ifndef ATTACH_ATTACH_H
#define ATTACH_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>

/* The program is lldpad. error: why there is no descriptor for its loop, or 0. */
void attach_enable(int error);
bool attach_enabled(void);

/* lldpad reads its configuration: its modules will be new. */
void attach_expect(void);
/* They exist now; late: ports may be up already. Tries once. */
void attach_try(bool late);

/* At the entry of a turn of lldpad's loop, which would wait so long. False: the sets are
 * void, begin anew. attach_wait: how long it is to wait, NULL: for ever; what it is not to
 * hear leaves the set. Then: it has waited. */
bool attach_turn(const struct timeval *timeout);
struct timeval *attach_wait(struct timeval *timeout, struct timeval *spare, int n,
			    fd_set *readable);
void attach_waited(void);
/* lldpad has closed and made sockets anew (SIGHUP) since select() returned, and goes by
 * what that has said: what it reads now may have nothing, and it would wait for ever. */
bool attach_stale(void);
/* Our descriptor in the loop's set, or -1. */
int attach_fd(void);
void attach_ready(void);

bool attach_frame(int fd, int ifindex, const uint8_t *frame, size_t len);
/* A netlink message to another process: is it not to be sent? */
bool attach_untold(const void *message, size_t len);
void attach_sent(int fd, const uint8_t *frame, size_t len, bool gone);
/* The number of an interface as lldpad is to hear it; number: the kernel's, 0: none. */
bool attach_number(const char *ifname, int *number);

#endif
