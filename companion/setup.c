/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * setup: the commands that a person would give, shown, and with --apply given. It knows
 * what lldpad and the kernel's bridge need for VDP, and of how they are now what a
 * second setup would weaken or be refused. Exit status: 0 done or shown, 1 a command
 * has failed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "command.h"
#include "spawn.h"
#include "wire/text.h"

#define WORDS_MAX 16

struct setup {
	bool on_switch, apply;
	const char *servers, *giaddr, *uplink;
};

static int parse(int argc, char **argv, struct setup *ret_setup);
static int parse_option(char **argv, int option, struct setup *setup);
static bool is_list(const char *value, unsigned most);
static bool is_interface(const char *name);
static int bridge(const struct setup *setup, const char *port);
static int lldpad(const struct setup *setup, const char *port);
static int ours(const struct setup *setup, const char *port);
static bool is_set(const char *port, const char *tlv, const char *name, const char *is);
static int trusted(const struct setup *setup);
static int step(const struct setup *setup, const char *first, ...);

int command_setup(int argc, char **argv)
{
	struct setup setup = { 0 };
	int code = parse(argc, argv, &setup);

	if (code)
		return code;
	for (int i = optind + 1; i < argc; i++)
		if (bridge(&setup, argv[i]) || lldpad(&setup, argv[i]) ||
		    ours(&setup, argv[i]))
			return EXIT_REFUSED;
	if (setup.uplink && trusted(&setup))
		return EXIT_REFUSED;
	printf(setup.apply
		       ? "done; what is left to you, once no VM is being moved:\n"
			 "  systemctl restart lldpad\n  vdp-migrate check\n"
		       : "nothing is done yet: say it again with --apply, then restart "
			 "lldpad\n");
	return EXIT_DONE;
}

static int parse(int argc, char **argv, struct setup *ret_setup)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' },
		{ "giaddr", required_argument, NULL, 'g' },
		{ "uplink", required_argument, NULL, 'u' },
		{ "apply", no_argument, NULL, 'a' },
		{ 0 },
	};
	struct setup *setup = ret_setup;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		code = parse_option(argv, option, setup);
		if (code)
			return code;
	}
	setup->on_switch = optind < argc && !strcmp(argv[optind], "switch");
	if (!setup->on_switch && (optind >= argc || strcmp(argv[optind], "server") != 0))
		return command_wrong_use(argv, "switch or server?");
	if (optind + 1 == argc)
		return command_wrong_use(argv, "a port is wanted");
	if (!setup->on_switch && (setup->servers || setup->giaddr || setup->uplink))
		return command_wrong_use(argv,
					 "a server has no --server, --giaddr, --uplink");
	for (int i = optind + 1; i < argc; i++)
		if (!is_interface(argv[i]))
			return command_wrong_use(argv, "there is no interface '%s'",
						 argv[i]);
	return 0;
}

static int parse_option(char **argv, int option, struct setup *setup)
{
	switch (option) {
	case 's':
		setup->servers = optarg;
		return is_list(optarg, LINK_SERVERS_MAX)
			       ? 0
			       : command_wrong_use(argv,
						   "'%s' is no list of up to 8 IPv4 "
						   "addresses",
						   optarg);
	case 'g':
		setup->giaddr = optarg;
		return is_list(optarg, 1)
			       ? 0
			       : command_wrong_use(argv, "'%s' is no IPv4 address",
						   optarg);
	case 'u':
		setup->uplink = optarg;
		return is_interface(optarg) ? 0
					    : command_wrong_use(argv,
								"there is no interface "
								"'%s'",
								optarg);
	case 'a':
		setup->apply = true;
		return 0;
	default:
		return command_wrong_use(argv, "see 'vdp-migrate help setup'");
	}
}

static bool is_list(const char *value, unsigned most)
{
	char text[256], *rest = text, *one;
	struct addr addr;
	unsigned n = 0;

	if (strlen(value) >= sizeof(text))
		return false;
	strcpy(text, value);
	while ((one = strsep(&rest, ",")))
		if (++n > most || addr_parse(one, &addr) || addr.family != ADDR_IPV4)
			return false;
	return true;
}

static bool is_interface(const char *name)
{
	char path[64];
	struct stat info;

	if (!*name || strlen(name) >= VM_IFNAME_MAX || strchr(name, '/') ||
	    name[0] == '.')
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	return !stat(path, &info);
}

/* Without STP the kernel passes LLDP and VDP frames on, and lldpad sees none. */
static int bridge(const struct setup *setup, const char *port)
{
	char name[VM_IFNAME_MAX];
	int err = 0;

	if (!check_bridge_of(port, name)) {
		if (setup->on_switch)
			printf("# %s is no port of a bridge: no guard there until it "
			       "is\n",
			       port);
		return 0;
	}
	if (!check_bridge_value(name, "stp_state"))
		err = step(setup, "ip", "link", "set", name, "type", "bridge",
			   "stp_state", "1", "forward_delay", "200", NULL);
	if (!err && setup->on_switch &&
	    check_bridge_value(name, "multicast_snooping") == 1 &&
	    !check_bridge_has_querier(name) &&
	    !check_bridge_value(name, "multicast_querier"))
		err = step(setup, "ip", "link", "set", name, "type", "bridge",
			   "mcast_querier", "1", NULL);
	return err;
}

/* IEEE 802.1Q clause 41: the bridge offers reflective relay and leads, a station asks. */
static int lldpad(const struct setup *setup, const char *port)
{
	const char *mode = setup->on_switch ? "evbmode=bridge" : "evbmode=station";
	int err = step(setup, "lldptool", "-L", "-i", port, "-g", "ncb",
		       "adminStatus=rxtx", NULL);

	/* lldpad refuses to enable it twice. */
	if (!err && !is_set(port, "evb", "enableTx", "enableTx=yes"))
		err = step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V", "evb",
			   "enableTx=yes", NULL);
	if (!err)
		err = step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V", "evb",
			   mode, NULL);
	return err;
}

static int ours(const struct setup *setup, const char *port)
{
	char servers[300], giaddr[64];
	const char *words[4] = { NULL };
	unsigned n = 0;

	if (!setup->on_switch)
		return step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V",
			    "0x02564d01", "use=yes", NULL);
	/* What is set is not weakened. */
	if (!is_set(port, "0x02564d01", "guard", "guard=monitor") &&
	    !is_set(port, "0x02564d01", "guard", "guard=enforce"))
		words[n++] = "guard=monitor";
	if (setup->servers) {
		snprintf(servers, sizeof(servers), "servers=%s", setup->servers);
		words[n++] = servers;
	}
	if (setup->giaddr) {
		snprintf(giaddr, sizeof(giaddr), "giaddr=%s", setup->giaddr);
		words[n++] = giaddr;
	}
	return step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V", "0x02564d01",
		    "use=yes", words[0], words[1], words[2], NULL);
}

/* False, too, if lldpad does not say. */
static bool is_set(const char *port, const char *tlv, const char *name, const char *is)
{
	const char *const argv[] = { "lldptool", "-t", "-i", port, "-g", "ncb",
				     "-V",	 tlv,  "-c", name, NULL };
	struct spawned s;
	bool set = !spawn(argv, NULL, &s) && strstr(s.out, is);

	spawned_done(&s);
	return set;
}

static int trusted(const struct setup *setup)
{
	return step(setup, "lldptool", "-T", "-i", setup->uplink, "-g", "ncb", "-V",
		    "0x02564d01", "use=yes", "trusted=yes", NULL);
}

/* A command, its words up to NULL: shown, and run where that is wanted. 0 or -EIO. */
static int step(const struct setup *setup, const char *first, ...)
{
	const char *argv[WORDS_MAX + 1] = { first };
	struct spawned s;
	unsigned n = 1;
	va_list args;

	va_start(args, first);
	while (n < WORDS_MAX && (argv[n] = va_arg(args, const char *)))
		n++;
	va_end(args);
	for (unsigned i = 0; i < n; i++)
		printf(i ? " %s" : "%s", argv[i]);
	printf("\n");
	if (!setup->apply)
		return 0;
	fflush(stdout);
	if (!spawn(argv, NULL, &s)) {
		spawned_done(&s);
		return 0;
	}
	fprintf(stderr, "vdp-migrate: this has failed, and no more is done: %s\n",
		*s.error ? s.error : s.out);
	spawned_done(&s);
	return -EIO;
}
