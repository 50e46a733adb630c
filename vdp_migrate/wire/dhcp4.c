/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCPv4 messages: RFC 2131 section 2, options of RFC 2132, split options joined as
 * RFC 3396 section 7 says: options field, then file, then sname, as far as they are
 * overloaded. And the messages that are written here: DHCPLEASEQUERY, RFC 4388 6.2, by
 * remote-id RFC 6148 section 5, and DHCPREQUEST in INIT-REBOOT, RFC 2131 4.3.2. Knows
 * nothing of what a message means.
 */
#include "dhcp4.h"

#include <errno.h>

#define MAGIC_COOKIE 0x63825363u
#define FILE_LEN 128
#define SNAME_LEN 64
#define OVERLOAD_FILE 1		/* RFC 2132 9.3, as bits */
#define OVERLOAD_SNAME 2
#define MESSAGE_LEN_MIN 300	/* BOOTP's, RFC 951; some relays and servers insist */
#define REMOTE_ID 2		/* sub-option of 82, RFC 3046 2.0 */
#define HTYPE_ETHERNET 1
#define RELAYED_HOPS 1		/* RFC 1542 4.1.1: where giaddr is set, one relay has been */

static void get_fixed(struct rd *r, struct dhcp4 *m, struct rd *ret_sname,
		      struct rd *ret_file);
static uint8_t overload(struct rd options);
static void measure(struct rd *options, struct dhcp4 *m);
static bool place(struct dhcp4 *m);
static void join(struct rd options, struct dhcp4 *m);
static bool next_option(struct rd *options, uint8_t *ret_option, struct rd *ret_value);
static bool put_key(struct wr *w, const struct lq_question *q);

int dhcp4_decode(struct rd message, struct dhcp4 *ret_message, struct rd_error *ret_error)
{
	struct rd sname, file, part[3];
	unsigned n = 0, overloaded;
	struct dhcp4 m;

	memset(&m, 0, sizeof(m));
	get_fixed(&message, &m, &sname, &file);
	part[n++] = rd_sub(&message, rd_left(&message), "options");
	overloaded = overload(part[0]);
	if (overloaded & OVERLOAD_FILE)
		part[n++] = file;
	if (overloaded & OVERLOAD_SNAME)
		part[n++] = sname;
	for (unsigned i = 0; i < n && rd_ok(&message); i++) {
		struct rd measured = part[i];

		measure(&measured, &m);
		if (!rd_ok(&measured))
			message = measured;
	}
	if (rd_ok(&message) && !place(&m))
		rd_fail(&message, "room for options");
	if (!rd_ok(&message)) {
		rd_error(&message, ret_error);
		return -EBADMSG;
	}
	for (unsigned i = 0; i < n; i++)
		join(part[i], &m);
	/* Of another length it is nobody's type: two of them, joined. */
	if (m.opt_len[DHCP4_OPT_TYPE] == 1) {
		m.type = m.opt[m.opt_at[DHCP4_OPT_TYPE]];
	} else if (m.opt_seen[DHCP4_OPT_TYPE]) {
		rd_fail(&message, "message type");
		rd_error(&message, ret_error);
		return -EBADMSG;
	}
	*ret_message = m;
	return 0;
}

const uint8_t *dhcp4_opt(const struct dhcp4 *message, uint8_t option, size_t *ret_len)
{
	if (!message->opt_seen[option])
		return NULL;
	*ret_len = message->opt_len[option];
	return message->opt + message->opt_at[option];
}

bool dhcp4_opt_u32(const struct dhcp4 *message, uint8_t option, uint32_t *ret_value)
{
	size_t len;
	const uint8_t *p = dhcp4_opt(message, option, &len);
	struct rd r;

	if (!p || len != 4)
		return false;
	r = rd_new(p, len, 0);
	*ret_value = rd_u32(&r, "option");
	return true;
}

bool dhcp4_opt_addr(const struct dhcp4 *message, uint8_t option, struct addr *ret_addr)
{
	size_t len;
	const uint8_t *p = dhcp4_opt(message, option, &len);
	struct rd r;

	if (!p || len != 4)
		return false;
	r = rd_new(p, len, 0);
	*ret_addr = rd_ipv4(&r, "option");
	return true;
}

size_t dhcp4_leasequery(uint8_t *buf, size_t size, const struct lq_question *question,
			uint32_t xid)
{
	static const uint8_t parameters[] = {
		DHCP4_OPT_LEASE_TIME, DHCP4_OPT_RENEWAL_TIME,
		DHCP4_OPT_REBINDING_TIME, DHCP4_OPT_CLASS_ID,
		DHCP4_OPT_CLIENT_ID, DHCP4_OPT_RELAY_AGENT,
		DHCP4_OPT_LAST_TRANSACTION, DHCP4_OPT_ASSOCIATED_IP,
	};
	bool by_mac = question->key == LQ_BY_MAC, by_ip = question->key == LQ_BY_IP;
	struct wr w = wr_new(buf, size);

	if (question->giaddr.family != ADDR_IPV4 ||
	    (by_ip && question->ip.family != ADDR_IPV4))
		return 0;
	/* Exactly one key: servers differ in which of two they take. A hardware type
	 * without a MAC makes some drop the query. */
	wr_u8(&w, DHCP4_BOOTREQUEST);
	wr_u8(&w, by_mac ? HTYPE_ETHERNET : 0);
	wr_u8(&w, by_mac ? 6 : 0);
	wr_u8(&w, 0);
	wr_u32(&w, xid);
	wr_u32(&w, 0);
	wr_bytes(&w, by_ip ? question->ip.b : (const uint8_t[4]){ 0 }, 4);
	wr_zero(&w, 8);
	wr_bytes(&w, question->giaddr.b, 4);
	wr_bytes(&w, by_mac ? question->mac.b : (const uint8_t[6]){ 0 }, 6);
	wr_zero(&w, 10 + SNAME_LEN + FILE_LEN);
	wr_u32(&w, MAGIC_COOKIE);
	wr_u8(&w, DHCP4_OPT_TYPE);
	wr_u8(&w, 1);
	wr_u8(&w, DHCP4_LEASEQUERY);
	wr_u8(&w, DHCP4_OPT_PARAMETERS);
	wr_u8(&w, sizeof(parameters));
	wr_bytes(&w, parameters, sizeof(parameters));
	if (!put_key(&w, question))
		return 0;
	wr_u8(&w, DHCP4_OPT_END);
	if (w.at < MESSAGE_LEN_MIN)
		wr_zero(&w, MESSAGE_LEN_MIN - w.at);
	return wr_ok(&w) ? w.at : 0;
}

size_t dhcp4_reboot(uint8_t *buf, size_t size, const struct dhcp4_reboot *reboot)
{
	/* What clients commonly ask for: mask, router, name servers, host and domain name,
	 * broadcast address, the lease's times. */
	static const uint8_t parameters[] = {
		1, 3, 6, 12, 15, 28, DHCP4_OPT_LEASE_TIME, DHCP4_OPT_RENEWAL_TIME,
		DHCP4_OPT_REBINDING_TIME,
	};
	bool relayed = reboot->giaddr.family == ADDR_IPV4;
	struct wr w = wr_new(buf, size);

	if (reboot->ip.family != ADDR_IPV4 || reboot->giaddr.family == ADDR_IPV6)
		return 0;
	wr_u8(&w, DHCP4_BOOTREQUEST);
	wr_u8(&w, HTYPE_ETHERNET);
	wr_u8(&w, 6);
	wr_u8(&w, relayed ? RELAYED_HOPS : 0);
	wr_u32(&w, reboot->xid);
	wr_u16(&w, reboot->secs);
	wr_u16(&w, 0);
	/* ciaddr must be zero in INIT-REBOOT. */
	wr_zero(&w, 12);
	wr_bytes(&w, reboot->giaddr.b, 4);
	wr_bytes(&w, reboot->chaddr.b, 6);
	wr_zero(&w, 10 + SNAME_LEN + FILE_LEN);
	wr_u32(&w, MAGIC_COOKIE);
	wr_u8(&w, DHCP4_OPT_TYPE);
	wr_u8(&w, 1);
	wr_u8(&w, DHCP4_REQUEST);
	/* The client-id first, as clients have it; the server id (54) must not be there. */
	if (reboot->client_id.len) {
		wr_u8(&w, DHCP4_OPT_CLIENT_ID);
		wr_u8(&w, reboot->client_id.len);
		wr_bytes(&w, reboot->client_id.b, reboot->client_id.len);
	}
	wr_u8(&w, DHCP4_OPT_REQUESTED_ADDRESS);
	wr_u8(&w, 4);
	wr_bytes(&w, reboot->ip.b, 4);
	/* RFC 3011. Where giaddr is in no subnet of the server's (a /32 on lo), it refuses
	 * without it, or says nothing. Where giaddr is, it would keep the server from
	 * refusing an address of another one. */
	if (relayed && reboot->select_subnet) {
		wr_u8(&w, DHCP4_OPT_SUBNET);
		wr_u8(&w, 4);
		wr_bytes(&w, reboot->ip.b, 4);
	}
	wr_u8(&w, DHCP4_OPT_PARAMETERS);
	wr_u8(&w, sizeof(parameters));
	wr_bytes(&w, parameters, sizeof(parameters));
	wr_u8(&w, DHCP4_OPT_END);
	if (w.at < MESSAGE_LEN_MIN)
		wr_zero(&w, MESSAGE_LEN_MIN - w.at);
	return wr_ok(&w) ? w.at : 0;
}

const char *dhcp4_type_text(uint8_t type)
{
	static const char *const text[] = {
		[DHCP4_DISCOVER] = "DHCPDISCOVER",
		[DHCP4_OFFER] = "DHCPOFFER",
		[DHCP4_REQUEST] = "DHCPREQUEST",
		[DHCP4_DECLINE] = "DHCPDECLINE",
		[DHCP4_ACK] = "DHCPACK",
		[DHCP4_NAK] = "DHCPNAK",
		[DHCP4_RELEASE] = "DHCPRELEASE",
		[DHCP4_INFORM] = "DHCPINFORM",
		[DHCP4_LEASEQUERY] = "DHCPLEASEQUERY",
		[DHCP4_LEASEUNASSIGNED] = "DHCPLEASEUNASSIGNED",
		[DHCP4_LEASEUNKNOWN] = "DHCPLEASEUNKNOWN",
		[DHCP4_LEASEACTIVE] = "DHCPLEASEACTIVE",
	};

	if (!type)
		return "BOOTP";
	if (type >= sizeof(text) / sizeof(text[0]) || !text[type])
		return "unknown DHCP message";
	return text[type];
}

/* RFC 2131 section 2, figure 1. */
static void get_fixed(struct rd *r, struct dhcp4 *m, struct rd *ret_sname,
		      struct rd *ret_file)
{
	m->op = rd_u8(r, "op");
	m->htype = rd_u8(r, "htype");
	m->hlen = rd_u8(r, "hlen");
	m->hops = rd_u8(r, "hops");
	m->xid = rd_u32(r, "xid");
	m->secs = rd_u16(r, "secs");
	m->flags = rd_u16(r, "flags");
	m->ciaddr = rd_ipv4(r, "ciaddr");
	m->yiaddr = rd_ipv4(r, "yiaddr");
	m->siaddr = rd_ipv4(r, "siaddr");
	m->giaddr = rd_ipv4(r, "giaddr");
	m->chaddr = rd_mac(r, "chaddr");
	rd_skip(r, 10, "chaddr");
	*ret_sname = rd_sub(r, SNAME_LEN, "sname");
	*ret_file = rd_sub(r, FILE_LEN, "file");
	if (rd_u32(r, "magic cookie") != MAGIC_COOKIE)
		rd_fail(r, "magic cookie");
}

/* Counts only where the options field itself says so. */
static uint8_t overload(struct rd options)
{
	struct rd value;
	uint8_t option;

	while (next_option(&options, &option, &value))
		if (option == DHCP4_OPT_OVERLOAD)
			return rd_u8(&value, "option overload");
	return 0;
}

static void measure(struct rd *options, struct dhcp4 *m)
{
	struct rd value;
	uint8_t option;

	while (next_option(options, &option, &value)) {
		size_t len = m->opt_len[option] + rd_left(&value);

		if (len > sizeof(m->opt)) {
			rd_fail(options, "room for options");
			return;
		}
		m->opt_seen[option] = true;
		m->opt_len[option] = (uint16_t)len;
	}
}

/* Gives each option its place; opt_len is counted anew while they are joined. */
static bool place(struct dhcp4 *m)
{
	size_t at = 0;

	for (unsigned i = 0; i < 256; i++) {
		m->opt_at[i] = (uint16_t)at;
		at += m->opt_len[i];
		m->opt_len[i] = 0;
		if (at > sizeof(m->opt))
			return false;
	}
	return true;
}

static void join(struct rd options, struct dhcp4 *m)
{
	struct rd value;
	uint8_t option;

	while (next_option(&options, &option, &value)) {
		size_t len = rd_left(&value);

		rd_copy(&value, m->opt + m->opt_at[option] + m->opt_len[option], len,
			"option");
		m->opt_len[option] = (uint16_t)(m->opt_len[option] + len);
	}
}

/* RFC 2132 section 2: Pad and End have no length. A missing End is forgiven. */
static bool next_option(struct rd *options, uint8_t *ret_option, struct rd *ret_value)
{
	uint8_t option = DHCP4_OPT_PAD;

	while (rd_left(options) && option == DHCP4_OPT_PAD)
		option = rd_u8(options, "option");
	if (option == DHCP4_OPT_PAD || option == DHCP4_OPT_END)
		return false;
	*ret_value = rd_sub(options, rd_u8(options, "option length"), "option");
	*ret_option = option;
	return rd_ok(options);
}

/* False: the question lacks its key, or the key is too long. */
static bool put_key(struct wr *w, const struct lq_question *q)
{
	switch (q->key) {
	case LQ_BY_MAC:
	case LQ_BY_IP:
		return true;
	case LQ_BY_CLIENT_ID:
		wr_u8(w, DHCP4_OPT_CLIENT_ID);
		wr_u8(w, q->id.len);
		wr_bytes(w, q->id.b, q->id.len);
		return q->id.len > 0;
	case LQ_BY_REMOTE_ID:
		wr_u8(w, DHCP4_OPT_RELAY_AGENT);
		wr_u8(w, (uint8_t)(q->id.len + 2));
		wr_u8(w, REMOTE_ID);
		wr_u8(w, q->id.len);
		wr_bytes(w, q->id.b, q->id.len);
		return q->id.len > 0 && q->id.len <= 253;
	default:
		return false;
	}
}
