/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each port that is ours: its bridge, its role, its guard in the kernel, the VSIs on it.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_guard.h"
#include "spawn.h"

#define DELAY_MOST 200 /* the least that the kernel takes, in 1/100 s */
#define CURE_MAX 192

static void one_port(struct check *check, unsigned row, const struct kernel_guard *guard);
static void role(struct check *check, const char *port, const char *is);
static void bridge(struct check *check, const char *port, bool station);
static void querier(struct check *check, const char *port, const char *groups);
static void guarded(struct check *check, unsigned row, const struct kernel_guard *guard);
static void offloaded(struct check *check, const char *port);
static bool kernel_guards(const struct kernel_guard *guard, const char *port);
static bool configured_mode(const char *port, char *ret_mode, size_t size);

#define PORT(name) table_field(&check->ports, row, name)

void check_ports(struct check *check)
{
	struct kernel_guard guard = { 0 };
	bool readable = geteuid() == 0;

	if (readable && kernel_guard_read(&guard)) {
		check_found(check, "nft",
			    "install nftables; is nf_tables in this kernel?",
			    "the guard in the kernel cannot be read: %s", guard.error);
		readable = false;
	}
	if (guard.opened)
		check_found(check, "guard-opened", "vdp-migrate guard on",
			    "every port was opened by hand: no guard is in force");
	if (readable && !guard.there)
		check_found(
			check, "guard-gone",
			check->fd < 0 ? "systemctl start vdp-migrated: it puts it back"
				      : "systemctl restart vdp-migrated",
			"table 'bridge vdp_migrate' is not in the kernel: no guard is in "
			"force");
	for (unsigned row = 1; row < check->ports.rows; row++)
		if (!strcmp(PORT("use"), "yes"))
			one_port(check, row, readable && !guard.opened ? &guard : NULL);
	for (unsigned row = 1; row < check->vsis.rows; row++)
		if (!strncmp(table_field(&check->vsis, row, "reason"), "same VSI ID", 11))
			check_found(
				check, "vsi-id-twice",
				"give each interface an instance ID of its own (libvirt: "
				"virtualport's instanceid; none: libvirt makes one)",
				"%s vsi %s mac %s: %s with another MAC",
				table_field(&check->vsis, row, "port"),
				table_field(&check->vsis, row, "vsi"),
				table_field(&check->vsis, row, "mac"),
				table_field(&check->vsis, row, "reason"));
}

static void one_port(struct check *check, unsigned row, const struct kernel_guard *guard)
{
	bool station = !strcmp(PORT("role"), "station");

	/* DHCP servers' ports and the like speak no VDP. */
	if (strcmp(PORT("trusted"), "yes") || strcmp(PORT("role"), "none"))
		role(check, PORT("port"), PORT("role"));
	bridge(check, PORT("port"), station);
	if (!station) {
		querier(check, PORT("port"), PORT("groups"));
		offloaded(check, PORT("port"));
	}
	if (strcmp(PORT("guard"), "off"))
		guarded(check, row, guard);
}

/* lldpad takes the role of a port when it first starts VDP there, and keeps it. */
static void role(struct check *check, const char *port, const char *is)
{
	char cure[CURE_MAX], mode[16] = "";

	if (check->lldpad_silent || !configured_mode(port, mode, sizeof(mode)) ||
	    !strcmp(is, mode))
		return;
	/* What lldpad says where nothing is set is station. */
	if (!strcmp(is, "none") && strcmp(mode, "bridge")) {
		snprintf(cure, sizeof(cure),
			 "vdp-migrate setup switch %s (or setup server), then restart "
			 "lldpad",
			 port);
		check_found(
			check, "evb-mode", cure,
			"%s: its EVB mode is not set in lldpad: no VDP there, or as a "
			"station",
			port);
		return;
	}
	check_found(
		check, "evb-mode", "systemctl restart lldpad",
		"%s: EVB mode %s is set, but lldpad has read the role (%s) before that",
		port, mode, is);
}

static void bridge(struct check *check, const char *port, bool station)
{
	char name[VM_IFNAME_MAX], cure[CURE_MAX];
	long delay;

	if (!check_bridge_of(port, name))
		return;
	delay = check_bridge_value(name, "forward_delay");
	if (!check_bridge_value(name, "stp_state")) {
		snprintf(cure, sizeof(cure), "ip link set %s type bridge stp_state 1%s",
			 name,
			 station ? " forward_delay 200, or macvtap instead of the bridge"
				 : "");
		check_found(check, "stp-off", cure,
			    "%s: bridge %s has STP off: it passes LLDP and VDP frames on "
			    "to other "
			    "ports, and lldpad there sees none",
			    port, name);
	} else if (station && delay > DELAY_MOST) {
		snprintf(cure, sizeof(cure),
			 "ip link set %s type bridge forward_delay 200 (2 s, the least), "
			 "or "
			 "macvtap instead of the bridge",
			 name);
		check_found(check, "forward-delay", cure,
			    "%s: bridge %s has an STP forward delay of %ld s: a VM that "
			    "comes "
			    "hears nothing for twice as long",
			    port, name, delay / 100);
	}
}

/* Once for each bridge. */
static void querier(struct check *check, const char *port, const char *groups)
{
	char name[VM_IFNAME_MAX], other[VM_IFNAME_MAX], cure[CURE_MAX];

	if (!strcmp(groups, "off") || !check_bridge_of(port, name) ||
	    check_bridge_value(name, "multicast_snooping") != 1 ||
	    check_bridge_has_querier(name))
		return;
	for (unsigned row = 1; row < check->ports.rows && strcmp(PORT("port"), port);
	     row++)
		if (!strcmp(PORT("use"), "yes") && strcmp(PORT("role"), "station") &&
		    check_bridge_of(PORT("port"), other) && !strcmp(name, other))
			return;
	snprintf(
		cure, sizeof(cure),
		"ip link set %s type bridge mcast_querier 1, or a querier in its network",
		name);
	check_found(check, "no-querier", cure,
		    "%s: bridge %s snoops multicast and knows no querier: groups run out "
		    "after "
		    "minutes",
		    port, name);
}

static void guarded(struct check *check, unsigned row, const struct kernel_guard *guard)
{
	const char *force = PORT("in_force"), *port = PORT("port");

	if (!strcmp(force, "no bridge port"))
		check_found(check, "no-bridge",
			    "ip link set PORT master BRIDGE, or use=no",
			    "%s: a guard is set and it is no port of a bridge", port);
	else if (guard && guard->there && !kernel_guards(guard, port))
		check_found(
			check, "guard-not-in-force",
			"see the engine's log; lldptool's guard=enforce is refused while "
			"cases are open ('vdp-migrate show ports')",
			"%s: guard %s is set and not in the kernel", port, PORT("guard"));
}

/* The module takes a guard that is set there for off. */
static void offloaded(struct check *check, const char *port)
{
	const struct table *set = &check->settings;
	char path[64], id[64];
	bool wanted = false;

	snprintf(path, sizeof(path), "/sys/class/net/%s/phys_switch_id", port);
	for (unsigned row = 1; row < set->rows; row++)
		wanted |= !strcmp(table_field(set, row, "port"), port) &&
			  !strcmp(table_field(set, row, "name"), "guard") &&
			  strcmp(table_field(set, row, "value"), "off") != 0;
	if (wanted && check_read(path, id, sizeof(id)))
		check_found(check, "offloaded",
			    "guard=off here; let the switch chip guard it (its vendor's "
			    "ACLs)",
			    "%s: a switch chip forwards its traffic past the kernel "
			    "(phys_switch_id): no guard there",
			    port);
}

static bool kernel_guards(const struct kernel_guard *guard, const char *port)
{
	for (unsigned i = 0; i < guard->n; i++)
		if (!strcmp(guard->port[i].name, port))
			return true;
	return false;
}

/* What lldpad has been told; empty: nothing. False: it does not answer. */
static bool configured_mode(const char *port, char *ret_mode, size_t size)
{
	const char *const argv[] = { "lldptool", "-t",	"-i", port,	 "-g", "ncb",
				     "-V",	 "evb", "-c", "evbmode", NULL };
	struct spawned s;
	const char *at;

	if (spawn(argv, NULL, &s) < 0 || strstr(s.error, "connect")) {
		spawned_done(&s);
		return false;
	}
	at = s.out ? strstr(s.out, "evbmode=") : NULL;
	*ret_mode = 0;
	if (at)
		snprintf(ret_mode, size, "%.*s", (int)strcspn(at + 8, " \n,"), at + 8);
	spawned_done(&s);
	return true;
}
