/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mark, unmark: a VSI is migrating in, on the server that it comes to.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "command.h"
#include "wire/text.h"

#define TTL_MAX_S 86400

static int parse_mark(int argc, char **argv, struct link_mark *ret_mark);
static int mark_option(int option, const char *value, struct link_mark *mark);

int command_mark(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_MARK };
	int err = parse_mark(argc, argv, &msg.u.mark);

	return err ? err : command_ask(&msg, NULL, NULL);
}

int command_unmark(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_UNMARK };

	msg.u.mark.seq = 1;
	if (argc != 2)
		return command_wrong_use(argv, "one VSI-ID is wanted");
	if (vsi_id_parse(argv[1], &msg.u.mark.id))
		return command_wrong_use(argv, "'%s' is no VSI instance ID", argv[1]);
	return command_ask(&msg, NULL, NULL);
}

static int parse_mark(int argc, char **argv, struct link_mark *ret_mark)
{
	static const struct option options[] = {
		{ "mac", required_argument, NULL, 'm' },
		{ "ip", required_argument, NULL, 'i' },
		{ "client-id", required_argument, NULL, 'c' },
		{ "ttl", required_argument, NULL, 't' },
		{ 0 },
	};
	struct link_mark mark = { .seq = 1 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help mark'");
		if (mark_option(option, optarg, &mark))
			return command_wrong_use(argv, "'%s' is no %s", optarg,
						 option == 'm'	 ? "MAC address"
						 : option == 'i' ? "IP address"
						 : option == 'c'
							 ? "client-id (hex digits)"
							 : "time in seconds, 1 to 86400");
	}
	if (optind + 1 != argc)
		return command_wrong_use(argv, "one VSI-ID is wanted");
	if (vsi_id_parse(argv[optind], &mark.id))
		return command_wrong_use(argv, "'%s' is no VSI instance ID", argv[optind]);
	*ret_mark = mark;
	return 0;
}

static int mark_option(int option, const char *value, struct link_mark *mark)
{
	char *end;
	unsigned long ttl;

	switch (option) {
	case 'm':
		return mac_parse(value, &mark->mac);
	case 'i':
		return addr_parse(value, &mark->ip);
	case 'c':
		return client_id_parse(value, &mark->client_id);
	default:
		errno = 0;
		ttl = strtoul(value, &end, 10);
		if (errno || *end || end == value || *value == '-' || !ttl || ttl > TTL_MAX_S)
			return -EINVAL;
		mark->ttl_s = (uint32_t)ttl;
		return 0;
	}
}
