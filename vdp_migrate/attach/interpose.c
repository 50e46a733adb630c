/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The libc and libconfig calls that we stand in for, and the way in. Every other
 * symbol of this object is hidden. In a program that is not lldpad, and in an
 * lldpad that we could not attach to, each is a plain pass-through.
 */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <libconfig.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "attach.h"
#include "log.h"
#include "tree.h"
#include "watch.h"

#define EXPORT __attribute__((visibility("default")))
/* The next object's symbol of this name, looked up once. */
#define REAL(name)                                                                \
	static __typeof__(name) *real;                                            \
	if (!real)                                                                \
		*(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags,
		       __SOCKADDR_ARG from, socklen_t *from_len);

static void take_off(struct timeval *timeout, const struct timespec *since);
static void leave_preload(void);
static bool is_ours(const char *entry, size_t len, const char *path);
static bool omits_time(int argc, char **argv);
static ssize_t filter(int fd, const void *frame, ssize_t len, const struct sockaddr *from,
		      const socklen_t *from_len);

__attribute__((constructor)) static void interpose_init(int argc, char **argv)
{
	int r;

	if (strcmp(program_invocation_short_name, "lldpad") != 0)
		return;
	log_stamp(!omits_time(argc, argv));
	r = watch_reserve();
	attach_enable(r < 0 ? -r : 0);
	leave_preload();
}

/* libconfig calls init and destroy itself, in config_read_file() too. */
EXPORT void config_init(config_t *config)
{
	REAL(config_init);
	real(config);
	if (!attach_enabled())
		return;
	tree_at(config);
	attach_expect();
}

EXPORT void config_destroy(config_t *config)
{
	REAL(config_destroy);
	if (attach_enabled())
		tree_at(NULL);
	real(config);
}

EXPORT int config_read_file(config_t *config, const char *name)
{
	REAL(config_read_file);
	if (attach_enabled())
		tree_file(name);
	return real(config, name);
}

/* lldpad lists its interfaces right after it has made its modules, and before it
 * brings up a port. */
EXPORT struct if_nameindex *if_nameindex(void)
{
	REAL(if_nameindex);
	attach_try(false);
	return real();
}

/* Only the main loop passes three sets. */
EXPORT int select(int n, fd_set *readable, fd_set *writable, fd_set *exceptional,
		  struct timeval *timeout)
{
	static bool inside;
	struct timespec entry;
	int fd, error, r;

	REAL(select);
	if (!attach_enabled() || inside || !readable || !writable || !exceptional)
		return real(n, readable, writable, exceptional, timeout);
	inside = true;
	clock_gettime(CLOCK_MONOTONIC, &entry);
	attach_try(true);
	if (!attach_turn()) {
		FD_ZERO(readable);
		FD_ZERO(writable);
		FD_ZERO(exceptional);
		inside = false;
		return 0;
	}
	fd = attach_fd();
	if (fd >= 0) {
		FD_SET(fd, readable);
		if (n <= fd)
			n = fd + 1;
	}
	take_off(timeout, &entry);
	/* EINTR goes through: lldpad looks at its signals after select(). */
	r = real(n, readable, writable, exceptional, timeout);
	error = errno;
	if (r > 0 && fd >= 0 && FD_ISSET(fd, readable)) {
		FD_CLR(fd, readable);
		r--;
		attach_ready();
	}
	inside = false;
	errno = error;
	return r;
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t n, int flags, __SOCKADDR_ARG from,
			socklen_t *from_len)
{
	REAL(recvfrom);
	return filter(fd, buf, real(fd, buf, n, flags, from, from_len), from.__sockaddr__,
		      from_len);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags,
			      __SOCKADDR_ARG from, socklen_t *from_len)
{
	REAL(__recvfrom_chk);
	return filter(fd, buf, real(fd, buf, n, size, flags, from, from_len),
		      from.__sockaddr__, from_len);
}

/* What lldpad must not see becomes ENETDOWN, the one error that it does not print. */
static ssize_t filter(int fd, const void *frame, ssize_t len, const struct sockaddr *from,
		      const socklen_t *from_len)
{
	struct sockaddr_ll at;
	int error = errno;
	bool ok;

	if (len < 0 || !attach_enabled() || !from || !from_len ||
	    *from_len < offsetof(struct sockaddr_ll, sll_addr) ||
	    from->sa_family != AF_PACKET)
		return len;
	memcpy(&at, from, offsetof(struct sockaddr_ll, sll_addr));
	ok = attach_frame(fd, at.sll_ifindex, frame, (size_t)len);
	errno = ok ? error : ENETDOWN;
	return ok ? len : -1;
}

/* lldpad has reckoned its time-out before our turn. A send in that wakes the engine,
 * and on a busy machine the engine then runs first: lldpad's timers shall not be late
 * by that. */
static void take_off(struct timeval *timeout, const struct timespec *since)
{
	struct timespec now;
	struct timeval spent;

	if (!timeout)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	spent.tv_sec = now.tv_sec - since->tv_sec;
	spent.tv_usec = (now.tv_nsec - since->tv_nsec) / 1000;
	if (spent.tv_usec < 0) {
		spent.tv_sec--;
		spent.tv_usec += 1000000;
	}
	if (timercmp(timeout, &spent, >))
		timersub(timeout, &spent, timeout);
	else
		timerclear(timeout);
}

/* Out of LD_PRELOAD, for programs that lldpad starts; others' entries stay. */
static void leave_preload(void)
{
	const char *list = getenv("LD_PRELOAD");
	char *rest, *out;
	Dl_info self;

	if (!list || !dladdr((void *)(uintptr_t)leave_preload, &self))
		return;
	rest = out = malloc(strlen(list) + 1);
	if (!rest)
		return;
	while (*list) {
		size_t len = strcspn(list, " :");

		if (len && !is_ours(list, len, self.dli_fname)) {
			if (out != rest)
				*out++ = ':';
			memcpy(out, list, len);
			out += len;
		}
		list += len + (list[len] ? 1 : 0);
	}
	*out = '\0';
	if (out == rest)
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", rest, 1);
	free(rest);
}

/* By its path, or by a bare name that the loader has looked up. */
static bool is_ours(const char *entry, size_t len, const char *path)
{
	const char *base = strrchr(path, '/');

	if (strlen(path) == len && !memcmp(entry, path, len))
		return true;
	return base && strlen(base + 1) == len && !memcmp(entry, base + 1, len);
}

/* lldpad -t, also among other letters; f and V take the rest as their value. */
static bool omits_time(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t letters;

		if (argv[i][0] != '-')
			continue;
		letters = strcspn(argv[i], "fV");
		if (memchr(argv[i], 't', letters))
			return true;
		if (argv[i][letters] && !argv[i][letters + 1])
			i++;
	}
	return false;
}
