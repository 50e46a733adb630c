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
#include <linux/netlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <syslog.h>

#include "attach.h"
#include "clock.h"
#include "log.h"
#include "preload.h"
#include "spent.h"
#include "tree.h"
#include "watch.h"

#define EXPORT __attribute__((visibility("default")))
/* The next object's symbol of this name, looked up once. */
#define REAL(name)                                                                \
	static __typeof__(name) *real;                                            \
	if (!real)                                                                \
		*(void **)&real = dlsym(RTLD_NEXT, #name)

/* What lldpad's arguments say of its log. */
struct options {
	bool no_time, daemon;
	int level;
};

ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags,
		       __SOCKADDR_ARG from, socklen_t *from_len);

static void take_off(struct timeval *timeout, int64_t ns);
static struct options options_of(int argc, char **argv);
static ssize_t filter(int fd, const void *frame, ssize_t len, const struct sockaddr *from,
		      const socklen_t *from_len);

__attribute__((constructor)) static void interpose_init(int argc, char **argv)
{
	struct options options;
	int r;

	if (strcmp(program_invocation_short_name, "lldpad") != 0)
		return;
	options = options_of(argc, argv);
	log_stamp(!options.no_time);
	clock_log_asks(!options.no_time && !options.daemon && options.level >= LOG_DEBUG);
	r = watch_reserve();
	attach_enable(r < 0 ? -r : 0);
	preload_leave();
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
	struct timeval spare;
	int fd, error, r;

	REAL(select);
	if (!attach_enabled() || inside || !readable || !writable || !exceptional)
		return real(n, readable, writable, exceptional, timeout);
	inside = true;
	spent_enter();
	attach_try(true);
	if (!attach_turn(timeout)) {
		FD_ZERO(readable);
		FD_ZERO(writable);
		FD_ZERO(exceptional);
		(void)spent_turn();
		attach_waited();
		inside = false;
		return 0;
	}
	fd = attach_fd();
	if (fd >= 0) {
		FD_SET(fd, readable);
		if (n <= fd)
			n = fd + 1;
	}
	take_off(timeout, spent_turn());
	timeout = attach_wait(timeout, &spare, n, readable);
	/* EINTR goes through: lldpad looks at its signals after select(). */
	r = real(n, readable, writable, exceptional, timeout);
	error = errno;
	attach_waited();
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
	flags |= attach_stale() ? MSG_DONTWAIT : 0;
	return filter(fd, buf, real(fd, buf, n, flags, from, from_len), from.__sockaddr__,
		      from_len);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags,
			      __SOCKADDR_ARG from, socklen_t *from_len)
{
	REAL(__recvfrom_chk);
	flags |= attach_stale() ? MSG_DONTWAIT : 0;
	return filter(fd, buf, real(fd, buf, n, size, flags, from, from_len),
		      from.__sockaddr__, from_len);
}

EXPORT ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	ssize_t r;
	int error;

	REAL(send);
	r = real(fd, buf, n, flags);
	if (attach_enabled()) {
		error = errno;
		attach_sent(fd, buf, n, r < 0 && (error == ENXIO || error == ENODEV));
		errno = error;
	}
	return r;
}

/* By netlink lldpad answers libvirt, and tells it what it has not asked. */
EXPORT ssize_t sendto(int fd, const void *buf, size_t n, int flags,
		      __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
	struct sockaddr_nl process;

	REAL(sendto);
	if (attach_enabled() && to.__sockaddr__ && to_len == sizeof(process) &&
	    to.__sockaddr__->sa_family == AF_NETLINK) {
		memcpy(&process, to.__sockaddr__, sizeof(process));
		if (process.nl_pid && attach_untold(buf, n))
			return (ssize_t)n;
	}
	return real(fd, buf, n, flags, to, to_len);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *interface;
	int error, number, r;
	va_list args;
	void *arg;

	REAL(ioctl);
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	r = real(fd, request, arg);
	if (request != SIOCGIFINDEX || !arg || !attach_enabled())
		return r;
	error = errno;
	interface = arg;
	number = r == 0 ? interface->ifr_ifindex : 0;
	if (memchr(interface->ifr_name, '\0', sizeof(interface->ifr_name)) &&
	    attach_number(interface->ifr_name, &number)) {
		interface->ifr_ifindex = number;
		r = 0;
	}
	errno = error;
	return r;
}

/* lldpad's loop has no other clock. */
EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int r;

	REAL(gettimeofday);
	r = real(now, zone);
	if (r == 0)
		clock_answer(now);
	return r;
}

/* What lldpad must not see becomes ENETDOWN, the one error that it does not print. */
static ssize_t filter(int fd, const void *frame, ssize_t len, const struct sockaddr *from,
		      const socklen_t *from_len)
{
	struct sockaddr_ll at;
	int error = errno;
	bool ok;

	if (len < 0 && error == EAGAIN && attach_stale())
		errno = ENETDOWN;
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
static void take_off(struct timeval *timeout, int64_t ns)
{
	const struct timeval spent = { (time_t)(ns / 1000000000LL),
				       (suseconds_t)(ns % 1000000000LL / 1000) };

	if (!timeout)
		return;
	if (timercmp(timeout, &spent, >))
		timersub(timeout, &spent, timeout);
	else
		timerclear(timeout);
}

/* Letters may stand together; f and V take the rest as their value, or what follows. */
static struct options options_of(int argc, char **argv)
{
	struct options options = { .level = LOG_WARNING };

	for (int i = 1; i < argc; i++) {
		const char *at = argv[i], *value;

		if (*at++ != '-')
			continue;
		for (; *at && *at != 'f' && *at != 'V'; at++) {
			options.no_time |= *at == 't';
			options.daemon |= *at == 'd';
		}
		if (!*at)
			continue;
		value = at[1] ? at + 1 : i + 1 < argc ? argv[++i] : "";
		if (*at == 'V')
			options.level = atoi(value);
	}
	return options;
}
