/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of a port: one table of name, what it takes, default and help.
 * A value comes from the port, else from the group vdp_migrate of lldpad.conf,
 * else from the table. Stored as strings, in the host's settings tree.
 */
#ifndef MODULE_SETTINGS_H
#define MODULE_SETTINGS_H

#include "vdp_migrate/link.h"

/* Eight times "4094:[IPv6]," fit. */
#define SETTINGS_VALUE_MAX 512

struct settings {
	bool use;		/* yes: we do something on this port */
	uint8_t assist;		/* enum link_assist */
	uint8_t guard;		/* enum link_guard */
	bool trusted;
	bool remote_id_text;
	bool advertise;
	uint8_t groups;		/* enum link_groups */
	uint8_t n_schedule;
	uint32_t schedule[LINK_SCHEDULE_MAX];	/* ms */
	uint8_t conflict;	/* enum link_conflict */
	bool fast;
	bool infer;		/* preassoc: an unmarked pre-associate is a migration */
	uint16_t hold_ms, max_rate;
	uint8_t n_keys;
	uint8_t keys[LINK_KEYS_MAX];	/* enum lq_key */
	uint8_t n_servers, n_giaddrs;
	struct link_vlan_addr servers[LINK_SERVERS_MAX];
	struct link_vlan_addr giaddrs[LINK_SERVERS_MAX];
};

/* Does this port ask for help (bridge), or answer it (station)? */
static inline bool settings_assist_help(const struct settings *settings)
{
	return settings->assist == LINK_ASSIST_HELP || settings->assist == LINK_ASSIST_AUTO;
}

/* The n-th name, NULL at the end. */
const char *settings_name(unsigned n);
/* One line on what it is for; NULL: no such name. */
const char *settings_help(const char *name);
/* What it takes, in words, and what holds where nothing is set; NULL as above. */
const char *settings_takes(const char *name);
const char *settings_usual(const char *name);

/* enforce whatever speaks against it: kept as "enforce". */
#define SETTINGS_ENFORCE_ANYWAY "enforce!"

/* Where a value comes from. */
enum settings_from {
	SETTINGS_PORT,
	SETTINGS_GROUP,
	SETTINGS_DEFAULT,
};

/* May it be set so? 0; -ENOENT: no such name; -EINVAL: no such value (*ret_takes
 * says what it takes). */
int settings_check(const char *name, const char *value, const char **ret_takes);

/* The value in force, as text. ret_value: static, or the host's. NULL: no such
 * name. *ret_refused (may be NULL): a stored value that is wrong, so that the
 * default holds; else NULL. */
const char *settings_value(const char *port, const char *name, const char **ret_refused);

/* The same, and where from. */
const char *settings_source(const char *port, const char *name,
			    enum settings_from *ret_from);

/* All of a port's. *complained (a bit for each setting) keeps a wrong stored value
 * from being logged twice. */
void settings_read(const char *port, unsigned *complained, struct settings *ret_settings);

#endif
