/* SPDX-License-Identifier: GPL-2.0-only */
/* The switch of a script: what on_switch.c and on_port.c share. */
#ifndef SCENARIO_ON_SWITCH_H
#define SCENARIO_ON_SWITCH_H

#include "mirror.h"
#include "script.h"
#include "vdp_migrate/link.h"

#define PORTS_MAX 8

struct on_port {
	struct link_port set;
	bool nowhere, deaf;
	struct bridge_place place;
	const struct vm *vm; /* last named here */
	const struct vm *quiet; /* its FDB has it, and has not heard it for long */
};

/* What the module was last told to ask for, by MAC. */
struct helped {
	struct mac mac;
	uint32_t xid, xid_before;
	struct addr giaddr;
};

struct on_switch {
	struct script *script;
	struct bridge *bridge;
	struct mirror mirror;
	unsigned n_ports;
	struct on_port ports[PORTS_MAX];
	uint32_t random;
	unsigned n_helped;
	struct helped helped[VMS_MAX];
	bool watched;
	bool refused;		/* the guard's commits */
	bool loading;		/* what the table has of the store is in it already */
	unsigned n_kept;
	struct binding kept[MIRROR_MAX];
};

/* on_port.c: what is seen on this port. False: not understood. */
bool on_port(struct on_switch *s, struct on_port *port, char **words, unsigned n);
/* on_settings.c: "port P …"; the port of that name, made where there is none. NULL: too
 * many. */
bool on_settings(struct on_switch *s, char **words, unsigned n);
struct on_port *port_get(struct on_switch *s, const char *name);

/* on_place.c: "NAME …", where the kernel has an interface; and the story's question. */
bool on_place(struct on_switch *s, char **words, unsigned n);
bool on_place_io(void *arg, const char *port, struct bridge_place *ret_place);
/* "P VM IP tagged VLAN|untagged": so the kernel's guard holds it. */
bool on_place_wire(struct on_switch *s, char **words, unsigned n);

/* on_store.c: the store's side of the story; "P VM …", "bind|unbind VM …". */
void on_store_keep(void *arg, const struct binding *binding);
void on_store_forget(void *arg, const struct binding *binding);
bool on_store_kept(struct on_switch *s, char **words, unsigned n);
bool on_store_bind(struct on_switch *s, char **words, unsigned n);
void on_store_look(struct on_switch *s);

/* on_help.c: "SERVER ack|nak …" to giaddr's socket; the xid of the help request for a MAC. */
void on_help_tell(void *arg, const struct link_msg *msg);
bool on_help_listen(void *arg, const struct addr *giaddr);
bool on_help_apart(void *arg, const struct addr *giaddr);
/* "NAME N …": these counters of the story. */
bool on_help_counts(struct on_switch *s, char **words, unsigned n);
bool on_help(struct on_switch *s, char **words, unsigned n);
uint32_t on_help_xid(const struct on_switch *s, const struct mac *mac);
/* on_groups.c: reports on this port; what the story does about groups. */
bool on_groups(struct on_switch *s, struct on_port *port, char **words, unsigned n);
int on_groups_frame(void *arg, const char *port, const uint8_t *frame, size_t len);
bool on_groups_own_mac(void *arg, const char *interface, struct mac *ret_mac);
int on_groups_put(void *arg, const char *port, uint16_t vlan, const struct addr *group);
int on_groups_drop(void *arg, const char *port, uint16_t vlan, const struct addr *group);
int on_groups_quiet(void *arg, const char *port, uint16_t vlan, ms_t so_long,
		    void (*cb)(void *cb_arg, const struct mac *mac), void *cb_arg);
int on_groups_fdb(void *arg, const char *port, uint16_t vlan, const struct mac *mac);
int on_groups_fdb_back(void *arg, const char *port, const char *to, uint16_t vlan,
		       const struct mac *mac);

/* on_switch.c */
struct on_port *port_named(struct on_switch *s, const char *name);
/* "dhcp …" on this port; NULL: this machine itself sends it into the bridge. */
bool on_port_dhcp(struct on_switch *s, struct on_port *port, char **words, unsigned n);
/* Where the word stands in the list; -1. */
int number_of(const char *word, const char *const *names, unsigned n);

#endif
