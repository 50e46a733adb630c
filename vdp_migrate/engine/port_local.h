/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine itself sends into its bridges and is DHCPv4: a relay's or a DHCP
 * server's messages to the VMs. Frames that are only forwarded do not pass here. One
 * packet socket for each bridge, all behind one descriptor.
 */
#ifndef ENGINE_PORT_LOCAL_H
#define ENGINE_PORT_LOCAL_H

#include "port_socket.h"

#define PORT_LOCAL_MAX 256 /* bridges */

struct port_local;

/* 0 or -errno. */
int port_local_new(struct port_local **ret_local);
void port_local_free(struct port_local *local);

/* The bridges that there are now: begin, each of them, end (others are let go). 0 or
 * -errno of one that cannot be listened to. */
void port_local_begin(struct port_local *local);
int port_local_bridge(struct port_local *local, uint32_t ifindex);
void port_local_end(struct port_local *local);

/* Watch the descriptor for reading; cb's ifindex is the bridge's. */
int port_local_fd(const struct port_local *local);
void port_local_dispatch(struct port_local *local, port_socket_cb cb, void *arg);
/* Frames, and those lost, of all bridges. */
struct port_socket_counts port_local_counts(struct port_local *local);

#endif
