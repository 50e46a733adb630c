/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our one descriptor in lldpad's select(): an epoll set with the module's
 * descriptors and a timer of one second. Knows nothing of lldpad.
 */
#ifndef ATTACH_WATCH_H
#define ATTACH_WATCH_H

#include <stdbool.h>

/* Make the descriptor now, while its number is low. 0 or -errno. */
int watch_reserve(void);
/* The descriptor, below FD_SETSIZE, or -1. */
int watch_fd(void);

/* 0, -errno, -ENOSPC: too many. */
int watch_add(int fd, void (*cb)(void *arg), void *arg);
void watch_remove(int fd);

/* Call cb once a second from watch_dispatch(); NULL: no more. 0 or -errno. */
int watch_tick(void (*cb)(void));

/* Call the callbacks of what is ready. Does not wait. */
void watch_dispatch(void);

#endif
