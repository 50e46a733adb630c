/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's bridges as far as the engine asks for them: which port is in which
 * bridge, by name and by interface index, in which VLAN untagged frames are there, and a
 * bridge's own address. A copy that
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
	bool vlans;		/* the bridge filters VLANs */
	uint16_t pvid;		/* meant only then; 0 = none, untagged frames are dropped */
	bool pvid_tagged;	/* frames go out tagged in that VLAN */
	bool offloaded;		/* phys_switch_id: a switch chip forwards its traffic */
};

struct bridge_db;

/* 0 or -errno. */
int bridge_db_new(struct bridge_db **ret_db);
void bridge_db_free(struct bridge_db *db);

/* False: there is no such interface, or it is no bridge's port. Then only ifindex,
 * port_ifindex (0 = no such interface), port_name and offloaded are meant; a slave of a
 * bond or team stands for that one there too. */
bool bridge_db_port(const struct bridge_db *db, const char *name,
		    struct bridge_db_port *ret_port);
/* In which VLAN an untagged frame is that this machine sends into the bridge, 0 =
 * none. */
uint16_t bridge_db_own_vlan(const struct bridge_db *db, uint32_t bridge_ifindex);
/* The name of a bridge port itself (not of its slaves: a frame comes by at both). */
bool bridge_db_name(const struct bridge_db *db, uint32_t ifindex,
		    char ret_name[VM_IFNAME_MAX]);
/* Each bridge that there is. */
void bridge_db_each_bridge(const struct bridge_db *db,
			   void (*cb)(void *arg, uint32_t ifindex, const char *name),
			   void *arg);
/* The name of the bridge port that this interface is or is a slave of: what is sent to a
 * link-local address comes by at a slave alone. */
bool bridge_db_anchor(const struct bridge_db *db, uint32_t ifindex,
		      char ret_name[VM_IFNAME_MAX]);
/* The port of this bridge that has this MAC address itself. */
bool bridge_db_port_of_mac(const struct bridge_db *db, uint32_t bridge_ifindex,
			   const struct mac *mac, char ret_name[VM_IFNAME_MAX]);
/* What an interface stands on: bridge_db_below.c. */
struct bridge_db_below {
	uint32_t ifindex;	/* its own */
	struct mac mac;		/* its own */
	bool direct;		/* it is a macvlan or macvtap, */
	bool beside;		/* of mode bridge */
	uint16_t vlan;		/* it is, or stands on, an 802.1Q VLAN; 0 = none */
	/* The interface below these, or itself; 0 and "" = not in this network
	 * namespace. */
	uint32_t bottom_ifindex;
	char bottom_name[VM_IFNAME_MAX];
};
/* False: there is no such interface. */
bool bridge_db_below(const struct bridge_db *db, const char *name,
		     struct bridge_db_below *ret_below);
/* Does any macvlan or macvtap stand on an interface of this network namespace? */
bool bridge_db_any_direct(const struct bridge_db *db);
/* The name of this VLAN's own interface on an interface. */
bool bridge_db_vlan_on(const struct bridge_db *db, uint32_t ifindex, uint16_t vlan,
		       char ret_name[VM_IFNAME_MAX]);
/* The name of any interface. */
bool bridge_db_any_name(const struct bridge_db *db, uint32_t ifindex,
			char ret_name[VM_IFNAME_MAX]);
/* An interface's first IPv4 address of global scope. */
bool bridge_db_address(struct bridge_db *db, uint32_t ifindex, struct addr *ret_addr);
/* Has an interface this IPv4 address with a subnet that has others too, not as a /32? */
bool bridge_db_in_subnet(struct bridge_db *db, const struct addr *addr);

/* Watch the descriptor for reading. Dispatch tells each interface that is new, gone,
 * or has another name (both are told), master, PVID, and each bridge that begins or
 * ceases to filter VLANs, after the copy is right. */
int bridge_db_fd(const struct bridge_db *db);
void bridge_db_dispatch(struct bridge_db *db, void (*cb)(void *arg, const char *name),
			void *arg);

#endif
