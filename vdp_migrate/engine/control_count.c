/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters: the story's and its parts', the sockets', the guard's, the module's.
 * All count from the start of what counts them; guard_PORT_KIND is the kernel's.
 */
#include <stdio.h>
#include <string.h>

#include "control_private.h"

static void count_story(const struct showing *s);
static void count_leasequery(const struct showing *s);
static void count_snooped(const struct showing *s);
static void count_edges(const struct showing *s);
static void count_of_module(const struct showing *s, const struct link_counter *counter);
static void count_guard(void *arg, const char *port, uint16_t ethertype, uint64_t packets);
static void count(const struct showing *s, const char *name, uint64_t value);

void control_counters(const struct showing *s)
{
	const struct control *control = s->control;

	CONTROL_HEAD(s, "counter:s", "value:n");
	count_story(s);
	count_leasequery(s);
	count_snooped(s);
	count_edges(s);
	for (unsigned i = 0; i < control->n_counters; i++)
		count_of_module(s, &control->counters[i]);
	control->guard_ops->counts(control->guard, count_guard, (void *)s);
}

/* Statics. */

static void count_story(const struct showing *s)
{
	const struct bridge_counts *counts = bridge_counts(s->control->bridge);

	count(s, "migrations", counts->migrations);
	count(s, "arrived", counts->arrived);
	count(s, "bindings", binding_count(bridge_bindings(s->control->bridge)));
	count(s, "bindings_moved", counts->moved);
	count(s, "leases_staged", counts->staged);
	count(s, "leases_put", counts->put);
	count(s, "leases_nothing_known", counts->nothing_known);
	count(s, "leases_not_found", counts->failed);
	count(s, "conflicts", counts->conflicts);
	count(s, "leases_refreshed", counts->refreshed);
}

static void count_leasequery(const struct showing *s)
{
	static const char *const reject_names[LQ_N_REJECTS] = {
		[LQ_BAD_MESSAGE] = "leasequery_rejected_message",
		[LQ_NOT_A_REPLY] = "leasequery_rejected_no_reply",
		[LQ_BAD_XID] = "leasequery_rejected_xid",
		[LQ_BAD_SERVER] = "leasequery_rejected_server",
		[LQ_BAD_GIADDR] = "leasequery_rejected_giaddr",
		[LQ_BAD_MAC] = "leasequery_rejected_mac",
	};
	const struct lq_counts *counts = lq_counts(bridge_lq(s->control->bridge));

	count(s, "leasequery_asked", counts->asked);
	count(s, "leasequery_sent", counts->sent);
	count(s, "leasequery_retransmitted", counts->retransmitted);
	count(s, "leasequery_active", counts->active);
	count(s, "leasequery_unassigned", counts->unassigned);
	count(s, "leasequery_unknown", counts->unknown);
	count(s, "leasequery_silent", counts->silent);
	for (unsigned i = LQ_BAD_MESSAGE; i < LQ_N_REJECTS; i++)
		if (reject_names[i])
			count(s, reject_names[i], counts->rejected[i]);
}

static void count_snooped(const struct showing *s)
{
	const struct snoop_counts *counts = bridge_snoop_counts(s->control->bridge);

	count(s, "snooped_requests", counts->requests);
	count(s, "snooped_acks", counts->acks);
	count(s, "snooped_naks", counts->naks);
	count(s, "snooped_releases", counts->releases);
	count(s, "snooped_declines", counts->declines);
	count(s, "snooped_untrusted", counts->untrusted);
	count(s, "snooped_forged", counts->forged);
	count(s, "snooped_unasked", counts->unasked);
}

static void count_edges(const struct showing *s)
{
	const struct control *control = s->control;
	const struct lq_socket_counts *lq = lq_socket_counts(control->lq);
	const struct port_socket_counts *ports = port_socket_counts(control->ports);

	count(s, "leasequery_socket_sent", lq->sent);
	count(s, "leasequery_socket_send_errors", lq->send_errors);
	count(s, "leasequery_socket_received", lq->received);
	count(s, "leasequery_socket_other_port", lq->other_port);
	count(s, "leasequery_socket_too_long", lq->too_long);
	count(s, "frames_seen", ports->frames);
	count(s, "frames_odd", ports->odd);
	count(s, "frames_lost", ports->lost);
	count(s, "guard_commits", control->commits);
	count(s, "guard_commits_failed", control->commits_failed);
	count(s, "guard_put_back", control->put_back);
}

/* "m-bit set" is shown as m_bit_set, like all others. */
static void count_of_module(const struct showing *s, const struct link_counter *counter)
{
	char name[sizeof(counter->name)];

	memcpy(name, counter->name, sizeof(name));
	for (char *p = name; *p; p++)
		if (*p == ' ' || *p == '-')
			*p = '_';
	count(s, name, counter->value);
}

static void count_guard(void *arg, const char *port, uint16_t ethertype, uint64_t packets)
{
	char name[48];

	snprintf(name, sizeof(name), "guard_%s_%s", port,
		 ethertype == ETHERTYPE_IPV4   ? "ipv4"
		 : ethertype == ETHERTYPE_ARP  ? "arp"
		 : ethertype == ETHERTYPE_RARP ? "rarp"
		 : ethertype == ETHERTYPE_IPV6 ? "ipv6"
					       : "other");
	count(arg, name, packets);
}

static void count(const struct showing *s, const char *name, uint64_t value)
{
	struct row row = { 0 };

	row_text(&row, name);
	row_number(&row, value);
	row_send(&row, s->client, s->seq);
}
