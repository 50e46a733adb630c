/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See prometheus.h. THE table of metrics: new counter, a row here. Rows of one metric
 * stand together, the first one has its help. A counter that no row is for (of a newer
 * engine or module) comes at the end, untyped, under its own name.
 *
 * Supported standards: Prometheus text exposition format 0.0.4.
 */
#include "prometheus.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "vdp_migrate_"

enum kind {
	COUNTER, /* as it is */
	GAUGE,
	HISTOGRAM, /* …_bucket, …_count */
	SUMMARY, /* …_count */
	SUM, /* …_sum of the one above; a time */
	GAUGE_TIME,
};

/* Times are shown in seconds; the counter's name says whether it has them in ms or us.
 * A star stands for a part of the counter's name that is the value of a label; what is
 * behind a guard's star is the ethertype. */
static const struct metric {
	const char *counter;
	enum kind kind;
	const char *name;
	const char *label, *value; /* value NULL: what the star stands for */
	const char *help; /* NULL: as in the row before */
} metrics[] = {
	{ "migrations", COUNTER, "migrations_total", NULL, NULL,
	  "VSIs that began to migrate in: first requests with the M-bit." },
	{ "arrived", COUNTER, "arrived_total", NULL, NULL,
	  "VSIs that migrated in and were associated." },
	{ "restorations_within_*_ms", HISTOGRAM, "restoration_seconds", "le", NULL,
	  "Time from a VSI's first request with the M-bit to its bindings in the "
	  "kernel." },
	{ "restorations", HISTOGRAM, "restoration_seconds", NULL, NULL, NULL },
	{ "restoration_ms", SUM, "restoration_seconds", NULL, NULL, NULL },
	{ "bindings", GAUGE, "bindings", NULL, NULL, "Bindings in the table now." },
	{ "bindings_moved", COUNTER, "bindings_moved_total", NULL, NULL,
	  "Bindings taken over from another port of this switch." },
	{ "leases_staged", COUNTER, "leases_found_total", "put", "staged",
	  "Leases found for VSIs that migrate in, by how they were bound." },
	{ "leases_put", COUNTER, "leases_found_total", "put", "active", NULL },
	{ "leases_nothing_known", COUNTER, "leases_nothing_known_total", NULL, NULL,
	  "Entries of which no DHCP server knew anything, at a try." },
	{ "leases_not_found", COUNTER, "leases_not_found_total", NULL, NULL,
	  "Entries for which all tries were used." },
	{ "leases_refreshed", COUNTER, "leases_refreshed_total", NULL, NULL,
	  "Leases asked for again before their end." },
	{ "conflicts", COUNTER, "conflicts_total", NULL, NULL,
	  "Claims refused: the VM still answered on its old port." },
	{ "claims_probed", COUNTER, "claims_probed_total", NULL, NULL,
	  "Claims of MACs alive on another port that were checked." },
	{ "claims_not_probed", COUNTER, "claims_not_probed_total", NULL, NULL,
	  "Claims that could not be checked on each old port." },
	{ "vsi_ids_used_twice", COUNTER, "vsi_ids_used_twice_total", NULL, NULL,
	  "VSI instance IDs found in use by two VMs." },
	{ "help_asked", COUNTER, "help_asked_total", NULL, NULL,
	  "Entries for which the VM's server was asked for help." },
	{ "help_answered", COUNTER, "help_outcomes_total", "outcome", "answered",
	  "What came of help requests." },
	{ "help_naks", COUNTER, "help_outcomes_total", "outcome", "nak", NULL },
	{ "help_contradicted", COUNTER, "help_outcomes_total", "outcome", "contradicted",
	  NULL },
	{ "help_no_answer", COUNTER, "help_outcomes_total", "outcome", "no_answer",
	  NULL },
	{ "help_late", COUNTER, "help_outcomes_total", "outcome", "late", NULL },
	{ "help_other_server", COUNTER, "help_outcomes_total", "outcome", "other_server",
	  NULL },
	{ "helped_asked", COUNTER, "helped_asked_total", NULL, NULL,
	  "Help requests that came to this server's engine, by entry." },
	{ "helped_refused", COUNTER, "helped_refused_total", NULL, NULL,
	  "Of these, those not requested from the DHCP server." },
	{ "helped_sent", COUNTER, "helped_sent_total", NULL, NULL,
	  "DHCPREQUESTs sent for VMs that migrate in, repetitions too." },
	{ "helped_send_errors", COUNTER, "helped_send_errors_total", NULL, NULL,
	  "DHCPREQUESTs for VMs that could not be sent." },
	{ "helped_acks_seen", COUNTER, "helped_answers_seen_total", "type", "ack",
	  "Answers of DHCP servers that passed this server." },
	{ "helped_naks_seen", COUNTER, "helped_answers_seen_total", "type", "nak", NULL },
	{ "helped_leases_seen", GAUGE, "helped_leases_known", NULL, NULL,
	  "Leases of VMs of this server that are known." },
	{ "leasequery_asked", COUNTER, "leasequery_asked_total", NULL, NULL,
	  "Questions for a lease." },
	{ "leasequery_sent", COUNTER, "leasequery_sent_total", NULL, NULL,
	  "DHCPLEASEQUERY messages sent for them." },
	{ "leasequery_retransmitted", COUNTER, "leasequery_retransmitted_total", NULL,
	  NULL, "Of these, repetitions." },
	{ "leasequery_not_asked_again", COUNTER, "leasequery_not_asked_again_total", NULL,
	  NULL,
	  "Questions not sent: the server has said a moment ago that it knows nothing." },
	{ "leasequery_active", COUNTER, "leasequery_answers_total", "answer", "active",
	  "Answers to leasequeries." },
	{ "leasequery_unassigned", COUNTER, "leasequery_answers_total", "answer",
	  "unassigned", NULL },
	{ "leasequery_unknown", COUNTER, "leasequery_answers_total", "answer", "unknown",
	  NULL },
	{ "leasequery_silent", COUNTER, "leasequery_silent_total", NULL, NULL,
	  "Questions that a server has not answered, after all tries." },
	{ "leasequery_rejected_message", COUNTER, "leasequery_rejected_total", "reason",
	  "message", "What came to giaddr's socket and was not taken." },
	{ "leasequery_rejected_no_reply", COUNTER, "leasequery_rejected_total", "reason",
	  "no_reply", NULL },
	{ "leasequery_rejected_xid", COUNTER, "leasequery_rejected_total", "reason",
	  "xid", NULL },
	{ "leasequery_rejected_server", COUNTER, "leasequery_rejected_total", "reason",
	  "server", NULL },
	{ "leasequery_rejected_giaddr", COUNTER, "leasequery_rejected_total", "reason",
	  "giaddr", NULL },
	{ "leasequery_rejected_mac", COUNTER, "leasequery_rejected_total", "reason",
	  "mac", NULL },
	{ "leasequery_delayed_*", COUNTER, "leasequery_delayed_total", "port", NULL,
	  "Questions that max-rate has held up." },
	{ "leasequery_waiting_*", GAUGE, "leasequery_waiting", "port", NULL,
	  "Questions that max-rate holds up now." },
	{ "snooped_requests", COUNTER, "snooped_messages_total", "type", "request",
	  "DHCP messages seen on ports." },
	{ "snooped_acks", COUNTER, "snooped_messages_total", "type", "ack", NULL },
	{ "snooped_naks", COUNTER, "snooped_messages_total", "type", "nak", NULL },
	{ "snooped_releases", COUNTER, "snooped_messages_total", "type", "release",
	  NULL },
	{ "snooped_declines", COUNTER, "snooped_messages_total", "type", "decline",
	  NULL },
	{ "snooped_untrusted", COUNTER, "snooped_refused_total", "reason", "untrusted",
	  "DHCP messages seen and not believed." },
	{ "snooped_forged", COUNTER, "snooped_refused_total", "reason", "forged", NULL },
	{ "snooped_unasked", COUNTER, "snooped_refused_total", "reason", "unasked",
	  NULL },
	{ "group_members", GAUGE, "group_members", NULL, NULL,
	  "VMs in multicast groups now, each group." },
	{ "group_members_joined", COUNTER, "group_member_changes_total", "change",
	  "joined", "Changes of the table of multicast group members." },
	{ "group_members_left", COUNTER, "group_member_changes_total", "change", "left",
	  NULL },
	{ "group_members_aged", COUNTER, "group_member_changes_total", "change", "aged",
	  NULL },
	{ "group_members_refused", COUNTER, "group_member_changes_total", "change",
	  "refused", NULL },
	{ "group_members_moved", COUNTER, "group_member_changes_total", "change", "moved",
	  NULL },
	{ "group_members_confirmed", COUNTER, "group_member_changes_total", "change",
	  "confirmed", NULL },
	{ "group_members_unconfirmed", COUNTER, "group_member_changes_total", "change",
	  "unconfirmed", NULL },
	{ "group_queries_igmp", COUNTER, "group_queries_total", "protocol", "igmp",
	  "Membership queries sent to VMs that migrated in." },
	{ "group_queries_mld", COUNTER, "group_queries_total", "protocol", "mld", NULL },
	{ "group_queries_failed", COUNTER, "group_queries_failed_total", NULL, NULL,
	  "Membership queries that could not be sent." },
	{ "group_reports_igmp", COUNTER, "group_reports_total", "protocol", "igmp",
	  "Membership reports heard." },
	{ "group_reports_mld", COUNTER, "group_reports_total", "protocol", "mld", NULL },
	{ "group_reports_bad", COUNTER, "group_reports_dropped_total", "reason", "bad",
	  "Membership reports not taken: malformed, or too many in a second." },
	{ "group_reports_limited", COUNTER, "group_reports_dropped_total", "reason",
	  "limited", NULL },
	{ "group_first_reports", SUMMARY, "group_first_report_seconds", NULL, NULL,
	  "Time from the associate to the VM's first membership report." },
	{ "group_first_report_ms", SUM, "group_first_report_seconds", NULL, NULL, NULL },
	{ "group_first_report_ms_max", GAUGE_TIME, "group_first_report_max_seconds", NULL,
	  NULL, "The longest of these times." },
	{ "leasequery_socket_sent", COUNTER, "socket_sent_total", NULL, NULL,
	  "Messages sent from giaddr's sockets." },
	{ "leasequery_socket_send_errors", COUNTER, "socket_send_errors_total", NULL,
	  NULL, "Messages that could not be sent from there." },
	{ "leasequery_socket_received", COUNTER, "socket_received_total", NULL, NULL,
	  "Messages received there." },
	{ "leasequery_socket_other_port", COUNTER, "socket_other_port_total", NULL, NULL,
	  "Of these, those sent from another UDP port than 67." },
	{ "leasequery_socket_too_long", COUNTER, "socket_too_long_total", NULL, NULL,
	  "Messages dropped there: longer than any DHCP message." },
	{ "frames_seen", COUNTER, "frames_seen_total", NULL, NULL,
	  "Frames of DHCP, RARP, IGMP and MLD seen on bridge ports." },
	{ "frames_odd", COUNTER, "frames_odd_total", NULL, NULL,
	  "Of these, those passed over: too long, or a tag that is not 802.1Q." },
	{ "frames_lost", COUNTER, "frames_lost_total", NULL, NULL,
	  "Frames that found the socket's buffer full." },
	{ "guard_commits", COUNTER, "guard_commits_total", NULL, NULL,
	  "Transactions of the guard." },
	{ "guard_commits_failed", COUNTER, "guard_commits_failed_total", NULL, NULL,
	  "Transactions that the kernel refused." },
	{ "guard_put_back", COUNTER, "guard_put_back_total", NULL, NULL,
	  "Changes of the guard's table by somebody else that were put right." },
	{ "vdpdus_checked", COUNTER, "vdpdus_checked_total", NULL, NULL,
	  "VDPDUs that came in on our ports." },
	{ "vdpdus_dropped", COUNTER, "vdpdus_dropped_total", NULL, NULL,
	  "VDPDUs kept from lldpad: malformed." },
	{ "frames_dropped_below_the_bus", COUNTER, "lldpad_frames_dropped_total", NULL,
	  NULL, "Frames that lldpad would not have survived." },
	{ "m_bit_set", COUNTER, "m_bit_set_total", NULL, NULL,
	  "Association TLVs that got the M-bit." },
	{ "m_bit_cleared", COUNTER, "m_bit_cleared_total", NULL, NULL,
	  "Keep-alives that lost it." },
	{ "s_bit_sent", COUNTER, "s_bit_sent_total", NULL, NULL,
	  "VSIs of which the switch was told that they are suspended." },
	{ "vdpdus_sent_by_lldpad_unreadable", COUNTER, "vdpdus_unreadable_total", NULL,
	  NULL, "VDPDUs of lldpad's own that do not decode." },
	{ "de_associates_held_back", COUNTER, "deassociates_held_back_total", NULL, NULL,
	  "De-associates of lldpad's held back: it had no timers yet." },
	{ "requests_of_restarted_peers_rescued", COUNTER, "requests_rescued_total", NULL,
	  NULL, "Requests of restarted peers that lldpad took for repetitions." },
	{ "vdpdus_lost:_queue_full", COUNTER, "vdpdus_lost_total", NULL, NULL,
	  "VDPDUs lost: too many waited for lldpad." },
	{ "responses_held", COUNTER, "responses_held_total", NULL, NULL,
	  "Answers that waited for their bindings." },
	{ "held_responses_released_by_ready", COUNTER, "responses_released_total", "by",
	  "ready", "Held answers that have left, by what ended the wait." },
	{ "held_responses_released_by_deadline", COUNTER, "responses_released_total",
	  "by", "deadline", NULL },
	{ "vsis_not_kept", COUNTER, "vsis_not_kept_total", NULL, NULL,
	  "Requests that found a port's list of VSIs full." },
	{ "help_tlvs_in_answers", COUNTER, "help_tlvs_total", "in", "answer",
	  "Help TLVs sent, by what they left in." },
	{ "help_tlvs_in_vdpdus_of_their_own", COUNTER, "help_tlvs_total", "in",
	  "own_vdpdu", NULL },
	{ "help_requests_not_sent", COUNTER, "help_requests_not_sent_total", NULL, NULL,
	  "Help requests that had nobody to go to." },
	{ "help_requests_handed_on", COUNTER, "help_requests_heard_total", "then",
	  "handed_on", "Help requests heard, by what became of them." },
	{ "help_requests_repeated", COUNTER, "help_requests_heard_total", "then",
	  "repeated", NULL },
	{ "help_requests_refused", COUNTER, "help_requests_heard_total", "then",
	  "refused", NULL },
	{ "messages_to_the_engine", COUNTER, "link_messages_total", NULL, NULL,
	  "Messages of the module to the engine." },
	{ "messages_to_the_engine_lost", COUNTER, "link_messages_lost_total", NULL, NULL,
	  "Of these, those that did not get through; a replay follows." },
	{ "replays", COUNTER, "link_replays_total", NULL, NULL,
	  "How often the module has told the engine everything." },
	{ "loop_holds_within_*_us", HISTOGRAM, "lldpad_loop_hold_seconds", "le", NULL,
	  "How long the module has kept lldpad's loop, in each turn in which it had "
	  "something to do." },
	{ "loop_holds", HISTOGRAM, "lldpad_loop_hold_seconds", NULL, NULL, NULL },
	{ "loop_hold_us", SUM, "lldpad_loop_hold_seconds", NULL, NULL, NULL },
	{ "loop_hold_us_max", GAUGE_TIME, "lldpad_loop_hold_max_seconds", "at", "frames",
	  "The longest of these times; and of turns that attach or store a setting." },
	{ "loop_hold_us_max_at_attach", GAUGE_TIME, "lldpad_loop_hold_max_seconds", "at",
	  "attach", NULL },
	{ "loop_hold_us_max_at_a_set", GAUGE_TIME, "lldpad_loop_hold_max_seconds", "at",
	  "set", NULL },
	{ "guard_*_*", COUNTER, "guard_packets_total", "port", NULL,
	  "Frames that the guard dropped (monitor: would have), by what they are." },
};

#define N_METRICS (sizeof(metrics) / sizeof(*metrics))

static void print_metric(const struct metric *metric, const struct table *counters,
			 FILE *to);
static void print_row(const struct metric *metric, const char *counter, const char *value,
		      FILE *to);
static void print_others(const struct table *counters, FILE *to);
static const struct metric *metric_of(const char *counter);
static bool matches(const struct metric *metric, const char *counter,
		    const char **ret_star, int *ret_len);
static void print_head(const struct metric *metric, FILE *to);
static void print_text(const char *text, int len, FILE *to);
static void print_seconds(const char *value, int len, unsigned unit, FILE *to);

void prometheus_print(const struct table *counters, FILE *to)
{
	for (size_t i = 0; i < N_METRICS; i++)
		if (metrics[i].help)
			print_metric(&metrics[i], counters, to);
	print_others(counters, to);
}

/* All rows of a metric under one head; none, where none is counted. */
static void print_metric(const struct metric *metric, const struct table *counters,
			 FILE *to)
{
	bool head = false;

	for (const struct metric *m = metric;
	     m < metrics + N_METRICS && (m == metric || !m->help); m++)
		for (unsigned row = 1; row < counters->rows; row++) {
			const char *counter = table_field(counters, row, "counter");

			if (metric_of(counter) != m)
				continue;
			if (!head)
				print_head(metric, to);
			head = true;
			print_row(m, counter, table_field(counters, row, "value"), to);
		}
}

static void print_row(const struct metric *metric, const char *counter, const char *value,
		      FILE *to)
{
	const char *star = NULL;
	int len = 0;
	unsigned unit = strstr(metric->counter, "_us") ? 1000000 : 1000;
	bool bucket, is_time = metric->kind == SUM || metric->kind == GAUGE_TIME;

	(void)matches(metric, counter, &star, &len);
	bucket = metric->kind == HISTOGRAM && star;
	/* What took longer than every bound is in the total alone: the last bucket. */
	if (metric->kind == HISTOGRAM && !bucket)
		fprintf(to, PREFIX "%s_bucket{le=\"+Inf\"} %s\n", metric->name, value);
	fprintf(to, PREFIX "%s%s", metric->name,
		bucket						       ? "_bucket"
		: metric->kind == HISTOGRAM || metric->kind == SUMMARY ? "_count"
		: metric->kind == SUM				       ? "_sum"
								       : "");
	if (bucket) {
		fprintf(to, "{le=\"");
		print_seconds(star, len, unit, to);
		fprintf(to, "\"}");
	} else if (metric->label) {
		fprintf(to, "{%s=\"", metric->label);
		if (metric->value)
			fputs(metric->value, to);
		else
			print_text(star, len, to);
		if (star && star[len]) /* guard_PORT_ETHERTYPE */
			fprintf(to, "\",ethertype=\"%s", star + len + 1);
		fprintf(to, "\"}");
	}
	fputc(' ', to);
	if (is_time)
		print_seconds(value, (int)strlen(value), unit, to);
	else
		fputs(value, to);
	fputc('\n', to);
}

static void print_others(const struct table *counters, FILE *to)
{
	for (unsigned row = 1; row < counters->rows; row++) {
		const char *counter = table_field(counters, row, "counter");

		if (metric_of(counter))
			continue;
		fprintf(to, PREFIX "other{counter=\"");
		print_text(counter, (int)strlen(counter), to);
		fprintf(to, "\"} %s\n", table_field(counters, row, "value"));
	}
}

/* Its own name goes before a pattern. */
static const struct metric *metric_of(const char *counter)
{
	const char *star;
	int len;

	for (size_t i = 0; i < N_METRICS; i++)
		if (!strcmp(metrics[i].counter, counter))
			return &metrics[i];
	for (size_t i = 0; i < N_METRICS; i++)
		if (matches(&metrics[i], counter, &star, &len))
			return &metrics[i];
	return NULL;
}

/* A second star is what follows the last underscore: a port's name may have some. */
static bool matches(const struct metric *metric, const char *counter,
		    const char **ret_star, int *ret_len)
{
	const char *star = strchr(metric->counter, '*'), *end;
	size_t before, len = strlen(counter), after;

	if (!star)
		return !strcmp(metric->counter, counter);
	before = (size_t)(star - metric->counter);
	after = strcmp(star + 1, "_*") ? strlen(star + 1) : 0;
	if (len <= before + after || strncmp(metric->counter, counter, before) != 0)
		return false;
	end = counter + len - after;
	if (!after && star[1])
		end = strrchr(counter + before, '_');
	else if (strcmp(end, star + 1) != 0)
		return false;
	if (!end || end <= counter + before)
		return false;
	*ret_star = counter + before;
	*ret_len = (int)(end - *ret_star);
	return true;
}

static void print_head(const struct metric *metric, FILE *to)
{
	static const char *const types[] = {
		[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram",
		[SUMMARY] = "summary", [SUM] = "untyped", [GAUGE_TIME] = "gauge",
	};

	fprintf(to, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", metric->name,
		metric->help, metric->name, types[metric->kind]);
}

/* The value of a label. */
static void print_text(const char *text, int len, FILE *to)
{
	for (int i = 0; i < len; i++) {
		if (text[i] == '\n') {
			fputs("\\n", to);
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			fputc('\\', to);
		fputc(isascii((unsigned char)text[i]) ? text[i] : '?', to);
	}
}

static void print_seconds(const char *value, int len, unsigned unit, FILE *to)
{
	char text[24];
	unsigned long long n;

	snprintf(text, sizeof(text), "%.*s", len, value);
	n = strtoull(text, NULL, 10);
	if (n % unit)
		fprintf(to, "%llu.%0*u", n / unit, unit == 1000 ? 3 : 6,
			(unsigned)(n % unit));
	else
		fprintf(to, "%llu", n / unit);
}
