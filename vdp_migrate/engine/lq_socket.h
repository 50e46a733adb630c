/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UDP sockets for DHCP leasequery, one for each of our own addresses that we ask
 * from, all behind one descriptor. Opened by the first send from that address
 * and kept: a late reply finds them, and no server gets an ICMP error.
 */
#ifndef ENGINE_LQ_SOCKET_H
#define ENGINE_LQ_SOCKET_H

#include "vdp_migrate/types.h"

#define LQ_SOCKET_MAX 64 /* addresses that we ask from */

struct lq_socket;

int lq_socket_new(struct lq_socket **ret_sockets);
void lq_socket_free(struct lq_socket *sockets);

/* From giaddr:67 to server:67. 0 or -errno: -EADDRNOTAVAIL where giaddr is no
 * address of ours, -EMFILE where there are LQ_SOCKET_MAX already. */
int lq_socket_send(struct lq_socket *sockets, const struct addr *giaddr,
		   const struct addr *server, const uint8_t *msg, size_t len);

/* Open the socket on this address, if it is not: what comes there is handed over. 0 or
 * -errno as above. */
int lq_socket_open(struct lq_socket *sockets, const struct addr *giaddr);

/* Close the socket on this address, if there is one; the next send opens it again. */
void lq_socket_close(struct lq_socket *sockets, const struct addr *giaddr);

/* Watch the descriptor for reading; dispatch hands over what is there. */
int lq_socket_fd(const struct lq_socket *sockets);
typedef void (*lq_socket_cb)(void *arg, const struct addr *giaddr,
			     const struct addr *server, uint16_t sport,
			     const uint8_t *msg, size_t len);
void lq_socket_dispatch(struct lq_socket *sockets, lq_socket_cb cb, void *arg);

struct lq_socket_counts {
	uint64_t sent, send_errors, received;
	uint64_t other_port; /* of these, sent from another port than 67 */
	uint64_t too_long; /* longer than any DHCP message: dropped */
};
const struct lq_socket_counts *lq_socket_counts(const struct lq_socket *sockets);

/* Is our socket of this address open? Then the question below has been asked. */
bool lq_socket_holds(const struct lq_socket *sockets, const struct addr *giaddr);

/* Does nobody else in this network namespace hold UDP port 67? Servers and relays
 * that use packet sockets alone cannot be seen. NULL: we hold none either. */
bool lq_socket_port67_free(const struct lq_socket *sockets);

#endif
