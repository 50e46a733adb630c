/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdp-migrate, the companion: marks a VSI as migrating in, and shows what module
 * and engine know. Speaks with the engine; the engine passes on what is the
 * module's. Exit status: 0 done, 1 refused, 2 engine or module not there, 3 wrong
 * use.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "link_client.h"
#include "table.h"
#include "wire/text.h"

#define TTL_MAX_S 86400

enum exit_code { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_NOT_THERE = 2, EXIT_WRONG_USE = 3 };

static int run_mark(int argc, char **argv);
static int run_unmark(int argc, char **argv);
static int run_show(int argc, char **argv);
static int run_help(int argc, char **argv);

static const struct command {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "mark", "mark VSI-ID [--mac MAC] [--ip ADDRESS] [--client-id HEX] [--ttl SECONDS]",
	  "On the server that a VM migrates to: its VSI's pre-associate and associate\n"
	  "requests carry the migration bit until the association is confirmed.\n"
	  "VSI-ID is the VSI instance ID: a UUID, or a MAC or IP address, or 32 hex\n"
	  "digits. --mac, --ip and --client-id say what is known of the VM's lease.\n"
	  "Without --ttl the mark stays until unmark, at most 24 hours.",
	  run_mark },
	{ "unmark", "unmark VSI-ID", "Take the mark away.", run_unmark },
	{ "show", "show bindings|vsis|ports|servers|counters|marks",
	  "bindings  who may send with which address from which port, until when\n"
	  "vsis      the VSIs that the ports have announced, and where each stands\n"
	  "ports     ports, their settings, the guard in force\n"
	  "servers   the DHCP servers asked\n"
	  "counters  what was done and what was dropped\n"
	  "marks     (server) the VSIs marked as migrating in",
	  run_show },
	{ "help", "help [COMMAND]", "What a command does.", run_help },
};

static const struct command *find(const char *name);
static int wrong_use(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int ask(const struct link_msg *question, bool table);
static int parse_mark(int argc, char **argv, struct link_mark *ret_mark);
static int mark_option(int option, const char *value, struct link_mark *mark);
static void take_row(void *arg, bool head, const struct link_row *row);

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return run_help(1, argv), EXIT_WRONG_USE;
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(1, argv);
	if (!strcmp(argv[1], "--version"))
		return printf("vdp-migrate %s\n", PACKAGE_VERSION), EXIT_DONE;
	command = find(argv[1]);
	if (!command) {
		fprintf(stderr, "vdp-migrate: no command '%s'; see 'vdp-migrate help'\n",
			argv[1]);
		return EXIT_WRONG_USE;
	}
	return command->run(argc - 1, argv + 1);
}

/* The commands. */

static int run_mark(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_MARK };
	int err = parse_mark(argc, argv, &msg.u.mark);

	return err ? err : ask(&msg, false);
}

static int run_unmark(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_UNMARK };

	msg.u.mark.seq = 1;
	if (argc != 2)
		return wrong_use(find("unmark"), "one VSI-ID is wanted");
	if (vsi_id_parse(argv[1], &msg.u.mark.id))
		return wrong_use(find("unmark"), "'%s' is no VSI instance ID", argv[1]);
	return ask(&msg, false);
}

static int run_show(int argc, char **argv)
{
	struct link_msg msg = { .type = LINK_SHOW, .u.show = { .seq = 1 } };

	if (argc != 2 || strlen(argv[1]) >= sizeof(msg.u.show.table))
		return wrong_use(find("show"), "one table is wanted");
	strcpy(msg.u.show.table, argv[1]);
	return ask(&msg, true);
}

static int run_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 1 && !command) {
		fprintf(stderr, "vdp-migrate: no command '%s'\n", argv[1]);
		return EXIT_WRONG_USE;
	}
	if (command) {
		printf("vdp-migrate %s\n\n%s\n", command->usage, command->help);
		return EXIT_DONE;
	}
	printf("A VM that live-migrates keeps its address and its streams: marks and shows.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		printf("  vdp-migrate %s\n", commands[i].usage);
	printf("\n'vdp-migrate help COMMAND' says more. Exit status: 0 done, 1 refused,\n"
	       "2 engine or module not there, 3 wrong use.\n");
	return EXIT_DONE;
}

/* Below the commands. */

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int wrong_use(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "vdp-migrate: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: vdp-migrate %s\n", command->usage);
	return EXIT_WRONG_USE;
}

static int ask(const struct link_msg *question, bool table)
{
	static const struct link_answer_ops ops = { .row = take_row };
	struct table rows = { 0 };
	struct link_done done;
	int fd = link_client_connect();
	int err = fd < 0 ? fd : link_client_ask(fd, question, &ops, &rows, &done);

	if (fd >= 0)
		close(fd);
	if (err) {
		fprintf(stderr, "vdp-migrate: %s\n",
			err == -ECONNREFUSED ? "engine not running (vdp-migrated)"
			: err == -EACCES     ? "the engine does not let you in: root, or a "
					       "member of group vdp-migrate"
			: err == -EPERM	     ? "the engine's name is held by another program"
			: err == -EPROTO     ? "engine and vdp-migrate are of different versions"
					     : strerror(-err));
		return EXIT_NOT_THERE;
	}
	if (table && !done.code)
		table_print(&rows, stdout);
	table_done(&rows);
	if (*done.text)
		fprintf(stderr, "vdp-migrate: %s\n", done.text);
	if (!done.code)
		return EXIT_DONE;
	return done.code == ENOTCONN ? EXIT_NOT_THERE : EXIT_REFUSED;
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
			return wrong_use(find("mark"), "see 'vdp-migrate help mark'");
		if (mark_option(option, optarg, &mark))
			return wrong_use(find("mark"), "'%s' is no %s", optarg,
					 option == 'm'	 ? "MAC address"
					 : option == 'i' ? "IP address"
					 : option == 'c' ? "client-id (hex digits)"
							 : "time in seconds, 1 to 86400");
	}
	if (optind + 1 != argc)
		return wrong_use(find("mark"), "one VSI-ID is wanted");
	if (vsi_id_parse(argv[optind], &mark.id))
		return wrong_use(find("mark"), "'%s' is no VSI instance ID", argv[optind]);
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

static void take_row(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	table_add(arg, row);
}
