/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any value for each setting, as it stands in lldpad.conf. What is taken is also what
 * is read back, within the range of its kind; what is not leaves the default in force.
 */
#include "module/settings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/host.h"
#include "vdp_migrate/leasequery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *name, *value;

const char *host_setting(const char *port, const char *asked)
{
	return port && !strcmp(asked, name) ? value : NULL;
}

void host_log(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

static void check(const struct settings *s)
{
	unsigned i, j;

	if (s->assist > LINK_ASSIST_AUTO || s->guard > LINK_GUARD_ENFORCE ||
	    s->n_servers > LINK_SERVERS_MAX || s->n_giaddrs > LINK_SERVERS_MAX ||
	    s->n_keys < 1 || s->n_keys > LINK_KEYS_MAX)
		abort();
	for (i = 0; i < s->n_keys; i++)
		for (j = 0; j < i || s->keys[i] > LQ_BY_REMOTE_ID; j++)
			if (s->keys[j] == s->keys[i] || s->keys[i] > LQ_BY_REMOTE_ID)
				abort();
	for (i = 0; i < s->n_servers; i++)
		if (s->servers[i].vlan > 4094 && s->servers[i].vlan != LINK_VLAN_ANY)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *takes, *refused;
	struct settings settings;
	unsigned i;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	value = text;
	for (i = 0; (name = settings_name(i)); i++) {
		unsigned complained = 0;
		bool taken = !settings_check(name, text, &takes);

		settings_read("p1", &complained, &settings);
		check(&settings);
		if (taken == !!complained || !settings_value("p1", name, &refused) ||
		    taken == !!refused)
			abort();
	}
	free(text);
	return 0;
}
