/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pipe trick, see peek.h. The pipe is empty between two calls, so a read of
 * up to PEEK_MAX octets always fits and never waits.
 */
#include "peek.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void drain(const struct peek *peek);

int peek_open(struct peek *ret_peek)
{
	int fd[2];

	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) < 0)
		return -errno;
	*ret_peek = (struct peek){ .in = fd[1], .out = fd[0] };
	return 0;
}

void peek_close(struct peek *peek)
{
	close(peek->in);
	close(peek->out);
	*peek = (struct peek){ -1, -1 };
}

int peek_read(const struct peek *peek, const void *address, void *ret_to, size_t n)
{
	ssize_t done;

	if (n > PEEK_MAX)
		return -EINVAL;
	done = write(peek->in, address, n);
	if (done < 0)
		return -errno;
	if ((size_t)done != n) {
		/* Ends at a page that is not there. */
		drain(peek);
		return -EFAULT;
	}
	done = read(peek->out, ret_to, n);
	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EIO;
}

static void drain(const struct peek *peek)
{
	char waste[256];

	while (read(peek->out, waste, sizeof(waste)) > 0)
		;
}
