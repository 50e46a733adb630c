/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE table of settings, and how their values are read. New setting: a row here, a
 * member in struct settings. What a setting does is not known here.
 *
 * An address list is "A" or "VID:A", separated by commas. An IPv6 address behind
 * a VLAN ID stands in brackets: without them the VLAN ID would be its first group.
 */
#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "vdp_migrate/host.h"
#include "wire/text.h"

#define VLAN_MAX 4094
#define WORDS_MAX 4

struct setting {
	const char *name;
	const char *words[WORDS_MAX];	/* value n is words[n]; none: an address list */
	size_t at, n_at;	/* members of struct settings */
	const char *usual;	/* default */
	const char *takes;
	const char *help;
};

#define MEMBER(m) offsetof(struct settings, m)

static const struct setting table[] = {
	{ "use", { "no", "yes" }, MEMBER(use), 0, "no", "yes, no",
	  "yes: this port is ours; before that nothing of ours happens on it" },
	{ "assist", { "off", "leasequery" }, MEMBER(assist), 0, "leasequery",
	  "off, leasequery",
	  "how the addresses of a VM that migrates in are found" },
	{ "guard", { "off", "monitor", "enforce" }, MEMBER(guard), 0, "off",
	  "off, monitor, enforce",
	  "source guard: none, count only, or drop what is not bound here" },
	{ "trusted", { "no", "yes" }, MEMBER(trusted), 0, "no", "yes, no",
	  "yes: DHCP servers live behind this port" },
	{ "servers", { NULL }, MEMBER(servers), MEMBER(n_servers), "none",
	  "none or up to 8 of ADDRESS, VLAN:ADDRESS, VLAN:[IPv6 ADDRESS]",
	  "the DHCP servers that are asked" },
	{ "giaddr", { NULL }, MEMBER(giaddrs), MEMBER(n_giaddrs), "none",
	  "none or up to 8 of ADDRESS, VLAN:ADDRESS, VLAN:[IPv6 ADDRESS]",
	  "the own address from which they are asked" },
};

#define N_SETTINGS (sizeof(table) / sizeof(table[0]))

static const struct setting *find(const char *name);
static const char *in_force(const struct setting *setting, const char *port,
			    const char **ret_refused);
static int parse(const struct setting *setting, const char *value,
		 struct settings *ret_settings);
static int parse_list(const char *value, struct link_vlan_addr *ret_list, uint8_t *ret_n);
static int parse_one(const char *text, struct link_vlan_addr *ret_one);
static int parse_address(char *text, struct addr *ret_addr);
static bool parse_vlan(const char *text, const char *end, uint16_t *ret_vlan);

const char *settings_name(unsigned n)
{
	return n < N_SETTINGS ? table[n].name : NULL;
}

const char *settings_help(const char *name)
{
	const struct setting *setting = find(name);

	return setting ? setting->help : NULL;
}

int settings_check(const char *name, const char *value, const char **ret_takes)
{
	const struct setting *setting = find(name);
	struct settings ignored;

	if (!setting)
		return -ENOENT;
	if (!parse(setting, value, &ignored))
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
	value = in_force(setting, port, &refused);
	if (ret_refused)
		*ret_refused = refused;
	return *value ? value : setting->usual;
}

void settings_read(const char *port, unsigned *complained, struct settings *ret_settings)
{
	struct settings settings = { 0 };
	const char *refused;
	unsigned i;

	for (i = 0; i < N_SETTINGS; i++) {
		(void)parse(&table[i], in_force(&table[i], port, &refused), &settings);
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
			    const char **ret_refused)
{
	const char *value = host_setting(port, setting->name);
	struct settings ignored;

	*ret_refused = NULL;
	if (!value)
		value = host_setting(NULL, setting->name);
	if (!value)
		return setting->usual;
	if (!parse(setting, value, &ignored))
		return value;
	*ret_refused = value;
	return setting->usual;
}

/* Into its members of ret_settings; untouched on failure. */
static int parse(const struct setting *setting, const char *value,
		 struct settings *ret_settings)
{
	uint8_t *base = (uint8_t *)ret_settings;
	struct link_vlan_addr list[LINK_SERVERS_MAX] = { 0 };
	uint8_t i, n;

	if (!setting->words[0]) {
		if (parse_list(value, list, &n))
			return -EINVAL;
		memcpy(base + setting->at, list, sizeof(list));
		base[setting->n_at] = n;
		return 0;
	}
	for (i = 0; i < WORDS_MAX && setting->words[i]; i++) {
		if (strcmp(setting->words[i], value))
			continue;
		/* bool and uint8_t: one octet each. */
		base[setting->at] = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_list(const char *value, struct link_vlan_addr *ret_list, uint8_t *ret_n)
{
	char text[SETTINGS_VALUE_MAX], *item, *rest;
	uint8_t n = 0;

	*ret_n = 0;
	if (!*value || !strcmp(value, "none"))
		return 0;
	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	for (item = text; item; item = rest) {
		rest = strchr(item, ',');
		if (rest)
			*rest++ = '\0';
		if (n == LINK_SERVERS_MAX || parse_one(item, &ret_list[n]))
			return -EINVAL;
		n++;
	}
	*ret_n = n;
	return 0;
}

static int parse_one(const char *text, struct link_vlan_addr *ret_one)
{
	char address[ADDR_TEXT_MAX + 2];
	const char *colon;
	struct link_vlan_addr one = { .vlan = LINK_VLAN_ANY };
	size_t len;

	text += strspn(text, " ");
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		len--;
	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';

	if (parse_address(address, &one.addr)) {
		colon = strchr(address, ':');
		if (!colon || !parse_vlan(address, colon, &one.vlan) ||
		    parse_address(address + (colon + 1 - address), &one.addr))
			return -EINVAL;
	}
	*ret_one = one;
	return 0;
}

/* An address, IPv6 with or without brackets. */
static int parse_address(char *text, struct addr *ret_addr)
{
	size_t len = strlen(text);
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
	char inner[ADDR_TEXT_MAX];
	struct addr addr;

	if (brackets)
		len -= 2;
	if (len >= sizeof(inner))
		return -EINVAL;
	memcpy(inner, text + brackets, len);
	inner[len] = '\0';
	if (addr_parse(inner, &addr) || addr_is_any(&addr))
		return -EINVAL;
	if (brackets && addr.family != ADDR_IPV6)
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

static bool parse_vlan(const char *text, const char *end, uint16_t *ret_vlan)
{
	unsigned vlan = 0;

	if (text == end || end - text > 4)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		vlan = vlan * 10 + (unsigned)(*text - '0');
	}
	if (vlan > VLAN_MAX)
		return false;
	*ret_vlan = (uint16_t)vlan;
	return true;
}
