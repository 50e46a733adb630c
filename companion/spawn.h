/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program of the system run to its end: nft, ip, lldptool.
 */
#ifndef COMPANION_SPAWN_H
#define COMPANION_SPAWN_H

struct spawned {
	int code; /* its exit status; -errno: it has not run */
	char *out; /* what it printed, owned; "" if nothing */
	char error[256]; /* the first line of its complaint, or why it has not run */
};

/* argv[0] is sought in the system's places alone; input may be NULL. Returns code. */
int spawn(const char *const *argv, const char *input, struct spawned *ret_spawned);
void spawned_done(struct spawned *spawned);

#endif
