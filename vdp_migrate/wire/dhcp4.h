/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCPv4 messages, RFC 2131, 2132, and DHCPLEASEQUERY, RFC 4388. A message is
 * made an object with direct option look-up (split options joined, RFC 3396;
 * option overload, RFC 2132 9.3) before anybody interprets it.
 */
#ifndef WIRE_DHCP4_H
#define WIRE_DHCP4_H

#include "rd.h"
#include "wr.h"
#include "vdp_migrate/leasequery.h"

#define DHCP4_SERVER_PORT 67
#define DHCP4_CLIENT_PORT 68

enum dhcp4_op { DHCP4_BOOTREQUEST = 1, DHCP4_BOOTREPLY = 2 };

enum dhcp4_type {		/* option 53 */
	DHCP4_DISCOVER = 1,
	DHCP4_OFFER = 2,
	DHCP4_REQUEST = 3,
	DHCP4_DECLINE = 4,
	DHCP4_ACK = 5,
	DHCP4_NAK = 6,
	DHCP4_RELEASE = 7,
	DHCP4_INFORM = 8,
	DHCP4_LEASEQUERY = 10,	/* RFC 4388 6.1 */
	DHCP4_LEASEUNASSIGNED = 11,
	DHCP4_LEASEUNKNOWN = 12,
	DHCP4_LEASEACTIVE = 13,
};

enum dhcp4_option {
	DHCP4_OPT_PAD = 0,
	DHCP4_OPT_REQUESTED_ADDRESS = 50,
	DHCP4_OPT_LEASE_TIME = 51,
	DHCP4_OPT_OVERLOAD = 52,
	DHCP4_OPT_TYPE = 53,
	DHCP4_OPT_SERVER_ID = 54,
	DHCP4_OPT_PARAMETERS = 55,
	DHCP4_OPT_RENEWAL_TIME = 58,
	DHCP4_OPT_REBINDING_TIME = 59,
	DHCP4_OPT_CLASS_ID = 60,
	DHCP4_OPT_CLIENT_ID = 61,
	DHCP4_OPT_RELAY_AGENT = 82,
	DHCP4_OPT_LAST_TRANSACTION = 91,	/* RFC 4388 6.1 */
	DHCP4_OPT_ASSOCIATED_IP = 92,
	DHCP4_OPT_SUBNET = 118,	/* RFC 3011 */
	DHCP4_OPT_END = 255,
};

#define DHCP4_LEASE_FOREVER 0xffffffffu	/* RFC 2131 3.3 */

struct dhcp4 {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	struct addr ciaddr, yiaddr, siaddr, giaddr;	/* all IPv4 */
	struct mac chaddr;	/* first six octets; meant only where htype 1, hlen 6 */
	uint8_t type;		/* option 53, 0 = none (BOOTP) */
	uint16_t opt_at[256], opt_len[256];
	bool opt_seen[256];
	uint8_t opt[1500];	/* the options' octets, joined */
};

/* 0 or -EBADMSG: short, no magic cookie, an option cut, too long. */
int dhcp4_decode(struct rd message, struct dhcp4 *ret_message, struct rd_error *ret_error);

/* An option's octets; NULL if it is not there. *ret_len is set then. */
const uint8_t *dhcp4_opt(const struct dhcp4 *message, uint8_t option, size_t *ret_len);
/* An option of exactly 4 octets. False: not there, or of another length. */
bool dhcp4_opt_u32(const struct dhcp4 *message, uint8_t option, uint32_t *ret_value);
bool dhcp4_opt_addr(const struct dhcp4 *message, uint8_t option, struct addr *ret_addr);

/* DHCPLEASEQUERY for the question, from its giaddr, with this xid
 * (RFC 4388 6.2; by remote-id RFC 6148 section 5). Octets, or 0 if it does not fit. */
size_t dhcp4_leasequery(uint8_t *buf, size_t size, const struct lq_question *question,
			uint32_t xid);

/* What a client asks that has restarted and knows its address, INIT-REBOOT. */
struct dhcp4_reboot {
	uint32_t xid;
	uint16_t secs;		/* since the first of these requests */
	struct mac chaddr;
	struct addr ip;		/* IPv4 */
	struct client_id client_id;	/* len 0: this client sends none */
	struct addr giaddr;	/* family 0 = none */
	bool select_subnet;	/* with giaddr: the subnet is the address's, not giaddr's */
};
/* Its DHCPREQUEST (RFC 2131 4.3.2). Octets, or 0 if it does not fit. */
size_t dhcp4_reboot(uint8_t *buf, size_t size, const struct dhcp4_reboot *reboot);

const char *dhcp4_type_text(uint8_t type);	/* "DHCPACK", … */

#endif
