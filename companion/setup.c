/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * setup: the commands that a person would give, shown, and with --apply given. It knows
 * what lldpad and the kernel's bridge need for VDP, and leaves out what is so already.
 * Exit status: 0 done or shown, 1 refused, or a command has failed, 2 lldpad or the
 * module not there, or not root, 3 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "setup.h"
#include "spawn.h"
#include "wire/text.h"

#define WORDS_MAX 16
#define TLV "0x02564d01"

static int parse(int argc, char **argv, struct setup *ret_setup);
static int parse_option(char **argv, int option, struct setup *setup);
static int add_uplink(char **argv, struct setup *setup, const char *name);
static int interfaces(char **argv, const struct setup *setup);
static bool is_list(const char *value, unsigned most);
static int bridge(struct setup *setup, const char *port);
static bool is_seen_to(const struct setup *setup, const char *bridge, const char *port);
static int lldpad(struct setup *setup, const char *port);
static int ours(struct setup *setup, const char *port);
static bool speaks_lldp(const char *port);
static void add(const char *port, const char *word, const char **words, unsigned *n);
static int trusted(struct setup *setup, const char *port);
static int set_ours(struct setup *setup, const char *port, const char **words);
static int step(struct setup *setup, const char *first, ...);
static int run(struct setup *setup, const char *const *argv);
static void say_end(const struct setup *setup);

int command_setup(int argc, char **argv)
{
	struct setup setup = { 0 };
	int code = parse(argc, argv, &setup);

	if (!code)
		code = setup_ready(&setup);
	if (code)
		return code;
	for (char **p = setup.ports; *p; p++)
		if (bridge(&setup, *p) || lldpad(&setup, *p) || ours(&setup, *p))
			return EXIT_REFUSED;
	for (const char **u = setup.uplinks; *u; u++)
		if (trusted(&setup, *u))
			return EXIT_REFUSED;
	say_end(&setup);
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
	if (!setup->on_switch && (setup->servers || setup->giaddr || *setup->uplinks))
		return command_wrong_use(argv,
					 "a server has no --server, --giaddr, --uplink");
	setup->ports = argv + optind + 1;
	return interfaces(argv, setup);
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
		return add_uplink(argv, setup, optarg);
	case 'a':
		setup->apply = true;
		return 0;
	default:
		return command_wrong_use(argv, "see 'vdp-migrate help setup'");
	}
}

/* One that is named again is one. */
static int add_uplink(char **argv, struct setup *setup, const char *name)
{
	unsigned n = 0;

	while (setup->uplinks[n] && strcmp(setup->uplinks[n], name) != 0)
		n++;
	if (n == SETUP_UPLINKS_MAX)
		return command_wrong_use(argv, "more than %d uplinks", SETUP_UPLINKS_MAX);
	setup->uplinks[n] = name;
	return 0;
}

static int interfaces(char **argv, const struct setup *setup)
{
	int code = 0;

	for (char **p = setup->ports; !code && *p; p++) {
		code = setup_interface(argv, *p);
		for (const char *const *u = setup->uplinks; !code && *u; u++)
			if (!strcmp(*p, *u))
				code = command_wrong_use(
					argv,
					"%s is a server's port or the uplink to "
					"DHCP servers, not both",
					*p);
	}
	for (const char *const *u = setup->uplinks; !code && *u; u++)
		code = setup_interface(argv, *u);
	return code;
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

/* Without STP the kernel passes LLDP and VDP frames on, and lldpad sees none. On a
 * server a VM that comes hears nothing for twice the forward delay. */
static int bridge(struct setup *setup, const char *port)
{
	char name[VM_IFNAME_MAX];
	int err = 0;

	if (!check_bridge_of(port, name) || is_seen_to(setup, name, port))
		return 0;
	if (!check_bridge_value(name, "stp_state"))
		err = step(setup, "ip", "link", "set", name, "type", "bridge",
			   "stp_state", "1", "forward_delay", "200", NULL);
	else if (!setup->on_switch && check_bridge_value(name, "forward_delay") > 200)
		err = step(setup, "ip", "link", "set", name, "type", "bridge",
			   "forward_delay", "200", NULL);
	if (!err && setup->on_switch &&
	    check_bridge_value(name, "multicast_snooping") == 1 &&
	    !check_bridge_has_querier(name) &&
	    !check_bridge_value(name, "multicast_querier"))
		err = step(setup, "ip", "link", "set", name, "type", "bridge",
			   "mcast_querier", "1", NULL);
	return err;
}

/* A bridge that an earlier port is in, too: it is shown once. */
static bool is_seen_to(const struct setup *setup, const char *bridge, const char *port)
{
	char name[VM_IFNAME_MAX];

	for (char **p = setup->ports; *p && strcmp(*p, port) != 0; p++)
		if (check_bridge_of(*p, name) && !strcmp(name, bridge))
			return true;
	return false;
}

/* IEEE 802.1Q clause 41: the bridge offers reflective relay and leads, a station asks.
 * lldpad refuses to enable what is enabled; a mode that is the default is set all the
 * same: then it stands in lldpad.conf. */
static int lldpad(struct setup *setup, const char *port)
{
	const char *mode = setup->on_switch ? "evbmode=bridge" : "evbmode=station";
	bool enabled = setup_is_set(port, "evb", "enableTx=yes");
	int err = 0;

	if (!speaks_lldp(port))
		err = step(setup, "lldptool", "-L", "-i", port, "-g", "ncb",
			   "adminStatus=rxtx", NULL);
	if (!err && !enabled)
		err = step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V", "evb",
			   "enableTx=yes", NULL);
	if (err || (enabled && setup_is_set(port, "evb", mode)))
		return err;
	setup->restart = true;
	return step(setup, "lldptool", "-T", "-i", port, "-g", "ncb", "-V", "evb", mode,
		    NULL);
}

static bool speaks_lldp(const char *port)
{
	const char *const argv[] = { "lldptool", "-l",	"-i",	       port,
				     "-g",	 "ncb", "adminStatus", NULL };
	struct spawned s;
	bool speaks = !spawn(argv, NULL, &s) && strstr(s.out, "adminStatus=rxtx");

	spawned_done(&s);
	return speaks;
}

/* A guard that is set is not weakened. */
static int ours(struct setup *setup, const char *port)
{
	char servers[300], giaddr[64];
	const char *words[WORDS_MAX] = { NULL };
	unsigned n = 0;

	add(port, "use=yes", words, &n);
	if (setup->on_switch && !setup_is_set(port, TLV, "guard=enforce"))
		add(port, "guard=monitor", words, &n);
	if (setup->on_switch && setup_is_set(port, TLV, "trusted=yes"))
		add(port, "trusted=no", words, &n);
	if (setup->servers) {
		snprintf(servers, sizeof(servers), "servers=%s", setup->servers);
		add(port, servers, words, &n);
	}
	if (setup->giaddr) {
		snprintf(giaddr, sizeof(giaddr), "giaddr=%s", setup->giaddr);
		add(port, giaddr, words, &n);
	}
	return n ? set_ours(setup, port, words) : 0;
}

static int trusted(struct setup *setup, const char *port)
{
	const char *words[WORDS_MAX] = { NULL };
	unsigned n = 0;

	add(port, "use=yes", words, &n);
	add(port, "trusted=yes", words, &n);
	return n ? set_ours(setup, port, words) : 0;
}

static void add(const char *port, const char *word, const char **words, unsigned *n)
{
	if (!setup_is_set(port, TLV, word))
		words[(*n)++] = word;
}

/* use=yes stands with what begins to count by it. */
static int set_ours(struct setup *setup, const char *port, const char **words)
{
	const char *argv[WORDS_MAX + 1] = { "lldptool", "-T", "-i", port, "-g",
					    "ncb",	"-V", TLV };

	for (unsigned i = 0; words[i]; i++)
		argv[8 + i] = words[i];
	return run(setup, argv);
}

/* A command, its words up to NULL. 0 or -EIO. */
static int step(struct setup *setup, const char *first, ...)
{
	const char *argv[WORDS_MAX + 1] = { first };
	unsigned n = 1;
	va_list args;

	va_start(args, first);
	while (n < WORDS_MAX && (argv[n] = va_arg(args, const char *)))
		n++;
	va_end(args);
	return run(setup, argv);
}

/* Shown, and run where that is wanted. */
static int run(struct setup *setup, const char *const *argv)
{
	struct spawned s;

	setup->n_steps++;
	for (unsigned i = 0; argv[i]; i++)
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

static void say_end(const struct setup *setup)
{
	if (!setup->n_steps)
		printf("all of this is set already; 'vdp-migrate check' looks whether it "
		       "works\n");
	else if (!setup->apply)
		printf("nothing is done yet: say it again with --apply%s\n",
		       setup->restart ? ", then restart lldpad" : "");
	else if (setup->restart)
		printf("done; what is left to you, once no VM is being moved:\n"
		       "  systemctl restart lldpad\n  vdp-migrate check\n");
	else
		printf("done; see 'vdp-migrate check'\n");
}
