/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mark, unmark: a VSI is migrating in, on the server that it comes to. What is known of
 * the VM's lease is said by options, or by a file; both must agree.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "lease_file.h"
#include "wire/text.h"

#define TTL_MAX_S 86400

static int parse_mark(int argc, char **argv, struct link_mark *ret_mark);
static int mark_option(int option, const char *value, struct link_mark *mark);
static int tap_parse(const char *value, char ret_tap[VM_IFNAME_MAX]);
static int ttl_parse(const char *value, uint32_t *ret_ttl);
static const char *is_no(int option);
static int take_lease(char **argv, const char *path, struct link_mark *mark);
static const char *contradiction(const struct link_mark *mark,
				 const struct lease_file *lease);

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
		{ "no-client-id", no_argument, NULL, 'n' },
		{ "server", required_argument, NULL, 's' },
		{ "tap", required_argument, NULL, 'd' },
		{ "lease", required_argument, NULL, 'l' },
		{ "ttl", required_argument, NULL, 't' },
		{ 0 },
	};
	struct link_mark mark = { .seq = 1 };
	const char *lease = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help mark'");
		if (option == 'l')
			lease = optarg;
		else if (mark_option(option, optarg, &mark))
			return command_wrong_use(argv, "'%s' is no %s", optarg,
						 is_no(option));
	}
	if (optind + 1 != argc)
		return command_wrong_use(argv, "one VSI-ID is wanted");
	if (vsi_id_parse(argv[optind], &mark.id))
		return command_wrong_use(argv, "'%s' is no VSI instance ID", argv[optind]);
	if (mark.no_client_id && mark.client_id.len)
		return command_wrong_use(argv, "--client-id and --no-client-id cannot both "
					       "be true");
	if (mark.ip.family && mark.server.family && mark.ip.family != mark.server.family)
		return command_wrong_use(argv, "--ip and --server are not of one address "
					       "family");
	if (lease && take_lease(argv, lease, &mark))
		return EXIT_WRONG_USE;
	*ret_mark = mark;
	return 0;
}

static int mark_option(int option, const char *value, struct link_mark *mark)
{
	switch (option) {
	case 'm':
		return mac_parse(value, &mark->mac);
	case 'i':
		return addr_parse(value, &mark->ip);
	case 'c':
		return client_id_parse(value, &mark->client_id);
	case 'n':
		mark->no_client_id = true;
		return 0;
	case 's':
		return addr_parse(value, &mark->server) || addr_is_any(&mark->server);
	case 'd':
		return tap_parse(value, mark->tap);
	default:
		return ttl_parse(value, &mark->ttl_s);
	}
}

/* As the kernel names interfaces; it need not be there yet. */
static int tap_parse(const char *value, char ret_tap[VM_IFNAME_MAX])
{
	if (!*value || strlen(value) >= VM_IFNAME_MAX || strpbrk(value, "/: \t\n") ||
	    !strcmp(value, ".") || !strcmp(value, ".."))
		return -EINVAL;
	strcpy(ret_tap, value);
	return 0;
}

static int ttl_parse(const char *value, uint32_t *ret_ttl)
{
	unsigned long ttl;
	char *end;

	errno = 0;
	ttl = strtoul(value, &end, 10);
	if (errno || *end || end == value || *value == '-' || !ttl || ttl > TTL_MAX_S)
		return -EINVAL;
	*ret_ttl = (uint32_t)ttl;
	return 0;
}

static const char *is_no(int option)
{
	switch (option) {
	case 'm':
		return "MAC address";
	case 'i':
		return "IP address";
	case 's':
		return "DHCP server's IP address";
	case 'c':
		return "client-id (hex digits)";
	case 'd':
		return "interface name";
	default:
		return "time in seconds, 1 to 86400";
	}
}

/* An address that may be another's by then is worse than none: a mark that knows a
 * lease ends with it. */
static int take_lease(char **argv, const char *path, struct link_mark *mark)
{
	const long long now = (long long)time(NULL);
	char why[LEASE_FILE_WHY_MAX];
	struct lease_file lease;
	const char *option;
	FILE *file = fopen(path, "r");
	long long left;
	int rc;

	if (!file)
		return command_wrong_use(argv, "%s: %s", path, strerror(errno));
	rc = lease_file_read(file, &lease, why);
	fclose(file);
	if (rc)
		return command_wrong_use(argv, "%s: %s", path, why);
	option = contradiction(mark, &lease);
	if (option)
		return command_wrong_use(argv, "%s and %s do not agree", option, path);
	left = lease.expires - now;
	if (left <= 0)
		return command_wrong_use(argv, "%s: the lease has expired %lld s ago", path,
					 -left);
	mark->mac = lease.mac;
	mark->ip = lease.ip;
	mark->server = lease.server;
	mark->client_id = lease.client_id;
	mark->no_client_id = lease.no_client_id;
	if (!mark->ttl_s)
		mark->ttl_s = TTL_MAX_S;
	if (mark->ttl_s > left)
		mark->ttl_s = (uint32_t)left;
	return 0;
}

/* The option that says something else than the file; NULL: none does. */
static const char *contradiction(const struct link_mark *mark,
				 const struct lease_file *lease)
{
	if (!mac_is_zero(&mark->mac) && !mac_equal(&mark->mac, &lease->mac))
		return "--mac";
	if (mark->ip.family && !addr_equal(&mark->ip, &lease->ip))
		return "--ip";
	if (mark->server.family && !addr_equal(&mark->server, &lease->server))
		return "--server";
	if (mark->no_client_id && !lease->no_client_id)
		return "--no-client-id";
	if (mark->client_id.len && (mark->client_id.len != lease->client_id.len ||
				    memcmp(mark->client_id.b, lease->client_id.b,
					   mark->client_id.len)))
		return "--client-id";
	return NULL;
}
