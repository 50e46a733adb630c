/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard as it is in the kernel, by nft alone: neither engine nor lldpad is needed.
 */
#ifndef COMPANION_KERNEL_GUARD_H
#define COMPANION_KERNEL_GUARD_H

#include <stdbool.h>

#include "vdp_migrate/types.h"

#define KERNEL_GUARD_PORTS_MAX 512

struct kernel_guard {
	bool there; /* the table */
	bool opened; /* every port, by hand */
	unsigned n; /* ports that are guarded */
	struct {
		char name[VM_IFNAME_MAX];
		bool enforce; /* else monitor */
	} port[KERNEL_GUARD_PORTS_MAX];
	char error[256]; /* why it cannot be read */
};

/* 0, or -EIO with error. */
int kernel_guard_read(struct kernel_guard *ret_guard);
/* Open every port and say in the kernel that it was by hand, in one transaction; or take
 * the latter back. 0, or -EIO with error. */
int kernel_guard_open(struct kernel_guard *guard);
int kernel_guard_shut(struct kernel_guard *guard);

#endif
