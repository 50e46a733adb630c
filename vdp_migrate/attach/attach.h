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

/* The program is lldpad. error: why there is no descriptor for its loop, or 0. */
void attach_enable(int error);
bool attach_enabled(void);

/* lldpad reads its configuration: its modules will be new. */
void attach_expect(void);
/* They exist now; late: ports may be up already. Tries once. */
void attach_try(bool late);

/* At the entry of a turn of lldpad's loop. False: the sets are void, begin anew. */
bool attach_turn(void);
/* Our descriptor in the loop's set, or -1. */
int attach_fd(void);
void attach_ready(void);

bool attach_frame(int fd, int ifindex, const uint8_t *frame, size_t len);

#endif
