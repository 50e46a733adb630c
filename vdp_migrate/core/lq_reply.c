/* SPDX-License-Identifier: GPL-2.0-only */
/* See lq_reply.h. */
#include "lq_reply.h"

#include <string.h>

#include "wire/text.h"

/* 68 years and more: no lease but one that is meant to have no end. A server that
 * counts an infinite one down sends such numbers. */
#define LEASE_HUGE_S 0x7fffffffu

static void take_client_id(const struct dhcp4 *message, struct client_id *ret_id);
static void take_addresses(const struct dhcp4 *message, struct lq_answer *ret_answer);

enum lq_reject lq_reply_check(const struct dhcp4 *message,
			      const struct lq_question *question,
			      const struct addr *giaddr)
{
	size_t len;

	if (!addr_equal(giaddr, &question->giaddr) ||
	    !addr_equal(&message->giaddr, &question->giaddr))
		return LQ_BAD_GIADDR;
	/* Of types 11 and 12 nothing but the type is taken: the rest echoes the query or
	 * holds what once was. */
	if (message->type != DHCP4_LEASEACTIVE)
		return LQ_TAKEN;
	if (!mac_is_zero(&question->mac) &&
	    (message->htype != 1 || message->hlen != sizeof(question->mac.b) ||
	     !mac_equal(&message->chaddr, &question->mac)))
		return LQ_BAD_MAC;
	if (question->key == LQ_BY_IP && !addr_equal(&message->ciaddr, &question->ip))
		return LQ_BAD_MESSAGE;
	/* RFC 4388 6.1: a list of addresses. */
	if (dhcp4_opt(message, DHCP4_OPT_ASSOCIATED_IP, &len) && len % 4)
		return LQ_BAD_MESSAGE;
	return LQ_TAKEN;
}

void lq_reply_read(const struct dhcp4 *message, struct lq_answer *ret_answer)
{
	uint32_t lease_s;

	*ret_answer = (struct lq_answer){.outcome = (enum lq_outcome)message->type,
					 .last_s = LQ_NO_TIME};
	(void)dhcp4_opt_addr(message, DHCP4_OPT_SERVER_ID, &ret_answer->server_id);
	if (message->type != DHCP4_LEASEACTIVE)
		return;
	/* isc leaves the lease time out in a lease's last second. */
	if (addr_is_any(&message->ciaddr) ||
	    !dhcp4_opt_u32(message, DHCP4_OPT_LEASE_TIME, &lease_s) || !lease_s) {
		ret_answer->outcome = LQ_UNASSIGNED;
		return;
	}
	ret_answer->lease_s = lease_s >= LEASE_HUGE_S ? LQ_FOREVER : lease_s;
	if (message->htype == 1 && message->hlen == sizeof(message->chaddr.b))
		ret_answer->mac = message->chaddr;
	if (!dhcp4_opt_u32(message, DHCP4_OPT_LAST_TRANSACTION, &ret_answer->last_s))
		ret_answer->last_s = LQ_NO_TIME;
	take_client_id(message, &ret_answer->client_id);
	take_addresses(message, ret_answer);
}

static void take_client_id(const struct dhcp4 *message, struct client_id *ret_id)
{
	size_t len = 0;
	const uint8_t *p = dhcp4_opt(message, DHCP4_OPT_CLIENT_ID, &len);

	if (!p || len > sizeof(ret_id->b))
		return;
	ret_id->len = (uint8_t)len;
	memcpy(ret_id->b, p, len);
}

static void take_addresses(const struct dhcp4 *message, struct lq_answer *ret_answer)
{
	size_t len = 0;
	const uint8_t *p = dhcp4_opt(message, DHCP4_OPT_ASSOCIATED_IP, &len);
	struct rd others = rd_new(p, p ? len : 0, 0);

	ret_answer->addrs[ret_answer->n_addrs++] = message->ciaddr;
	while (rd_left(&others) && ret_answer->n_addrs < LQ_ADDRS_MAX) {
		struct addr other = rd_ipv4(&others, "associated IP");

		if (!addr_is_any(&other) && !addr_equal(&other, &message->ciaddr))
			ret_answer->addrs[ret_answer->n_addrs++] = other;
	}
}
