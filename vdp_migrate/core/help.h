/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The help request, mostly on the server: what is asked and what is known of the VM's
 * lease -> the DHCPREQUEST, or why there is none. A request in the wrong form ends or moves the
 * VM's real lease, so only what is certain counts: its address, and the client-id that
 * it sends or that it sends none, of which nothing contradicts the other.
 *
 * Supported standards: RFC 2131 (4.3.2 INIT-REBOOT, 4.1 retransmission).
 */
#ifndef CORE_HELP_H
#define CORE_HELP_H

#include "vdp_migrate/types.h"

/* What one source says of a VM's lease. */
struct help_known {
	struct addr ip;			/* family 0 = not known */
	struct client_id client_id;	/* len 0: none, or not known: */
	bool no_client_id;		/* the client is known to send none */
	bool ended;			/* this lease is over */
	bool contested;			/* more than one claim to be this VM */
};

struct help_facts {
	bool dhcp4;			/* what is asked for */
	struct mac mac;
	struct addr giaddr;		/* family 0 = none */
	/* NULL: this source says nothing. */
	const struct help_known *mark;	/* of those who brought the VM here */
	const struct help_known *snooped; /* on this server, in the network's replies */
	/* May be the VM's or a forger's: reason enough not to ask, none to ask. */
	const struct help_known *doubtful;
};

enum help_verdict {
	HELP_REQUEST,
	HELP_NOT_DHCP4,		/* only DHCPv6 is asked for: not served */
	HELP_NO_MAC,
	HELP_BAD_GIADDR,
	HELP_NO_ADDRESS,
	HELP_BAD_ADDRESS,	/* no host's address */
	HELP_NO_CLIENT_ID,	/* neither it, nor that there is none */
	HELP_ADDRESSES_DIFFER,
	HELP_CLIENT_IDS_DIFFER,
	HELP_ENDED,
	HELP_CONTESTED,
	HELP_ANOTHERS,		/* its address is that of another VM here */
	HELP_VLANS,		/* the mark's address is of one of its VLANs, but which? */
	HELP_SPENT,		/* the mark has served for an arrival already */
	HELP_N_VERDICTS,
};

/* HELP_REQUEST: *ret_lease is what to ask for. HELP_ANOTHERS and what is behind it are the
 * caller's to find. */
enum help_verdict help_decide(const struct help_facts *facts, struct help_known *ret_lease);
/* An IPv4 address that a host can have. */
bool help_is_host(const struct addr *ip);
const char *help_verdict_text(enum help_verdict verdict);

#define HELP_FRAME_MAX 700

/* The form of DESIGN section 5, as a whole frame. */
struct help_form {
	struct mac own;		/* the uplink's: the VM's would move its FDB entry */
	struct mac mac;		/* the VM's */
	uint16_t vlan;		/* 0 = untagged */
	struct addr giaddr;	/* family 0 = none */
	bool apart;		/* … and not in the VM's subnet */
	uint32_t xid;
	ms_t since;		/* ms since the first of these requests */
};
/* Octets, or 0 if it does not fit. */
size_t help_frame(uint8_t *buf, size_t size, const struct help_known *lease,
		  const struct help_form *form);

/* The switch: how often it asks, and how long it waits for an answer to the n-th time
 * (from 1): 4, 8, 16 … s, each one second more or less at random. */
#define HELP_TRIES 3
ms_t help_wait(unsigned n, uint32_t random);

#endif
