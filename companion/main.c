/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdp-migrate, the companion: marks a VSI as migrating in, and shows what module
 * and engine know. Speaks with the engine; the engine passes on what is the
 * module's. Exit status: 0 done, 1 refused, 2 engine or module not there, 3 wrong
 * use. Here: the table of commands, and help.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config.h"

static int command_help(int argc, char **argv);

static const struct command commands[] = {
	{ "mark", "mark VSI-ID [--mac MAC] [--ip ADDRESS] [--client-id HEX] [--ttl SECONDS]",
	  "On the server that a VM migrates to: its VSI's pre-associate and associate\n"
	  "requests carry the migration bit until the association is confirmed.\n"
	  "VSI-ID is the VSI instance ID: a UUID, or a MAC or IP address, or\n"
	  "local: and 32 hex digits. --mac, --ip and --client-id say what is known of the VM's lease.\n"
	  "Without --ttl the mark stays until unmark, at most 24 hours.",
	  command_mark },
	{ "unmark", "unmark VSI-ID", "Take the mark away.", command_unmark },
	{ "show", "show bindings|vsis|ports|settings|servers|marks|counters [--json] [--long]",
	  "bindings  who may send with which address from which port, until when\n"
	  "vsis      the VSIs that the ports have announced, and where each stands\n"
	  "ports     ports, what is set on them, the guard in force\n"
	  "settings  each setting of each port, and where it comes from\n"
	  "servers   the DHCP servers: who asks them, how they answer\n"
	  "marks     (server) the VSIs marked as migrating in\n"
	  "counters  what was done and what was dropped\n"
	  "--long shows every column, --json every column as a JSON array of objects, one\n"
	  "a row: numbers as numbers, durations in seconds or microseconds (null: without\n"
	  "end), yes and no as true and false, null for what is not known.",
	  command_show },
	{ "watch", "watch [--json]",
	  "Says what happens at the switch, as it happens: VSIs that come and go, their\n"
	  "bindings, the guard, DHCP servers that fall silent. One line, or one JSON object\n"
	  "and newline, an event. Ends with Ctrl-C, or with the engine.",
	  command_watch },
	{ "set", "set [NAME=VALUE]",
	  "A setting for all ports that have none of their own; NAME= takes it away.\n"
	  "Kept in lldpad.conf (group vdp_migrate), in force at once. Without an argument:\n"
	  "the settings in force and where each comes from ('show settings').\n"
	  "One port's own: lldptool -T -i PORT -g ncb -V 0x02564d01 NAME=VALUE.",
	  command_set },
	{ "bind", "bind VLAN MAC IP [PORT]",
	  "On the switch: this MAC may send with this IP address, without an end. Without\n"
	  "PORT wherever its VSI is, now and later; with it there at once. It follows its\n"
	  "VSI and outlives restarts. VLAN 0 is untagged.",
	  command_bind },
	{ "unbind", "unbind VLAN MAC IP [PORT]",
	  "Take a static address away: everywhere, or on that port.", command_unbind },
	{ "leasequery",
	  "leasequery mac|ip|client-id|remote-id VALUE [--server A[,A]] [--giaddr G]\n"
	  "              [--timeout SECONDS] [--json]",
	  "Asks DHCP servers for a lease: through the engine where it runs (without --server\n"
	  "those that are set on its ports), else from a socket of its own. A client-id is\n"
	  "hex digits; a remote-id a VSI instance ID, hex digits or text:TEXT. --giaddr is\n"
	  "the own address to ask from: the answers come to its UDP port 67. The reply that\n"
	  "counts is shown first. Exit status: 0 a lease is active, 1 there is none, 2 no\n"
	  "answer, 3 wrong use.",
	  command_leasequery },
	{ "help", "help [COMMAND]", "What a command does.", command_help },
};

static const struct command *find(const char *name);

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return command_help(1, argv), EXIT_WRONG_USE;
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_help(1, argv);
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

int command_wrong_use(char **argv, const char *format, ...)
{
	const struct command *command = find(argv[0]);
	va_list args;

	fprintf(stderr, "vdp-migrate: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: vdp-migrate %s\n", command ? command->usage : "COMMAND");
	return EXIT_WRONG_USE;
}

static int command_help(int argc, char **argv)
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

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}
