/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See tlv.h. A flag is set for what this build does and the port's settings allow: a
 * bridge sends help requests, a station answers them; leasequery and the query for
 * multicast groups are a bridge's.
 */
#include "tlv.h"

#include <string.h>

#include "vdp_migrate/protocol.h"

_Static_assert(sizeof(((struct port *)0)->said) == ORGTLV_CAPABILITY_LEN, "capability");

size_t tlv_say(const struct port *port, uint8_t *ret_value, size_t size)
{
	const struct settings *settings = &port->settings;
	struct orgtlv_capability capability = { .version = VDP_MIGRATE_TLV_VERSION };
	struct wr w = wr_new(ret_value, size);

	if (!settings->use || !settings->advertise || port->role == LINK_ROLE_NONE)
		return 0;
	capability.role = port->role == LINK_ROLE_BRIDGE ? ORGTLV_BRIDGE : ORGTLV_STATION;
	if (port->role == LINK_ROLE_BRIDGE &&
	    (settings->assist == LINK_ASSIST_LEASEQUERY ||
	     settings->assist == LINK_ASSIST_AUTO))
		capability.flags |= ORGTLV_LEASEQUERY;
	if (settings_assist_help(settings))
		capability.flags |= ORGTLV_HELP;
	if (port->role == LINK_ROLE_BRIDGE && settings->groups != LINK_GROUPS_OFF)
		capability.flags |= ORGTLV_GROUPS;
	orgtlv_put_capability(&w, &capability);
	return wr_ok(&w) ? w.at : 0;
}

void tlv_refresh(struct port *port)
{
	uint8_t now[ORGTLV_CAPABILITY_LEN] = { 0 };

	(void)tlv_say(port, now, sizeof(now));
	if (!memcmp(port->said, now, sizeof(now)))
		return;
	memcpy(port->said, now, sizeof(now));
	host_lldp_changed(port->name);
}

bool tlv_hear(struct port *port, const uint8_t *value, size_t len)
{
	struct orgtlv_capability heard;

	if (orgtlv_get_capability(value, len, &heard, NULL))
		return tlv_gone(port);
	if (!memcmp(&port->peer, &heard, sizeof(heard)))
		return false;
	port->peer = heard;
	return true;
}

bool tlv_gone(struct port *port)
{
	bool news = port->peer.version;

	port->peer = (struct orgtlv_capability){ 0 };
	return news;
}
