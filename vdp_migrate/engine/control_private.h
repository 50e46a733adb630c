/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the engine's tables share: control.c (which table), then one
 * file a kind: control_table.c (bindings, VSIs), control_port.c (ports, servers),
 * control_groups.c (groups), control_count.c (counters).
 */
#ifndef ENGINE_CONTROL_PRIVATE_H
#define ENGINE_CONTROL_PRIVATE_H

#include "control.h"
#include "row.h"

struct showing {
	struct control *control;
	struct link_client *client;
	uint32_t seq;
};

#define CONTROL_HEAD(s, ...)                                                             \
	do {                                                                             \
		const char *const names[] = { __VA_ARGS__ };                             \
		link_head((s)->client, (s)->seq, names, sizeof(names) / sizeof(*names)); \
	} while (0)

void control_bindings(const struct showing *s);
void control_vsis(const struct showing *s);
void control_leases(const struct showing *s);
void control_ports(const struct showing *s);
void control_cases(const struct showing *s);
void control_servers(const struct showing *s);
void control_groups(const struct showing *s);
void control_counters(const struct showing *s);

#endif
