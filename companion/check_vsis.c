/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VSIs that the engine knows: two with one ID; and on a server those that lldpad has
 * lost, by a reload (SIGHUP), a restart or a link that was down. Such a VSI is wrong only
 * while its VM is here: an interface has its MAC address (libvirt's taps all but the
 * first octet), or a bridge has learned it elsewhere than at the uplink.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spawn.h"

#define CURE_MAX 320
#define MAC_TEXT_LEN 17

struct macs {
	bool read;
	struct spawned links, fdb;
};

static void twice(struct check *check, unsigned row);
static void lost(struct check *check, unsigned row);
static bool is_here(struct macs *macs, const char *mac, const char *uplink);
static bool leads_to(const char *dev, const char *uplink);
static void read_macs(struct macs *macs);

#define VSI(name) table_field(&check->vsis, row, name)

void check_vsis(struct check *check)
{
	struct macs macs = { 0 };

	for (unsigned row = 1; row < check->vsis.rows; row++) {
		if (!strncmp(VSI("reason"), "same VSI ID", 11))
			twice(check, row);
		if (!strcmp(VSI("state"), "lost") &&
		    is_here(&macs, VSI("mac"), VSI("port")))
			lost(check, row);
	}
	if (macs.read) {
		spawned_done(&macs.links);
		spawned_done(&macs.fdb);
	}
}

static void twice(struct check *check, unsigned row)
{
	check_found(check, "vsi-id-twice",
		    "give each interface an instance ID of its own (libvirt: "
		    "virtualport's instanceid; none: libvirt makes one)",
		    "%s vsi %s mac %s: %s with another MAC", VSI("port"), VSI("vsi"),
		    VSI("mac"), VSI("reason"));
}

static void lost(struct check *check, unsigned row)
{
	char cure[CURE_MAX];

	snprintf(cure, sizeof(cure),
		 "associate it again: its interface detached and attached (libvirt), or "
		 "vdp-migrate associate -i %s --instanceid %s --mac %s ... (help "
		 "associate)",
		 VSI("port"), VSI("vsi"), VSI("mac"));
	check_found(check, "vsi-lost", cure,
		    "%s vsi %s mac %s: no longer associated since %s, %s s ago, and its "
		    "VM is here: cut off where the switch has guard=enforce",
		    VSI("port"), VSI("vsi"), VSI("mac"), VSI("reason"), VSI("for"));
}

static bool is_here(struct macs *macs, const char *mac, const char *uplink)
{
	const char *at, *end;

	if (strlen(mac) != MAC_TEXT_LEN)
		return false;
	read_macs(macs);
	if (macs->links.out && strstr(macs->links.out, mac + 2))
		return true;
	for (at = macs->fdb.out; at && (at = strstr(at, mac)); at = end) {
		char dev[VM_IFNAME_MAX] = "";

		end = at + strcspn(at, "\n");
		if (sscanf(at + MAC_TEXT_LEN, " dev %15s", dev) == 1 &&
		    !leads_to(dev, uplink))
			return true;
	}
	return false;
}

/* The uplink, its bond, a VLAN of one of them. */
static bool leads_to(const char *dev, const char *uplink)
{
	char path[96], to[256];
	const char *bond;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/lower_%s", dev, uplink);
	if (!strcmp(dev, uplink) || !access(path, F_OK))
		return true;
	snprintf(path, sizeof(path), "/sys/class/net/%s/master", uplink);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = 0;
	bond = strrchr(to, '/');
	snprintf(path, sizeof(path), "/sys/class/net/%s/lower_%.15s", dev,
		 bond ? bond + 1 : "-");
	return !access(path, F_OK);
}

static void read_macs(struct macs *macs)
{
	static const char *const links[] = { "ip", "-o", "link", "show", NULL };
	static const char *const fdb[] = { "bridge", "fdb", "show", NULL };

	if (macs->read)
		return;
	macs->read = true;
	(void)spawn(links, NULL, &macs->links);
	(void)spawn(fdb, NULL, &macs->fdb);
}
