/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCP snooping (RFC 2131; RFC 7513 section 6): whose requests are open, and what
 * an answer then means for the binding table. Knows messages and ports, no table, no
 * VSI. What a client can forge decides nothing but about its own port, and fills
 * nothing but its own port's list.
 */
#include "snoop.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "wire/text.h"

#define OPEN_MAX 64 /* requests open at a port */
#define OPEN_MS 60000
/* A guest that knows the xid (that of the DHCPDISCOVER, RFC 2131 4.4.1) can answer before
 * it is asked. No bridge holds a frame for longer (802.1Q 6.5.6). */
#define DOUBT_MS 4000
#define DOUBTS_MAX 256

struct request_key {
	uint32_t bridge;
	uint32_t xid;
	uint16_t vlan;
	struct mac mac;
};

struct request {
	struct request_key key;
	struct port *port;
	bool trusted; /* its port, when it came in */
	struct client_id client_id;
	bool odd_client_id;
	ms_t at;
	struct request *next; /* of the port, oldest first */
	UT_hash_handle hh;
};

struct port {
	uint16_t number;
	unsigned n;
	struct request *first, *last;
	UT_hash_handle hh;
};

struct doubt {
	struct request_key key;
	ms_t until;
};

struct snoop {
	struct port *ports;
	struct request *requests;
	struct doubt doubts[DOUBTS_MAX];
	ms_t all_doubted_until;
	struct snoop_counts counts;
};

_Static_assert(sizeof(struct request_key) == 16, "a hash key has no padding");

static void see_client(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
		       struct snoop_change *ret_change);
static void see_server(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
		       struct snoop_change *ret_change);
static void see_ack(struct snoop *snoop, const struct snoop_seen *seen,
		    const struct request *open, struct snoop_change *ret_change);
static void open_request(struct snoop *snoop, ms_t now, const struct snoop_seen *seen);
static void take_client_id(const struct dhcp4 *message, struct request *request);
static bool is_doubted(const struct snoop *snoop, ms_t now,
		       const struct request_key *key);
static struct request_key key_of(const struct snoop_seen *seen);
static struct request *find_request(struct snoop *snoop, const struct snoop_seen *seen);
static void close_request(struct snoop *snoop, struct request *request);
static struct port *port_get(struct snoop *snoop, uint16_t number);

struct snoop *snoop_new(void)
{
	return calloc(1, sizeof(struct snoop));
}

void snoop_free(struct snoop *snoop)
{
	struct port *port, *next;

	if (!snoop)
		return;
	HASH_ITER(hh, snoop->ports, port, next)
	{
		while (port->first)
			close_request(snoop, port->first);
		HASH_DEL(snoop->ports, port);
		free(port);
	}
	free(snoop);
}

void snoop_see(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
	       struct snoop_change *ret_change)
{
	const struct dhcp4 *m = seen->message;

	*ret_change = (struct snoop_change){
		.what = SNOOP_NOTHING,
		.port = seen->port,
		.host = {seen->bridge, seen->vlan, m->chaddr},
	};
	if (m->htype != 1 || m->hlen != sizeof(m->chaddr.b))
		return;
	/* Leasequery messages, types 10 to 13, are conversations of relays: no client
	 * learns an address from them. They are in neither list. */
	switch (m->type) {
	case DHCP4_REQUEST:
	case DHCP4_DECLINE:
	case DHCP4_RELEASE:
		if (m->op == DHCP4_BOOTREQUEST)
			see_client(snoop, now, seen, ret_change);
		return;
	case DHCP4_OFFER:
	case DHCP4_ACK:
	case DHCP4_NAK:
		if (m->op == DHCP4_BOOTREPLY)
			see_server(snoop, now, seen, ret_change);
		return;
	}
}

void snoop_doubt(struct snoop *snoop, ms_t now, const struct snoop_seen *seen)
{
	struct request_key key;
	unsigned i = 0;

	if (seen) {
		key = key_of(seen);
		while (i < DOUBTS_MAX && snoop->doubts[i].until > now &&
		       memcmp(&snoop->doubts[i].key, &key, sizeof(key)) != 0)
			i++;
	}
	if (seen && i < DOUBTS_MAX)
		snoop->doubts[i] = (struct doubt){key, now + DOUBT_MS};
	else
		snoop->all_doubted_until = now + DOUBT_MS;
}

const struct snoop_counts *snoop_counts(const struct snoop *snoop)
{
	return &snoop->counts;
}

static void see_client(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
		       struct snoop_change *ret_change)
{
	const struct dhcp4 *m = seen->message;
	struct addr ip = m->ciaddr; /* RFC 2131 4.4.6: what is released */

	/* Relayed: the client is not behind this port. */
	if (!addr_is_any(&m->giaddr))
		return;
	if (!mac_equal(&seen->src, &m->chaddr) || seen->elsewhere) {
		snoop->counts.forged++;
		return;
	}
	switch (m->type) {
	case DHCP4_REQUEST:
		snoop->counts.requests++;
		open_request(snoop, now, seen);
		return;
	case DHCP4_DECLINE:
		snoop->counts.declines++;
		/* RFC 2131 4.4.1, table 5: the address is in option 50. */
		if (!dhcp4_opt_addr(m, DHCP4_OPT_REQUESTED_ADDRESS, &ip))
			return;
		break;
	default:
		snoop->counts.releases++;
		break;
	}
	if (addr_is_any(&ip))
		return;
	ret_change->what = SNOOP_ENDED;
	ret_change->ip = ip;
}

static void see_server(struct snoop *snoop, ms_t now, const struct snoop_seen *seen,
		       struct snoop_change *ret_change)
{
	struct request *open;

	if (!seen->trusted) {
		snoop->counts.untrusted++;
		return;
	}
	open = find_request(snoop, seen);
	if (open && (now - open->at >= OPEN_MS || is_doubted(snoop, now, &open->key))) {
		close_request(snoop, open);
		open = NULL;
	}
	switch (seen->message->type) {
	case DHCP4_ACK:
		snoop->counts.acks++;
		see_ack(snoop, seen, open, ret_change);
		if (open && !addr_is_any(&seen->message->yiaddr))
			close_request(snoop, open);
		return;
	case DHCP4_NAK:
		snoop->counts.naks++;
		if (open)
			close_request(snoop, open);
		return;
	}
}

static void see_ack(struct snoop *snoop, const struct snoop_seen *seen,
		    const struct request *open, struct snoop_change *ret_change)
{
	const struct dhcp4 *m = seen->message;

	/* The answer to a DHCPINFORM has neither, RFC 2131 4.3.5. */
	if (addr_is_any(&m->yiaddr) ||
	    !dhcp4_opt_u32(m, DHCP4_OPT_LEASE_TIME, &ret_change->lease_s) ||
	    !ret_change->lease_s)
		return;
	ret_change->ip = m->yiaddr;
	(void)dhcp4_opt_addr(m, DHCP4_OPT_SERVER_ID, &ret_change->server);
	if (!open) {
		snoop->counts.unasked++;
		ret_change->what = SNOOP_RENEWED;
		return;
	}
	/* Who is behind a trusted port is not ours to bind. */
	if (open->trusted)
		return;
	ret_change->what = SNOOP_BOUND;
	ret_change->port = open->port->number;
	ret_change->client_id = open->client_id;
	ret_change->odd_client_id = open->odd_client_id;
}

static void open_request(struct snoop *snoop, ms_t now, const struct snoop_seen *seen)
{
	struct request *request = find_request(snoop, seen);
	struct port *port;

	/* The first port stays: requests are broadcast, and who repeats another's with a
	 * forged source would have the lease bound to his own port. */
	if (request && request->port->number != seen->port && now - request->at < OPEN_MS)
		return;
	if (request)
		close_request(snoop, request);
	port = port_get(snoop, seen->port);
	if (!port)
		return;
	if (port->n == OPEN_MAX) {
		if (now - port->first->at < OPEN_MS)
			snoop->counts.full++;
		close_request(snoop, port->first);
	}
	request = calloc(1, sizeof(*request));
	if (!request)
		return;
	request->key = key_of(seen);
	HASH_ADD(hh, snoop->requests, key, sizeof(request->key), request);
	if (!request->hh.tbl) {
		free(request);
		return;
	}
	request->port = port;
	request->trusted = seen->trusted;
	take_client_id(seen->message, request);
	request->at = now;
	if (port->last)
		port->last->next = request;
	else
		port->first = request;
	port->last = request;
	port->n++;
}

/* RFC 3396: joined it can be longer than any one option. */
static void take_client_id(const struct dhcp4 *message, struct request *request)
{
	size_t len = 0;
	const uint8_t *p = dhcp4_opt(message, DHCP4_OPT_CLIENT_ID, &len);

	if (!p)
		return;
	request->odd_client_id = !len || len > sizeof(request->client_id.b);
	if (request->odd_client_id)
		return;
	request->client_id.len = (uint8_t)len;
	memcpy(request->client_id.b, p, len);
}

static bool is_doubted(const struct snoop *snoop, ms_t now,
		       const struct request_key *key)
{
	for (unsigned i = 0; i < DOUBTS_MAX; i++)
		if (snoop->doubts[i].until > now &&
		    !memcmp(&snoop->doubts[i].key, key, sizeof(*key)))
			return true;
	return snoop->all_doubted_until > now;
}

static struct request_key key_of(const struct snoop_seen *seen)
{
	return (struct request_key){seen->bridge, seen->message->xid, seen->vlan,
				    seen->message->chaddr};
}

static struct request *find_request(struct snoop *snoop, const struct snoop_seen *seen)
{
	const struct request_key key = key_of(seen);
	struct request *request;

	HASH_FIND(hh, snoop->requests, &key, sizeof(key), request);
	return request;
}

static void close_request(struct snoop *snoop, struct request *request)
{
	struct port *port = request->port;
	struct request *before = NULL;

	for (struct request *r = port->first; r != request; r = r->next)
		before = r;
	if (before)
		before->next = request->next;
	else
		port->first = request->next;
	if (port->last == request)
		port->last = before;
	port->n--;
	HASH_DEL(snoop->requests, request);
	free(request);
}

static struct port *port_get(struct snoop *snoop, uint16_t number)
{
	struct port *port;

	HASH_FIND(hh, snoop->ports, &number, sizeof(number), port);
	if (port)
		return port;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	port->number = number;
	HASH_ADD(hh, snoop->ports, number, sizeof(port->number), port);
	if (!port->hh.tbl) {
		free(port);
		return NULL;
	}
	return port;
}
