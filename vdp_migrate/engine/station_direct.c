/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The leases of VMs that stand on the uplink itself: a macvtap or macvlan on it, or on a
 * VLAN of it. There is no bridge port where their requests come in; they are seen as they
 * leave by the macvtap, and the answer as it comes in on the uplink.
 *
 * What a guest can forge: a request with another's MAC leaves by its own macvtap, which
 * has not that MAC. A reply leaves too, and a switch that reflects (VEPA: 802.1Q 40.1)
 * sends it in again by the uplink, where it looks as the server's: what it answers is
 * given up for a while (all, where it is yet to be segmented, has two tags, or was
 * missed). So is an honest answer of a DHCP server that is a VM here. The VMs' own MACs
 * come in by the uplink likewise, and say nothing of where the VMs are.
 *
 * Not so with mode bridge: what a macvlan of a container, in a network namespace where we
 * see nothing leave, sends to such a macvtap the kernel hands to the uplink as if it had
 * come in there. A macvtap of mode bridge has no leases.
 */
#include "station_help.h"
#include "wire/text.h"

static bool place_of(struct station *s, const char *interface,
		     const struct inet_frame *frame, struct bridge_place *ret_place,
		     struct station_leases_seen *ret_seen);
static bool is_for(const struct mac *client, const struct mac *dst);

void station_direct_port(struct station *s, const struct link_port *port)
{
	if (port->role == LINK_ROLE_STATION && !port->gone && !s->hears_dhcp &&
	    s->io->hear_dhcp)
		s->hears_dhcp = !s->io->hear_dhcp(s->arg);
}

void station_dhcp(struct station *s, ms_t now, const char *interface, bool out,
		  const struct inet_frame *frame)
{
	struct station_leases_seen seen = { .port = interface, .network = !out,
					    .direct = true, .src = frame->src };
	struct bridge_place place;
	struct dhcp4 message;

	s->now = now;
	if (!s->help->told || !frame->udp ||
	    !place_of(s, interface, frame, &place, &seen) || (place.direct && !out) ||
	    dhcp4_decode(frame->payload, &message, NULL))
		return;
	seen.message = &message;
	if (out && message.op == DHCP4_BOOTREPLY)
		station_leases_doubt(s->help->leases, now, &seen);
	else if (out ? place.direct && !place.beside && mac_equal(&place.mac, &frame->src)
		     : is_for(&message.chaddr, &frame->dst))
		station_leases_see(s->help->leases, now, &seen);
}

void station_dhcp_doubt(struct station *s, ms_t now, const char *interface)
{
	struct inet_frame frame = { 0 };
	struct station_leases_seen seen;
	struct bridge_place place;

	if (!interface || place_of(s, interface, &frame, &place, &seen))
		station_leases_doubt(s->help->leases, now, NULL);
}

/* Statics. */

/* False: it is neither an uplink, or a VLAN of one, nor a macvtap on these. What comes by
 * at a bond's slave comes by at the bond. */
static bool place_of(struct station *s, const char *interface,
		     const struct inet_frame *frame, struct bridge_place *ret_place,
		     struct station_leases_seen *ret_seen)
{
	(void)s->io->place(s->arg, interface, ret_place);
	if (!ret_place->bottom_ifindex || strcmp(ret_place->anchor, interface) ||
	    station_help_role(s, ret_place->direct ? ret_place->bottom : interface) !=
		    LINK_ROLE_STATION ||
	    (frame->vlan && ret_place->bottom_vlan))
		return false;
	ret_seen->ifindex = ret_place->ifindex;
	ret_seen->bridge = ret_place->bottom_ifindex;
	ret_seen->vlan = frame->vlan ? frame->vlan : ret_place->bottom_vlan;
	return true;
}

/* To a broadcast address or to itself (RFC 2131 4.1). What passes between two macvlans of
 * mode bridge is neither: its broadcasts seem to come in nowhere. */
static bool is_for(const struct mac *client, const struct mac *dst)
{
	static const struct mac all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

	return mac_equal(dst, client) || mac_equal(dst, &all);
}
