/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdp-migrate, the companion: marks a VSI as migrating in, and shows what module
 * and engine know. Speaks with the engine; the engine passes on what is the
 * module's; associations it makes by lldpad. Exit status: 0 done, 1 refused, 2 engine,
 * module or lldpad not there, 3 wrong use, 4 no answer of the switch. Here: the table
 * of commands, and help.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config.h"

#define ASSOCIATION \
	"-i PORT --managerid N|UUID --typeid N --typeidversion N\n" \
	"              --instanceid UUID --mac MAC [--vlan N] …\n" \
	"              [--migrate [--tap DEV]] [--timeout SECONDS]"

static int command_help(int argc, char **argv);

static const struct command commands[] = {
	{ "mark",
	  "mark VSI-ID [--mac MAC] [--ip ADDRESS] [--client-id HEX|--no-client-id]\n"
	  "              [--server ADDRESS] [--lease FILE] [--tap DEV] [--ttl SECONDS]",
	  "On the server that a VM migrates to: its VSI's pre-associate and associate\n"
	  "requests carry the migration bit until the association is confirmed.\n"
	  "VSI-ID is the VSI instance ID: a UUID, or a MAC or IP address, or\n"
	  "local: and 32 hex digits. The options say what is known of the VM's lease, so that\n"
	  "this server can renew it when the switch asks for help. Say nothing that is not\n"
	  "certain: a renewal with a wrong address ends the real lease.\n"
	  "--client-id     as the VM sends it (--no-client-id: it sends none)\n"
	  "--server        the DHCP server\n"
	  "--lease         all of it from a file, what is said beside it must agree:\n"
	  "                {\"version\": 1, \"mac\": \"MAC\", \"ip\": \"ADDRESS\", \"client-id\":\n"
	  "                \"HEX\" or null for none, \"server\": \"ADDRESS\", \"expires\": seconds\n"
	  "                since 1970}, and it may have \"vlan\": 0 to 4094\n"
	  "--tap           the VM's interface on this server\n"
	  "Without --ttl the mark stays until unmark, at most 24 hours; with --lease it ends\n"
	  "with the lease.",
	  command_mark },
	{ "unmark", "unmark VSI-ID", "Take the mark away.", command_unmark },
	{ "suspend", "suspend VSI-ID",
	  "On the server that a VM leaves, when the VM has stopped there to go on elsewhere\n"
	  "(QEMU's STOP event): its VSI's association is sent once more, with the suspend bit.\n"
	  "A switch that holds the VM's groups turns its streams to where it goes. The VSI\n"
	  "stays associated; the keep-alives after that are as before.",
	  command_suspend },
	{ "show", "show bindings|vsis|leases|ports|cases|settings|servers|groups|marks|counters\n"
	  "              [--json] [--long] [--prometheus]",
	  "bindings  who may send with which address from which port, until when\n"
	  "vsis      the VSIs that the ports have announced, and where each stands\n"
	  "leases    (server) the leases that its VMs have been seen to get\n"
	  "ports     ports, what is set on them, the guard in force\n"
	  "cases     what speaks against guard=enforce: whom it would cut off, and what to do\n"
	  "settings  each setting of each port, and where it comes from\n"
	  "servers   the DHCP servers: who asks them, how they answer\n"
	  "groups    which VMs are in which multicast groups, and where each report came in\n"
	  "marks     (server) the VSIs marked as migrating in\n"
	  "counters  what was done and what was dropped\n"
	  "--long shows every column, --json every column as a JSON array of objects, one\n"
	  "a row: numbers as numbers, durations in seconds or microseconds (null: without\n"
	  "end), yes and no as true and false, null for what is not known (doc/show.schema.json).\n"
	  "--prometheus: the counters in its text format, for a scraper or a textfile.",
	  command_show },
	{ "watch", "watch [--json]",
	  "Says what happens at the switch, as it happens: VSIs that come and go, their\n"
	  "bindings and multicast groups, the queries for these and the first report, the\n"
	  "guard, DHCP servers that fall silent. One line, or one JSON object\n"
	  "and newline, an event. Ends with Ctrl-C, or with the engine.",
	  command_watch },
	{ "set", "set [NAME=VALUE]",
	  "A setting for all ports that have none of their own; NAME= takes it away.\n"
	  "Kept in lldpad.conf (group vdp_migrate), in force at once. Without an argument:\n"
	  "the settings in force and where each comes from ('show settings').\n"
	  "One port's own: lldptool -T -i PORT -g ncb -V 0x02564d01 NAME=VALUE.",
	  command_set },
	{ "guard", "guard [off --all|on]",
	  "off --all is the way out in an emergency: every port of this switch is open at\n"
	  "once, by one transaction in the kernel, be engine and lldpad alive, stopped or\n"
	  "dead. It stays so until 'guard on' or a restart of the machine, whatever is set;\n"
	  "bindings are kept up to date meanwhile, 'show ports' says 'off: opened by hand'.\n"
	  "on takes it back. Without either: what is in the kernel. Needs root (nft).\n"
	  "Exit status: 0 done, 1 refused by the kernel.",
	  command_guard },
	{ "check", "check [--quick] [--json]",
	  "Looks for what is wrong on this machine, switch or server: lldpad and the module in\n"
	  "it, the engine, versions, the bridge (STP, multicast), EVB mode, timers and\n"
	  "the neighbour's, giaddr, DHCP servers (each is asked for a lease that nobody has),\n"
	  "the guard in the kernel, VSIs, libvirt, permissions. Each finding is a line that\n"
	  "begins with its name, and below it what cures it; doc/operations has them all. It\n"
	  "changes nothing. As root it sees all.\n"
	  "--quick  asks no DHCP server\n"
	  "--json   an array of objects: finding (the name), what, cure\n"
	  "Exit status: 0 nothing wrong found, 1 there are findings, 3 wrong use.",
	  command_check },
	{ "setup",
	  "setup switch PORT… [--server A[,A]] [--giaddr A] [--uplink PORT]… [--apply]\n"
	  "  vdp-migrate setup server PORT… [--apply]",
	  "Shows the commands that make ports of this machine ready, a switch's towards its\n"
	  "servers or a server's towards its switch, and with --apply runs them in turn.\n"
	  "lldpad: LLDP, the EVB mode and ours (use=yes) on each PORT; stored in lldpad.conf.\n"
	  "On a switch also STP and the multicast querier of the bridge, where these are off,\n"
	  "and guard=monitor, which counts what enforce would drop and drops nothing: 'show\n"
	  "ports' says when no case is left, then set guard=enforce.\n"
	  "--server  the DHCP servers that are asked for leases\n"
	  "--giaddr  the own address to ask from (without: the bridge's; see 'check')\n"
	  "--uplink  the port of the bridge that DHCP servers are behind: trusted=yes; again for\n"
	  "          a further one; in place of a bond each interface in it\n"
	  "What is so already is left out. lldpad must run with the module in it, and the links\n"
	  "be up. It takes a new EVB mode only when it starts: its restart is left to you. What\n"
	  "is set for a bridge lasts until the next boot: put it into the network's\n"
	  "configuration, too. Exit status: 0 done or shown, 1 refused, or a command has failed,\n"
	  "2 lldpad or the module is not there, or not root; with 2 nothing has been done.",
	  command_setup },
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
	{ "associate", "associate " ASSOCIATION,
	  "On a server, for a VM that libvirt makes no association for (a bridge, a tap): lldpad\n"
	  "associates its VSI at the switch behind PORT, and keeps it alive from then on. Any\n"
	  "lldpad does, with or without our module.\n"
	  "IDs as libvirt writes them: managerid 0 to 255 or a UUID, typeid up to 16777215,\n"
	  "typeidversion up to 255, instanceid a UUID. Several MAC addresses: --mac again; a\n"
	  "--vlan is that of the --mac before it (none, or 0: untagged, or as the switch\n"
	  "chooses). --migrate: the VM comes by live migration, so the requests carry the M-bit.\n"
	  "Where the module is a mark sets it until the association is confirmed (see 'help\n"
	  "mark'; deassociate takes the mark away). Without the module lldpad's own hint sets\n"
	  "it, in the keep-alives too, if this is the VSI's first request. --tap: the VM's\n"
	  "interface in a bridge of this server, which then withholds nothing from it; one\n"
	  "with the VM's MAC address but for a first octet of fe, as libvirt's, is found\n"
	  "without. To say the same once more does no harm.\n"
	  "Exit status: 0 accepted, 1 refused (the reason is said), 2 no lldpad, no VDP on\n"
	  "PORT, or no permission, 3 wrong use, 4 no answer from the switch within --timeout\n"
	  "(20 seconds).",
	  command_associate },
	{ "preassociate", "preassociate " ASSOCIATION,
	  "As associate, but the VM does not run here yet: the switch prepares.",
	  command_preassociate },
	{ "deassociate",
	  "deassociate -i PORT --instanceid UUID [--managerid N|UUID] [--typeid N]\n"
	  "              [--typeidversion N] [--timeout SECONDS]",
	  "Ends the association, or each one with this instance ID on PORT. Exit status: as\n"
	  "of associate; 1 also if there is none.",
	  command_deassociate },
	{ "qemu",
	  "qemu --qmp SOCKET [--role auto|source|destination] [--timeout SECONDS]\n"
	  "              -i PORT --managerid … (as associate; once for each NIC)",
	  "Follows the VM of one QEMU by its monitor (-qmp unix:SOCKET,server=on,wait=off; its\n"
	  "own: QMP takes one client), and has its association go along with it until QEMU ends.\n"
	  "QEMU started with -incoming and -S: pre-associates while it waits; when all of the\n"
	  "VM is there (with post-copy: when that begins) associates, and lets it go on when\n"
	  "the switch has answered, or has refused, or after SECONDS (2). A VM paused before\n"
	  "its migration goes on, too.\n"
	  "Any other QEMU: associates; when the VM stops for the switch-over, says so to the\n"
	  "switch (S-bit; needs our module); de-associates 1.5 s after the migration is\n"
	  "completed. A migration that fails or is cancelled is undone.\n"
	  "--role: refuse a QEMU that is the other. Ctrl-C ends this command and leaves the\n"
	  "association as it is. Exit status: the worst of the requests made, as of associate;\n"
	  "1 also if QEMU refuses, 2 if it is not there.",
	  command_qemu },
	{ "install-hook", "install-hook [--bridge] [--remove] [--root DIR]",
	  "Puts a script into /etc/libvirt/hooks/qemu.d/, beside those of others (libvirt 6.5\n"
	  "and later run it): a VM that libvirt migrates in to this server is marked before its\n"
	  "pre-associate ('help mark'), with its lease where the domain's metadata has it\n"
	  "('help agent'); the mark goes when the VM stops here. Interfaces with a virtual port\n"
	  "of type 802.1Qbg; with --bridge also those whose VSI is named by the metadata (vsis\n"
	  "in namespace urn:vdp-migrate:vsis:1: <vsi mac='MAC' instanceid='UUID'/>) or, on a\n"
	  "bridge, by the virtual port's interfaceid. --remove takes the script out. --root\n"
	  "DIR: that of a system below DIR. Said again nothing changes. A file of that name\n"
	  "that is not ours is left alone: exit status 1.",
	  command_install_hook },
	{ "hook", "hook [--bridge] [--] GUEST OPERATION SUB-OPERATION EXTRA",
	  "What that script runs, with the domain's XML on standard input: marks at 'migrate\n"
	  "begin', takes the marks away at 'stopped' and 'release'. It prints nothing, is done\n"
	  "within 200 ms and always succeeds; what is wrong stands in syslog.",
	  command_hook },
	{ "agent", "agent [--connect URI] [--interval SECONDS]",
	  "Keeps the leases that the VMs of this server have been seen to get in the metadata\n"
	  "of their domains, so that libvirt carries them to where a VM migrates. Tells lldpad\n"
	  "when a VM has stopped to go on elsewhere (suspend bit). Goes on until it is ended;\n"
	  "libvirt and the engine may come and go.",
	  command_agent },
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
	       "2 engine, module or lldpad not there, 3 wrong use, 4 no answer of the switch.\n");
	return EXIT_DONE;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}
