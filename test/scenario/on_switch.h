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
	bool nowhere;
	struct bridge_place place;
	const struct vm *vm; /* last named here */
};

struct on_switch {
	struct script *script;
	struct bridge *bridge;
	struct mirror mirror;
	unsigned n_ports;
	struct on_port ports[PORTS_MAX];
	uint32_t random;
	bool watched;
	bool loading;		/* what the table has of the store is in it already */
	unsigned n_kept;
	struct binding kept[MIRROR_MAX];
};

/* on_port.c: what is seen on this port. False: not understood. */
bool on_port(struct on_switch *s, struct on_port *port, char **words, unsigned n);
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

/* on_switch.c */
struct on_port *port_named(struct on_switch *s, const char *name);
struct on_port *port_get(struct on_switch *s, const char *name);	/* NULL: too many */
/* "dhcp …" on this port; NULL: this machine itself sends it into the bridge. */
bool on_port_dhcp(struct on_switch *s, struct on_port *port, char **words, unsigned n);
/* Where the word stands in the list; -1. */
int number_of(const char *word, const char *const *names, unsigned n);

#endif
