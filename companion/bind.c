/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bind, unbind: a static address on the switch. The answer comes when it is on disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "wire/text.h"

static int parse(int argc, char **argv, struct link_bind *ret_bind);
static int vlan_parse(const char *text, uint16_t *ret_vlan);

int command_bind(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_BIND };
	int err = parse(argc, argv, &msg.u.bind);

	return err ? err : command_ask(&msg, NULL, NULL);
}

int command_unbind(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_UNBIND };
	int err = parse(argc, argv, &msg.u.bind);

	return err ? err : command_ask(&msg, NULL, NULL);
}

static int parse(int argc, char **argv, struct link_bind *ret_bind)
{
	struct link_bind bind = { .seq = 1 };

	if (argc != 4 && argc != 5)
		return command_wrong_use(argv, "VLAN, MAC and IP address are wanted");
	if (vlan_parse(argv[1], &bind.vlan))
		return command_wrong_use(argv, "'%s' is no VLAN ID: 0 (untagged) to 4094",
					 argv[1]);
	if (mac_parse(argv[2], &bind.mac))
		return command_wrong_use(argv, "'%s' is no MAC address", argv[2]);
	if (addr_parse(argv[3], &bind.ip))
		return command_wrong_use(argv, "'%s' is no IP address", argv[3]);
	if (argc == 5 && (!*argv[4] || strlen(argv[4]) >= sizeof(bind.port)))
		return command_wrong_use(argv, "'%s' is no port", argv[4]);
	if (argc == 5)
		memcpy(bind.port, argv[4], strlen(argv[4]));
	*ret_bind = bind;
	return 0;
}

static int vlan_parse(const char *text, uint16_t *ret_vlan)
{
	char *end;
	unsigned long vlan;

	errno = 0;
	vlan = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || vlan > 4094)
		return -EINVAL;
	*ret_vlan = (uint16_t)vlan;
	return 0;
}
