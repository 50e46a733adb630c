/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of ports, of their open cases and of DHCP servers.
 */
#include <stdio.h>
#include <string.h>

#include "control_private.h"
#include "wire/orgtlv.h"

#define SERVERS_MAX 64

/* A server, with the ports that name it and for which VLANs. */
struct servers {
	unsigned n;
	struct server {
		struct addr addr;
		char vlans[64], ports[128];
	} server[SERVERS_MAX];
};

struct sought {
	const struct addr *addr;
	struct lq_server_info info;	/* family 0: never asked */
};

static void port_row(void *arg, const struct bridge_port_info *info);
static void port_settings(struct row *row, const struct link_port *set, char texts[4][256]);
static void case_row(void *arg, const struct bridge_case *open);
static const char *why_text(const struct bridge_case *open);
static const char *to_do_text(const struct bridge_case *open);
static void port_neighbour(struct row *row, const struct link_port *set, char text[256]);
static void collect_port(void *arg, const struct bridge_port_info *info);
static void collect_asked(void *arg, const struct lq_server_info *info);
static struct server *collect(struct servers *servers, const struct addr *addr);
static void seek(void *arg, const struct lq_server_info *info);
static void server_row(const struct showing *s, const struct server *server);
static void vlan_addrs_text(const struct link_vlan_addr *a, unsigned n, char text[256]);
static void append(char *list, size_t size, const char *item);
static const char *word(const char *const *words, unsigned n, unsigned i);

#define WORD(words, i) word(words, sizeof(words) / sizeof(*(words)), i)

static const char *const roles[] = { "none", "station", "bridge" };
static const char *const groups[] = { "off", "igmp", "mld", "both" };
static const char *const assists[] = { "off", "leasequery", "help", "auto" };
static const char *const guards[] = { "off", "monitor", "enforce" };

void control_ports(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "role:s", "link:s", "use:b", "assist:s", "guard:s",
		     "in_force:s", "members:s", "cases:n", "complete:b", "trusted:b", "bindings:n",
		     "vsis:n", "keys:s+", "remote_id:s+", "servers:s+", "giaddr:s+",
		     "keepalive_ms:n+", "neighbour:s+", "neighbour_version:n+",
		     "neighbour_can:s+", "groups:s+");
	bridge_each_port(s->control->bridge, port_row, (void *)s);
}

void control_cases(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vlan:n", "mac:s", "known_by:s", "why:s", "bound_at:s",
		     "for:d", "to_do:s", "ask_again_s:n+");
	bridge_each_case(s->control->bridge, case_row, (void *)s);
}

void control_servers(const struct showing *s)
{
	struct servers servers = { 0 };

	bridge_each_port(s->control->bridge, collect_port, &servers);
	lq_each_server(bridge_lq(s->control->bridge), collect_asked, &servers);
	CONTROL_HEAD(s, "server:s", "vlans:s", "ports:s", "answers:n", "round_trip:u",
		     "outstanding:n", "queued:n", "state:s", "window:n", "lost:n");
	for (unsigned i = 0; i < servers.n; i++)
		server_row(s, &servers.server[i]);
}

/* Statics: ports. */

static void port_row(void *arg, const struct bridge_port_info *info)
{
	const struct showing *s = arg;
	const struct link_port *set = info->settings;
	/* Open cases are looked for while nothing is dropped yet. */
	bool looked_for = info->mode == LINK_GUARD_MONITOR;
	char texts[5][256] = { 0 };
	struct row row = { 0 };

	row_text(&row, info->name);
	row_text(&row, set ? WORD(roles, set->role) : NULL);
	row_text(&row, !set ? NULL : set->up ? "up" : "down");
	row_text(&row, !set ? NULL : set->gone ? "no" : "yes");
	row_text(&row, set ? WORD(assists, set->assist) : NULL);
	row_text(&row, set ? WORD(guards, set->guard) : NULL);
	row_text(&row, !info->placed	? "no bridge port"
		       : info->offloaded ? "off: switch chip"
		       : info->opened	 ? "off: opened by hand"
					 : WORD(guards, info->mode));
	/* Of a bond or team those that VDP speaks on. */
	row_text(&row, strcmp(info->members, info->name) ? info->members : NULL);
	if (looked_for)
		row_number(&row, info->cases);
	else
		row_none(&row);
	row_text(&row, !looked_for ? NULL : info->cases_complete ? "yes" : "no");
	row_text(&row, !set ? NULL : set->trusted ? "yes" : "no");
	row_number(&row, info->bindings);
	row_number(&row, info->vsis);
	if (set) {
		port_settings(&row, set, texts);
		port_neighbour(&row, set, texts[4]);
	}
	while (row.n < 21)
		row_none(&row);
	row_text(&row, set ? WORD(groups, set->groups) : NULL);
	row_send(&row, s->client, s->seq);
}

static void port_settings(struct row *row, const struct link_port *set, char texts[4][256])
{
	static const char *const keys[] = {
		[LQ_BY_MAC] = "mac", [LQ_BY_IP] = "ip", [LQ_BY_CLIENT_ID] = "client-id",
		[LQ_BY_REMOTE_ID] = "remote-id",
	};

	for (unsigned i = 0; i < set->n_keys && i < LINK_KEYS_MAX; i++)
		append(texts[0], sizeof(texts[0]), WORD(keys, set->keys[i]));
	vlan_addrs_text(set->servers, set->n_servers, texts[1]);
	vlan_addrs_text(set->giaddrs, set->n_giaddrs, texts[2]);
	row_text(row, texts[0]);
	row_text(row, set->remote_id_text ? "text" : "binary");
	row_text(row, texts[1]);
	row_text(row, texts[2]);
	row_number(row, set->keepalive_ms);
}

/* What its capability TLV says. */
static void port_neighbour(struct row *row, const struct link_port *set, char text[256])
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {
		{ ORGTLV_DRAFT_M, "draft-m" },
		{ ORGTLV_HELP, "help" },
		{ ORGTLV_GROUPS, "groups" },
		{ ORGTLV_LEASEQUERY, "leasequery" },
	};

	if (!set->peer_version)
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (set->peer_flags & flags[i].flag)
			append(text, 256, flags[i].name);
	row_text(row, WORD(roles, set->peer_role));
	row_number(row, set->peer_version);
	row_text(row, text);
}

/* Statics: open cases. */

static void case_row(void *arg, const struct bridge_case *open)
{
	const struct showing *s = arg;
	const struct cases_item *item = open->item;
	struct row row = { 0 };

	row_text(&row, open->port);
	if (item->vlan == LINK_VLAN_ANY)
		row_none(&row);
	else
		row_number(&row, item->vlan);
	row_mac(&row, &item->mac);
	row_text(&row, item->vsi	? "VSI"
		       : item->by_hand	? "FDB, by hand"
					: "FDB");
	row_text(&row, why_text(open));
	row_text(&row, open->bound_at
			       ? bridge_port_name(s->control->bridge, open->bound_at)
			       : NULL);
	row_duration(&row, item->since, s->control->now);
	row_text(&row, to_do_text(open));
	if (item->asking)
		row_none(&row);
	else
		row_duration(&row, s->control->now, item->ask_at);
	row_send(&row, s->client, s->seq);
}

static const char *why_text(const struct bridge_case *open)
{
	static const char *const texts[] = {
		[BRIDGE_NOT_ASKED] = "not asked yet",
		[BRIDGE_NOBODY_TO_ASK] = "nobody to ask",
		[BRIDGE_NO_ANSWER] = "no answer",
		[BRIDGE_NO_LEASE] = "no lease",
		[BRIDGE_LEASE_ENDED] = "lease ended",
	};

	if (open->bound_at && !open->item->vsi)
		return "bound elsewhere";
	return open->item->asking && !open->item->asked ? "being asked"
							: WORD(texts, open->item->found);
}

static const char *to_do_text(const struct bridge_case *open)
{
	static const char *const texts[] = {
		[BRIDGE_NOT_ASKED] = "wait",
		[BRIDGE_NOBODY_TO_ASK] = "set servers, or bind its address",
		[BRIDGE_NO_ANSWER] = "see show servers",
		[BRIDGE_NO_LEASE] = "bind its address, or have it renew its lease",
		[BRIDGE_LEASE_ENDED] = "bind its address, or have it renew its lease",
	};

	if (open->bound_at && !open->item->vsi)
		return "find out who sends it here";
	if (open->item->by_hand && open->item->found >= BRIDGE_NO_ANSWER)
		return "bind its address";
	return WORD(texts, open->item->found);
}

/* Statics: servers. */

static void collect_port(void *arg, const struct bridge_port_info *info)
{
	const struct link_port *set = info->settings;

	if (!set || set->gone)
		return;
	for (unsigned i = 0; i < set->n_servers && i < LINK_SERVERS_MAX; i++) {
		struct server *server = collect(arg, &set->servers[i].addr);
		char vlan[8] = "any";

		if (!server)
			return;
		if (set->servers[i].vlan != LINK_VLAN_ANY)
			snprintf(vlan, sizeof(vlan), "%u", set->servers[i].vlan);
		append(server->vlans, sizeof(server->vlans), vlan);
		append(server->ports, sizeof(server->ports), info->name);
	}
}

static void collect_asked(void *arg, const struct lq_server_info *info)
{
	collect(arg, &info->addr);
}

/* NULL: there are too many to show. */
static struct server *collect(struct servers *servers, const struct addr *addr)
{
	for (unsigned i = 0; i < servers->n; i++)
		if (addr_equal(&servers->server[i].addr, addr))
			return &servers->server[i];
	if (servers->n == SERVERS_MAX)
		return NULL;
	servers->server[servers->n].addr = *addr;
	return &servers->server[servers->n++];
}

static void seek(void *arg, const struct lq_server_info *info)
{
	struct sought *sought = arg;

	if (addr_equal(&info->addr, sought->addr))
		sought->info = *info;
}

static void server_row(const struct showing *s, const struct server *server)
{
	struct sought sought = { .addr = &server->addr };
	const struct lq_server_info *info = &sought.info;
	struct row row = { 0 };

	lq_each_server(bridge_lq(s->control->bridge), seek, &sought);
	row_addr(&row, &server->addr);
	row_text(&row, server->vlans);
	row_text(&row, server->ports);
	row_number(&row, info->answers);
	if (info->srtt_us)
		row_number(&row, info->srtt_us);
	else
		row_none(&row);
	row_number(&row, info->outstanding);
	row_number(&row, info->queued);
	row_text(&row, info->silent    ? "silent"
		       : info->answers ? "answers"
				       : "not asked yet");
	row_number(&row, info->window);
	row_number(&row, info->lost);
	row_send(&row, s->client, s->seq);
}

/* Statics: text. */

static void vlan_addrs_text(const struct link_vlan_addr *a, unsigned n, char text[256])
{
	for (unsigned i = 0; i < n && i < LINK_SERVERS_MAX; i++) {
		char addr[ADDR_TEXT_MAX], item[ADDR_TEXT_MAX + 8];

		addr_text(&a[i].addr, addr);
		if (a[i].vlan == LINK_VLAN_ANY)
			append(text, 256, addr);
		else {
			snprintf(item, sizeof(item), "%u:%s", a[i].vlan, addr);
			append(text, 256, item);
		}
	}
}

/* To a list with commas, once; what does not fit is left out. */
static void append(char *list, size_t size, const char *item)
{
	size_t at = strlen(list), len = strlen(item);

	for (const char *p = list; (p = strstr(p, item)); p += len)
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return;
	if (len && at + len + 2 <= size)
		snprintf(list + at, size - at, "%s%s", at ? "," : "", item);
}

static const char *word(const char *const *words, unsigned n, unsigned i)
{
	return i < n && words[i] ? words[i] : "?";
}
