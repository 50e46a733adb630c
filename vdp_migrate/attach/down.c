/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See down.h. ECP22's timer is started behind each request that it sends on its packet
 * socket, and by nothing else, so it is over when lldpad's loop has run all that was due
 * one time-out after the last. While the link is down what ECP22 still has is sent
 * nowhere: its timer then runs out at once, so that a long queue is soon empty.
 *
 * ECP22 asks for its port by the interface's number, at each step, and without one it
 * repeats its last frame for ever. So the number of a deleted interface stays valid under
 * its own name while that goes down, until ECP22 is quiet; lldpad has not heard of the
 * deletion yet. Never else: lldpad would take what it then does to the name to whatever
 * interface has that number. What a SIGHUP has left of ECP22 (dead.h), whose interface is
 * gone, is put to sleep instead.
 */
#include "down.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "dead.h"
#include "delay.h"
#include "ports.h"
#include "vdp_migrate/host.h"
#include "vdp_migrate/protocol.h"

#define GOING_MAX 64
#define AT_ETHERTYPE 12
#define AT_OPERATION 14		/* 802.1Q clause 43: 2 bits, 0 is a request */
/* However busy ECP22 is, lldpad is not kept longer from what happens to links. */
#define GATE_MS 3000
#define SLEEP_US 86400000000LL

static struct {
	char name[VM_IFNAME_MAX];	/* "": free */
	int number;
	fd_set sockets;		/* ECP22's of this port */
	int64_t timer_us;
	ms_t until;
	bool again;		/* another interface of this name is up */
} going[GOING_MAX];
static unsigned n_going;

static const struct lldpad_ops *evb;
static struct lldpad_ops evb_ops;
static fd_set sent;		/* since the last turn began */
static int sent_from = FD_SETSIZE, sent_to = -1;	/* in this range */
static int64_t timer_us[FD_SETSIZE];	/* how long a socket's timer runs, 0: not known */
static int64_t due[FD_SETSIZE];	/* when its last one runs out */
static int64_t dead_due;	/* … the last of all dead ones that do not sleep */
static int link_news = -1;	/* lldpad's socket for them */

static void note_sent(int fd);
static void time_sent(void);
static int64_t timer_of(int fd);
static unsigned count_slots(const struct lldpad_ops *ops);
static void evb_ifup(char *ifname, struct lldpad_agent *agent);
static void evb_ifdown(char *ifname, struct lldpad_agent *agent);
static int find(const char *ifname);
static void stop(int i);
static bool busy_sockets(const char *ifname, fd_set *ret_sockets);
static bool is_busy(int fd);
static bool any_busy(const fd_set *sockets);
static bool is_link_news(int fd);

void down_insert(struct lldpad_module *head)
{
	struct lldpad_module *module, *found = NULL;
	unsigned n = 0;

	for (module = head; module; module = module->next)
		if (module->id == LLDPAD_EVB22) {
			found = module;
			n++;
		}
	if (n != 1 || count_slots(found->ops) != LLDPAD_SLOTS_EVB22) {
		host_log(LOG_WARNING, "no known EVB22 module: a link that goes down under "
			 "VDP traffic may end lldpad");
		return;
	}
	evb = found->ops;
	evb_ops = *evb;
	evb_ops.ifup = evb_ifup;
	evb_ops.ifdown = evb_ifdown;
	found->ops = &evb_ops;
}

/* Their data are freed with them, but for ECP22's, which are buried. */
void down_forget(void)
{
	time_sent();
	for (int fd = 0; fd < FD_SETSIZE; fd++)
		if (dead_owns(fd) && due[fd] > dead_due)
			dead_due = due[fd];
	n_going = 0;
	memset(going, 0, sizeof(going));
	evb = NULL;
}

bool down_goes(const char *ifname)
{
	return n_going && find(ifname) >= 0;
}

void down_sent(int fd, const uint8_t *frame, size_t len, bool gone)
{
	if (fd < 0 || fd >= FD_SETSIZE || len <= AT_OPERATION ||
	    (frame[AT_ETHERTYPE] << 8 | frame[AT_ETHERTYPE + 1]) != ETHERTYPE_ECP ||
	    (frame[AT_OPERATION] >> 2 & 3) != 0)
		return;
	if (gone && dead_owns(fd)) {
		dead_falls_asleep(fd);
		clock_hurry(-SLEEP_US);
		return;
	}
	note_sent(fd);
	for (int i = 0; n_going && i < GOING_MAX; i++)
		if (*going[i].name && FD_ISSET(fd, &going[i].sockets))
			clock_hurry(going[i].timer_us);
}

bool down_number(const char *ifname, int *number)
{
	int i = n_going && *ifname ? find(ifname) : -1;

	if (i < 0 || going[i].again)
		return false;
	*number = going[i].number;
	return true;
}

bool down_dead_works(void)
{
	return !clock_past(dead_due);
}

void down_later(int64_t us)
{
	for (int fd = 0; fd < FD_SETSIZE; fd++)
		if (!clock_past(due[fd]))
			due[fd] += us;
	if (!clock_past(dead_due))
		dead_due += us;
}

bool down_turn(ms_t now)
{
	bool closed = false;

	time_sent();
	for (int i = 0; n_going && i < GOING_MAX; i++) {
		if (!*going[i].name)
			continue;
		if (any_busy(&going[i].sockets) && now < going[i].until)
			continue;
		stop(i);
		closed = true;
	}
	return closed;
}

void down_gate(int n, fd_set *readable)
{
	if (!n_going)
		return;
	if (!is_link_news(link_news)) {
		link_news = -1;
		for (int fd = 0; fd < n && link_news < 0; fd++)
			if (FD_ISSET(fd, readable) && is_link_news(fd))
				link_news = fd;
	}
	if (link_news >= 0)
		FD_CLR(link_news, readable);
}

static void note_sent(int fd)
{
	FD_SET(fd, &sent);
	if (fd < sent_from)
		sent_from = fd;
	if (fd > sent_to)
		sent_to = fd;
}

/* Their timers were started before now. */
static void time_sent(void)
{
	int64_t now = sent_to >= 0 ? clock_us() : 0;

	for (int fd = sent_from; fd <= sent_to; fd++) {
		if (!FD_ISSET(fd, &sent))
			continue;
		FD_CLR(fd, &sent);
		due[fd] = now + timer_of(fd);
		if (dead_owns(fd) && due[fd] > dead_due)
			dead_due = due[fd];
	}
	sent_from = FD_SETSIZE;
	sent_to = -1;
}

/* Of a dead one, and of one on an interface that is gone, it is what it was. */
static int64_t timer_of(int fd)
{
	struct sockaddr_ll at = { 0 };
	socklen_t len = sizeof(at);
	const struct port *port = NULL;

	if (!dead_owns(fd) && getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
	    at.sll_family == AF_PACKET && at.sll_ifindex > 0)
		port = ports_first();
	while (port && port->ifindex != (unsigned)at.sll_ifindex)
		port = port->next;
	if (port)
		timer_us[fd] = delay_ecp_timer_us(port->rte);
	return timer_us[fd] ? timer_us[fd] : delay_ecp_timer_us(0);
}

static unsigned count_slots(const struct lldpad_ops *ops)
{
	void *slots[LLDPAD_SLOTS];
	unsigned filled = 0;

	memcpy(slots, ops, sizeof(slots));
	for (unsigned i = 0; i < LLDPAD_SLOTS; i++)
		filled |= slots[i] ? 1u << i : 0;
	return filled;
}

/* It was down for so short that EVB22 has not heard of it; or this is another one of the
 * same name, which ECP22 cannot have before it is through with the old one. */
static void evb_ifup(char *ifname, struct lldpad_agent *agent)
{
	int i = agent->type == LLDPAD_AGENT_CUSTOMER && n_going ? find(ifname) : -1;

	if (i >= 0 && if_nametoindex(ifname) != (unsigned)going[i].number) {
		going[i].again = true;
		return;
	}
	if (i >= 0) {
		*going[i].name = '\0';
		n_going--;
	}
	evb->ifup(ifname, agent);
}

static void evb_ifdown(char *ifname, struct lldpad_agent *agent)
{
	const struct port *port;
	fd_set sockets;
	int i;

	if (agent->type != LLDPAD_AGENT_CUSTOMER || strlen(ifname) >= VM_IFNAME_MAX ||
	    !busy_sockets(ifname, &sockets)) {
		evb->ifdown(ifname, agent);
		return;
	}
	i = find(ifname);
	if (i >= 0) {
		going[i].again = false;
		return;
	}
	i = find("");
	if (i < 0) {
		evb->ifdown(ifname, agent);
		return;
	}
	port = ports_find(ifname);
	strcpy(going[i].name, ifname);
	going[i].number = (int)port->ifindex;
	going[i].sockets = sockets;
	going[i].timer_us = delay_ecp_timer_us(port->rte);
	going[i].until = host_now() + GATE_MS;
	going[i].again = false;
	n_going++;
}

/* "": a free place. */
static int find(const char *ifname)
{
	for (int i = 0; i < GOING_MAX; i++)
		if (!strcmp(going[i].name, ifname))
			return i;
	return -1;
}

/* EVB22 stops ECP22 and VDP22. The port's own agent may be gone by now; only its type is
 * looked at. */
static void stop(int i)
{
	struct lldpad_agent agent = { .type = LLDPAD_AGENT_CUSTOMER };
	bool again = going[i].again;
	char name[VM_IFNAME_MAX];

	strcpy(name, going[i].name);
	*going[i].name = '\0';
	n_going--;
	host_log(LOG_DEBUG, "%s: ECP is quiet: EVB is told that the link is down", name);
	evb->ifdown(name, &agent);
	if (again)
		evb->ifup(name, &agent);
}

/* A socket on an interface that is gone is on none: it may be this port's. */
static bool busy_sockets(const char *ifname, fd_set *ret_sockets)
{
	const struct port *port = ports_find(ifname);
	bool any = false;

	FD_ZERO(ret_sockets);
	for (int fd = 0; port && fd < FD_SETSIZE; fd++) {
		struct sockaddr_ll at = { 0 };
		socklen_t len = sizeof(at);

		if (!is_busy(fd) || dead_owns(fd) ||
		    getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
		    at.sll_family != AF_PACKET || at.sll_protocol != htons(ETHERTYPE_ECP))
			continue;
		if (at.sll_ifindex > 0 && (unsigned)at.sll_ifindex != port->ifindex)
			continue;
		FD_SET(fd, ret_sockets);
		any = true;
	}
	return any;
}

static bool is_busy(int fd)
{
	return FD_ISSET(fd, &sent) || !clock_past(due[fd]);
}

static bool any_busy(const fd_set *sockets)
{
	bool any = false;

	for (int fd = 0; fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, sockets) && is_busy(fd)) {
			clock_look_at(due[fd]);
			any = true;
		}
	return any;
}

static bool is_link_news(int fd)
{
	struct sockaddr_nl at = { 0 };
	socklen_t len = sizeof(at);

	return fd >= 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
	       at.nl_family == AF_NETLINK && at.nl_groups & RTMGRP_LINK;
}
