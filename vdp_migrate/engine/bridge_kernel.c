/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the story wants of the kernel's bridge for a VM's groups: multicast database and
 * FDB. It waits, in order, for the guard's commit that ends the wake-up: each is a call
 * that can be kept waiting by others, and the binding comes first.
 */
#include "bridge_groups.h"

enum what {
	MDB_PUT,
	MDB_DROP,
	FDB_MOVE,
	FDB_BACK,
};

struct wish {
	enum what what;
	uint16_t port, vlan, to;
	struct addr group;
	struct mac mac;
	struct wish *next;
};

static void wish(struct bridge *b, const struct wish *like);
static void carry_out(struct bridge *b, const struct wish *wish);
static bool is_in_bridge(const struct port *port);

void bridge_kernel_put(struct bridge *b, uint16_t port, uint16_t vlan,
		       const struct addr *group)
{
	wish(b, &(struct wish){ .what = MDB_PUT, .port = port, .vlan = vlan, .group = *group });
}

void bridge_kernel_drop(struct bridge *b, uint16_t port, uint16_t vlan,
			const struct addr *group)
{
	wish(b, &(struct wish){ .what = MDB_DROP, .port = port, .vlan = vlan, .group = *group });
}

void bridge_kernel_fdb(struct bridge *b, uint16_t port, uint16_t vlan, const struct mac *mac)
{
	wish(b, &(struct wish){ .what = FDB_MOVE, .port = port, .vlan = vlan, .mac = *mac });
}

void bridge_kernel_fdb_back(struct bridge *b, uint16_t port, uint16_t to, uint16_t vlan,
			    const struct mac *mac)
{
	wish(b, &(struct wish){
			.what = FDB_BACK, .port = port, .vlan = vlan, .to = to, .mac = *mac });
}

void bridge_kernel_flush(struct bridge *b)
{
	struct wish *next;

	for (; b->groups->wishes; b->groups->wishes = next) {
		next = b->groups->wishes->next;
		carry_out(b, b->groups->wishes);
		free(b->groups->wishes);
	}
	b->groups->last_wish = NULL;
}

void bridge_kernel_done(struct bridge_groups *groups)
{
	struct wish *next;

	for (; groups->wishes; groups->wishes = next) {
		next = groups->wishes->next;
		free(groups->wishes);
	}
}

/* Without memory to wait in, at once. */
static void wish(struct bridge *b, const struct wish *like)
{
	struct wish *new = calloc(1, sizeof(*new));

	if (!new) {
		bridge_kernel_flush(b);
		carry_out(b, like);
		return;
	}
	*new = *like;
	if (b->groups->last_wish)
		b->groups->last_wish->next = new;
	else
		b->groups->wishes = new;
	b->groups->last_wish = new;
}

/* A bridge that filters no VLANs has all in one; one that does has none for what comes in
 * untagged at a port without PVID. What is refused io says itself. */
static void carry_out(struct bridge *b, const struct wish *w)
{
	const struct port *port = ports_number(b, w->port);
	uint16_t vlan = port->vlans ? w->vlan : 0;

	if (!is_in_bridge(port) || (port->vlans && !vlan))
		return;
	if (w->what == MDB_PUT && b->io->mdb_put)
		(void)b->io->mdb_put(b->arg, port->name, vlan, &w->group);
	if (w->what == MDB_DROP && b->io->mdb_drop &&
	    !bridge_groups_wanted(b, w->port, w->vlan, &w->group))
		(void)b->io->mdb_drop(b->arg, port->name, vlan, &w->group);
	if (w->what == FDB_MOVE && b->io->fdb_move)
		(void)b->io->fdb_move(b->arg, port->name, vlan, &w->mac);
	if (w->what == FDB_BACK && b->io->fdb_back) {
		const struct port *to = w->to ? ports_number(b, w->to) : NULL;

		(void)b->io->fdb_back(b->arg, port->name,
				      to && is_in_bridge(to) ? to->name : NULL, vlan,
				      &w->mac);
	}
}

static bool is_in_bridge(const struct port *port)
{
	return port->known && !port->settings.gone && port->placed;
}
