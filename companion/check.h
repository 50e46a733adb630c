/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check: what its parts share. Each looks at one thing and says what is wrong with it.
 */
#ifndef COMPANION_CHECK_H
#define COMPANION_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

#include "table.h"

struct check {
	unsigned found;
	struct finding {
		const char *name; /* a word; doc/operations has them all */
		char *what, *cure; /* owned */
	} *findings;
	int fd; /* the engine; -errno: not to be spoken with */
	pid_t lldpad, engine; /* 0: not known */
	uid_t engine_uid;
	bool lldpad_silent; /* or not there: ask it nothing */
	struct table ports, vsis, servers, settings; /* empty without the engine */
};

/* A finding: its name, what is wrong, what cures it. */
void check_found(struct check *check, const char *name, const char *cure,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* check_programs.c: lldpad and the module in it; the engine, spoken with from now on;
 * libvirt's daemons; permissions. */
void check_programs(struct check *check);
/* check_ports.c: each port of the engine, and the guard in the kernel. */
void check_ports(struct check *check);
/* check_lldpad.c: what lldpad has been told of a port and hears on it. */
void check_lldpad_port(struct check *check, unsigned row);
/* check_vsis.c: each VSI of the engine. */
void check_vsis(struct check *check);
/* check_servers.c: giaddr, and the DHCP servers; ask: they are asked. */
void check_servers(struct check *check, bool ask);
/* check_proc.c: up to size - 1 octets of a file below /proc or /sys, zero-terminated,
 * what is zero in it a newline; how many, 0 if it cannot be read. */
size_t check_read(const char *path, char *to, size_t size);
/* The next process of this network namespace with one of these names ("a|b"), after the
 * last one; 0: no more. */
pid_t check_process(const char *names, pid_t last);
/* How long it has been running, in ms; -1: not to be seen. */
long check_age_ms(pid_t pid);
/* The bridge that an interface is a port of, or the bond that it is in; false: none. */
bool check_bridge_of(const char *port, char ret_bridge[VM_IFNAME_MAX]);
/* A number of /sys/class/net/BRIDGE/bridge/NAME; -1: not there. */
long check_bridge_value(const char *bridge, const char *name);
/* Does this bridge know a querier of IGMP, itself or another? */
bool check_bridge_has_querier(const char *bridge);
/* Does it snoop multicast in each VLAN for itself (mcast_vlan_snooping)? */
bool check_bridge_snoops_each_vlan(const char *bridge);

#endif
