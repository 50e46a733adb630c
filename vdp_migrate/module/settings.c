/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE table of settings. New setting: a row here, a member in struct settings. What a
 * setting does is not known here, nor how a value is written (value.c).
 */
#include "settings.h"
#include "value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "vdp_migrate/host.h"
#include "vdp_migrate/leasequery.h"
#include "wire/text.h"

#define WORDS_MAX 4
#define SCHEDULE_LAST_MS 60000

struct setting;
typedef int parse_fn(const struct setting *setting, const char *value,
		     struct settings *ret_settings);
static parse_fn parse_word, parse_guard, parse_keys, parse_addresses, parse_number,
	parse_schedule;

struct setting {
	const char *name;
	parse_fn *parse;	/* into its members; these are untouched on failure */
	const char *words[WORDS_MAX];	/* value n is words[n] */
	size_t at, n_at;	/* members of struct settings; of a number: at, and the most */
	const char *usual;	/* default */
	const char *takes;
	const char *help;
};

#define MEMBER(m) offsetof(struct settings, m)

static const struct setting table[] = {
	{ "use", parse_word, { "no", "yes" }, MEMBER(use), 0, "no", "yes, no",
	  "yes: this port is ours; before that nothing of ours happens on it" },
	{ "assist", parse_word, { "off", "leasequery", "help", "auto" }, MEMBER(assist), 0,
	  "auto", "off, leasequery, help, auto",
	  "how the addresses of a VM that migrates in are found: by asking DHCP servers, "
	  "its server, or both; there (help, auto): answer it" },
	{ "guard", parse_guard,
	  { "off", "monitor", "enforce", SETTINGS_ENFORCE_ANYWAY }, MEMBER(guard), 0,
	  "off", "off, monitor, enforce, enforce! (open cases are accepted)",
	  "source guard: none, count only, or drop what is not bound here" },
	{ "trusted", parse_word, { "no", "yes" }, MEMBER(trusted), 0, "no", "yes, no",
	  "yes: DHCP servers live behind this port" },
	{ "servers", parse_addresses, { NULL }, MEMBER(servers), MEMBER(n_servers),
	  "none", "none or up to 8 of ADDRESS, VLAN:ADDRESS, VLAN:[IPv6 ADDRESS]",
	  "the DHCP servers that are asked" },
	{ "giaddr", parse_addresses, { NULL }, MEMBER(giaddrs), MEMBER(n_giaddrs), "none",
	  "none or up to 8 of ADDRESS, VLAN:ADDRESS, VLAN:[IPv6 ADDRESS]",
	  "the own address from which they are asked" },
	{ "keys", parse_keys, { NULL }, MEMBER(keys), MEMBER(n_keys), "mac",
	  "one or more of mac, client-id, remote-id, each once",
	  "what they are asked by, in turn" },
	{ "remote-id", parse_word, { "binary", "text" }, MEMBER(remote_id_text), 0,
	  "binary", "text, binary",
	  "how a VSI instance ID is written as remote-id" },
	{ "advertise", parse_word, { "no", "yes" }, MEMBER(advertise), 0, "yes",
	  "yes, no",
	  "yes: neighbours are told by LLDP what this port can do" },
	{ "groups", parse_word, { "off", "igmp", "mld", "both" }, MEMBER(groups), 0,
	  "both", "off, igmp, mld, both",
	  "which group memberships a VM that migrates in is asked for" },
	{ "group-schedule", parse_schedule, { NULL }, MEMBER(schedule),
	  MEMBER(n_schedule), "0,50,200,1000,3000",
	  "up to 8 ascending times in ms, 0 to 60000",
	  "when it is asked, in ms after its first sign, until it answers" },
	{ "conflict", parse_word, { "accept", "verify" }, MEMBER(conflict), 0, "verify",
	  "accept, verify",
	  "a VSI claims a MAC that is alive on another port: believe it, or look there" },
	{ "fast", parse_word, { "no", "yes" }, MEMBER(fast), 0, "yes", "yes, no",
	  "yes: lldpad answers a VSI at once, not after its 2 ms" },
	{ "hold", parse_number, { NULL }, MEMBER(hold_ms), 1000, "10", "0 to 1000",
	  "how long the answer to a migration may wait for its bindings, in ms" },
	{ "infer", parse_word, { "none", "preassoc" }, MEMBER(infer), 0, "none",
	  "none, preassoc",
	  "preassoc: a VSI that is pre-associated first is migrating in, marked or not" },
	{ "max-rate", parse_number, { NULL }, MEMBER(max_rate), 10000, "100",
	  "0 (no bound) to 10000", "leasequeries a second for the VSIs of this port" },
};

#define N_SETTINGS (sizeof(table) / sizeof(table[0]))

static const struct setting *find(const char *name);
static const char *in_force(const struct setting *setting, const char *port,
			    const char **ret_refused, enum settings_from *ret_from);
static uint8_t *member(struct settings *settings, size_t at);

const char *settings_name(unsigned n)
{
	return n < N_SETTINGS ? table[n].name : NULL;
}

const char *settings_help(const char *name)
{
	const struct setting *setting = find(name);

	return setting ? setting->help : NULL;
}

const char *settings_takes(const char *name)
{
	const struct setting *setting = find(name);

	return setting ? setting->takes : NULL;
}

const char *settings_usual(const char *name)
{
	const struct setting *setting = find(name);

	return setting ? setting->usual : NULL;
}

int settings_check(const char *name, const char *value, const char **ret_takes)
{
	const struct setting *setting = find(name);
	struct settings ignored;

	if (!setting)
		return -ENOENT;
	if (!setting->parse(setting, value, &ignored))
		return 0;
	*ret_takes = setting->takes;
	return -EINVAL;
}

const char *settings_value(const char *port, const char *name, const char **ret_refused)
{
	const struct setting *setting = find(name);
	const char *refused, *value;

	if (!setting)
		return NULL;
	value = in_force(setting, port, &refused, NULL);
	if (ret_refused)
		*ret_refused = refused;
	return *value ? value : setting->usual;
}

const char *settings_source(const char *port, const char *name,
			    enum settings_from *ret_from)
{
	const struct setting *setting = find(name);
	const char *refused, *value;

	if (!setting)
		return NULL;
	value = in_force(setting, port, &refused, ret_from);
	return *value ? value : setting->usual;
}

void settings_read(const char *port, unsigned *complained, struct settings *ret_settings)
{
	struct settings settings = { 0 };
	const char *refused;
	unsigned i;

	for (i = 0; i < N_SETTINGS; i++) {
		(void)table[i].parse(&table[i], in_force(&table[i], port, &refused, NULL),
				     &settings);
		if (refused && !(*complained & 1u << i))
			host_log(LOG_WARNING,
				 "%s: setting %s: stored '%s' refused: takes %s; "
				 "%s holds",
				 port, table[i].name, refused, table[i].takes,
				 table[i].usual);
		if (refused)
			*complained |= 1u << i;
		else
			*complained &= ~(1u << i);
	}
	*ret_settings = settings;
}

static const struct setting *find(const char *name)
{
	unsigned i;

	for (i = 0; i < N_SETTINGS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static const char *in_force(const struct setting *setting, const char *port,
			    const char **ret_refused, enum settings_from *ret_from)
{
	const char *value = host_setting(port, setting->name);
	enum settings_from from = value ? SETTINGS_PORT : SETTINGS_GROUP;
	struct settings ignored;

	*ret_refused = NULL;
	if (!value)
		value = host_setting(NULL, setting->name);
	if (value && setting->parse(setting, value, &ignored))
		*ret_refused = value;
	if (!value || *ret_refused) {
		value = setting->usual;
		from = SETTINGS_DEFAULT;
	}
	if (ret_from)
		*ret_from = from;
	return value;
}

static int parse_word(const struct setting *setting, const char *value,
		      struct settings *ret_settings)
{
	uint8_t i;

	for (i = 0; i < WORDS_MAX && setting->words[i]; i++) {
		if (strcmp(setting->words[i], value))
			continue;
		/* bool and uint8_t: one octet each. */
		*member(ret_settings, setting->at) = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_guard(const struct setting *setting, const char *value,
		       struct settings *ret_settings)
{
	int rc = parse_word(setting, value, ret_settings);

	if (!rc && ret_settings->guard > LINK_GUARD_ENFORCE)
		ret_settings->guard = LINK_GUARD_ENFORCE;
	return rc;
}

static int parse_keys(const struct setting *setting, const char *value,
		      struct settings *ret_settings)
{
	static const struct {
		const char *word;
		uint8_t key;
	} words[] = {
		{ "mac", LQ_BY_MAC },
		{ "client-id", LQ_BY_CLIENT_ID },
		{ "remote-id", LQ_BY_REMOTE_ID },
	};
	const unsigned n_words = sizeof(words) / sizeof(words[0]);
	char text[SETTINGS_VALUE_MAX], *rest = text, *item;
	uint8_t keys[LINK_KEYS_MAX] = { 0 }, n = 0;
	unsigned i;

	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	while ((item = value_next_item(&rest))) {
		for (i = 0; i < n_words && strcmp(item, words[i].word); i++)
			;
		if (i == n_words || memchr(keys, words[i].key, n))
			return -EINVAL;
		keys[n++] = words[i].key;
	}
	memcpy(member(ret_settings, setting->at), keys, sizeof(keys));
	*member(ret_settings, setting->n_at) = n;
	return 0;
}

static int parse_addresses(const struct setting *setting, const char *value,
			   struct settings *ret_settings)
{
	struct link_vlan_addr list[LINK_SERVERS_MAX] = { 0 };
	uint8_t n;

	if (value_addresses(value, list, &n))
		return -EINVAL;
	memcpy(member(ret_settings, setting->at), list, sizeof(list));
	*member(ret_settings, setting->n_at) = n;
	return 0;
}

/* A member of two octets; n_at is the most. */
static int parse_number(const struct setting *setting, const char *value,
			struct settings *ret_settings)
{
	uint32_t number;
	uint16_t two_octets;

	if (value_number(value, (uint32_t)setting->n_at, &number))
		return -EINVAL;
	two_octets = (uint16_t)number;
	memcpy(member(ret_settings, setting->at), &two_octets, sizeof(two_octets));
	return 0;
}

static int parse_schedule(const struct setting *setting, const char *value,
			  struct settings *ret_settings)
{
	char text[SETTINGS_VALUE_MAX], *rest = text, *item;
	uint32_t times[LINK_SCHEDULE_MAX] = { 0 };
	uint8_t n = 0;

	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	while ((item = value_next_item(&rest))) {
		if (n == LINK_SCHEDULE_MAX ||
		    value_number(item, SCHEDULE_LAST_MS, &times[n]) ||
		    (n && times[n] <= times[n - 1]))
			return -EINVAL;
		n++;
	}
	memcpy(member(ret_settings, setting->at), times, sizeof(times));
	*member(ret_settings, setting->n_at) = n;
	return 0;
}

static uint8_t *member(struct settings *settings, size_t at)
{
	return (uint8_t *)settings + at;
}
