/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address that leasequeries come from where none is configured: the bridge's own,
 * unless somebody else on this machine lives on UDP port 67. A socket of ours on that
 * address takes every datagram to it away from a relay or server on 0.0.0.0:67: so it
 * is open only while questions are, and is closed when somebody else appears.
 */
#ifndef ENGINE_GIADDR_H
#define ENGINE_GIADDR_H

#include "bridge_db.h"
#include "lq_socket.h"

struct giaddr;

/* db and sockets are borrowed. NULL: no memory. */
struct giaddr *giaddr_new(struct bridge_db *db, struct lq_socket *sockets);
void giaddr_free(struct giaddr *giaddr);

/* False: there is none for this port (said once in the log). */
bool giaddr_default(struct giaddr *giaddr, ms_t now, const char *port,
		    struct addr *ret_addr);
/* May a message leave from this address? Not if it is a default one and somebody else
 * has appeared meanwhile. */
bool giaddr_may_send(struct giaddr *giaddr, ms_t now, const struct addr *from);
/* What came to this address was for somebody else. */
void giaddr_suspect(struct giaddr *giaddr, const struct addr *addr);

/* When giaddr_tick() must be called next; MS_NEVER. Not from inside a dispatch of the
 * sockets. */
ms_t giaddr_deadline(const struct giaddr *giaddr);
void giaddr_tick(struct giaddr *giaddr, ms_t now);

#endif
