/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a binding is in the kernel: nf_tables tells it to NFNLGRP_NFTABLES at the end
 * of the transaction. Netlink messages carry no time stamp; the time is that of our
 * reading.
 */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>

typedef void (*event_cb)(void *arg, uint32_t vsi, int64_t at);

/* The socket, in the network namespace of the caller, or -errno. */
int event_open(void);
/* All that is there; at: CLOCK_REALTIME, ns. -errno where events were lost. */
int event_dispatch(int fd, event_cb cb, void *arg);

#endif
