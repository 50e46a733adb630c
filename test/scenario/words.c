/* SPDX-License-Identifier: GPL-2.0-only */
/* The words that scripts of every part have: VMs, and what DHCP servers answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/dhcp.h"
#include "script.h"
#include "wire/text.h"

static bool entry_parse(const char *word, struct vsi_entry *ret_entry);
static void happen_ask(struct script *script, const struct dhcp4 *m, const char *server);
static struct query *query_find(struct script *script, const struct addr *server,
				const struct mac *mac, const struct addr *ip, bool first);
static bool reply_parse(struct script *script, char **words, unsigned n, unsigned *at,
			struct fake_dhcp *ret_reply);

static const char *const rejects[LQ_N_REJECTS] = {
	[LQ_BAD_MESSAGE] = "message", [LQ_NOT_A_REPLY] = "kind",  [LQ_BAD_XID] = "xid",
	[LQ_BAD_SERVER] = "server",   [LQ_BAD_GIADDR] = "giaddr", [LQ_BAD_MAC] = "mac",
};

bool vm_define(struct script *script, char **words, unsigned n)
{
	struct vm *vm = &script->vms[script->n_vms];
	unsigned at = 1;

	if (n < 2 || script->n_vms == VMS_MAX)
		return false;
	*vm = (struct vm){0};
	snprintf(vm->name, sizeof(vm->name), "%s", words[0]);
	for (; at < n && vm->n < VM_ENTRIES_MAX && strcmp(words[at], "as"); at++)
		if (!entry_parse(words[at], &vm->entries[vm->n++]))
			return false;
	vm->id.format = VSI_ID_MAC;
	memcpy(vm->id.b, vm->entries[0].mac.b, sizeof(vm->entries[0].mac.b));
	if (word_is(words, n, &at, "as") &&
	    (at == n || vsi_id_parse(words[at++], &vm->id)))
		return false;
	script->n_vms++;
	return at == n;
}

const struct vm *vm_named(struct script *script, const char *word)
{
	char copy[64], *words[2] = {copy, copy};

	for (unsigned i = 0; i < script->n_vms; i++)
		if (!strcmp(script->vms[i].name, word))
			return &script->vms[i];
	snprintf(copy, sizeof(copy), "%s", word);
	if (vm_define(script, words, 2))
		return &script->vms[script->n_vms - 1];
	script_fail(script, "%s: no such VM", word);
	return NULL;
}

bool word_is(char **words, unsigned n, unsigned *at, const char *word)
{
	if (*at >= n || strcmp(words[*at], word))
		return false;
	++*at;
	return true;
}

void query_sent(struct script *script, const struct addr *giaddr,
		const struct addr *server, const uint8_t *msg, size_t len)
{
	char text[ADDR_TEXT_MAX];
	struct dhcp4 m;

	if (dhcp4_decode(rd_new(msg, len, 0), &m, NULL) || m.type != DHCP4_LEASEQUERY ||
	    m.op != DHCP4_BOOTREQUEST || !addr_equal(&m.giaddr, giaddr)) {
		script_fail(script, "what was sent is no DHCPLEASEQUERY");
		return;
	}
	happen_ask(script, &m, addr_text(server, text));
	for (unsigned i = 0; i < script->n_queries; i++)
		if (script->queries[i].xid == m.xid &&
		    addr_equal(&script->queries[i].server, server))
			return;
	if (script->n_queries < QUERIES_MAX)
		script->queries[script->n_queries++] =
			(struct query){
				.server = *server,
				.giaddr = *giaddr,
				.xid = m.xid,
				.mac = m.chaddr,
				.ip = addr_is_any(&m.ciaddr) ? (struct addr){0} : m.ciaddr,
			};
}

static void happen_ask(struct script *script, const struct dhcp4 *m, const char *server)
{
	char text[2 * 255 + 1] = "";
	size_t len = 0;
	const uint8_t *p = dhcp4_opt(m, DHCP4_OPT_RELAY_AGENT, &len);
	bool remote = p && len > 2;

	if (!mac_is_zero(&m->chaddr)) {
		script_happen(script, "ask mac %s", server);
		return;
	}
	if (!addr_is_any(&m->ciaddr)) {
		script_happen(script, "ask ip %s %s", addr_text(&m->ciaddr, text), server);
		return;
	}
	if (remote)
		p += 2, len -= 2; /* the sub-option's number and length */
	else
		p = dhcp4_opt(m, DHCP4_OPT_CLIENT_ID, &len);
	if (!p) {
		script_fail(script, "a query without key");
		return;
	}
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	script_happen(script, "ask %s %s %s", remote ? "remote-id" : "client-id", text,
		      server);
}

bool query_answer(struct script *script, char **words, unsigned n,
		  enum lq_reject (*input)(void *arg, const struct addr *giaddr,
					  const struct addr *server, const uint8_t *msg,
					  size_t len))
{
	struct addr server;
	struct fake_dhcp reply = {.op = DHCP4_BOOTREPLY};
	const struct vm *vm = NULL;
	const char *forged = "";
	struct query *query;
	enum lq_reject reject;
	uint8_t buf[LQ_MESSAGE_MAX];
	bool first = false;
	unsigned at = 1;

	if (n < 2 || addr_parse(words[0], &server) ||
	    !reply_parse(script, words, n, &at, &reply))
		return false;
	while (at < n) {
		if (word_is(words, n, &at, "first"))
			first = true;
		else if (at + 1 < n && word_is(words, n, &at, "for"))
			vm = vm_named(script, words[at++]);
		else if (at + 1 < n && word_is(words, n, &at, "forged"))
			forged = words[at++];
		else
			return false;
	}
	query = query_find(script, &server, vm ? &vm->entries[0].mac : NULL,
			   reply.ciaddr.family ? &reply.ciaddr : NULL, first);
	if (!query) {
		script_fail(script, "%s was asked nothing that it has not answered",
			    words[0]);
		return true;
	}
	reply.xid = query->xid ^ (strcmp(forged, "xid") ? 0 : 0x5a5a5a50);
	reply.giaddr = query->giaddr;
	reply.giaddr.b[3] ^= !strcmp(forged, "giaddr");
	reply.chaddr = query->mac;
	/* Not by MAC: whom the server means. */
	if (mac_is_zero(&query->mac))
		reply.chaddr = (vm ? vm : &script->vms[0])->entries[0].mac;
	reply.chaddr.b[5] ^= strcmp(forged, "mac") ? 0 : 0xff;
	server.b[3] ^= strcmp(forged, "server") ? 0 : 0x80;
	reject = input(script->arg, &query->giaddr, &server, buf,
		       fake_dhcp(buf, sizeof(buf), &reply));
	if (reject != LQ_TAKEN)
		script_happen(script, "rejected %s", rejects[reject]);
	else
		query->answered = true;
	return true;
}

static bool reply_parse(struct script *script, char **words, unsigned n, unsigned *at,
			struct fake_dhcp *ret_reply)
{
	struct addr other;

	(void)script;
	if (word_is(words, n, at, "unknown")) {
		ret_reply->type = DHCP4_LEASEUNKNOWN;
		return true;
	}
	if (word_is(words, n, at, "unassigned")) {
		ret_reply->type = DHCP4_LEASEUNASSIGNED;
		return true;
	}
	if (!word_is(words, n, at, "active") || *at + 2 > n)
		return false;
	ret_reply->type = DHCP4_LEASEACTIVE;
	if (addr_parse(words[(*at)++], &ret_reply->ciaddr))
		return false;
	ret_reply->has_lease = true;
	ret_reply->lease_s = strcmp(words[*at], "forever")
				     ? (uint32_t)strtoul(words[*at], NULL, 10)
				     : DHCP4_LEASE_FOREVER;
	++*at;
	while (*at + 1 < n && word_is(words, n, at, "+")) {
		if (addr_parse(words[(*at)++], &other) ||
		    ret_reply->n_others + 4 > sizeof(ret_reply->others))
			return false;
		memcpy(ret_reply->others + ret_reply->n_others, other.b, 4);
		ret_reply->n_others += 4;
	}
	if (*at + 1 < n && word_is(words, n, at, "heard")) {
		ret_reply->has_last = true;
		ret_reply->last_s = (uint32_t)strtoul(words[(*at)++], NULL, 10);
	}
	return true;
}

/* The latest that this server has not answered, or the first; of those by IP one for
 * this. */
static struct query *query_find(struct script *script, const struct addr *server,
				const struct mac *mac, const struct addr *ip, bool first)
{
	struct query *found = NULL;

	for (unsigned i = 0; i < script->n_queries; i++) {
		struct query *q = &script->queries[i];

		if (q->answered || !addr_equal(&q->server, server) ||
		    (mac && !mac_is_zero(&q->mac) && !mac_equal(&q->mac, mac)) ||
		    (ip && q->ip.family && !addr_equal(&q->ip, ip)))
			continue;
		if (first)
			return q;
		found = q;
	}
	return found;
}

/* "52:54:00:00:00:01/10", "52:54:00:00:00:01" (untagged), "/10" (VID alone). */
static bool entry_parse(const char *word, struct vsi_entry *ret_entry)
{
	char text[32];
	char *slash;

	*ret_entry = (struct vsi_entry){0};
	snprintf(text, sizeof(text), "%s", word);
	slash = strchr(text, '/');
	if (slash) {
		*slash = 0;
		ret_entry->vlan = (uint16_t)strtoul(slash + 1, NULL, 10);
	}
	return (slash == text) || !mac_parse(text, &ret_entry->mac);
}
