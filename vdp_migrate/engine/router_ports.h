/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridge ports that get all multicast for a while, and what they were before. That is
 * put back when it is over, when the engine ends, and, where it ended without being
 * able to, by the next one: a file in the state directory says what is to be put back.
 */
#ifndef ENGINE_ROUTER_PORTS_H
#define ENGINE_ROUTER_PORTS_H

#include "bridge_set.h"

#define ROUTER_PORTS_FILE "router-ports"

struct router_ports;

/* set is borrowed. NULL: no memory. Puts back what another engine has left behind. */
struct router_ports *router_ports_new(struct bridge_set *set, const char *dir);
/* Puts back all. NULL may be freed. */
void router_ports_free(struct router_ports *ports);

/* As many times off as on. 0 or -errno; no error to end what did not begin, or what is no
 * bridge port any more. */
int router_ports_on(struct router_ports *ports, uint32_t ifindex, const char *name);
int router_ports_off(struct router_ports *ports, const char *name);

#endif
