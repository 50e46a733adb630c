/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's privileges: a user of its own and three capabilities, nothing else;
 * and who may control it.
 */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

#include <sys/types.h>

#include "vdp_migrate/types.h"

#define SANDBOX_USER "vdp-migrate"
#define SANDBOX_GROUP "vdp-migrate"

/* As root: become that user, keep CAP_NET_RAW, CAP_NET_ADMIN and
 * CAP_NET_BIND_SERVICE. As somebody else who has them: keep these alone. They stay
 * across exec (ambient). 0 or -errno; ret_error says what and its cure. */
int sandbox_enter(const char *user, char *ret_error, size_t error_size);

/* May this peer (SO_PEERCRED) control us: root, our own user, or a member of
 * group vdp-migrate. */
bool sandbox_may_control(uid_t uid, gid_t gid);

#endif
