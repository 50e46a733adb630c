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
	const struct vm *vm; /* last named here */
};

struct on_switch {
	struct script *script;
	struct bridge *bridge;
	struct mirror mirror;
	unsigned n_ports;
	struct on_port ports[PORTS_MAX];
	uint32_t random;
};

/* on_port.c: what is seen on this port. False: not understood. */
bool on_port(struct on_switch *s, struct on_port *port, char **words, unsigned n);
/* Where the word stands in the list; -1. */
int number_of(const char *word, const char *const *names, unsigned n);

#endif
