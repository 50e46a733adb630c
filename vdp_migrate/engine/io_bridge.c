/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stories' wishes about the kernel's bridges, by the names of ports. What the kernel
 * refuses is logged once a minute for a port and kind of change, whatever succeeds there
 * in between: a station can provoke it as often as it likes.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "log.h"
#include "wire/text.h"

#define COMPLAINT_MS 60000

static bool find(struct engine *engine, const char *port,
		 struct bridge_db_port *ret_found);
static int group(struct engine *engine, const char *port, uint16_t vlan,
		 const struct addr *wanted, bool on);
static void complain(struct engine *engine, const char *port, const char *what,
		     const char *about, int err);
static bool is_new(struct engine *engine, const char *port, const char *what, int err);

int engine_mdb_put(void *arg, const char *port, uint16_t vlan, const struct addr *wanted)
{
	return group(arg, port, vlan, wanted, true);
}

int engine_mdb_drop(void *arg, const char *port, uint16_t vlan, const struct addr *wanted)
{
	return group(arg, port, vlan, wanted, false);
}

int engine_fdb_move(void *arg, const char *port, uint16_t vlan, const struct mac *mac)
{
	struct engine *engine = arg;
	struct bridge_db_port found;
	char text[MAC_TEXT_MAX];
	int err;

	if (!find(engine, port, &found))
		return -ENODEV;
	err = bridge_set_mac(engine->set, found.port_ifindex, vlan, mac);
	complain(engine, port, "FDB entry of", mac_text(mac, text), err);
	return err;
}

int engine_fdb_back(void *arg, const char *port, const char *to, uint16_t vlan,
		    const struct mac *mac)
{
	struct engine *engine = arg;
	struct bridge_db_port here, there = { 0 };
	char text[MAC_TEXT_MAX];
	int err;

	if (!find(engine, port, &here) || (to && !find(engine, to, &there)))
		return -ENODEV;
	err = bridge_set_mac_back(engine->set, here.port_ifindex, there.port_ifindex, vlan,
				  mac);
	complain(engine, to ? to : port, "FDB entry of", mac_text(mac, text), err);
	return err;
}

int engine_router_port(void *arg, const char *interface, bool on)
{
	struct engine *engine = arg;
	struct bridge_db_port found;
	int err;

	if (!on)
		err = router_ports_off(engine->routers, interface);
	else if (find(engine, interface, &found))
		err = router_ports_on(engine->routers, found.port_ifindex, interface);
	else
		return -ENODEV;
	complain(engine, interface, "multicast router port", on ? "on" : "off", err);
	return err;
}

bool engine_port_of_mac(void *arg, uint32_t bridge, const struct mac *mac,
			char ret_name[VM_IFNAME_MAX])
{
	struct engine *engine = arg;

	return bridge_db_port_of_mac(engine->db, bridge, mac, ret_name);
}

static bool find(struct engine *engine, const char *port,
		 struct bridge_db_port *ret_found)
{
	return bridge_db_port(engine->db, port, ret_found);
}

static int group(struct engine *engine, const char *port, uint16_t vlan,
		 const struct addr *wanted, bool on)
{
	struct bridge_db_port found;
	char text[ADDR_TEXT_MAX];
	int err;

	if (!find(engine, port, &found))
		return -ENODEV;
	err = bridge_set_group(engine->set, found.bridge_ifindex, found.port_ifindex,
			       vlan, wanted, on);
	complain(engine, port, on ? "group to be put in" : "group to be taken out",
		 addr_text(wanted, text), err);
	return err;
}

static void complain(struct engine *engine, const char *port, const char *what,
		     const char *about, int err)
{
	if (!is_new(engine, port, what, err))
		return;
	if (err == -EPERM) /* br_fdb_add */
		log_line(LOG_INFO, "%s: %s %s: the port does not learn yet (STP)", port,
			 what, about);
	else
		log_line(LOG_WARNING, "%s: %s %s: the kernel's bridge refuses: %s", port,
			 what, about, strerror(-err));
}

/* An interface that has gone is no error: the links say so themselves. */
static bool is_new(struct engine *engine, const char *port, const char *what, int err)
{
	struct engine_complaint *one = NULL;
	ms_t now = engine_now();

	if (!err || err == -ENODEV)
		return false;
	for (unsigned i = 0; i < COMPLAINTS_MAX; i++) {
		struct engine_complaint *at = &engine->complaints[i];

		if (at->until <= now)
			one = at;
		else if (at->what == what && !strcmp(at->port, port))
			return false;
	}
	if (!one)
		return false;
	*one = (struct engine_complaint){ .what = what, .until = now + COMPLAINT_MS };
	memcpy(one->port, port, strnlen(port, sizeof(one->port) - 1));
	return true;
}
