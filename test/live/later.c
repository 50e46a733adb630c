/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded into the libvirtds of test/libvirt: what they ask time() is answered with
 * LATER_S seconds more. By it libnl draws the number of libvirtd's netlink socket, which
 * libvirt takes for an error half of the time.
 */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *ret_time)
{
	const char *later = getenv("LATER_S");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += later ? atol(later) : 0;
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
