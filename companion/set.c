/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * set: a setting for all ports that have none of their own. Which settings there are,
 * and what they take, the module knows.
 */
#include <string.h>

#include "command.h"

int command_set(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_SET, .u.set = { .seq = 1 } };
	char *show[] = { argv[0], (char *)"settings", NULL };
	struct link_set *set = &msg.u.set;
	const char *value;
	size_t len;

	if (argc == 1)
		return command_show(2, show);
	value = argc == 2 ? strchr(argv[1], '=') : NULL;
	if (!value || value == argv[1])
		return command_wrong_use(argv, "one NAME=VALUE is wanted");
	len = (size_t)(value++ - argv[1]);
	if (len >= sizeof(set->name) || strlen(value) >= sizeof(set->value))
		return command_wrong_use(argv, "'%s' is too long", argv[1]);
	memcpy(set->name, argv[1], len);
	strcpy(set->value, value);
	return command_ask(&msg, NULL, NULL);
}
