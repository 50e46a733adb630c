/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: multicast groups.
 *
 *   T P report VM igmp1|igmp2|igmp3|mld1|mld2 GROUP[,GROUP…] [is-in|is-ex|to-in|to-ex|
 *     allow|block] [from A,…] [vlan V]     a report (is-ex where nothing is said), or a
 *                                          leave (to-in)
 *   T P flood N                            so many reports of as many MACs
 *   T P deaf | hears                       nothing can be sent there, or again
 *   T P quiet VM | loud                    the FDB has it, but has not heard it | it has
 *   T P groups VM                          what is known: "member P GROUP MODE ORIGIN"
 *
 * What happens: "query P VM|all igmp|mld CODE [vlan V]", "mdb put|drop P GROUP[/VLAN]",
 * "fdb P VM[/VLAN]", "fdb P VM[/VLAN] back to P|nobody".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bridge_groups.h"
#include "fake/report.h"
#include "on_switch.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/text.h"

#define LIST_MAX 8

static const char *vm_of(const struct script *script, const struct mac *mac);
static bool flood(struct on_switch *s, const struct on_port *port, unsigned n);
static bool members(struct on_switch *s, const struct on_port *port, const struct vm *vm);
static unsigned addrs(char *list, struct addr ret_addrs[LIST_MAX]);
static void seen(struct on_switch *s, const struct on_port *port,
		 const struct fake_report *report);
static void happen_mdb(struct on_switch *s, const char *what, const char *port,
		       uint16_t vlan, const struct addr *group);

bool on_groups(struct on_switch *s, struct on_port *port, char **words, unsigned n)
{
	static const char *const kinds[] = { "igmp1", "igmp2", "igmp3", "mld1", "mld2" };
	static const char *const types[] = { "", "is-in", "is-ex", "to-in", "to-ex", "allow",
					     "block" };
	struct addr groups[LIST_MAX], sources[LIST_MAX];
	struct fake_record records[LIST_MAX];
	struct fake_report report = { .records = records };
	unsigned at = 4, n_sources = 0;
	uint8_t type = REPORT_IS_EXCLUDE;
	const struct vm *vm;
	int kind;

	if (!strcmp(words[0], "quiet") || !strcmp(words[0], "loud")) {
		port->quiet = n == 2 ? vm_named(s->script, words[1]) : NULL;
		return port->quiet || n == 1;
	}
	if (n == 1) {
		port->deaf = !strcmp(words[0], "deaf");
		return port->deaf || !strcmp(words[0], "hears");
	}
	if (n == 2 && !strcmp(words[0], "flood"))
		return flood(s, port, (unsigned)strtoul(words[1], NULL, 10));
	vm = vm_named(s->script, words[1]);
	if (n == 2 && vm && !strcmp(words[0], "groups"))
		return members(s, port, vm);
	kind = n > 3 ? number_of(words[2], kinds, 5) : -1;
	if (!vm || kind < 0)
		return false;
	report.family = kind < 3 ? ADDR_IPV4 : ADDR_IPV6;
	report.version = (uint8_t)(kind < 3 ? kind + 1 : kind - 2);
	report.n = addrs(words[3], groups);
	report.src = vm->entries[0].mac;
	report.vlan = vm->entries[0].vlan;
	if (at < n && number_of(words[at], types, 7) > 0)
		type = (uint8_t)number_of(words[at++], types, 7);
	if (word_is(words, n, &at, "from") && at < n)
		n_sources = addrs(words[at++], sources);
	if (word_is(words, n, &at, "vlan") && at < n)
		report.vlan = (uint16_t)strtoul(words[at++], NULL, 10);
	for (unsigned i = 0; i < report.n; i++)
		records[i] = (struct fake_record){
			type, groups[i], (uint16_t)n_sources, sources,
		};
	if (report.n && at == n)
		seen(s, port, &report);
	return report.n && at == n;
}

/* What the story does. */

int on_groups_frame(void *arg, const char *port, const uint8_t *frame, size_t len)
{
	struct on_switch *s = arg;
	struct inet_frame f;
	struct report report;
	bool mld;
	char tag[16] = "";

	if (port_named(s, port) && port_named(s, port)->deaf)
		return -ENETDOWN;
	if (inet_decode(frame, len, &f, NULL) ||
	    (igmp_decode(&f, &report, NULL) && mld_decode(&f, &report, NULL)) ||
	    report.what != REPORT_QUERY || !addr_is_any(&report.group)) {
		script_fail(s->script, "what left on %s is no general query", port);
		return 0;
	}
	mld = report.family == ADDR_IPV6;
	if (report.version != (mld ? 2 : 3))
		script_fail(s->script, "a query of version %u", report.version);
	for (struct vsi *vsi = bridge_vsis(s->bridge); vsi; vsi = vsi->next)
		if (!strcmp(bridge_port_name(s->bridge, vsi->port), port) &&
		    vsi->state != MIGRATION_EXPECTED)
			mirror_no_staged(&s->mirror, vsi);
	if (f.vlan)
		snprintf(tag, sizeof(tag), " vlan %u", f.vlan);
	script_happen(s->script, "query %s %s %s %u%s", port,
		      f.dst.b[0] & 1 ? "all" : vm_of(s->script, &f.dst), mld ? "mld" : "igmp",
		      rd_left(&f.payload) < 6 ? 0u
		      : mld ? (unsigned)(f.payload.p[4] << 8 | f.payload.p[5])
			    : f.payload.p[1],
		      tag);
	return 0;
}

bool on_groups_own_mac(void *arg, const char *interface, struct mac *ret_mac)
{
	(void)arg;
	(void)interface;
	*ret_mac = (struct mac){ { 2, 0, 0, 0, 0, 0xee } };
	return true;
}

int on_groups_put(void *arg, const char *port, uint16_t vlan, const struct addr *group)
{
	happen_mdb(arg, "put", port, vlan, group);
	return 0;
}

int on_groups_drop(void *arg, const char *port, uint16_t vlan, const struct addr *group)
{
	happen_mdb(arg, "drop", port, vlan, group);
	return 0;
}

int on_groups_quiet(void *arg, const char *port, uint16_t vlan, ms_t so_long,
		    void (*cb)(void *cb_arg, const struct mac *mac), void *cb_arg)
{
	struct on_switch *s = arg;
	const struct on_port *at = port_named(s, port);

	(void)vlan;
	if (so_long <= 0)
		script_fail(s->script, "who is quiet was asked without a time");
	if (at && at->quiet)
		cb(cb_arg, &at->quiet->entries[0].mac);
	return 0;
}

int on_groups_fdb(void *arg, const char *port, uint16_t vlan, const struct mac *mac)
{
	struct on_switch *s = arg;
	char tag[8] = "";

	if (vlan)
		snprintf(tag, sizeof(tag), "/%u", vlan);
	script_happen(s->script, "fdb %s %s%s", port, vm_of(s->script, mac), tag);
	return 0;
}

int on_groups_fdb_back(void *arg, const char *port, const char *to, uint16_t vlan,
		       const struct mac *mac)
{
	struct on_switch *s = arg;
	char tag[8] = "";

	if (vlan)
		snprintf(tag, sizeof(tag), "/%u", vlan);
	script_happen(s->script, "fdb %s %s%s back to %s", port, vm_of(s->script, mac), tag,
		      to ? to : "nobody");
	return 0;
}

/* Statics. */

static void happen_mdb(struct on_switch *s, const char *what, const char *port,
		       uint16_t vlan, const struct addr *group)
{
	char text[ADDR_TEXT_MAX], tag[8] = "";

	if (vlan)
		snprintf(tag, sizeof(tag), "/%u", vlan);
	script_happen(s->script, "mdb %s %s %s%s", what, port, addr_text(group, text), tag);
}

/* Its name; of a further MAC of it with the number behind. */
static const char *vm_of(const struct script *script, const struct mac *mac)
{
	static char text[40];

	for (unsigned i = 0; i < script->n_vms; i++)
		for (unsigned j = 0; j < script->vms[i].n; j++) {
			if (!mac_equal(&script->vms[i].entries[j].mac, mac))
				continue;
			snprintf(text, sizeof(text), "%s%s", script->vms[i].name,
				 j ? (const char *[]){ "", "+1", "+2", "+3" }[j] : "");
			return text;
		}
	return mac_text(mac, text);
}

static bool flood(struct on_switch *s, const struct on_port *port, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct fake_record record = {
			.type = REPORT_IS_EXCLUDE,
			.group = { ADDR_IPV4, { 239, 9, (uint8_t)(i >> 8), (uint8_t)i } },
		};
		const struct fake_report report = {
			.src = { { 2, 9, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } },
			.family = ADDR_IPV4, .version = 3, .n = 1, .records = &record,
		};

		seen(s, port, &report);
	}
	return n;
}

static bool members(struct on_switch *s, const struct on_port *port, const struct vm *vm)
{
	const struct port *there = ports_find(s->bridge, port->set.name);
	const struct groups_place place =
		bridge_groups_place(s->bridge, there->number,
				    ports_vlan_in(there, vm->entries[0].vlan),
				    &vm->entries[0].mac);

	for (const struct groups_member *m = groups_first(bridge_groups(s->bridge), &place); m;
	     m = m->next) {
		char group[ADDR_TEXT_MAX], sources[128] = "", source[ADDR_TEXT_MAX];

		for (unsigned i = 0; i < m->sources.n && strlen(sources) < 80; i++)
			snprintf(sources + strlen(sources), 48, " %s",
				 addr_text(&m->sources.list[i], source));
		script_happen(s->script, "member %s %s %s%s %s", port->set.name,
			      addr_text(&m->group, group), groups_mode_text(m->mode),
			      sources, groups_origin_text(m->origin));
	}
	return true;
}

static unsigned addrs(char *list, struct addr ret_addrs[LIST_MAX])
{
	unsigned n = 0;

	for (char *one; n < LIST_MAX && (one = strsep(&list, ","));)
		if (addr_parse(one, &ret_addrs[n++]))
			return 0;
	return n;
}

/* As the engine does it, from the octets. */
static void seen(struct on_switch *s, const struct on_port *port,
		 const struct fake_report *report)
{
	uint8_t frame[FAKE_REPORT_MAX];
	size_t len = fake_report(frame, sizeof(frame), report);
	struct inet_frame decoded;

	if (inet_decode(frame, len, &decoded, NULL))
		script_fail(s->script, "the report does not decode");
	else
		bridge_frame(s->bridge, s->script->now, port->set.name, &decoded);
}
