/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suspend: a VSI's user has stopped here, on the server that it leaves.
 */
#include "command.h"
#include "wire/text.h"

int command_suspend(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_SUSPEND, .u.suspend.seq = 1 };

	if (argc != 2)
		return command_wrong_use(argv, "one VSI-ID is wanted");
	if (vsi_id_parse(argv[1], &msg.u.suspend.id))
		return command_wrong_use(argv, "'%s' is no VSI instance ID", argv[1]);
	return command_ask(&msg, NULL, NULL);
}
