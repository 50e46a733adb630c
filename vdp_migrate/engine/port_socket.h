/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What comes in on the bridge's ports and is worth a look: DHCPv4, RARP, IGMP; LLDP
 * and ECP, for the neighbour's own MAC. One packet socket for all interfaces of the
 * network namespace; the kernel filters. It sees a frame before the guard does: also
 * what the guard then drops.
 */
#ifndef ENGINE_PORT_SOCKET_H
#define ENGINE_PORT_SOCKET_H

#include "vdp_migrate/types.h"

struct port_socket;

/* 0 or -errno. */
int port_socket_new(struct port_socket **ret_socket);
/* Instead: what this machine itself sends into that bridge to DHCP clients. */
int port_socket_new_local(uint32_t bridge_ifindex, struct port_socket **ret_socket);
/* Instead: DHCPv4, on all interfaces, what comes in and what goes out, also with a tag
 * or more in the octets. Of what is yet to be segmented (UDP GSO) or odd len is 0: it
 * becomes nobody knows what. ifindex and len 0: some were lost just here. */
int port_socket_new_dhcp(struct port_socket **ret_socket);
/* Instead: ARP replies to ARP probes; Neighbor Advertisements. */
int port_socket_new_probed(struct port_socket **ret_socket);
void port_socket_free(struct port_socket *socket);

/* Watch the descriptor for reading; dispatch hands over what is there (if it is
 * very much: a part; the descriptor stays readable). */
int port_socket_fd(const struct port_socket *socket);
/* ifindex: where it came in, also what is no bridge port (the bridge itself, a
 * slave); or went out. vlan: of its 802.1Q tag, which is not in the octets any more; 0 =
 * none. */
typedef void (*port_socket_cb)(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
			       const uint8_t *frame, size_t len);
void port_socket_dispatch(struct port_socket *socket, port_socket_cb cb, void *arg);

struct port_socket_counts {
	uint64_t frames;
	uint64_t odd;	/* passed over: too long, or an outer tag that is not 802.1Q */
	uint64_t lost;	/* the buffer was full */
};
const struct port_socket_counts *port_socket_counts(struct port_socket *socket);

#endif
