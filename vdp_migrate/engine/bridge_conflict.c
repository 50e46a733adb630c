/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VSI that is associated here claims its MACs; what if one of them is alive on
 * another port? In an honest migration the VM has been stopped there before the
 * associate was asked for, and its old station lets go 1.5 to 2 s later: meanwhile both
 * ports hold it, and nobody answers at the old one. So after the associate was
 * accepted, and not before, the old place is asked by ARP, out of the old port alone
 * (core/conflict says when), or, where its VSI runs there and no address of it is
 * known, by Neighbor Solicitation of the link-local address that an IPv6 host makes of
 * its MAC, if it makes it so. If the VM answers there the claim is refused: what was
 * bound here is withdrawn, the old place has it again. Whoever is behind the old port
 * sees the question where the MAC is no longer known there, and can answer in the VM's
 * name: so a refused claim is looked at again as soon as no other place holds the VM
 * any more (its de-associate or time-out there), and is then verified anew. For the
 * same reason its station is not told: VDP's response has long gone, and a de-associate
 * of the bridge's own would end the VSI there for good.
 *
 * Not asked: a port that has sent S, or lets go already; one where another VSI has the
 * MAC and no address of it is known.
 *
 * Two VMs with one VSI instance ID (a cloned UUID) are told here too: the same ID on two
 * ports with MACs that have nothing in common is no migration.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge_groups.h"
#include "core/conflict.h"
#include "vdp_migrate/protocol.h"
#include "wire/arp.h"
#include "wire/icmp6.h"
#include "wire/nd.h"
#include "wire/text.h"
#include "wire/vdp22.h"

/* More than that at once are believed, and counted. */
#define CLAIMS_MOST 1024
#define S_COUNTS_MS 60000
#define RUNS (1u << MIGRATION_ARRIVED | 1u << MIGRATION_SETTLED)
/* So long after the last claim answers are heard: to close the socket the kernel needs
 * some ms, not to be spent between two migrations. */
#define HEAR_MS 5000
/* An old place that lets go so soon after "it" has answered there. */
#define FORGED_MS 5000

struct claim {
	struct claim *next;
	uint16_t port;
	struct vsi_id id;
	struct conflict conflict;
	/* Those that no VSI stood for have ended with the associate. Of a place without
	 * binding: one that has no address and has ended. */
	struct binding was[CONFLICT_PLACES_MAX];
};

static struct claim *collect(struct bridge *b, const struct vsi *vsi);
static void collect_host(struct bridge *b, const struct vsi *vsi,
			 const struct binding_host *host, struct claim *claim);
static void collect_unbound(struct bridge *b, const struct vsi *vsi,
			    const struct binding_host *host, struct claim *claim);
static bool lets_go(struct bridge *b, const struct binding *binding);
static bool is_answer(const struct inet_frame *frame, struct conflict_place *ret_from);
static void probe(struct bridge *b, const struct claim *claim);
static struct vsi *claimant(struct bridge *b, const struct claim *claim);
static void end_claim(struct bridge *b, struct claim **at);
static void look_again(struct bridge *b);
static bool is_let_go(const struct bridge *b, const struct vsi *vsi);
static void stand(struct bridge *b, struct vsi *vsi);
static void admit(struct bridge *b, struct vsi *vsi);
static void refuse(struct bridge *b, struct vsi *vsi, const struct claim *claim,
		   unsigned at);
static void give_back(struct bridge *b, const struct vsi *vsi, const struct claim *claim,
		      unsigned at);
static bool still_held(struct bridge *b, const struct vsi *vsi);

void bridge_conflict_accepted(struct bridge *b, struct vsi *vsi)
{
	const struct port *port = ports_number(b, vsi->port);
	struct claim *claim = NULL;

	admit(b, vsi);
	if (port->settings.conflict == LINK_CONFLICT_VERIFY && b->io->hear_probed)
		claim = collect(b, vsi);
	bridge_step(b, vsi, MIGRATION_ACCEPTED, NULL, NULL);
	if (claim && (!claimant(b, claim) || b->io->hear_probed(b->arg, true))) {
		free(claim);
		claim = NULL;
	}
	if (!claim)
		return;
	b->hears_probed = true;
	b->counts.claims_probed++;
	claim->next = b->claims;
	b->claims = claim;
	b->n_claims++;
}

/* A claim that was refused may stand when the other place has let go. */
void bridge_conflict_seen(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen)
{
	bool s = seen->status & VDP_STATUS_S;

	if (seen->what != LINK_VSI_REQUEST)
		return;
	/* Its edge: stock stations repeat what their first request had. */
	if (s && !vsi->s_bit && vsi->confirmed && seen->mode == VDP22_ASSOC)
		vsi->suspended_until = b->now + S_COUNTS_MS;
	vsi->s_bit = s;
	if (vsi->state != MIGRATION_ABSENT)
		admit(b, vsi);
	if (seen->mode == VDP22_ASSOC)
		stand(b, vsi);
}

/* Not looked at now: whoever ends it is in the midst of a step. */
void bridge_conflict_let_go(struct bridge *b, const struct binding_host *host)
{
	if (!b->refused)
		return;
	if (b->n_let_go == b->let_go_size) {
		unsigned size = b->let_go_size ? 2 * b->let_go_size : 16;
		struct binding_host *grown = realloc(b->let_go, size * sizeof(*grown));

		/* No memory: a keep-alive does the same. */
		if (!grown)
			return;
		b->let_go = grown;
		b->let_go_size = size;
	}
	b->let_go[b->n_let_go++] = *host;
}

/* What has no binding says nothing by the end of one. */
void bridge_conflict_left(struct bridge *b, const struct vsi *vsi)
{
	struct bridge_hosts at = { 0 };

	while (b->refused && bridge_next_host(b, vsi, &at))
		bridge_conflict_let_go(b, &at.host);
}

void bridge_conflict_twin(struct bridge *b, struct vsi *vsi)
{
	struct vsi *twin = vsi_twin(b->vsis, vsi);

	if (!twin || (vsi->twin == twin->port && twin->twin == vsi->port))
		return;
	vsi->twin = twin->port;
	twin->twin = vsi->port;
	b->counts.twins++;
	if (bridge_may_warn(b, ports_number(b, vsi->port)))
		bridge_log(b, LOG_WARNING, vsi,
			   "%s announces this VSI ID too, with other MACs: two VMs have one "
			   "ID", bridge_port_name(b, twin->port));
}

void bridge_probed(struct bridge *b, ms_t now, const char *name,
		   const struct inet_frame *frame)
{
	const struct port *port = ports_find(b, name);
	struct claim **at = &b->claims;
	struct conflict_place from;

	b->now = now;
	if (!port || !is_answer(frame, &from))
		return;
	from.port = port->number;
	from.vlan = ports_vlan_in(port, frame->vlan);
	while (*at) {
		struct claim *claim = *at;
		int answered = conflict_answer(&claim->conflict, &from);
		struct vsi *vsi = answered < 0 ? NULL : claimant(b, claim);

		if (answered < 0) {
			at = &claim->next;
			continue;
		}
		if (vsi)
			refuse(b, vsi, claim, (unsigned)answered);
		end_claim(b, at);
	}
}

ms_t bridge_conflict_deadline(const struct bridge *b)
{
	ms_t first = b->hears_probed && !b->claims ? b->claim_ended + HEAR_MS : MS_NEVER;

	if (b->n_let_go)
		return b->now;
	for (const struct claim *i = b->claims; i; i = i->next)
		if (i->conflict.due < first)
			first = i->conflict.due;
	return first;
}

void bridge_conflict_tick(struct bridge *b)
{
	struct claim **at = &b->claims;

	while (*at) {
		struct claim *claim = *at;
		enum conflict_do what = conflict_tick(&claim->conflict, b->now);

		if (what == CONFLICT_PROBE && claimant(b, claim)) {
			probe(b, claim);
		} else if (what != CONFLICT_WAIT) {
			end_claim(b, at);
			continue;
		}
		at = &claim->next;
	}
	if (b->n_let_go)
		look_again(b);
	if (!b->hears_probed || b->claims || b->now < b->claim_ended + HEAR_MS)
		return;
	b->hears_probed = false;
	(void)b->io->hear_probed(b->arg, false);
}

void bridge_conflict_done(struct bridge *b)
{
	struct claim *next;

	for (struct claim *i = b->claims; i; i = next) {
		next = i->next;
		free(i);
	}
	free(b->let_go);
}

/* Statics. */

/* The other places of the VSI's MACs, before the associate changes anything; NULL: there
 * is none to be asked. */
static struct claim *collect(struct bridge *b, const struct vsi *vsi)
{
	struct claim *claim = calloc(1, sizeof(*claim));
	struct bridge_hosts at = { 0 };

	if (!claim)
		return NULL;
	claim->port = vsi->port;
	claim->id = vsi->id;
	conflict_init(&claim->conflict, b->now);
	while (bridge_next_host(b, vsi, &at)) {
		collect_host(b, vsi, &at.host, claim);
		collect_unbound(b, vsi, &at.host, claim);
	}
	if (claim->conflict.n_places && b->n_claims < CLAIMS_MOST)
		return claim;
	b->counts.claims_unprobed += claim->conflict.n_places != 0;
	free(claim);
	return NULL;
}

static void collect_host(struct bridge *b, const struct vsi *vsi,
			 const struct binding_host *host, struct claim *claim)
{
	unsigned held = 1u << BINDING_ACTIVE | 1u << BINDING_DORMANT;

	for (struct binding *i = binding_first(b->bindings, host); i; i = i->next) {
		const struct conflict_place place = {
			.port = i->port, .vlan = host->vlan, .mac = host->mac, .ip = i->ip,
		};
		unsigned at = claim->conflict.n_places;

		if (!i->port || i->port == vsi->port || !(held >> i->state & 1) ||
		    lets_go(b, i) ||
		    !conflict_add(&claim->conflict, &place))
			continue;
		claim->was[at] = *i;
		claim->was[at].next = NULL;
	}
}

static void collect_unbound(struct bridge *b, const struct vsi *vsi,
			    const struct binding_host *host, struct claim *claim)
{
	struct vsi *there = vsi_elsewhere(b->vsis, vsi, RUNS);
	struct conflict_place place = {
		.vlan = host->vlan, .mac = host->mac, .ip = icmp6_link_local(&host->mac),
	};
	unsigned at = claim->conflict.n_places;

	if (!there || there->suspended_until > b->now ||
	    ports_number(b, there->port)->bridge != host->bridge ||
	    !vsi_lease_of(there, host->vlan, &host->mac))
		return;
	for (struct binding *i = binding_first(b->bindings, host); i; i = i->next)
		if (i->port == there->port)
			return;
	place.port = there->port;
	if (conflict_add(&claim->conflict, &place))
		claim->was[at] = (struct binding){
			.host = *host, .port = there->port, .state = BINDING_ACTIVE,
		};
}

static bool lets_go(struct bridge *b, const struct binding *binding)
{
	const struct vsi *vsi = binding->vsi.format
		? vsi_find(b->vsis, binding->port, &binding->vsi) : NULL;

	return vsi && (vsi->state == MIGRATION_GONE || vsi->suspended_until > b->now);
}

/* Of what it sends itself: who answers for another one says the other's MAC. */
static bool is_answer(const struct inet_frame *frame, struct conflict_place *ret_from)
{
	struct nd_advert advert;
	struct arp arp;

	*ret_from = (struct conflict_place){ .mac = frame->src };
	if (frame->ethertype != ETHERTYPE_ARP) {
		if (nd_advert_decode(frame, &advert, NULL) ||
		    (!mac_is_zero(&advert.mac) && !mac_equal(&advert.mac, &frame->src)))
			return false;
		ret_from->ip = advert.target;
		return true;
	}
	if (arp_decode(frame->payload, &arp, NULL) || arp.op != ARP_REPLY ||
	    !mac_equal(&arp.sender_mac, &frame->src))
		return false;
	ret_from->ip = arp.sender_ip;
	return true;
}

static void probe(struct bridge *b, const struct claim *claim)
{
	for (unsigned i = 0; i < claim->conflict.n_places; i++) {
		const struct conflict_place *place = &claim->conflict.places[i];
		const struct port *port = ports_number(b, place->port);
		uint16_t vlan = ports_vlan_out(port, place->vlan);
		uint8_t frame[ND_FRAME_MAX];
		struct mac own;
		size_t len;

		if (!b->io->own_mac(b->arg, port->name, &own))
			continue;
		len = place->ip.family == ADDR_IPV6
			      ? nd_solicit(frame, sizeof(frame), &own, &place->mac, vlan,
					   &place->ip)
			      : arp_probe(frame, sizeof(frame), &own, &place->mac, vlan,
					  &place->ip);
		/* A port that is down answers as little as one without the VM. */
		(void)b->io->frame_send(b->arg, port->name, frame, len);
	}
}

/* NULL: it claims nothing any more. */
static struct vsi *claimant(struct bridge *b, const struct claim *claim)
{
	struct vsi *vsi = vsi_find(b->vsis, claim->port, &claim->id);

	return vsi && (vsi->state == MIGRATION_ARRIVED || vsi->state == MIGRATION_SETTLED)
		       ? vsi
		       : NULL;
}

static void end_claim(struct bridge *b, struct claim **at)
{
	struct claim *claim = *at;

	*at = claim->next;
	b->n_claims--;
	b->claim_ended = b->now;
	free(claim);
}

static void look_again(struct bridge *b)
{
	bool refused = false;

	for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next) {
		if (!vsi->refused_by)
			continue;
		if (!vsi->forgotten && vsi->mode == VDP22_ASSOC && is_let_go(b, vsi))
			stand(b, vsi);
		refused |= vsi->refused_by != 0;
	}
	b->refused = refused;
	b->n_let_go = 0;
}

static bool is_let_go(const struct bridge *b, const struct vsi *vsi)
{
	struct bridge_hosts at = { 0 };

	while (bridge_next_host(b, vsi, &at))
		for (unsigned i = 0; i < b->n_let_go; i++)
			if (!memcmp(&b->let_go[i], &at.host, sizeof(at.host)))
				return true;
	return false;
}

/* A refused claim, where nobody else holds it any more: a claim again. */
static void stand(struct bridge *b, struct vsi *vsi)
{
	if (!vsi->refused_by || vsi->state != MIGRATION_ABSENT || !vsi->confirmed ||
	    still_held(b, vsi))
		return;
	if (bridge_may_warn(b, ports_number(b, vsi->port)))
		bridge_log(b, LOG_NOTICE, vsi, "%s has let go of it: its claim stands%s",
			   bridge_port_name(b, vsi->refused_by),
			   b->now - vsi->since < FORGED_MS
				   ? "; was the answer there forged?"
				   : "");
	bridge_step(b, vsi, MIGRATION_ASSOC_M, NULL, NULL);
	bridge_conflict_accepted(b, vsi);
	bridge_check_known(b, vsi);
}

/* What a refusal has taken back: its RARP may pass again. */
static void admit(struct bridge *b, struct vsi *vsi)
{
	if (vsi->refused_by)
		bridge_announce(b, vsi);
	vsi->refused_by = 0;
}

static void refuse(struct bridge *b, struct vsi *vsi, const struct claim *claim,
		   unsigned at)
{
	unsigned n_let_go = b->n_let_go;

	vsi->refused_by = claim->conflict.places[at].port;
	bridge_step(b, vsi, MIGRATION_CONFLICT, NULL, NULL);
	bridge_renounce(b, vsi);
	for (unsigned i = 0; i < claim->conflict.n_places; i++)
		if (claim->conflict.places[i].port == vsi->refused_by)
			give_back(b, vsi, claim, i);
	/* What it has ended itself is nobody's letting go. */
	b->n_let_go = n_let_go;
	b->refused = true;
}

/* What the associate has taken from the old place. */
static void give_back(struct bridge *b, const struct vsi *vsi, const struct claim *claim,
		      unsigned at)
{
	const struct binding *was = &claim->was[at];
	struct vsi *there = vsi_find(b->vsis, was->port, &vsi->id);

	b->why = "it answers here";
	if (!binding_find(b->bindings, &was->host, &was->ip, was->port) &&
	    was->lease_end > b->now)
		binding_put(b->bindings, was);
	b->why = NULL;
	bridge_kernel_fdb_back(b, vsi->port, was->port, was->host.vlan, &was->host.mac);
	if (!there || there->state != MIGRATION_GONE)
		return;
	bridge_step(b, there, MIGRATION_REQUEST, NULL, NULL);
	if ((there->forgotten || was->state == BINDING_DORMANT) &&
	    there->state == MIGRATION_SETTLED)
		bridge_step(b, there, MIGRATION_FORGOTTEN, NULL, NULL);
}

/* By any other place: whoever has taken it from there meanwhile is no less of one. One
 * that is dormant or leaving holds nothing against a claim; it is probed again. */
static bool still_held(struct bridge *b, const struct vsi *vsi)
{
	struct bridge_hosts at = { 0 };

	if (vsi_elsewhere(b->vsis, vsi, RUNS))
		return true;
	while (bridge_next_host(b, vsi, &at))
		for (const struct binding *i = binding_first(b->bindings, &at.host); i;
		     i = i->next)
			if (i->port && i->port != vsi->port && i->state == BINDING_ACTIVE)
				return true;
	return false;
}
