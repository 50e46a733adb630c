/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each port that is ours: its bridge, and its guard in the kernel.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_guard.h"

#define DELAY_MOST 200 /* the least that the kernel takes, in 1/100 s */
#define CURE_MAX 192

static void one_port(struct check *check, unsigned row, const struct kernel_guard *guard);
static void bridge(struct check *check, unsigned row, bool station);
static void querier(struct check *check, unsigned row);
static void vlan_snooping(struct check *check, unsigned row);
static bool is_first(const struct check *check, unsigned row, const char *bridge,
		     bool of_groups);
static bool has_groups(const struct check *check, unsigned row);
static void guarded(struct check *check, unsigned row, const struct kernel_guard *guard);
static void offloaded(struct check *check, const char *port);
static bool kernel_guards(const struct kernel_guard *guard, const char *port);

#define PORT(name) table_field(&check->ports, row, name)

void check_ports(struct check *check)
{
	struct kernel_guard guard = { 0 };
	bool readable = geteuid() == 0;
	unsigned used = 0;

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
	for (unsigned row = 1; row < check->ports.rows; row++) {
		if (strcmp(PORT("use"), "yes") != 0)
			continue;
		one_port(check, row, readable && !guard.opened ? &guard : NULL);
		used++;
	}
	if (!used && check->fd >= 0 && !check->lldpad_silent)
		check_found(check, "no-ports",
			    "vdp-migrate setup switch PORT ... (or setup server PORT)",
			    "no port of this machine is set up (use=yes): nothing is "
			    "done here");
}

static void one_port(struct check *check, unsigned row, const struct kernel_guard *guard)
{
	bool station = !strcmp(PORT("role"), "station");

	/* DHCP servers' ports and the like speak no VDP. */
	if (strcmp(PORT("trusted"), "yes") || strcmp(PORT("role"), "none"))
		check_lldpad_port(check, row);
	bridge(check, row, station);
	querier(check, row);
	if (station)
		vlan_snooping(check, row);
	else
		offloaded(check, PORT("port"));
	if (strcmp(PORT("guard"), "off"))
		guarded(check, row, guard);
}

static void bridge(struct check *check, unsigned row, bool station)
{
	char name[VM_IFNAME_MAX], cure[CURE_MAX];
	const char *port = PORT("port");
	long delay;

	if (!check_bridge_of(port, name))
		return;
	delay = check_bridge_value(name, "forward_delay");
	if (!check_bridge_value(name, "stp_state")) {
		if (!is_first(check, row, name, false))
			return;
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

static void querier(struct check *check, unsigned row)
{
	char name[VM_IFNAME_MAX], cure[CURE_MAX];
	const char *port = PORT("port");

	if (!has_groups(check, row) || !check_bridge_of(port, name) ||
	    check_bridge_value(name, "multicast_snooping") != 1 ||
	    check_bridge_has_querier(name) || !is_first(check, row, name, true))
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

/* There mcast_router of a VM's tap counts for no VLAN. */
static void vlan_snooping(struct check *check, unsigned row)
{
	char name[VM_IFNAME_MAX], cure[CURE_MAX];
	const char *port = PORT("port");

	if (!check_bridge_of(port, name) ||
	    check_bridge_value(name, "multicast_snooping") != 1 ||
	    !check_bridge_snoops_each_vlan(name) || !is_first(check, row, name, false))
		return;
	snprintf(cure, sizeof(cure),
		 "ip link set %s type bridge mcast_vlan_snooping 0, or, for each VM that "
		 "comes, bridge vlan set vid VID dev TAP mcast_router 2 (1 when it is "
		 "here)",
		 name);
	check_found(check, "vlan-snooping", cure,
		    "%s: bridge %s snoops multicast in each VLAN for itself: a VM that "
		    "comes gets none before it has reported its groups",
		    port, name);
}

/* Of its bridge's ports, or of those with groups: what is the bridge's is said once. */
static bool is_first(const struct check *check, unsigned row, const char *bridge,
		     bool of_groups)
{
	unsigned last = row;
	char other[VM_IFNAME_MAX];

	for (row = 1; row < last; row++)
		if (!strcmp(PORT("use"), "yes") &&
		    (!of_groups || has_groups(check, row)) &&
		    check_bridge_of(PORT("port"), other) && !strcmp(bridge, other))
			return false;
	return true;
}

static bool has_groups(const struct check *check, unsigned row)
{
	return strcmp(PORT("role"), "station") && strcmp(PORT("groups"), "off");
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
	return guard->n == KERNEL_GUARD_PORTS_MAX; /* no room for it there */
}
