/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The leases that this server has seen its own VMs get: a DHCPREQUEST that came in on a
 * VM's interface from the MAC that it speaks of, and the DHCPACK to it that came in by
 * the uplink. A reply that comes in on a VM's interface counts for nothing, whoever
 * seems to send it.
 *
 * VLANs are those of the bridge, or of the uplink (direct). What is known of a VM ends
 * with its interface, its DHCPRELEASE, or, in a bridge, when its MAC is seen beyond the
 * uplink: it may have another lease since.
 */
#ifndef ENGINE_STATION_LEASES_H
#define ENGINE_STATION_LEASES_H

#include "core/binding.h"
#include "core/hash.h"
#include "wire/dhcp4.h"
#include "wire/inet.h"

struct station_lease {
	struct binding_host host;
	struct addr ip, server;
	struct client_id client_id;	/* len 0: its client sends none */
	bool odd_client_id;		/* too long for client_id: it is not known */
	ms_t ends;			/* MS_NEVER */
	ms_t since;			/* this interface has had a lease for this MAC */
	ms_t contested_until;		/* so long two interfaces have one for it */
	uint16_t tap;
	UT_hash_handle hh;
};

struct station_leases;

struct station_leases *station_leases_new(void);
void station_leases_free(struct station_leases *leases);

/* A DHCP message that came in on this port of a bridge; network: on the uplink. direct:
 * that left by this macvtap, or came in on the interface that it stands on, which is the
 * bridge then; only what was asked for counts there. */
struct station_leases_seen {
	const char *port;
	uint32_t ifindex;	/* the port's */
	bool network, direct;
	uint32_t bridge;
	uint16_t vlan;		/* in the bridge */
	struct mac src;		/* Ethernet */
	const struct dhcp4 *message;
};
void station_leases_see(struct station_leases *leases, ms_t now,
			const struct station_leases_seen *seen);

/* A reply that a guest may have sent: the real one is not told from it for a while.
 * NULL: to any request. */
void station_leases_doubt(struct station_leases *leases, ms_t now,
			  const struct station_leases_seen *seen);

/* NULL: none was seen. Whether it is over is the asker's to see. */
const struct station_lease *station_leases_find(const struct station_leases *leases,
						const struct binding_host *host);
/* Another VM's lease of this address, alive, in the same bridge and VLAN; NULL. */
const struct station_lease *station_leases_others(const struct station_leases *leases,
						  ms_t now, const struct binding_host *host,
						  const struct addr *ip);
const char *station_leases_tap(const struct station_leases *leases,
			       const struct station_lease *lease);
void station_leases_each(const struct station_leases *leases,
			 void (*cb)(void *arg, const struct station_lease *lease), void *arg);
unsigned station_leases_count(const struct station_leases *leases);

/* This VM is not here any more. */
void station_leases_left(struct station_leases *leases, const struct binding_host *host);
/* Interfaces have come or gone: `here` says of each whether it is still in that bridge
 * (0: any). */
void station_leases_check(struct station_leases *leases, ms_t now,
			  bool (*here)(void *arg, const char *tap, uint32_t ifindex,
				       uint32_t bridge),
			  void *arg);

#endif
