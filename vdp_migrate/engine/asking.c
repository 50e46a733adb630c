/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leasequeries for the entries of a VSI: which question is out for which entry, by
 * which key, and what its answers mean to the migration. Each key in turn, until one
 * finds something: of the servers that answer one, the union of addresses counts, and
 * those that a reply only names (option 92) are asked for by IP. What a key needs is
 * core/keys' matter, sending, repeating and checking core/leasequery's.
 *
 * Of one address that two servers name the lease counts whose server has heard the
 * client last (option 91, none is worst), of two without it that of the first.
 *
 * Supported standards: RFC 4388 (6.4: several replies), RFC 6148.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/hash.h"
#include "core/keys.h"
#include "wire/text.h"

#define SEEN_MAX 16
#define NUMBER 0xffu /* of a question, the low octet of its tag */

struct asked {
	uint64_t tag;			/* of its questions, less their number */
	uint16_t port;
	struct vsi_id id;
	struct vsi_entry entry;
	enum lq_rank rank;
	unsigned key_at;		/* the next of the port's keys */
	unsigned n_questions, n_open;
	bool found, any_mac, cached;
	unsigned silent, refused;	/* servers that said nothing; that know nothing */
	unsigned n_seen;
	struct seen {
		struct addr ip;
		bool bound;
		uint32_t last_s;
	} seen[SEEN_MAX];
	UT_hash_handle hh;
};

static void entry_answer(struct bridge *b, const struct lq_answer *answer);
static bool can_ask(const struct port *port, const struct vsi_lease *lease);
static struct asked *remember(struct bridge *b, const struct vsi *vsi,
			      struct vsi_lease *lease, enum lq_rank rank);
static int ask_next_key(struct bridge *b, struct asked *asked, const struct vsi *vsi);
static int ask(struct bridge *b, struct asked *asked, struct lq_question *question);
static bool take(struct bridge *b, struct asked *asked, struct vsi *vsi,
		 const struct lq_answer *answer);
static void follow(struct bridge *b, struct asked *asked, const struct lq_answer *answer);
static struct seen *see(struct asked *asked, const struct addr *ip);
static void end(struct bridge *b, struct asked *asked, struct vsi *vsi,
		struct vsi_lease *lease);
static void forget(struct bridge *b, struct asked *asked);

void asking_entry(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum lq_rank rank)
{
	const struct port *port = ports_number(b, vsi->port);
	struct addr servers[LQ_SERVERS_MAX], giaddr;
	struct asked *asked;
	int err = -ENOMEM;

	lease->ask_at = MS_NEVER;
	if (lease->tag || port->settings.assist == LINK_ASSIST_OFF ||
	    !can_ask(port, lease))
		return;
	if (port->settings.assist == LINK_ASSIST_HELP) {
		if (!bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
			asking_nothing_known(b, vsi, lease, "its server does not help");
		return;
	}
	if (!ports_servers(b, port, lease->entry.vlan, servers, &giaddr)) {
		asking_nothing_known(b, vsi, lease, "no DHCP server to ask, or no giaddr");
		return;
	}
	asked = remember(b, vsi, lease, rank);
	if (asked)
		err = ask_next_key(b, asked, vsi);
	if (!err)
		return;
	if (asked)
		forget(b, asked);
	lease->tag = 0;
	asking_nothing_known(b, vsi, lease,
			     err == -ENOENT	 ? "no key that is set is known of it"
			     : err == -ENOBUFS ? "too many wait for max-rate"
					       : "no memory to ask");
}

/* While help is asked for, there is one more try. */
void asking_nothing_known(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
			  const char *why)
{
	b->counts.nothing_known++;
	bridge_step(b, vsi, MIGRATION_NOTHING_KNOWN, lease, NULL);
	if (lease->help != VSI_HELP_ASKED && lease->help != VSI_HELP_WAITS)
		asking_tries_used(b, vsi, lease, why);
}

void asking_tries_used(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		       const char *why)
{
	char mac[MAC_TEXT_MAX];

	if (!lease->failed && bridge_may_warn(b, ports_number(b, vsi->port)))
		bridge_log(b, LOG_WARNING, vsi,
			   "no lease found for %s: %s; asked again every %d s",
			   mac_is_zero(&lease->entry.mac) ? "its VLAN"
							  : mac_text(&lease->entry.mac, mac),
			   why, ASK_AGAIN_MS / 1000);
	bridge_step(b, vsi, MIGRATION_TRIES_USED, lease, NULL);
}

void asking_answer(struct bridge *b, const struct lq_answer *answer)
{
	switch (answer->tag & TAG_WHO) {
	case TAG_ENTRY:
		entry_answer(b, answer);
		return;
	case TAG_REFRESH:
		refresh_answer(b, answer);
		return;
	case TAG_HAND:
		asking_hand_answer(b, answer);
		return;
	}
}

void asking_server_back(struct bridge *b, const struct addr *server)
{
	struct addr servers[LQ_SERVERS_MAX], giaddr;

	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		const struct port *port = ports_number(b, vsi->port);

		for (unsigned i = 0; i < vsi->n_leases; i++) {
			struct vsi_lease *lease = &vsi->leases[i];
			unsigned n;

			if (lease->ask_at == MS_NEVER)
				continue;
			n = ports_servers(b, port, lease->entry.vlan, servers, &giaddr);
			while (n && !addr_equal(&servers[n - 1], server))
				n--;
			if (!n)
				continue;
			lease->ask_at = b->now;
			bridge_due(b, b->now);
		}
	}
}

void asking_hurry(struct bridge *b, const struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		const struct vsi_lease *lease = &vsi->leases[i];
		struct asked *asked = NULL;

		if (lease->tag)
			HASH_FIND(hh, b->asked, &lease->tag, sizeof(lease->tag), asked);
		if (!asked || asked->rank == LQ_RANK_ASSOC)
			continue;
		asked->rank = LQ_RANK_ASSOC;
		for (unsigned j = 0; j < asked->n_questions; j++)
			lq_hurry(b->lq, asked->tag | j, LQ_RANK_ASSOC);
	}
}

/* One key is asked by after the other: the last question is the one that is out. */
bool asking_waits(struct bridge *b, const struct vsi_lease *lease)
{
	struct asked *asked;

	HASH_FIND(hh, b->asked, &lease->tag, sizeof(lease->tag), asked);
	return asked && asked->n_questions &&
	       lq_held(b->lq, asked->tag | (asked->n_questions - 1));
}

void asking_forget(struct bridge *b, struct vsi *vsi)
{
	helping_forget(b, vsi);
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];
		struct asked *asked;

		lease->ask_at = MS_NEVER;
		if (!lease->tag)
			continue;
		HASH_FIND(hh, b->asked, &lease->tag, sizeof(lease->tag), asked);
		lease->tag = 0;
		if (asked)
			forget(b, asked);
	}
	bridge_ready_touch(b, vsi);
}

void asking_done(struct bridge *b)
{
	while (b->asked)
		forget(b, b->asked);
	refresh_done(b);
	asking_hand_done(b);
}

/* Statics. */

static void entry_answer(struct bridge *b, const struct lq_answer *answer)
{
	const uint64_t tag = answer->tag & ~(uint64_t)NUMBER;
	struct vsi_lease *lease;
	struct asked *asked;
	struct vsi *vsi;

	HASH_FIND(hh, b->asked, &tag, sizeof(tag), asked);
	if (!asked)
		return;
	vsi = vsi_find(b->vsis, asked->port, &asked->id);
	lease = vsi ? vsi_lease_find(vsi, &asked->entry) : NULL;
	if (!lease) {
		forget(b, asked);
		return;
	}
	if (answer->last)
		asked->n_open--;
	asked->cached |= answer->cached;
	if (answer->outcome == LQ_ACTIVE && take(b, asked, vsi, answer))
		asked->found = true;
	else if (answer->outcome == LQ_SILENT)
		asked->silent++;
	else
		asked->refused++;
	if (asked->n_open || (!asked->found && !ask_next_key(b, asked, vsi))) {
		/* It may wait for the port's max-rate now. */
		bridge_ready_touch(b, vsi);
		return;
	}
	end(b, asked, vsi, lease);
}

/* An entry without MAC has its VSI's instance ID alone, which is a key of a
 * leasequery. */
static bool can_ask(const struct port *port, const struct vsi_lease *lease)
{
	if (!mac_is_zero(&lease->entry.mac))
		return true;
	if (port->settings.assist == LINK_ASSIST_HELP)
		return false;
	for (unsigned i = 0; i < port->settings.n_keys; i++)
		if (port->settings.keys[i] == LQ_BY_REMOTE_ID)
			return true;
	return false;
}

static struct asked *remember(struct bridge *b, const struct vsi *vsi,
			      struct vsi_lease *lease, enum lq_rank rank)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		return NULL;
	asked->tag = TAG_ENTRY | ++b->last_tag * (NUMBER + 1);
	asked->port = vsi->port;
	asked->id = vsi->id;
	asked->entry = lease->entry;
	asked->rank = rank;
	HASH_ADD(hh, b->asked, tag, sizeof(asked->tag), asked);
	if (!asked->hh.tbl) {
		free(asked);
		return NULL;
	}
	lease->tag = asked->tag;
	return asked;
}

/* 0; -ENOENT: none is left; or what lq_ask() says. */
static int ask_next_key(struct bridge *b, struct asked *asked, const struct vsi *vsi)
{
	static const uint8_t usual[] = { LQ_BY_MAC };
	const struct port *port = ports_number(b, asked->port);
	const uint8_t *keys = port->settings.n_keys ? port->settings.keys : usual;
	unsigned n = keys == usual ? 1 : port->settings.n_keys;
	struct keys_known known = {
		.vsi = &vsi->id,
		.mac = asked->entry.mac,
		.only_mac = vsi->n_leases == 1 && !mac_is_zero(&asked->entry.mac),
		.remote_id_text = port->settings.remote_id_text,
	};
	const struct binding_host host = bridge_host(b, vsi, &asked->entry);
	struct client_id client_id;

	if (binding_client_id(b->bindings, &host, &client_id))
		known.client_id = &client_id;
	while (asked->key_at < n) {
		enum lq_key key = (enum lq_key)keys[asked->key_at++];
		struct lq_question question = { .rank = asked->rank };

		if (!keys_fill(key, &known, &question))
			continue;
		asked->any_mac = key == LQ_BY_REMOTE_ID && !known.only_mac;
		return ask(b, asked, &question);
	}
	return -ENOENT;
}

static int ask(struct bridge *b, struct asked *asked, struct lq_question *question)
{
	int err;

	question->n_servers = ports_servers(b, ports_number(b, asked->port),
					    asked->entry.vlan, question->servers,
					    &question->giaddr);
	question->tag = asked->tag | asked->n_questions;
	err = question->n_servers
		      ? asking_rate_ask(b, ports_number(b, asked->port), question)
		      : -ENOENT;
	if (err)
		return err;
	asked->n_questions++;
	asked->n_open++;
	return 0;
}

/* The address that has a lease here is put in, the others are asked for. False: it is
 * none of the VSI's. */
static bool take(struct bridge *b, struct asked *asked, struct vsi *vsi,
		 const struct lq_answer *answer)
{
	struct vsi_lease *lease =
		vsi_lease_of(vsi, asked->entry.vlan,
			     asked->any_mac ? &answer->mac : &asked->entry.mac);
	const struct known known = {
		.mac = answer->mac, .ip = answer->addrs[0], .server = answer->server,
		.lease_s = answer->lease_s, .origin = BINDING_LEASEQUERY,
	};
	struct seen *seen;

	if (!lease || !answer->n_addrs || mac_is_zero(&answer->mac))
		return false;
	if (mac_is_zero(&lease->entry.mac) &&
	    !bridge_learn_mac(b, vsi, lease, &answer->mac))
		return false;
	follow(b, asked, answer);
	seen = see(asked, &answer->addrs[0]);
	if (seen && seen->bound && answer->last_s >= seen->last_s)
		return true;
	if (seen) {
		seen->bound = true;
		seen->last_s = answer->last_s;
	}
	bridge_step(b, vsi, MIGRATION_LEASE_KNOWN, lease, &known);
	return true;
}

/* RFC 4388 6.4.2: the client's other addresses; of their leases nothing is said. */
static void follow(struct bridge *b, struct asked *asked, const struct lq_answer *answer)
{
	for (unsigned i = 1; i < answer->n_addrs; i++) {
		struct lq_question question = {
			.key = LQ_BY_IP, .rank = asked->rank, .ip = answer->addrs[i],
		};
		unsigned n = asked->n_seen;

		if (!asked->any_mac)
			question.mac = asked->entry.mac;
		(void)see(asked, &question.ip);
		if (asked->n_seen != n && asked->n_questions <= NUMBER)
			(void)ask(b, asked, &question);
	}
}

/* NULL: too many. */
static struct seen *see(struct asked *asked, const struct addr *ip)
{
	unsigned i = 0;

	while (i < asked->n_seen && !addr_equal(&asked->seen[i].ip, ip))
		i++;
	if (i == SEEN_MAX)
		return NULL;
	if (i == asked->n_seen)
		asked->seen[asked->n_seen++] =
			(struct seen){ .ip = *ip, .last_s = LQ_NO_TIME };
	return &asked->seen[i];
}

static void end(struct bridge *b, struct asked *asked, struct vsi *vsi,
		struct vsi_lease *lease)
{
	const struct asked was = *asked;

	forget(b, asked);
	lease->tag = 0;
	if (!bridge_lease_holds(b, vsi, lease, BRIDGE_ANY_STATE))
		asking_nothing_known(b, vsi, lease,
				     !was.silent    ? "the DHCP server knows no lease"
				     : !was.refused ? "the DHCP server does not answer"
						    : "one DHCP server knows no lease, "
						      "another does not answer");
	/* Not an answer of now: soon again. */
	if (was.cached && lease->ask_at != MS_NEVER) {
		lease->ask_at = b->now + LQ_UNKNOWN_MS;
		bridge_due(b, lease->ask_at);
	}
	bridge_check_known(b, vsi);
	bridge_ready_touch(b, vsi);
}

/* No answer to any of its questions comes any more. */
static void forget(struct bridge *b, struct asked *asked)
{
	for (unsigned i = 0; i < asked->n_questions && asked->n_open; i++)
		lq_cancel(b->lq, asked->tag | i);
	HASH_DEL(b->asked, asked);
	free(asked);
}
