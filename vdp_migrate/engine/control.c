/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine shows: one function a table, each a head and its rows. Text
 * only; the companion lays it out.
 */
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

struct showing {
	struct control *control;
	struct link_client *client;
	uint32_t seq;
};

static void show_bindings(const struct showing *s);
static void show_vsis(const struct showing *s);
static void show_ports(const struct showing *s);
static void show_servers(const struct showing *s);
static void show_counters(const struct showing *s);

static const struct {
	const char *name;
	void (*show)(const struct showing *s);
} tables[] = {
	{ "bindings", show_bindings }, { "vsis", show_vsis },	      { "ports", show_ports },
	{ "servers", show_servers },   { "counters", show_counters },
};

static void binding_row(void *arg, struct binding *binding);
static void port_row(void *arg, const struct bridge_port_info *info);
static void server_row(void *arg, const struct lq_server_info *info);
static void guard_row(void *arg, const char *port, uint16_t ethertype, uint64_t packets);
static void count(const struct showing *s, const char *name, uint64_t value);
static const char *time_left(ms_t now, ms_t then, char buf[24]);

#define HEAD(s, ...)                                                                     \
	do {                                                                             \
		const char *const names[] = { __VA_ARGS__ };                             \
		link_head((s)->client, (s)->seq, names, sizeof(names) / sizeof(*names)); \
	} while (0)
#define ROW(s, ...)                                                                     \
	do {                                                                            \
		const char *const fields[] = { __VA_ARGS__ };                           \
		link_row((s)->client, (s)->seq, fields, sizeof(fields) / sizeof(*fields)); \
	} while (0)

void control_counter(struct control *control, const struct link_counter *counter)
{
	unsigned i = 0;

	while (i < control->n_counters && strcmp(control->counters[i].name, counter->name))
		i++;
	if (i == CONTROL_COUNTERS_MAX)
		return;
	control->counters[i] = *counter;
	if (i == control->n_counters)
		control->n_counters++;
}

void control_show(struct control *control, struct link_client *client,
		  const struct link_show *show)
{
	const struct showing s = { control, client, show->seq };
	const struct link_msg msg = { .type = LINK_SHOW, .u.show = *show };
	char text[LINK_TEXT_MAX];

	if (!strcmp(show->table, "marks")) {
		link_server_ask_module(client, &msg);
		return;
	}
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (strcmp(show->table, tables[i].name))
			continue;
		tables[i].show(&s);
		link_done(client, show->seq, 0,
			  link_server_has_module(control->server)
				  ? ""
				  : "module not loaded in lldpad, or lldpad not running");
		return;
	}
	snprintf(text, sizeof(text),
		 "no table '%s': bindings, vsis, ports, servers, counters, marks", show->table);
	link_done(client, show->seq, EINVAL, text);
}

/* The tables. */

static void show_bindings(const struct showing *s)
{
	HEAD(s, "PORT", "VLAN", "MAC", "ADDRESS", "STATE", "LEASE-LEFT", "ORIGIN", "SERVER",
	     "VSI");
	binding_each(bridge_bindings(s->control->bridge), binding_row, (void *)s);
}

static void show_vsis(const struct showing *s)
{
	struct bridge *bridge = s->control->bridge;

	HEAD(s, "PORT", "VSI", "STATE", "FOR", "VLAN", "MAC", "LEASE");
	for (struct vsi *vsi = bridge_vsis(bridge); vsi; vsi = vsi->next) {
		char id[VSI_ID_TEXT_MAX], since[24], vlan[8], mac[MAC_TEXT_MAX];

		vsi_id_text(&vsi->id, id);
		time_left(vsi->since, s->control->now, since);
		for (unsigned i = 0; i < vsi->n_leases; i++) {
			const struct vsi_lease *lease = &vsi->leases[i];

			snprintf(vlan, sizeof(vlan), "%u", lease->entry.vlan);
			ROW(s, bridge_port_name(bridge, vsi->port), id,
			    migration_state_text(vsi->state), since, vlan,
			    mac_text(&lease->entry.mac, mac),
			    lease->tag ? "asking" : lease->failed ? "none found" : "-");
		}
	}
}

static void show_ports(const struct showing *s)
{
	HEAD(s, "PORT", "ROLE", "LINK", "USE", "ASSIST", "GUARD", "IN-FORCE", "TRUSTED",
	     "BINDINGS", "VSIS");
	bridge_each_port(s->control->bridge, port_row, (void *)s);
}

static void show_servers(const struct showing *s)
{
	HEAD(s, "SERVER", "ANSWERS", "ROUND-TRIP", "OUTSTANDING", "QUEUED", "STATE");
	lq_each_server(bridge_lq(s->control->bridge), server_row, (void *)s);
}

static void show_counters(const struct showing *s)
{
	const struct lq_counts *lq = lq_counts(bridge_lq(s->control->bridge));
	const struct snoop_counts *snoop = bridge_snoop_counts(s->control->bridge);
	const struct bridge_counts *bridge = bridge_counts(s->control->bridge);
	static const char *const reject_names[LQ_N_REJECTS] = {
		[LQ_BAD_MESSAGE] = "leasequery_rejected_message",
		[LQ_NOT_A_REPLY] = "leasequery_rejected_no_reply",
		[LQ_BAD_XID] = "leasequery_rejected_xid",
		[LQ_BAD_SERVER] = "leasequery_rejected_server",
		[LQ_BAD_GIADDR] = "leasequery_rejected_giaddr",
		[LQ_BAD_MAC] = "leasequery_rejected_mac",
	};

	HEAD(s, "COUNTER", "VALUE");
	count(s, "migrations", bridge->migrations);
	count(s, "arrived", bridge->arrived);
	count(s, "bindings", binding_count(bridge_bindings(s->control->bridge)));
	count(s, "bindings_moved", bridge->moved);
	count(s, "leases_staged", bridge->staged);
	count(s, "leases_put", bridge->put);
	count(s, "leases_not_found", bridge->failed);
	count(s, "conflicts", bridge->conflicts);
	count(s, "leasequery_asked", lq->asked);
	count(s, "leasequery_sent", lq->sent);
	count(s, "leasequery_retransmitted", lq->retransmitted);
	count(s, "leasequery_active", lq->active);
	count(s, "leasequery_unassigned", lq->unassigned);
	count(s, "leasequery_unknown", lq->unknown);
	count(s, "leasequery_silent", lq->silent);
	for (unsigned i = LQ_BAD_MESSAGE; i < LQ_N_REJECTS; i++)
		count(s, reject_names[i], lq->rejected[i]);
	count(s, "snooped_requests", snoop->requests);
	count(s, "snooped_acks", snoop->acks);
	count(s, "snooped_naks", snoop->naks);
	count(s, "snooped_releases", snoop->releases);
	count(s, "snooped_declines", snoop->declines);
	count(s, "snooped_untrusted", snoop->untrusted);
	count(s, "snooped_forged", snoop->forged);
	count(s, "snooped_unasked", snoop->unasked);
	for (unsigned i = 0; i < s->control->n_counters; i++)
		count(s, s->control->counters[i].name, s->control->counters[i].value);
	s->control->guard_ops->counts(s->control->guard, guard_row, (void *)s);
}

/* The rows. */

static void binding_row(void *arg, struct binding *binding)
{
	const struct showing *s = arg;
	char vlan[8], mac[MAC_TEXT_MAX], ip[ADDR_TEXT_MAX], left[24], server[ADDR_TEXT_MAX];
	char vsi[VSI_ID_TEXT_MAX] = "-";

	snprintf(vlan, sizeof(vlan), "%u", binding->host.vlan);
	if (binding->vsi.format)
		vsi_id_text(&binding->vsi, vsi);
	ROW(s, bridge_port_name(s->control->bridge, binding->port), vlan,
	    mac_text(&binding->host.mac, mac), addr_text(&binding->ip, ip),
	    binding_state_text(binding->state),
	    time_left(s->control->now, binding->lease_end, left),
	    binding_origin_text(binding->origin), addr_text(&binding->server, server), vsi);
}

static void port_row(void *arg, const struct bridge_port_info *info)
{
	static const char *const roles[] = { "none", "station", "bridge" };
	static const char *const assists[] = { "off", "leasequery", "help", "auto" };
	static const char *const guards[] = { "off", "monitor", "enforce" };
	const struct showing *s = arg;
	const struct link_port *set = info->settings;
	char bindings[12], vsis[12];

	snprintf(bindings, sizeof(bindings), "%u", info->bindings);
	snprintf(vsis, sizeof(vsis), "%u", info->vsis);
	ROW(s, info->name, set && set->role < 3 ? roles[set->role] : "-",
	    !set ? "-" : set->up ? "up" : "down", !set ? "-" : set->gone ? "no" : "yes",
	    set && set->assist < 4 ? assists[set->assist] : "-",
	    set && set->guard < 3 ? guards[set->guard] : "-",
	    info->placed ? guards[info->mode] : "no bridge port",
	    !set ? "-" : set->trusted ? "yes" : "no", bindings, vsis);
}

static void server_row(void *arg, const struct lq_server_info *info)
{
	const struct showing *s = arg;
	char addr[ADDR_TEXT_MAX], answers[24], rtt[24], outstanding[12], queued[12];

	snprintf(answers, sizeof(answers), "%" PRIu64, info->answers);
	snprintf(rtt, sizeof(rtt), info->srtt_us ? "%u us" : "-", info->srtt_us);
	snprintf(outstanding, sizeof(outstanding), "%u", info->outstanding);
	snprintf(queued, sizeof(queued), "%u", info->queued);
	ROW(s, addr_text(&info->addr, addr), answers, rtt, outstanding, queued,
	    info->silent ? "silent" : info->answers ? "answers" : "not asked yet");
}

static void guard_row(void *arg, const char *port, uint16_t ethertype, uint64_t packets)
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
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	ROW(s, name, text);
}

static const char *time_left(ms_t now, ms_t then, char buf[24])
{
	ms_t s = (then - now) / 1000;

	if (then == MS_NEVER)
		return "infinite";
	if (s < 120)
		snprintf(buf, 24, "%" PRId64 " s", s < 0 ? 0 : s);
	else if (s < 7200)
		snprintf(buf, 24, "%" PRId64 " min", s / 60);
	else
		snprintf(buf, 24, "%" PRId64 " h", s / 3600);
	return buf;
}
