/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See watch.h. The set is level-triggered: what one dispatch leaves over is ready
 * again in lldpad's next turn. A callback may watch and unwatch; one that is called
 * for a descriptor with a new owner finds nothing to read, no more.
 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WATCHES_MAX 16

static int epoll_fd = -1;
static int timer_fd = -1;
static void (*tick)(void);
static struct {
	int fd;
	void (*cb)(void *arg);	/* NULL: free */
	void *arg;
} watches[WATCHES_MAX];

static void dispatch_one(int fd);
static int set_timer(time_t period_s);

int watch_reserve(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	/* Started with standard descriptors closed: daemon() will replace those. */
	if (fd >= 0 && fd <= STDERR_FILENO) {
		int low = fd;

		fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low);
	}
	if (fd < 0)
		return -errno;
	if (fd >= FD_SETSIZE) {
		close(fd);
		return -EMFILE;
	}
	epoll_fd = fd;
	return 0;
}

int watch_fd(void)
{
	return epoll_fd;
}

int watch_add(int fd, void (*cb)(void *arg), void *arg)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	for (unsigned i = 0; i < WATCHES_MAX; i++) {
		if (watches[i].cb)
			continue;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
			return -errno;
		watches[i].fd = fd;
		watches[i].cb = cb;
		watches[i].arg = arg;
		return 0;
	}
	return -ENOSPC;
}

void watch_remove(int fd)
{
	for (unsigned i = 0; i < WATCHES_MAX; i++) {
		if (!watches[i].cb || watches[i].fd != fd)
			continue;
		watches[i].cb = NULL;
		/* Fails where fd has been closed: then it has left the set already. */
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	}
}

int watch_tick(void (*cb)(void))
{
	struct epoll_event event = { .events = EPOLLIN };

	tick = cb;
	if (timer_fd >= 0)
		return set_timer(cb ? 1 : 0);
	if (!cb)
		return 0;
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer_fd < 0)
		return -errno;
	event.data.fd = timer_fd;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event) < 0) {
		int error = -errno;

		close(timer_fd);
		timer_fd = -1;
		return error;
	}
	return set_timer(1);
}

void watch_dispatch(void)
{
	struct epoll_event events[WATCHES_MAX + 1];
	int n = epoll_wait(epoll_fd, events, WATCHES_MAX + 1, 0);

	for (int i = 0; i < n; i++)
		dispatch_one(events[i].data.fd);
}

static void dispatch_one(int fd)
{
	uint64_t expired;

	if (fd == timer_fd) {
		if (read(timer_fd, &expired, sizeof(expired)) == sizeof(expired) && tick)
			tick();
		return;
	}
	for (unsigned i = 0; i < WATCHES_MAX; i++)
		if (watches[i].cb && watches[i].fd == fd) {
			watches[i].cb(watches[i].arg);
			return;
		}
}

static int set_timer(time_t period_s)
{
	struct itimerspec spec = { { period_s, 0 }, { period_s, 0 } };

	return timerfd_settime(timer_fd, 0, &spec, NULL) < 0 ? -errno : 0;
}
