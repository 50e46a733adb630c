/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The help request, on the server; see help.h. What real DHCP servers do with a request
 * that is not quite the client's own: without the client-id of the lease a NAK; for
 * another address of the pool an ACK, and the client's real lease is over; for an unknown
 * client a new lease. So nothing is guessed.
 */
#include "help.h"

#include "wire/dhcp4.h"
#include "wire/text.h"
#include "wire/udp4.h"

#define WAIT_MS 4000
#define WAIT_MOST_MS 64000
#define JITTER_MS 1000

static enum help_verdict join(const struct help_known *a, const struct help_known *b,
			      struct help_known *ret_lease);

enum help_verdict help_decide(const struct help_facts *facts, struct help_known *ret_lease)
{
	static const struct help_known nothing;
	struct help_known lease = nothing, ignored;
	enum help_verdict verdict;

	if (!facts->dhcp4)
		return HELP_NOT_DHCP4;
	if (mac_is_zero(&facts->mac) || facts->mac.b[0] & 1)
		return HELP_NO_MAC;
	if (facts->giaddr.family && !help_is_host(&facts->giaddr))
		return HELP_BAD_GIADDR;
	verdict = join(facts->mark ? facts->mark : &nothing,
		       facts->snooped ? facts->snooped : &nothing, &lease);
	if (verdict == HELP_REQUEST && facts->doubtful)
		verdict = join(&lease, facts->doubtful, &ignored);
	if (verdict != HELP_REQUEST)
		return verdict;
	if (!lease.ip.family)
		return HELP_NO_ADDRESS;
	if (!help_is_host(&lease.ip))
		return HELP_BAD_ADDRESS;
	if (!lease.client_id.len && !lease.no_client_id)
		return HELP_NO_CLIENT_ID;
	*ret_lease = lease;
	return HELP_REQUEST;
}

const char *help_verdict_text(enum help_verdict verdict)
{
	static const char *const text[HELP_N_VERDICTS] = {
		[HELP_REQUEST] = "requested",
		[HELP_NOT_DHCP4] = "only DHCPv6 is asked for",
		[HELP_NO_MAC] = "no MAC address",
		[HELP_BAD_GIADDR] = "giaddr is no host's address",
		[HELP_NO_ADDRESS] = "its address is not known",
		[HELP_BAD_ADDRESS] = "its address is no IPv4 host's",
		[HELP_NO_CLIENT_ID] = "its client-id is not known; nor that it sends none",
		[HELP_ADDRESSES_DIFFER] = "mark and snooped lease have different addresses",
		[HELP_CLIENT_IDS_DIFFER] = "mark and snooped lease have different client-ids",
		[HELP_ENDED] = "its lease is over",
		[HELP_CONTESTED] = "two interfaces of this server claim its MAC address",
		[HELP_ANOTHERS] = "its address is another VM's here",
		[HELP_VLANS] = "its MAC address is in several VLANs; whose is the mark's address?",
		[HELP_SPENT] = "its mark has served for an arrival already",
	};

	return verdict < HELP_N_VERDICTS ? text[verdict] : "?";
}

size_t help_frame(uint8_t *buf, size_t size, const struct help_known *lease,
		  const struct help_form *form)
{
	const struct dhcp4_reboot reboot = {
		.xid = form->xid,
		.secs = (uint16_t)(form->since / 1000 > UINT16_MAX ? UINT16_MAX
								   : form->since / 1000),
		.chaddr = form->mac,
		.ip = lease->ip,
		.client_id = lease->client_id,
		.giaddr = form->giaddr,
		.select_subnet = form->apart,
	};
	/* From port 68: as from a client. What a guard lets pass of a host that has no
	 * address yet is this, and nothing from port 67. */
	const struct udp4 head = {
		.dst = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src = form->own,
		.vlan = form->vlan,
		.saddr = { .family = ADDR_IPV4 },
		.daddr = { .family = ADDR_IPV4, .b = { 255, 255, 255, 255 } },
		.sport = DHCP4_CLIENT_PORT,
		.dport = DHCP4_SERVER_PORT,
	};
	uint8_t message[HELP_FRAME_MAX - UDP4_OVERHEAD];
	size_t len = dhcp4_reboot(message, sizeof(message), &reboot);

	return len ? udp4_frame(buf, size, &head, message, len) : 0;
}

/* An IPv4 address that a host can have: not 0/8, 127/8, 224/4, 240/4. */
bool help_is_host(const struct addr *ip)
{
	return ip->family == ADDR_IPV4 && ip->b[0] && ip->b[0] != 127 && ip->b[0] < 224;
}

/* RFC 2131 4.1. */
ms_t help_wait(unsigned n, uint32_t random)
{
	ms_t wait = WAIT_MS;

	while (n > 1 && wait < WAIT_MOST_MS) {
		wait *= 2;
		n--;
	}
	return wait - JITTER_MS + (ms_t)(random % (2 * JITTER_MS + 1));
}

/* Statics. */

/* What both say, if neither contradicts the other. */
static enum help_verdict join(const struct help_known *a, const struct help_known *b,
			      struct help_known *ret_lease)
{
	if (a->contested || b->contested)
		return HELP_CONTESTED;
	if (a->ended || b->ended)
		return HELP_ENDED;
	if (a->ip.family && b->ip.family && !addr_equal(&a->ip, &b->ip))
		return HELP_ADDRESSES_DIFFER;
	if ((a->no_client_id && b->client_id.len) || (b->no_client_id && a->client_id.len) ||
	    (a->client_id.len && b->client_id.len &&
	     (a->client_id.len != b->client_id.len ||
	      memcmp(a->client_id.b, b->client_id.b, a->client_id.len) != 0)))
		return HELP_CLIENT_IDS_DIFFER;
	*ret_lease = (struct help_known){
		.ip = a->ip.family ? a->ip : b->ip,
		.client_id = a->client_id.len ? a->client_id : b->client_id,
		.no_client_id = a->no_client_id || b->no_client_id,
	};
	return HELP_REQUEST;
}
