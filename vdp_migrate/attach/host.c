/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's host (host.h) on top of a stock lldpad.
 */
#include "vdp_migrate/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "hook.h"
#include "lldp.h"
#include "log.h"
#include "ports.h"
#include "spent.h"
#include "tree.h"
#include "watch.h"

const char *host_setting(const char *port, const char *name)
{
	return tree_get(port, name);
}

int host_setting_store(const char *port, const char *name, const char *value)
{
	spent_say(SPENT_ON_SETTING);
	return tree_set(port, name, value);
}

const char *host_evb_mode(const char *port)
{
	return tree_evb_mode(port);
}

/* Of a driver that cannot say it, the kernel does not wait for a lock. */
bool host_offloaded(const char *port)
{
	char path[64], id;
	bool found;
	int fd;

	if (strchr(port, '/') || strlen(port) >= VM_IFNAME_MAX)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/phys_switch_id", port);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	found = read(fd, &id, 1) == 1 && id != '\n';
	close(fd);
	return found;
}

void host_lldp_changed(const char *name)
{
	struct port *port = ports_find(name);

	if (port)
		lldp_changed(port);
}

void host_pdu_send(const char *port, const uint8_t *pdu, size_t len)
{
	hook_send(port, pdu, len);
}

void host_pdu_deliver(const char *port, const uint8_t *pdu, size_t len)
{
	hook_deliver(port, pdu, len);
}

int host_watch(int fd, void (*cb)(void *arg), void *arg)
{
	return watch_add(fd, cb, arg);
}

void host_unwatch(int fd)
{
	watch_remove(fd);
}

void host_turn_at(ms_t at)
{
	ms_t now = host_now();

	clock_look_at(clock_us() + (at > now ? (at - now) * 1000 : 0));
}

void host_each_port(void (*cb)(void *arg, const char *port), void *arg)
{
	struct port *next;

	for (struct port *port = ports_first(); port; port = next) {
		next = port->next;
		if (port->up)
			cb(arg, port->name);
	}
}

const struct host_held *host_held(void)
{
	return spent_told();
}

ms_t host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void host_log(int priority, const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	log_line(priority, format, args);
	va_end(args);
	errno = error;
}
