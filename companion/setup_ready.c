/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * setup: what has to be there before it can begin, so that it does not stop half-way:
 * root, lldpad with the module in it, ports that are ports, and up (lldpad has no EVB
 * settings for one that is down), and no EVB of the draft on them.
 */
#include "setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "command.h"
#include "spawn.h"

#define TLV "0x02564d01"

static bool is_there(const char *name, const char *what);
static void members_of(const char *name, const char *what, char *ret_text, size_t size);
static int lldpad(const struct setup *setup);
static int port(const struct setup *setup, const char *name);
static int uplink(const struct setup *setup, const char *name);
static int is_up(const struct setup *setup, const char *name);
static void notes(const struct setup *setup, const char *name);
static int in_the_way(const struct setup *setup, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int setup_interface(char **argv, const char *name)
{
	char members[256];

	if (!*name || strlen(name) >= VM_IFNAME_MAX || strchr(name, '/') ||
	    name[0] == '.' || !is_there(name, ""))
		return command_wrong_use(argv, "there is no interface '%s'", name);
	if (is_there(name, "bridge")) {
		members_of(name, "brif", members, sizeof(members));
		return command_wrong_use(argv, "%s is a bridge: name its ports (%s)",
					 name, members);
	}
	if (is_there(name, "bonding")) {
		members_of(name, "bonding/slaves", members, sizeof(members));
		return command_wrong_use(argv,
					 "%s is a bond: name the interfaces in it, LLDP "
					 "is spoken on each (%s)",
					 name, members);
	}
	return 0;
}

int setup_ready(const struct setup *setup)
{
	int code = EXIT_DONE;

	if (geteuid())
		code = in_the_way(setup, EXIT_NOT_THERE,
				  "needs root: what is set in lldpad cannot be seen");
	else
		code = lldpad(setup);
	for (char **p = setup->ports; !code && *p; p++)
		code = port(setup, *p);
	for (const char *const *u = setup->uplinks; !code && *u; u++)
		code = uplink(setup, *u);
	return code;
}

bool setup_is_set(const char *name, const char *tlv, const char *word)
{
	char key[64];
	const char *const argv[] = { "lldptool", "-t", "-i", name, "-g", "ncb",
				     "-V",	 tlv,  "-c", key,  NULL };
	size_t len = strlen(word);
	struct spawned s;
	bool set = false;

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(word, "="), word);
	if (!spawn(argv, NULL, &s))
		for (const char *at = s.out; (at = strstr(at, word)); at += len)
			set |= (at == s.out || at[-1] == '\n') &&
			       (at[len] == '\n' || !at[len]);
	spawned_done(&s);
	return set;
}

/* Statics. */

static bool is_there(const char *name, const char *what)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	return !access(path, F_OK);
}

static void members_of(const char *name, const char *what, char *ret_text, size_t size)
{
	char path[96];
	const char *const list[] = { "ls", path, NULL };
	struct spawned s = { 0 };

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	if (!check_read(path, ret_text, size)) { /* a directory */
		(void)spawn(list, NULL, &s);
		snprintf(ret_text, size, "%s", s.out ? s.out : "");
		spawned_done(&s);
	}
	for (char *p = ret_text; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : 0;
}

/* Asked for a setting of ours, which only the module knows. */
static int lldpad(const struct setup *setup)
{
	const char *const argv[] = { "lldptool", "-t", "-i", setup->ports[0], "-g", "ncb",
				     "-V",	 TLV,  "-c", "use",	      NULL };
	struct spawned s;
	int code = EXIT_DONE, r = spawn(argv, NULL, &s);

	if (r < 0)
		code = in_the_way(setup, EXIT_NOT_THERE,
				  "%s: install lldpad, which brings lldptool", s.error);
	else if (strstr(s.error, "onnect"))
		code = in_the_way(setup, EXIT_NOT_THERE,
				  "lldpad is not running: systemctl start lldpad");
	else if (strstr(s.out, "not applicable"))
		code = in_the_way(setup, EXIT_NOT_THERE,
				  "lldpad runs without the module: 'vdp-migrate check' "
				  "says why, and the cure");
	spawned_done(&s);
	return code;
}

static int port(const struct setup *setup, const char *name)
{
	int code;

	notes(setup, name);
	code = is_up(setup, name);
	if (code)
		return code;
	if (setup_is_set(name, "evbcfg", "enableTx=yes"))
		return in_the_way(setup, EXIT_REFUSED,
				  "%s has EVB of draft 0.2, and lldpad has no two at "
				  "once: lldptool -T -i %s -g ncb -V evbcfg enableTx=no",
				  name, name);
	return EXIT_DONE;
}

/* One that is in a bond: the engine trusts this where all that are in it are trusted. */
static int uplink(const struct setup *setup, const char *name)
{
	char members[256] = "", *rest = members, *one;

	if (is_there(name, "master/bonding"))
		members_of(name, "master/bonding/slaves", members, sizeof(members));
	while ((one = strsep(&rest, " "))) {
		const char *const *u = setup->uplinks;

		while (*u && strcmp(*u, one) != 0)
			u++;
		if (*one && !*u)
			printf("# %s is in one bond with %s, and no uplink: the bond is "
			       "trusted only where all in it are\n",
			       one, name);
	}
	return is_up(setup, name);
}

static int is_up(const struct setup *setup, const char *name)
{
	char path[64], carrier[8];

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	if (check_read(path, carrier, sizeof(carrier)) && *carrier == '1')
		return EXIT_DONE;
	return in_the_way(setup, EXIT_REFUSED,
			  "%s is down, and lldpad takes settings for what is up alone: "
			  "ip link set %s up; is the other end up?",
			  name, name);
}

/* What is no fault, and may not be what is meant. */
static void notes(const struct setup *setup, const char *name)
{
	const char *other = setup->on_switch ? "evbmode=station" : "evbmode=bridge";
	char bridge[VM_IFNAME_MAX];

	if (setup_is_set(name, "evb", "enableTx=yes") && setup_is_set(name, "evb", other))
		printf("# %s has had %s until now\n", name, other);
	if (!check_bridge_of(name, bridge)) {
		if (setup->on_switch)
			printf("# %s is no port of a bridge: no guard there until it "
			       "is\n",
			       name);
	} else if (setup->on_switch &&
		   check_bridge_value(bridge, "vlan_filtering") == 1) {
		printf("# %s filters VLANs: servers and giaddr are for all of them; for "
		       "one VLAN: VID:ADDRESS (lldptool's servers=, giaddr=)\n",
		       bridge);
	}
}

static int in_the_way(const struct setup *setup, int code, const char *format, ...)
{
	va_list args;

	if (setup->apply)
		fprintf(stderr, "vdp-migrate: nothing is done: ");
	else
		printf("# --apply will not do: ");
	va_start(args, format);
	vfprintf(setup->apply ? stderr : stdout, format, args);
	va_end(args);
	fprintf(setup->apply ? stderr : stdout, "\n");
	return setup->apply ? code : EXIT_DONE;
}
