/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads of this process's own memory that cannot fault: the kernel copies the
 * octets into a pipe and says EFAULT where there is no memory. Works with plain
 * read and write only, which every system call filter allows.
 */
#ifndef ATTACH_PEEK_H
#define ATTACH_PEEK_H

#include <stddef.h>

#define PEEK_MAX 2048		/* octets of one read */

struct peek {
	int in, out;
};

/* 0 or -errno (no descriptor is left). */
int peek_open(struct peek *ret_peek);
void peek_close(struct peek *peek);

/* 0; -EFAULT: not all of it is readable; -EINVAL: more than PEEK_MAX; -errno. */
int peek_read(const struct peek *peek, const void *address, void *ret_to, size_t n);

#endif
