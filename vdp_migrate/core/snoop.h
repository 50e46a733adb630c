/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCP snooping: a DHCP message seen -> change of the binding table. Knows whose
 * requests are open: the anchor of a DHCPACK is the port where the request with
 * its xid and chaddr came in, and only if that request's source MAC was its
 * chaddr. Server messages count from trusted ports alone. RFC 2131, RFC 7513.
 */
#ifndef CORE_SNOOP_H
#define CORE_SNOOP_H

#include "binding.h"
#include "wire/dhcp4.h"

struct snoop_seen {
	uint32_t bridge;
	uint16_t vlan;
	uint16_t port;		/* where it came in */
	bool trusted;		/* a trusted port, or this machine itself */
	bool elsewhere;		/* its client is announced at another port, not at this */
	struct mac src;		/* Ethernet source */
	const struct dhcp4 *message;
};

enum snoop_what {
	SNOOP_NOTHING,
	SNOOP_BOUND,		/* a lease for the client behind `port` */
	SNOOP_RENEWED,		/* only renews what the table has */
	SNOOP_ENDED,		/* RELEASE or DECLINE: ends the binding on `port` */
};

struct snoop_change {
	enum snoop_what what;
	uint16_t port;		/* anchor; not for RENEWED */
	struct binding_host host;
	struct addr ip;
	uint32_t lease_s;	/* LQ_FOREVER = infinite */
	struct addr server;	/* option 54, family 0 = none */
	struct client_id client_id;	/* BOUND: option 61 of the client's own request */
	bool odd_client_id;	/* BOUND: it has one, but none that client_id can hold */
};

struct snoop_counts {
	uint64_t requests, acks, naks, releases, declines;
	uint64_t untrusted;	/* server messages from a port that is not trusted */
	uint64_t forged;	/* client messages whose source MAC is not chaddr, or whose
				 * chaddr is announced elsewhere */
	uint64_t unasked;	/* ACKs without an open request */
	uint64_t full;		/* open requests that gave way, their port had too many */
};

struct snoop;

struct snoop *snoop_new(void);
void snoop_free(struct snoop *snoop);

/* At most 64 requests are open for each port, a minute each; the oldest gives way. */
void snoop_see(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
	       struct snoop_change *ret_change);

/* An answer that may be a guest's is on its way out: while it may come back, none to that
 * request counts. NULL: nobody knows to what. */
void snoop_doubt(struct snoop *snoop, ms_t now, const struct snoop_seen *seen);

const struct snoop_counts *snoop_counts(const struct snoop *snoop);

#endif
