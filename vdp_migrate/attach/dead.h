/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dead generations: what a SIGHUP leaves of VDP22's and ECP22's data. Stock frees
 * it while timers still point at it, and dies. Here the data live on until their
 * timers must have run out; then stock's own unregister frees them. Until then
 * they must neither be heard on the bus nor hear the wire.
 */
#ifndef ATTACH_DEAD_H
#define ATTACH_DEAD_H

#include <stdbool.h>

#include "lldpad.h"
#include "vdp_migrate/types.h"

struct dead;

/* Keep data until due; ops are stock's own. NULL: no memory, it stays for ever. */
struct dead *dead_bury(const struct lldpad_ops *ops, void *data, ms_t due);

/* An address by which this generation calls a port. */
void dead_add_voice(struct dead *dead, const void *voice);
bool dead_speaks(const void *voice);
/* The last generation buried with these operations, NULL: none is left. */
struct dead *dead_latest(const struct lldpad_ops *ops);

/* All packet sockets of this ethertype that lldpad has now are this generation's. */
void dead_add_sockets(struct dead *dead, uint16_t ethertype);
bool dead_owns(int fd);
/* Its owner has been put to sleep: it stays for ever. */
void dead_falls_asleep(int fd);

/* Free what is due. This closes sockets of lldpad: true if so, then no set of
 * descriptors made before may be used. */
bool dead_reap(ms_t now);

#endif
