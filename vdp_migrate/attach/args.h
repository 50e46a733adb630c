/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's settings as arguments of lldptool:
 * lldptool -T|-t -i PORT -g ncb -V 0x02564d01 [NAME[=VALUE]].
 */
#ifndef ATTACH_ARGS_H
#define ATTACH_ARGS_H

#include "lldpad.h"
#include "vdp_migrate/host.h"

/* Handlers for all settings that events name, or NULL. */
struct lldpad_arg *args_make(const struct host_events *events);

#endif
