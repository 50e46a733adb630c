/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters: the story's and its parts', the sockets', the guard's, the module's.
 * All count from the start of what counts them; guard_PORT_KIND is the kernel's.
 */
#include <stdio.h>
#include <string.h>

#include "control_private.h"

static void count_story(const struct showing *s);
static void count_restorations(const struct showing *s);
static void count_station(const struct showing *s);
static void count_leasequery(const struct showing *s);
static void count_delayed(void *arg, const struct bridge_port_info *info);
static void count_snooped(const struct showing *s);
static void count_groups(const struct showing *s);
static void count_edges(const struct showing *s);
static void count_of_module(const struct showing *s, const struct link_counter *counter);
static void count_guard(void *arg, const char *port, uint16_t ethertype, uint64_t packets);
static void count(const struct showing *s, const char *name, uint64_t value);

void control_counters(const struct showing *s)
{
	const struct control *control = s->control;

	CONTROL_HEAD(s, "counter:s", "value:n");
	count_story(s);
	count_restorations(s);
	count_station(s);
	count_leasequery(s);
	count_snooped(s);
	count_groups(s);
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
	count(s, "claims_probed", counts->claims_probed);
	count(s, "claims_not_probed", counts->claims_unprobed);
	count(s, "vsi_ids_used_twice", counts->twins);
	count(s, "leases_refreshed", counts->refreshed);
	count(s, "help_asked", counts->help_asked);
	count(s, "help_answered", counts->help_answered);
	count(s, "help_naks", counts->help_naks);
	count(s, "help_contradicted", counts->help_contradicted);
	count(s, "help_no_answer", counts->help_silent);
	count(s, "help_late", counts->help_late);
	count(s, "help_other_server", counts->help_rejected);
}

/* Cumulative: each row holds those of the rows before. */
static void count_restorations(const struct showing *s)
{
	const struct restoration *restoration = bridge_restorations(s->control->bridge);
	uint64_t within;
	unsigned ms;
	char name[48];

	for (unsigned i = 0; restoration_bound(restoration, i, &ms, &within); i++) {
		snprintf(name, sizeof(name), "restorations_within_%u_ms", ms);
		count(s, name, within);
	}
	count(s, "restorations", restoration->n);
	count(s, "restoration_ms", restoration->sum_ms);
}

static void count_station(const struct showing *s)
{
	const struct station_help_counts counts = station_help_counts(s->control->station);

	count(s, "helped_asked", counts.asked);
	count(s, "helped_refused", counts.refused);
	count(s, "helped_sent", counts.sent);
	count(s, "helped_send_errors", counts.send_errors);
	count(s, "helped_acks_seen", counts.answered);
	count(s, "helped_naks_seen", counts.naks);
	count(s, "helped_leases_seen", counts.leases);
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
	count(s, "leasequery_not_asked_again", counts->cached);
	count(s, "leasequery_active", counts->active);
	count(s, "leasequery_unassigned", counts->unassigned);
	count(s, "leasequery_unknown", counts->unknown);
	count(s, "leasequery_silent", counts->silent);
	for (unsigned i = LQ_BAD_MESSAGE; i < LQ_N_REJECTS; i++)
		if (reject_names[i])
			count(s, reject_names[i], counts->rejected[i]);
	bridge_each_port(s->control->bridge, count_delayed, (void *)s);
}

/* What max-rate has held up, on ports where it has. */
static void count_delayed(void *arg, const struct bridge_port_info *info)
{
	char name[64];

	if (!info->delayed)
		return;
	snprintf(name, sizeof(name), "leasequery_delayed_%s", info->name);
	count(arg, name, info->delayed);
	snprintf(name, sizeof(name), "leasequery_waiting_%s", info->name);
	count(arg, name, info->waiting);
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

/* The mean time from the associate to the first report: group_first_report_ms by
 * group_first_reports. */
static void count_groups(const struct showing *s)
{
	struct bridge *bridge = s->control->bridge;
	const struct bridge_groups_counts *counts = bridge_groups_counts(bridge);
	const struct groups_counts *members = groups_counts(bridge_groups(bridge));

	count(s, "group_members", groups_count(bridge_groups(bridge)));
	count(s, "group_members_joined", members->joined);
	count(s, "group_members_left", members->left);
	count(s, "group_members_aged", members->aged);
	count(s, "group_members_refused", members->refused);
	count(s, "group_members_moved", counts->moved);
	count(s, "group_members_confirmed", counts->confirmed);
	count(s, "group_members_unconfirmed", counts->unconfirmed);
	count(s, "group_queries_igmp", counts->queries[0]);
	count(s, "group_queries_mld", counts->queries[1]);
	count(s, "group_queries_failed", counts->queries_failed);
	count(s, "group_reports_igmp", counts->reports[0]);
	count(s, "group_reports_mld", counts->reports[1]);
	count(s, "group_reports_bad", counts->bad);
	count(s, "group_reports_limited", counts->limited);
	count(s, "group_first_reports", counts->first_reports);
	count(s, "group_first_report_ms", counts->first_report_ms);
	count(s, "group_first_report_ms_max", counts->first_report_ms_max);
}

static void count_edges(const struct showing *s)
{
	const struct control *control = s->control;
	const struct lq_socket_counts *lq = lq_socket_counts(control->lq);
	struct port_socket_counts ports = *port_socket_counts(control->ports);

	if (control->dhcp) {
		const struct port_socket_counts *dhcp = port_socket_counts(control->dhcp);

		ports.frames += dhcp->frames;
		ports.odd += dhcp->odd;
		ports.lost += dhcp->lost;
	}
	count(s, "leasequery_socket_sent", lq->sent);
	count(s, "leasequery_socket_send_errors", lq->send_errors);
	count(s, "leasequery_socket_received", lq->received);
	count(s, "leasequery_socket_other_port", lq->other_port);
	count(s, "leasequery_socket_too_long", lq->too_long);
	count(s, "frames_seen", ports.frames);
	count(s, "frames_odd", ports.odd);
	count(s, "frames_lost", ports.lost);
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
