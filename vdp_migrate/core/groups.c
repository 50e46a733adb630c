/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of multicast groups: groups.h. Each is found by its host's place, where
 * the members of that place hang together, and counted by its port and group. All live
 * equally long, so the order of their last reports is that of their ends.
 */
#include "groups.h"

#include "hash.h"
#include "wire/text.h"

/* Keys are compared with memcmp: zeroed before they are filled. */
struct place_key {
	struct binding_host host;
	uint16_t port;
};

struct wish_key {
	struct addr group;
	uint16_t port;
};

struct place {
	struct place_key key;
	struct member *first;
	unsigned n;
	UT_hash_handle hh;
};

struct wish {
	struct wish_key key;
	struct member *first;
	UT_hash_handle hh;
};

struct member {
	struct groups_member m;	/* first: a struct groups_member is its member */
	struct place *place;
	struct wish *wish;
	struct member *next_wish, *older, *newer;
};

struct port_count {
	uint16_t port;
	unsigned n, n_unannounced;
	UT_hash_handle hh;
};

struct groups {
	const struct groups_ops *ops;
	void *arg;
	struct place *places;
	struct wish *wishes;
	struct port_count *ports;
	struct member *oldest, *newest;
	unsigned n;
	struct groups_counts counts;
};

static bool is_kept(const struct addr *group);
static struct member *member_of(struct groups_member *member);
static struct member *add(struct groups *g, ms_t now, const struct groups_place *place,
			  const struct addr *group);
static bool has_room(struct groups *g, const struct groups_place *place);
static bool hang_up(struct groups *g, struct member *member);
static void take_down(struct groups *g, struct member *member);
static void append(struct groups *g, struct member *member);
static void unchain(struct groups *g, struct member *member);
static struct place *place_find(struct groups *g, const struct groups_place *place);
static struct port_count *port_get(struct groups *g, uint16_t port);
static void leave(struct groups *g, struct member *member, enum groups_change change);
static void unhook(struct groups *g, struct member *member);
static void release(struct member *member);

struct groups *groups_new(const struct groups_ops *ops, void *arg)
{
	struct groups *g = calloc(1, sizeof(*g));

	if (g) {
		g->ops = ops;
		g->arg = arg;
	}
	return g;
}

void groups_free(struct groups *g)
{
	struct port_count *port, *next;

	if (!g)
		return;
	while (g->oldest)
		groups_remove(g, &g->oldest->m);
	HASH_ITER(hh, g->ports, port, next) {
		HASH_DEL(g->ports, port);
		free(port);
	}
	free(g);
}

/* RFC 3376 4.2.12: what a record makes of this host's own state. */
void groups_record(struct groups *g, ms_t now, const struct groups_place *place,
		   const struct report_record *seen)
{
	struct report_record record = *seen;
	struct groups_member *m;
	bool include = record.type == REPORT_IS_INCLUDE || record.type == REPORT_TO_INCLUDE;
	bool exclude = record.type == REPORT_IS_EXCLUDE || record.type == REPORT_TO_EXCLUDE;
	bool allow = record.type == REPORT_ALLOW, is_new, was_moved;

	if ((!include && !exclude && !allow && record.type != REPORT_BLOCK) ||
	    !is_kept(&record.group))
		return;
	m = groups_find(g, place, &record.group);
	is_new = !m;
	/* What would leave no member, or (to block) only says what is not wanted. */
	if (!m && (record.type == REPORT_BLOCK || (!exclude && !record.n_sources)))
		return;
	if (m && m->place.announced != place->announced) {
		m->place.announced = place->announced;
		port_get(g, place->port)->n_unannounced +=
			place->announced ? -1u : 1u;
	}
	if (!m) {
		struct member *added = add(g, now, place, &record.group);

		if (!added)
			return;
		m = &added->m;
		m->mode = GROUPS_INCLUDE;
	}
	if (include || exclude) {
		m->mode = include ? GROUPS_INCLUDE : GROUPS_EXCLUDE;
		group_sources_set(&m->sources, &record);
	} else if (allow == (m->mode == GROUPS_INCLUDE)) {
		group_sources_add(&m->sources, &record);
	} else {
		group_sources_drop(&m->sources, &record);
	}
	if (m->mode == GROUPS_INCLUDE && !m->sources.n && !m->sources.more) {
		leave(g, member_of(m), GROUPS_LEFT);
		return;
	}
	was_moved = m->origin == GROUPS_MOVED;
	m->origin = GROUPS_LEARNED;
	m->reported = now;
	m->ends = now + GROUPS_INTERVAL_MS;
	unchain(g, member_of(m));
	append(g, member_of(m));
	if (is_new)
		g->counts.joined++;
	if (is_new || was_moved)
		g->ops->changed(g->arg, m, is_new ? GROUPS_JOINED : GROUPS_CONFIRMED);
}

struct groups_member *groups_first(struct groups *g, const struct groups_place *place)
{
	struct place *found = place_find(g, place);

	return found ? &found->first->m : NULL;
}

struct groups_member *groups_find(struct groups *g, const struct groups_place *place,
				  const struct addr *group)
{
	struct groups_member *m = groups_first(g, place);

	while (m && !addr_equal(&m->group, group))
		m = m->next;
	return m;
}

struct groups_member *groups_move(struct groups *g, ms_t now,
				  const struct groups_member *from,
				  const struct groups_place *to)
{
	struct groups_member *there = groups_find(g, to, &from->group);
	struct member *added;

	if (there)
		return there;
	added = add(g, now, to, &from->group);
	if (!added)
		return NULL;
	added->m.origin = GROUPS_MOVED;
	added->m.mode = from->mode;
	added->m.reported = from->reported;
	group_sources_copy(&added->m.sources, &from->sources);
	return &added->m;
}

void groups_remove(struct groups *g, struct groups_member *m)
{
	unhook(g, member_of(m));
	release(member_of(m));
}

void groups_forget_port(struct groups *g, uint16_t port)
{
	for (struct member *member = g->oldest, *newer; member; member = newer) {
		newer = member->newer;
		if (member->m.place.port == port)
			groups_remove(g, &member->m);
	}
}

unsigned groups_wanted(const struct groups *g, uint16_t port, uint16_t vlan,
		       const struct addr *group)
{
	struct wish_key key;
	struct wish *wish;
	unsigned n = 0;

	memset(&key, 0, sizeof(key));
	key.group = *group;
	key.port = port;
	HASH_FIND(hh, g->wishes, &key, sizeof(key), wish);
	for (struct member *m = wish ? wish->first : NULL; m; m = m->next_wish)
		n += vlan == GROUPS_ANY_VLAN || vlan == m->m.place.host.vlan;
	return n;
}

ms_t groups_deadline(const struct groups *g)
{
	return g->oldest ? g->oldest->m.ends : MS_NEVER;
}

void groups_expire(struct groups *g, ms_t now)
{
	while (g->oldest && g->oldest->m.ends <= now)
		leave(g, g->oldest, GROUPS_AGED);
}

unsigned groups_count(const struct groups *g)
{
	return g->n;
}

const struct groups_counts *groups_counts(const struct groups *g)
{
	return &g->counts;
}

void groups_each(struct groups *g, void (*cb)(void *arg, const struct groups_member *member),
		 void *arg)
{
	for (const struct member *member = g->oldest; member; member = member->newer)
		cb(arg, &member->m);
}

const char *groups_mode_text(uint8_t mode)
{
	return mode == GROUPS_EXCLUDE ? "exclude" : "include";
}

const char *groups_origin_text(uint8_t origin)
{
	return origin == GROUPS_MOVED ? "moved" : "learned";
}

/* A bridge forwards 224.0.0.0/24 (RFC 4541 2.1.2) and ff02::1 (RFC 3810 6) to all. */
static bool is_kept(const struct addr *group)
{
	static const uint8_t local[] = { 224, 0, 0 };
	static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };

	if (group->family == ADDR_IPV6)
		return group->b[0] == 0xff && memcmp(group->b, all_nodes, 16);
	return (group->b[0] & 0xf0) == 0xe0 && memcmp(group->b, local, sizeof(local));
}

static struct member *member_of(struct groups_member *member)
{
	return (struct member *)member;
}

static struct member *add(struct groups *g, ms_t now, const struct groups_place *place,
			  const struct addr *group)
{
	struct member *member = has_room(g, place) ? calloc(1, sizeof(*member)) : NULL;
	struct port_count *port;

	if (!member) {
		g->counts.refused++;
		return NULL;
	}
	member->m.place = *place;
	member->m.group = *group;
	member->m.reported = now;
	member->m.ends = now + GROUPS_INTERVAL_MS;
	if (!hang_up(g, member)) {
		g->counts.refused++;
		free(member);
		return NULL;
	}
	append(g, member);
	port = port_get(g, place->port);
	port->n++;
	port->n_unannounced += !place->announced;
	g->n++;
	return member;
}

static bool has_room(struct groups *g, const struct groups_place *place)
{
	const struct place *found = place_find(g, place);
	const struct port_count *port = port_get(g, place->port);

	return port && g->n < GROUPS_OF_ALL && port->n < GROUPS_OF_PORT &&
	       (!found || found->n < GROUPS_OF_HOST) &&
	       (place->announced || port->n_unannounced < GROUPS_OF_PORT / 2);
}

/* False: no memory; nothing has happened. */
static bool hang_up(struct groups *g, struct member *member)
{
	struct place *place = place_find(g, &member->m.place);
	struct wish_key key;
	struct wish *wish;

	memset(&key, 0, sizeof(key));
	key.group = member->m.group;
	key.port = member->m.place.port;
	HASH_FIND(hh, g->wishes, &key, sizeof(key), wish);
	if (!wish) {
		wish = calloc(1, sizeof(*wish));
		if (!wish)
			return false;
		wish->key = key;
		HASH_ADD(hh, g->wishes, key, sizeof(wish->key), wish);
		if (!wish->hh.tbl) {
			free(wish);
			return false;
		}
	}
	member->wish = wish;
	member->next_wish = wish->first;
	wish->first = member;
	if (!place) {
		place = calloc(1, sizeof(*place));
		if (place) {
			place->key.host = member->m.place.host;
			place->key.port = member->m.place.port;
			HASH_ADD(hh, g->places, key, sizeof(place->key), place);
		}
		if (place && !place->hh.tbl) {
			free(place);
			place = NULL;
		}
	}
	member->place = place;
	if (!place) {
		take_down(g, member);
		return false;
	}
	member->m.next = place->first ? &place->first->m : NULL;
	place->first = member;
	place->n++;
	return true;
}

/* What nothing hangs on any more goes too. */
static void take_down(struct groups *g, struct member *member)
{
	struct member **at = &member->wish->first;
	struct place *place = member->place;

	while (*at != member)
		at = &(*at)->next_wish;
	*at = member->next_wish;
	if (!member->wish->first) {
		HASH_DEL(g->wishes, member->wish);
		free(member->wish);
	}
	if (!place)
		return;
	if (place->first == member) {
		place->first = member->m.next ? member_of(member->m.next) : NULL;
	} else {
		struct groups_member *before = &place->first->m;

		while (before->next != &member->m)
			before = before->next;
		before->next = member->m.next;
	}
	if (--place->n)
		return;
	HASH_DEL(g->places, place);
	free(place);
}

static void append(struct groups *g, struct member *member)
{
	member->older = g->newest;
	member->newer = NULL;
	if (g->newest)
		g->newest->newer = member;
	else
		g->oldest = member;
	g->newest = member;
}

static void unchain(struct groups *g, struct member *member)
{
	if (member->older)
		member->older->newer = member->newer;
	else
		g->oldest = member->newer;
	if (member->newer)
		member->newer->older = member->older;
	else
		g->newest = member->older;
}

static struct place *place_find(struct groups *g, const struct groups_place *place)
{
	struct place_key key;
	struct place *found;

	memset(&key, 0, sizeof(key));
	key.host = place->host;
	key.port = place->port;
	HASH_FIND(hh, g->places, &key, sizeof(key), found);
	return found;
}

/* NULL: no memory. */
static struct port_count *port_get(struct groups *g, uint16_t number)
{
	struct port_count *port;

	HASH_FIND(hh, g->ports, &number, sizeof(number), port);
	if (port)
		return port;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	port->port = number;
	HASH_ADD(hh, g->ports, port, sizeof(port->port), port);
	if (!port->hh.tbl) {
		free(port);
		return NULL;
	}
	return port;
}

static void leave(struct groups *g, struct member *member, enum groups_change change)
{
	if (change == GROUPS_AGED)
		g->counts.aged++;
	else
		g->counts.left++;
	unhook(g, member);
	g->ops->changed(g->arg, &member->m, change);
	release(member);
}

static void unhook(struct groups *g, struct member *member)
{
	struct port_count *port = port_get(g, member->m.place.port);

	port->n--;
	port->n_unannounced -= !member->m.place.announced;
	g->n--;
	unchain(g, member);
	take_down(g, member);
}

static void release(struct member *member)
{
	group_sources_done(&member->m.sources);
	free(member);
}
