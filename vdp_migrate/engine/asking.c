/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leasequeries for the entries of a VSI: which question is out for which entry,
 * and what its answers mean to the migration. The client that sends, repeats and
 * checks is core/leasequery.
 *
 * Supported standards: RFC 4388.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/hash.h"
#include "wire/text.h"

struct asked {
	uint64_t tag;
	uint16_t port;
	struct vsi_id id;
	struct vsi_entry entry;
	unsigned silent, refused;	/* servers that said nothing; that know nothing */
	UT_hash_handle hh;
};

static struct asked *remember(struct bridge *b, const struct vsi *vsi,
			      struct vsi_lease *lease);
static struct vsi_lease *lease_of(struct vsi *vsi, const struct vsi_entry *entry);
static void take(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		 const struct asked *asked, const struct lq_answer *answer);
static void nothing_known(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
			  const char *why);
static void forget(struct bridge *b, struct asked *asked);

void asking_entry(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum lq_rank rank)
{
	const struct port *port = ports_number(b, vsi->port);
	struct lq_question question = {
		.key = LQ_BY_MAC, .rank = rank, .mac = lease->entry.mac,
	};
	struct asked *asked;

	lease->ask_at = MS_NEVER;
	if (lease->tag || mac_is_zero(&lease->entry.mac) ||
	    port->settings.assist == LINK_ASSIST_OFF)
		return;
	question.n_servers = ports_servers(b, port, lease->entry.vlan, question.servers,
					   &question.giaddr);
	if (!question.n_servers) {
		nothing_known(b, vsi, lease, "no DHCP server to ask, or no giaddr");
		return;
	}
	asked = remember(b, vsi, lease);
	question.tag = asked ? asked->tag : 0;
	if (asked && !lq_ask(b->lq, b->now, &question))
		return;
	if (asked)
		forget(b, asked);
	lease->tag = 0;
	nothing_known(b, vsi, lease, "no memory to ask");
}

void asking_answer(struct bridge *b, const struct lq_answer *answer)
{
	struct asked *asked;
	struct vsi *vsi;
	struct vsi_lease *lease;

	HASH_FIND(hh, b->asked, &answer->tag, sizeof(answer->tag), asked);
	if (!asked)
		return;
	vsi = vsi_find(b->vsis, asked->port, &asked->id);
	lease = vsi ? lease_of(vsi, &asked->entry) : NULL;
	if (!lease) {
		lq_cancel(b->lq, asked->tag);
		forget(b, asked);
		return;
	}
	if (answer->outcome == LQ_SILENT)
		asked->silent++;
	else if (answer->outcome != LQ_ACTIVE)
		asked->refused++;
	if (answer->last)
		lease->tag = 0;
	take(b, vsi, lease, asked, answer);
	if (answer->last)
		forget(b, asked);
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

void asking_forget(struct bridge *b, struct vsi *vsi)
{
	for (unsigned i = 0; i < vsi->n_leases; i++) {
		struct vsi_lease *lease = &vsi->leases[i];
		struct asked *asked;

		lease->ask_at = MS_NEVER;
		if (!lease->tag)
			continue;
		HASH_FIND(hh, b->asked, &lease->tag, sizeof(lease->tag), asked);
		lq_cancel(b->lq, lease->tag);
		lease->tag = 0;
		if (asked)
			forget(b, asked);
	}
}

void asking_done(struct bridge *b)
{
	while (b->asked)
		forget(b, b->asked);
}

/* Statics. */

static struct asked *remember(struct bridge *b, const struct vsi *vsi,
			      struct vsi_lease *lease)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		return NULL;
	asked->tag = ++b->last_tag;
	asked->port = vsi->port;
	asked->id = vsi->id;
	asked->entry = lease->entry;
	HASH_ADD(hh, b->asked, tag, sizeof(asked->tag), asked);
	if (!asked->hh.tbl) {
		free(asked);
		return NULL;
	}
	lease->tag = asked->tag;
	return asked;
}

static struct vsi_lease *lease_of(struct vsi *vsi, const struct vsi_entry *entry)
{
	for (unsigned i = 0; i < vsi->n_leases; i++)
		if (entry_equal(&vsi->leases[i].entry, entry))
			return &vsi->leases[i];
	return NULL;
}

static void take(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		 const struct asked *asked, const struct lq_answer *answer)
{
	const struct known known = {
		.ip = answer->addrs[0], .server = answer->server,
		.lease_s = answer->lease_s, .origin = BINDING_LEASEQUERY,
	};

	if (answer->outcome == LQ_ACTIVE && answer->n_addrs)
		bridge_step(b, vsi, MIGRATION_LEASE_KNOWN, lease, &known);
	else if (answer->last && !bridge_holds(b, vsi, &lease->entry, BRIDGE_ANY_STATE))
		nothing_known(b, vsi, lease,
			      !asked->silent	? "the DHCP server knows no lease"
			      : !asked->refused ? "the DHCP server does not answer"
						: "one DHCP server knows no lease, "
						  "another does not answer");
	bridge_check_known(b, vsi);
}

static void nothing_known(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
			  const char *why)
{
	char mac[MAC_TEXT_MAX];

	b->counts.nothing_known++;
	bridge_step(b, vsi, MIGRATION_NOTHING_KNOWN, lease, NULL);
	if (!lease->failed)
		bridge_log(b, LOG_WARNING, vsi,
			   "no lease found for %s: %s; asked again every %d s",
			   mac_text(&lease->entry.mac, mac), why, ASK_AGAIN_MS / 1000);
	bridge_step(b, vsi, MIGRATION_TRIES_USED, lease, NULL);
}

static void forget(struct bridge *b, struct asked *asked)
{
	HASH_DEL(b->asked, asked);
	free(asked);
}
