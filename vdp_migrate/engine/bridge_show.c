/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking into the switch's story: for those who show it. Changes nothing.
 */
#include "bridge_private.h"

struct counting {
	const struct port *port;
	unsigned n;
};

static void count_binding(void *arg, struct binding *binding);

void bridge_each_port(struct bridge *b,
		      void (*cb)(void *arg, const struct bridge_port_info *info), void *arg)
{
	for (unsigned i = 0; i < b->n_ports; i++) {
		const struct port *port = b->ports[i];
		struct counting counting = { .port = port };
		char members[MEMBERS_TEXT_MAX];
		struct bridge_port_info info = {
			.name = port->name,
			.settings = port->known ? &port->settings : NULL,
			.placed = port->placed,
			.offloaded = port->offloaded,
			.mode = port->mode,
			.opened = b->open,
			.members = members_text(b, port, members),
		};
		const struct link_cases cases = bridge_cases_of(b, port);

		info.cases_complete = cases.complete;
		info.cases = cases.n;

		lq_flow_info(b->lq, port->number, &info.waiting, &info.delayed);
		binding_each(b->bindings, count_binding, &counting);
		info.bindings = counting.n;
		for (struct vsi *vsi = vsi_first(b->vsis); vsi; vsi = vsi->next)
			info.vsis += vsi->port == port->number;
		cb(arg, &info);
	}
}

void bridge_each_of_entry(struct bridge *b, const struct vsi *vsi,
			  const struct vsi_entry *entry,
			  void (*cb)(void *arg, const struct binding *binding), void *arg)
{
	const struct binding_host host = bridge_host(b, vsi, entry);

	for (const struct binding *i = binding_first(b->bindings, &host); i; i = i->next)
		if (i->port == vsi->port)
			cb(arg, i);
}

uint16_t bridge_twin(struct bridge *b, const struct vsi *vsi)
{
	const struct vsi *twin = vsi_twin(b->vsis, vsi);

	return twin ? twin->port : 0;
}

const char *bridge_port_name(const struct bridge *b, uint16_t number)
{
	const struct port *port = ports_number(b, number);

	return port ? port->name : "-";
}

struct vsi *bridge_vsis(struct bridge *b)
{
	return vsi_first(b->vsis);
}

struct binding_table *bridge_bindings(struct bridge *b)
{
	return b->bindings;
}

const struct snoop_counts *bridge_snoop_counts(const struct bridge *b)
{
	return snoop_counts(b->snoop);
}

const struct bridge_counts *bridge_counts(const struct bridge *b)
{
	return &b->counts;
}

static void count_binding(void *arg, struct binding *binding)
{
	struct counting *counting = arg;

	counting->n += binding->port == counting->port->number;
}
