/* SPDX-License-Identifier: GPL-2.0-only */
/* setup: what its parts share. */
#ifndef COMPANION_SETUP_H
#define COMPANION_SETUP_H

#include <stdbool.h>

#define SETUP_UPLINKS_MAX 16

struct setup {
	bool on_switch, apply;
	bool restart; /* of lldpad: something that it reads at its start alone is new */
	unsigned n_steps;
	const char *servers, *giaddr;
	const char *uplinks[SETUP_UPLINKS_MAX + 1]; /* up to NULL */
	char **ports; /* up to NULL */
};

/* setup_ready.c: is this an interface that LLDP can be spoken on? Else it is said, with
 * the usage; EXIT_WRONG_USE. argv[0] is the command. */
int setup_interface(char **argv, const char *name);
/* What is in the way of all of it: said, as a comment where nothing is to be applied.
 * EXIT_DONE: nothing, or nothing is applied. */
int setup_ready(const struct setup *setup);
/* Is this so in lldpad already? words: what lldptool is to say, "NAME=VALUE". False, too,
 * if it does not answer. */
bool setup_is_set(const char *port, const char *tlv, const char *word);

#endif
