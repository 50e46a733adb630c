/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module calls ports, and the anchors that they stand for. A bridge port is its
 * own member; the slaves of a bond or team, and the bond itself, are all members of the
 * bond's port, which is one place for VSIs, bindings and guard.
 *
 * A station's port stands for itself: there is nothing to anchor.
 *
 * The settings of members that differ: of guard the strictest counts, trusted only where
 * all are; all else is as on the member that the module reported first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_private.h"
#include "core/announced.h"

static unsigned free_number(const struct bridge *b, const struct port *port);
static unsigned merge(const struct bridge *b, const struct port *port,
		      struct link_port *ret_all, bool *ret_differ);
static void add(struct link_port *all, const struct link_port *one);
static bool differ(const struct link_port *a, const struct link_port *b);

struct member *members_find(const struct bridge *b, const char *name)
{
	for (unsigned i = 0; i < b->n_members; i++)
		if (!strcmp(b->members[i]->name, name))
			return b->members[i];
	return NULL;
}

struct member *members_set(struct bridge *b, const struct link_port *settings,
			   struct port **ret_old)
{
	struct member *member = members_find(b, settings->name), **grown;

	*ret_old = NULL;
	if (member) {
		member->settings = *settings;
		(void)members_anchor(b, member, ret_old);
		return member;
	}
	grown = realloc(b->members, (b->n_members + 1) * sizeof(struct member *));
	if (!grown)
		return NULL;
	b->members = grown;
	member = calloc(1, sizeof(*member));
	if (!member)
		return NULL;
	member->settings = *settings;
	memcpy(member->name, settings->name, sizeof(member->name));
	if (!members_anchor(b, member, ret_old)) {
		free(member);
		return NULL;
	}
	grown[b->n_members++] = member;
	return member;
}

bool members_anchor(struct bridge *b, struct member *member, struct port **ret_old)
{
	struct bridge_place place;
	struct port *port;

	(void)b->io->place(b->arg, member->name, &place);
	port = ports_get(b, member->settings.role == LINK_ROLE_STATION ? member->name
								       : place.anchor);
	if (!port || port == member->port)
		return false;
	*ret_old = member->port;
	member->number = free_number(b, port);
	member->port = port;
	return true;
}

void members_settle(struct bridge *b, struct port *port)
{
	struct link_port all;
	bool differing;
	unsigned n = merge(b, port, &all, &differing);

	if (n) {
		port->known = true;
		port->settings = all;
		memcpy(port->settings.name, port->name, sizeof(port->name));
	} else if (port->known) {
		port->settings.gone = true;
	}
	if (differing && !port->differ_logged) {
		char text[MEMBERS_TEXT_MAX], line[256];

		snprintf(line, sizeof(line),
			 "settings of %s differ: the strictest guard counts, trusted only "
			 "where all are, all else as on the first",
			 members_text(b, port, text));
		b->io->log(b->arg, LOG_WARNING, port->name, NULL, line);
	}
	port->differ_logged = differing;
	asking_rate_port(b, port);
	ports_apply(b, port);
}

void members_tell_cases(struct bridge *b, const struct port *port,
			const struct link_cases *cases)
{
	struct link_cases told = *cases;

	for (unsigned i = 0; i < b->n_members && b->io->cases; i++) {
		if (b->members[i]->port != port)
			continue;
		memcpy(told.port, b->members[i]->name, sizeof(told.port));
		b->io->cases(b->arg, &told);
	}
}

const char *members_text(const struct bridge *b, const struct port *port,
			 char text[MEMBERS_TEXT_MAX])
{
	size_t len = 0;

	*text = 0;
	for (unsigned i = 0; i < b->n_members; i++) {
		const struct member *member = b->members[i];

		if (member->port == port && !member->settings.gone &&
		    len + sizeof(member->name) < MEMBERS_TEXT_MAX)
			len += (size_t)sprintf(text + len, "%s%s", len ? "," : "",
					       member->name);
	}
	return text;
}

/* Statics. */

/* Of more than that many members the last share one number. */
static unsigned free_number(const struct bridge *b, const struct port *port)
{
	uint32_t taken = 0;
	unsigned number = 0;

	for (unsigned i = 0; i < b->n_members; i++)
		if (b->members[i]->port == port)
			taken |= 1u << b->members[i]->number;
	while (number < ANNOUNCED_MAX - 1 && taken >> number & 1)
		number++;
	return number;
}

/* How many members there are whose settings count. */
static unsigned merge(const struct bridge *b, const struct port *port,
		      struct link_port *ret_all, bool *ret_differ)
{
	unsigned n = 0;

	*ret_differ = false;
	for (unsigned i = 0; i < b->n_members; i++) {
		const struct member *member = b->members[i];
		const struct link_port *one = &member->settings;

		if (member->port != port)
			continue;
		if (!n++ || (ret_all->gone && !one->gone)) {
			*ret_all = *one;
		} else if (!one->gone) {
			*ret_differ |= differ(ret_all, one);
			add(ret_all, one);
		}
	}
	return n;
}

static void add(struct link_port *all, const struct link_port *one)
{
	all->up |= one->up;
	all->trusted &= one->trusted;
	if (one->role == LINK_ROLE_BRIDGE)
		all->role = one->role;
	if (one->guard >= all->guard)
		all->guard_anyway = one->guard_anyway &&
				    (one->guard > all->guard || all->guard_anyway);
	if (one->guard > all->guard)
		all->guard = one->guard;
	if (one->keepalive_ms > all->keepalive_ms)
		all->keepalive_ms = one->keepalive_ms;
	if (!all->peer_version) {
		all->peer_version = one->peer_version;
		all->peer_role = one->peer_role;
		all->peer_flags = one->peer_flags;
	}
}

/* In what a person has set; the rest is what lldpad sees. */
static bool differ(const struct link_port *a, const struct link_port *b)
{
	return a->assist != b->assist || a->guard != b->guard || a->trusted != b->trusted ||
	       a->remote_id_text != b->remote_id_text || a->n_keys != b->n_keys ||
	       a->n_servers != b->n_servers || a->n_giaddrs != b->n_giaddrs ||
	       a->groups != b->groups || a->n_schedule != b->n_schedule ||
	       a->conflict != b->conflict || a->max_rate != b->max_rate ||
	       memcmp(a->schedule, b->schedule, sizeof(a->schedule)) != 0 ||
	       memcmp(a->keys, b->keys, sizeof(a->keys)) != 0 ||
	       memcmp(a->servers, b->servers, a->n_servers * sizeof(*a->servers)) != 0 ||
	       memcmp(a->giaddrs, b->giaddrs, a->n_giaddrs * sizeof(*a->giaddrs)) != 0;
}
