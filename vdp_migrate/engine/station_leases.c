/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases seen on a server; see station_leases.h. core/snoop, the switch's own, says which
 * request an answer belongs to: trusted is the uplink, and anchors are the interfaces of
 * the VMs, by number.
 *
 * Supported standards: RFC 2131, RFC 7513 (DHCP snooping).
 */
#include "station_leases.h"

#include <stdlib.h>
#include <string.h>

#include "core/snoop.h"
#include "vdp_migrate/leasequery.h"
#include "wire/text.h"

#define LEASES_MAX 4096
#define LEASES_OF_TAP_MAX 64
#define TAPS_MAX 4096
#define TAP_FREE_MS 61000	/* core/snoop keeps a request open for less */

_Static_assert(sizeof(struct binding_host) == 12, "a hash key has no padding");

struct station_leases {
	struct snoop *snoop;
	struct station_lease *leases;
	unsigned n_taps;
	struct tap {
		char name[VM_IFNAME_MAX];	/* "" = free */
		uint32_t ifindex;
		ms_t since;			/* free */
	} *taps;				/* by number - 1 */
};

static uint16_t tap_number(struct station_leases *leases, ms_t now, const char *name,
			   uint32_t ifindex);
static void bound(struct station_leases *leases, ms_t now,
		  const struct snoop_change *change);
static struct station_lease *get(struct station_leases *leases, ms_t now,
				 const struct binding_host *host);
static void make_room(struct station_leases *leases, uint16_t tap);
static struct station_lease *find(const struct station_leases *leases,
				  const struct binding_host *host);
static void drop(struct station_leases *leases, struct station_lease *lease);
static ms_t lease_end(ms_t now, uint32_t lease_s);

struct station_leases *station_leases_new(void)
{
	struct station_leases *leases = calloc(1, sizeof(*leases));

	if (!leases)
		return NULL;
	leases->snoop = snoop_new();
	if (leases->snoop)
		return leases;
	free(leases);
	return NULL;
}

void station_leases_free(struct station_leases *leases)
{
	if (!leases)
		return;
	while (leases->leases)
		drop(leases, leases->leases);
	snoop_free(leases->snoop);
	free(leases->taps);
	free(leases);
}

void station_leases_see(struct station_leases *leases, ms_t now,
			const struct station_leases_seen *seen)
{
	const struct snoop_seen in = {
		.bridge = seen->bridge, .vlan = seen->vlan, .trusted = seen->network,
		.port = tap_number(leases, now, seen->port, seen->ifindex),
		.src = seen->src, .message = seen->message,
	};
	struct snoop_change change;
	struct station_lease *lease;

	if (!in.port)
		return;
	snoop_see(leases->snoop, now, &in, &change);
	lease = change.what ? find(leases, &change.host) : NULL;
	switch (change.what) {
	case SNOOP_NOTHING:
		return;
	case SNOOP_BOUND:
		bound(leases, now, &change);
		return;
	case SNOOP_RENEWED:
		if (lease && addr_equal(&lease->ip, &change.ip) && !seen->direct)
			lease->ends = lease_end(now, change.lease_s);
		return;
	case SNOOP_ENDED:
		if (lease && lease->tap == change.port && addr_equal(&lease->ip, &change.ip))
			drop(leases, lease);
		return;
	}
}

void station_leases_doubt(struct station_leases *leases, ms_t now,
			  const struct station_leases_seen *seen)
{
	struct snoop_seen in = { 0 };

	if (seen)
		in = (struct snoop_seen){ .bridge = seen->bridge, .vlan = seen->vlan,
					  .message = seen->message };
	snoop_doubt(leases->snoop, now, seen ? &in : NULL);
}

const struct station_lease *station_leases_find(const struct station_leases *leases,
						const struct binding_host *host)
{
	return find(leases, host);
}

const struct station_lease *station_leases_others(const struct station_leases *leases,
						  ms_t now, const struct binding_host *host,
						  const struct addr *ip)
{
	for (const struct station_lease *i = leases->leases; i; i = i->hh.next)
		if (i->host.bridge == host->bridge && i->host.vlan == host->vlan &&
		    !mac_equal(&i->host.mac, &host->mac) && addr_equal(&i->ip, ip) &&
		    i->ends > now)
			return i;
	return NULL;
}

const char *station_leases_tap(const struct station_leases *leases,
			       const struct station_lease *lease)
{
	return leases->taps[lease->tap - 1].name;
}

void station_leases_each(const struct station_leases *leases,
			 void (*cb)(void *arg, const struct station_lease *lease), void *arg)
{
	for (const struct station_lease *i = leases->leases; i; i = i->hh.next)
		cb(arg, i);
}

unsigned station_leases_count(const struct station_leases *leases)
{
	return HASH_COUNT(leases->leases);
}

void station_leases_left(struct station_leases *leases, const struct binding_host *host)
{
	struct station_lease *lease = find(leases, host);

	if (lease)
		drop(leases, lease);
}

void station_leases_check(struct station_leases *leases, ms_t now,
			  bool (*here)(void *arg, const char *tap, uint32_t ifindex,
				       uint32_t bridge),
			  void *arg)
{
	for (struct station_lease *i = leases->leases, *next; i; i = next) {
		const struct tap *tap = &leases->taps[i->tap - 1];

		next = i->hh.next;
		if (!here(arg, tap->name, tap->ifindex, i->host.bridge))
			drop(leases, i);
	}
	/* Names of VMs' interfaces are not used again: numbers are, later. */
	for (unsigned n = 0; n < leases->n_taps; n++) {
		struct tap *tap = &leases->taps[n];

		if (!*tap->name || here(arg, tap->name, tap->ifindex, 0))
			continue;
		*tap->name = 0;
		tap->since = now;
	}
}

/* Statics. */

/* 0: too many. */
static uint16_t tap_number(struct station_leases *leases, ms_t now, const char *name,
			   uint32_t ifindex)
{
	unsigned n = leases->n_taps, at = 0;
	struct tap *grown;

	while (at < leases->n_taps && (leases->taps[at].ifindex != ifindex ||
				       strcmp(leases->taps[at].name, name))) {
		const struct tap *tap = &leases->taps[at];

		if (n == leases->n_taps && !*tap->name && now - tap->since >= TAP_FREE_MS)
			n = at;
		at++;
	}
	if (at < leases->n_taps)
		return (uint16_t)(at + 1);
	if (n == TAPS_MAX)
		return 0;
	if (n == leases->n_taps) {
		grown = realloc(leases->taps, (n + 1) * sizeof(*grown));
		if (!grown)
			return 0;
		leases->taps = grown;
		leases->n_taps++;
	}
	leases->taps[n] = (struct tap){ .ifindex = ifindex };
	memcpy(leases->taps[n].name, name, strnlen(name, VM_IFNAME_MAX - 1));
	return (uint16_t)(n + 1);
}

/* What another interface has made of it is remembered while that lease lasts. */
static void bound(struct station_leases *leases, ms_t now, const struct snoop_change *change)
{
	struct station_lease *lease = find(leases, &change->host);

	if (!lease)
		make_room(leases, change->port);
	lease = get(leases, now, &change->host);
	if (!lease)
		return;
	if (lease->tap && lease->tap != change->port && lease->ends > lease->contested_until)
		lease->contested_until = lease->ends;
	if (lease->tap != change->port)
		lease->since = now;
	lease->ip = change->ip;
	lease->server = change->server;
	lease->client_id = change->client_id;
	lease->odd_client_id = change->odd_client_id;
	lease->ends = lease_end(now, change->lease_s);
	lease->tap = change->port;
}

/* One guest, who forges MAC addresses, is not to fill it for all: his oldest goes. */
static void make_room(struct station_leases *leases, uint16_t tap)
{
	struct station_lease *oldest = NULL;
	unsigned n = 0;

	for (struct station_lease *i = leases->leases; i; i = i->hh.next) {
		if (i->tap != tap)
			continue;
		oldest = oldest ? oldest : i;
		n++;
	}
	if (n >= LEASES_OF_TAP_MAX)
		drop(leases, oldest);
}

/* NULL: no memory, or too many. */
static struct station_lease *get(struct station_leases *leases, ms_t now,
				 const struct binding_host *host)
{
	struct station_lease *lease = find(leases, host);

	if (lease)
		return lease;
	for (struct station_lease *i = leases->leases, *next; i; i = next) {
		next = i->hh.next;
		if (HASH_COUNT(leases->leases) < LEASES_MAX)
			break;
		if (i->ends <= now)
			drop(leases, i);
	}
	lease = HASH_COUNT(leases->leases) < LEASES_MAX ? calloc(1, sizeof(*lease)) : NULL;
	if (!lease)
		return NULL;
	lease->host = *host;
	HASH_ADD(hh, leases->leases, host, sizeof(lease->host), lease);
	if (lease->hh.tbl)
		return lease;
	free(lease);
	return NULL;
}

static struct station_lease *find(const struct station_leases *leases,
				  const struct binding_host *host)
{
	struct station_lease *lease;

	HASH_FIND(hh, leases->leases, host, sizeof(*host), lease);
	return lease;
}

static void drop(struct station_leases *leases, struct station_lease *lease)
{
	HASH_DEL(leases->leases, lease);
	free(lease);
}

static ms_t lease_end(ms_t now, uint32_t lease_s)
{
	return lease_s == LQ_FOREVER ? MS_NEVER : now + (ms_t)lease_s * 1000;
}
