/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands on what: a macvtap on an uplink or on a VLAN of it, a VLAN on an uplink. Of
 * the VLANs there is one: a tag behind a tag is no VLAN of VDP's.
 */
#include "bridge_db_private.h"

#include <string.h>

bool bridge_db_below(const struct bridge_db *db, const char *name,
		     struct bridge_db_below *ret_below)
{
	struct link *link, *bottom;

	*ret_below = (struct bridge_db_below){ 0 };
	HASH_FIND(by_name, db->by_name, name, strlen(name), link);
	if (!link)
		return false;
	ret_below->ifindex = link->is.ifindex;
	ret_below->mac = link->is.mac;
	ret_below->direct = link->is.direct;
	ret_below->beside = link->is.beside;
	bottom = link->is.direct ? bridge_db_link(db, link->is.lower) : link;
	if (bottom && bottom->is.vlan) {
		ret_below->vlan = bottom->is.vlan;
		bottom = bridge_db_link(db, bottom->is.lower);
	}
	if (!bottom || bottom->is.direct || bottom->is.vlan)
		return true;
	ret_below->bottom_ifindex = bottom->is.ifindex;
	memcpy(ret_below->bottom_name, bottom->name, sizeof(bottom->name));
	return true;
}

bool bridge_db_any_direct(const struct bridge_db *db)
{
	const struct link *link = db->by_ifindex;

	while (link && !(link->is.direct && link->is.lower))
		link = link->by_ifindex.next;
	return link;
}

bool bridge_db_vlan_on(const struct bridge_db *db, uint32_t ifindex, uint16_t vlan,
		       char ret_name[VM_IFNAME_MAX])
{
	const struct link *link = db->by_ifindex;

	while (link && (link->is.vlan != vlan || link->is.lower != ifindex))
		link = link->by_ifindex.next;
	if (!link || !ifindex || !vlan)
		return false;
	memcpy(ret_name, link->name, sizeof(link->name));
	return true;
}

bool bridge_db_any_name(const struct bridge_db *db, uint32_t ifindex,
			char ret_name[VM_IFNAME_MAX])
{
	const struct link *link = bridge_db_link(db, ifindex);

	if (!link || !link->name[0])
		return false;
	memcpy(ret_name, link->name, sizeof(link->name));
	return true;
}
