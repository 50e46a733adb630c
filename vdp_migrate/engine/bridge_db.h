/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's bridges as far as the engine asks for them: which port is in which
 * bridge, by name and by interface index, and a bridge's own address. A copy that
 * follows the kernel's notifications; look-ups cost no system call.
 */
#ifndef ENGINE_BRIDGE_DB_H
#define ENGINE_BRIDGE_DB_H

#include "vdp_migrate/types.h"

struct bridge_db_port {
	uint32_t ifindex; /* of the interface that was asked for */
	/* The bridge port: the interface itself, or the bond or team that it is a
	 * slave of (the anchor, and what nftables calls iifname). */
	uint32_t port_ifindex;
	char port_name[VM_IFNAME_MAX];
	uint32_t bridge_ifindex;
	char bridge_name[VM_IFNAME_MAX];
};

struct bridge_db;

/* 0 or -errno. */
int bridge_db_new(struct bridge_db **ret_db);
void bridge_db_free(struct bridge_db *db);

/* False: there is no such interface, or it is no bridge's port. */
bool bridge_db_port(const struct bridge_db *db, const char *name,
		    struct bridge_db_port *ret_port);
/* The name of a bridge port itself (not of its slaves: a frame comes by at both). */
bool bridge_db_name(const struct bridge_db *db, uint32_t ifindex,
		    char ret_name[VM_IFNAME_MAX]);
/* An interface's first IPv4 address of global scope. */
bool bridge_db_address(struct bridge_db *db, uint32_t ifindex, struct addr *ret_addr);

/* Watch the descriptor for reading. Dispatch tells each interface that is new, gone,
 * or has another name (both are told) or master, after the copy is right. */
int bridge_db_fd(const struct bridge_db *db);
void bridge_db_dispatch(struct bridge_db *db, void (*cb)(void *arg, const char *name),
			void *arg);

#endif
