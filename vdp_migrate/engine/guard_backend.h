/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guard backends there are. Each implements guard.h of include/.
 */
#ifndef ENGINE_GUARD_BACKEND_H
#define ENGINE_GUARD_BACKEND_H

#include "vdp_migrate/guard.h"

/* By name, NULL: the one to take by default. NULL if there is none so named. */
const struct guard_ops *guard_backend(const char *name);

extern const struct guard_ops guard_nft;

#endif
