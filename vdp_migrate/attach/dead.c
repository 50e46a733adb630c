/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See dead.h. The address by which a module calls a port lies in the module's own
 * data, which are not reused while they are kept: its value alone says which
 * generation speaks.
 */
#include "dead.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/select.h>
#include <syslog.h>

#include "vdp_migrate/host.h"

struct dead {
	struct dead *next;
	const struct lldpad_ops *ops;
	void *data;
	ms_t due;
	bool asleep;		/* it has a timer that is not over soon */
	unsigned n_voices;
	const void **voices;
	fd_set sockets;
};

static struct dead *graves;	/* the latest first */
static fd_set deaf;		/* the sockets of all of them */

static void unregister(struct dead *dead);

struct dead *dead_bury(const struct lldpad_ops *ops, void *data, ms_t due)
{
	struct dead *dead = calloc(1, sizeof(*dead));

	if (!dead)
		return NULL;
	dead->ops = ops;
	dead->data = data;
	dead->due = due;
	dead->next = graves;
	graves = dead;
	return dead;
}

void dead_add_voice(struct dead *dead, const void *voice)
{
	const void **more = realloc(dead->voices, (dead->n_voices + 1) * sizeof(*more));

	if (!more)
		return;
	dead->voices = more;
	dead->voices[dead->n_voices++] = voice;
}

bool dead_speaks(const void *voice)
{
	for (const struct dead *dead = graves; dead; dead = dead->next)
		for (unsigned i = 0; i < dead->n_voices; i++)
			if (dead->voices[i] == voice)
				return true;
	return false;
}

struct dead *dead_latest(const struct lldpad_ops *ops)
{
	for (struct dead *dead = graves; dead; dead = dead->next)
		if (dead->ops == ops)
			return dead;
	return NULL;
}

void dead_add_sockets(struct dead *dead, uint16_t ethertype)
{
	for (int fd = 0; fd < FD_SETSIZE; fd++) {
		struct sockaddr_ll at = { 0 };
		socklen_t len = sizeof(at);

		if (FD_ISSET(fd, &deaf) ||
		    getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
		    at.sll_family != AF_PACKET || at.sll_protocol != htons(ethertype))
			continue;
		FD_SET(fd, &dead->sockets);
		FD_SET(fd, &deaf);
	}
}

bool dead_owns(int fd)
{
	return fd >= 0 && fd < FD_SETSIZE && FD_ISSET(fd, &deaf);
}

void dead_falls_asleep(int fd)
{
	for (struct dead *dead = graves; dead; dead = dead->next) {
		if (dead->asleep || !FD_ISSET(fd, &dead->sockets))
			continue;
		dead->asleep = true;
		host_log(LOG_INFO, "ECP of before a SIGHUP is put to sleep, and kept: an "
			 "interface that it sends on is gone");
	}
}

bool dead_reap(ms_t now)
{
	struct dead **at = &graves, *dead;
	bool any = false;

	while ((dead = *at)) {
		if (dead->asleep || now < dead->due) {
			at = &dead->next;
			continue;
		}
		*at = dead->next;
		unregister(dead);
		any = true;
	}
	return any;
}

/* Stock's unregister frees a module node with its data: give it one of its own. */
static void unregister(struct dead *dead)
{
	struct lldpad_module *module = calloc(1, sizeof(*module));

	if (module) {
		module->ops = dead->ops;
		module->data = dead->data;
		dead->ops->unregister(module);
	}
	for (int fd = 0; fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, &dead->sockets))
			FD_CLR(fd, &deaf);
	free(dead->voices);
	free(dead);
}
