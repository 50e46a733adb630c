/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: help requests.
 *
 *   T help SERVER ack|nak VM [IP [SECONDS]] [forged xid|mac|giaddr|htype] [port N]
 *     [earlier]                  what a DHCP server sends to giaddr:67 for VM, from UDP
 *                                port 67 or another, to the last xid or the one before
 *   T help counts NAME N …       so many there must be now
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/dhcp.h"
#include "on_switch.h"
#include "vdp_migrate/link.h"
#include "wire/text.h"

static struct helped *find(struct on_switch *s, const struct mac *mac);

void on_help_tell(void *arg, const struct link_msg *msg)
{
	struct on_switch *s = arg;
	const struct link_help *help = &msg->u.help;
	char giaddr[ADDR_TEXT_MAX], entries[32] = "";

	if (msg->type == LINK_HELP_END)
		script_happen(s->script, "help-end %s", msg->u.vsi_of.port);
	if (msg->type != LINK_HELP)
		return;
	if (help->n_entries != 1)
		snprintf(entries, sizeof(entries), " %u entries", help->n_entries);
	script_happen(s->script, "help %s%s%s%s%s", help->port, entries,
		      help->giaddr.family ? " from " : "",
		      help->giaddr.family ? addr_text(&help->giaddr, giaddr) : "",
		      help->apart ? " apart" : "");
	for (unsigned i = 0; i < help->n_entries; i++) {
		struct helped *one = find(s, &help->entries[i].mac);

		if (!one && s->n_helped == VMS_MAX) {
			script_fail(s->script, "help for too many VMs");
			return;
		}
		one = one ? one : &s->helped[s->n_helped++];
		*one = (struct helped){ help->entries[i].mac, help->xid + i, one->xid,
					help->giaddr };
	}
}

/* 192.0.2.0/24: addresses that cannot be listened to. */
bool on_help_listen(void *arg, const struct addr *giaddr)
{
	(void)arg;
	return giaddr->b[0] != 192;
}

/* 172.16.0.0/12: addresses that are in no subnet. */
bool on_help_apart(void *arg, const struct addr *giaddr)
{
	(void)arg;
	return giaddr->b[0] == 172;
}

bool on_help_counts(struct on_switch *s, char **words, unsigned n)
{
	const struct bridge_counts *c = bridge_counts(s->bridge);
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "asked", c->help_asked }, { "answered", c->help_answered },
		{ "naks", c->help_naks }, { "contradicted", c->help_contradicted },
		{ "silent", c->help_silent }, { "late", c->help_late },
		{ "rejected", c->help_rejected },
		{ "forged", bridge_snoop_counts(s->bridge)->forged },
	};

	for (unsigned i = 0; i + 1 < n; i += 2) {
		unsigned at = 0;

		while (at < sizeof(counts) / sizeof(*counts) &&
		       strcmp(counts[at].name, words[i]) != 0)
			at++;
		if (at == sizeof(counts) / sizeof(*counts))
			return false;
		if (counts[at].value != strtoull(words[i + 1], NULL, 10))
			script_happen(s->script, "%s is %llu", words[i],
				      (unsigned long long)counts[at].value);
	}
	return n % 2 == 0;
}

bool on_help(struct on_switch *s, char **words, unsigned n)
{
	struct fake_dhcp fake = { .op = DHCP4_BOOTREPLY };
	bool counts = n > 1 && !strcmp(words[0], "counts");
	const struct vm *vm = n > 2 && !counts ? vm_named(s->script, words[2]) : NULL;
	const struct helped *helped = vm ? find(s, &vm->entries[0].mac) : NULL;
	const char *forged = "";
	uint16_t sport = DHCP4_SERVER_PORT;
	struct addr server, giaddr;
	enum lq_reject reject;
	uint8_t buf[600];
	unsigned at = 3;
	size_t len;

	if (counts)
		return on_help_counts(s, words + 1, n - 1);
	if (!helped || addr_parse(words[0], &server))
		return false;
	fake.type = strcmp(words[1], "nak") ? DHCP4_ACK : DHCP4_NAK;
	if (at < n && !addr_parse(words[at], &fake.yiaddr))
		at++;
	if (at < n && *words[at] >= '0' && *words[at] <= '9') {
		fake.has_lease = true;
		fake.lease_s = (uint32_t)strtoul(words[at++], NULL, 10);
	}
	if (at + 1 < n && word_is(words, n, &at, "forged"))
		forged = words[at++];
	if (at + 1 < n && word_is(words, n, &at, "port"))
		sport = (uint16_t)strtoul(words[at++], NULL, 10);
	fake.xid = helped->xid;
	if (word_is(words, n, &at, "earlier"))
		fake.xid = helped->xid_before;
	giaddr = fake.giaddr = helped->giaddr;
	giaddr.b[3] ^= !strcmp(forged, "giaddr");
	fake.xid ^= strcmp(forged, "xid") ? 0 : 0x5a5a5a50;
	fake.chaddr = helped->mac;
	fake.chaddr.b[5] ^= strcmp(forged, "mac") ? 0 : 0xff;
	fake.server = server;
	len = fake_dhcp(buf, sizeof(buf), &fake);
	buf[1] = strcmp(forged, "htype") ? 1 : 6;
	reject = bridge_lq_input(s->bridge, s->script->now, &giaddr, &server, sport, buf,
				 len);
	if (reject != LQ_TAKEN)
		script_happen(s->script, "rejected %s",
			      reject == LQ_NOT_A_REPLY ? "kind" : "?");
	return at == n;
}

uint32_t on_help_xid(const struct on_switch *s, const struct mac *mac)
{
	const struct helped *helped = find((struct on_switch *)s, mac);

	return helped ? helped->xid : 0;
}

static struct helped *find(struct on_switch *s, const struct mac *mac)
{
	for (unsigned i = 0; i < s->n_helped; i++)
		if (mac_equal(&s->helped[i].mac, mac))
			return &s->helped[i];
	return NULL;
}
