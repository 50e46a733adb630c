/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The actions of a migration's step, one function each: what they do to the
 * binding table, the guard's list of announced MACs and the questions. Which
 * action comes when is core/migration's table; the order of one step's actions
 * is that of the rows here: binding first, groups last.
 */
#include "bridge_private.h"
#include "wire/text.h"

struct doing {
	struct bridge *b;
	struct vsi *vsi;
	struct vsi_lease *lease;	/* of the event, or NULL */
	const struct known *known;
};

static void recover(const struct doing *d);
static void stage(const struct doing *d);
static void put(const struct doing *d);
static void activate(const struct doing *d);
static void activate_here(const struct doing *d);
static void leave_there(const struct doing *d);
static void activate_static(const struct doing *d);
static void ask_missing(const struct doing *d);
static void ask_help(const struct doing *d);
static void ask_later(const struct doing *d);
static void query_groups(const struct doing *d);
static void take_over(const struct doing *d);
static void hand_over(const struct doing *d);
static void give_back(const struct doing *d);
static void drop_staged(const struct doing *d);
static void leaving(const struct doing *d);
static void dormant(const struct doing *d);
static void withdraw(const struct doing *d);
static void log_conflict(const struct doing *d);
static void start_clock(const struct doing *d);

static const struct {
	unsigned action;
	void (*run)(const struct doing *d);
} actions[] = {
	{ DO_STAGE, stage },
	{ DO_PUT, put },
	{ DO_RECOVER, recover },
	{ DO_ACTIVATE, activate },
	{ DO_ACTIVATE_HERE, activate_here },
	{ DO_STATIC, activate_static },
	{ DO_TAKE_OVER, take_over },
	{ DO_HAND_OVER, hand_over },
	{ DO_GIVE_BACK, give_back },
	{ DO_LEAVE_THERE, leave_there },
	{ DO_DROP_STAGED, drop_staged },
	{ DO_LEAVING, leaving },
	{ DO_DORMANT, dormant },
	{ DO_WITHDRAW, withdraw },
	{ DO_START_CLOCK, start_clock },
	{ DO_LOG_CONFLICT, log_conflict },
	{ DO_ASK_MISSING, ask_missing },
	{ DO_ASK_HELP, ask_help },
	{ DO_ASK_LATER, ask_later },
	{ DO_QUERY_GROUPS, query_groups },
};

static struct binding_host host_known(const struct doing *d);
static unsigned hosts(const struct doing *d, const struct vsi_lease *lease,
		      struct binding_host ret_hosts[VSI_MACS_MAX]);
static void follow_static(const struct doing *d, enum binding_state state);
static void end_elsewhere(const struct doing *d, const struct binding_host *host);
static void learn_from_elsewhere(const struct doing *d, struct vsi_lease *lease);
static void copy_from_elsewhere(const struct doing *d, struct vsi_lease *lease,
				enum binding_state state);
static void copy_host(const struct doing *d, const struct binding_host *host,
		      enum binding_state state);
static void each_of_host(const struct doing *d, const struct binding_host *host,
			 unsigned states,
			 void (*cb)(struct bridge *b, struct binding *binding));
static void each_here(const struct doing *d, unsigned states,
		      void (*cb)(struct bridge *b, struct binding *binding));
static void set_active(struct bridge *b, struct binding *binding);
static void set_leaving(struct bridge *b, struct binding *binding);
static void set_dormant(struct bridge *b, struct binding *binding);
static void take_out(struct bridge *b, struct binding *binding);

void bridge_do(struct bridge *b, struct vsi *vsi, unsigned to_do, struct vsi_lease *lease,
	       const struct known *known)
{
	const struct doing doing = { b, vsi, lease, known };

	for (unsigned i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (to_do & actions[i].action)
			actions[i].run(&doing);
}

struct binding_host bridge_host(const struct bridge *b, const struct vsi *vsi,
				const struct vsi_entry *entry)
{
	const struct port *port = ports_number(b, vsi->port);

	return (struct binding_host){ port->bridge, entry->vlan, entry->mac };
}

bool bridge_holds(struct bridge *b, const struct vsi *vsi, const struct vsi_entry *entry,
		  unsigned states)
{
	const struct binding_host host = bridge_host(b, vsi, entry);

	for (struct binding *i = binding_first(b->bindings, &host); i; i = i->next)
		if (i->port == vsi->port && states & 1u << i->state)
			return true;
	return false;
}

bool bridge_lease_holds(struct bridge *b, const struct vsi *vsi,
			const struct vsi_lease *lease, unsigned states)
{
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++) {
		const struct vsi_entry entry = { macs[i], lease->entry.vlan };

		if (bridge_holds(b, vsi, &entry, states))
			return true;
	}
	return false;
}

void bridge_bind(struct bridge *b, const struct vsi *vsi, uint16_t port,
		 const struct binding_host *host, const struct known *known,
		 enum binding_state state)
{
	struct binding binding = {
		.host = *host, .ip = known->ip, .port = port, .state = (uint8_t)state,
		.origin = (uint8_t)known->origin, .server = known->server,
		.lease_s = known->lease_s == LQ_FOREVER ? 0 : known->lease_s,
		.lease_end = bridge_lease_end(b->now, known->lease_s),
	};

	if (vsi)
		binding.vsi = vsi->id;
	if (!binding_put(b->bindings, &binding))
		bridge_log(b, LOG_ERR, vsi, "binding not kept: no memory");
}

ms_t bridge_lease_end(ms_t now, uint32_t lease_s)
{
	return lease_s == LQ_FOREVER ? MS_NEVER : now + (ms_t)lease_s * 1000;
}

void bridge_withdraw_lease(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease)
{
	const struct doing doing = { b, vsi, lease, NULL };
	struct binding_host host[VSI_MACS_MAX];
	unsigned n = hosts(&doing, lease, host);

	while (n) {
		each_of_host(&doing, &host[--n], BRIDGE_ANY_STATE, take_out);
		bridge_cases_left_host(b, vsi->port, &host[n]);
	}
}

/* The actions. */

/* assist=off: nothing is done at a migration, neither moved nor asked. */
static void recover(const struct doing *d)
{
	const struct port *port = ports_number(d->b, d->vsi->port);
	unsigned held = 1u << BINDING_ACTIVE | 1u << BINDING_DORMANT;

	d->vsi->held = false;
	d->vsi->first_frame = false;
	for (unsigned i = 0; i < d->vsi->n_leases; i++)
		if (bridge_lease_holds(d->b, d->vsi, &d->vsi->leases[i], held))
			d->vsi->held = true;
	d->b->counts.migrations++;
	follow_static(d, BINDING_STAGED);
	if (port->settings.assist == LINK_ASSIST_OFF)
		return;
	for (unsigned i = 0; i < d->vsi->n_leases; i++)
		copy_from_elsewhere(d, &d->vsi->leases[i], BINDING_STAGED);
	/* Also where it was moved: a leasequery's answer confirms it. */
	for (unsigned i = 0; i < d->vsi->n_leases; i++)
		asking_entry(d->b, d->vsi, &d->vsi->leases[i], LQ_RANK_PREASSOC);
}

static void stage(const struct doing *d)
{
	const struct binding_host host = host_known(d);

	d->lease->failed = false;
	d->b->counts.staged++;
	bridge_bind(d->b, d->vsi, d->vsi->port, &host, d->known, BINDING_STAGED);
	helping_look(d->b, d->vsi);
}

static void put(const struct doing *d)
{
	const struct binding_host host = host_known(d);

	d->lease->failed = false;
	d->b->counts.put++;
	bridge_bind(d->b, d->vsi, d->vsi->port, &host, d->known, BINDING_ACTIVE);
	helping_look(d->b, d->vsi);
}

static void activate(const struct doing *d)
{
	follow_static(d, BINDING_ACTIVE);
	each_here(d, BRIDGE_ANY_STATE, set_active);
	d->vsi->clock = MS_NEVER;
}

static void activate_here(const struct doing *d)
{
	const struct port *port = ports_number(d->b, d->vsi->port);

	follow_static(d, BINDING_ACTIVE);
	if (port->settings.assist == LINK_ASSIST_OFF)
		return;
	for (unsigned i = 0; i < d->vsi->n_leases; i++)
		copy_from_elsewhere(d, &d->vsi->leases[i], BINDING_ACTIVE);
}

/* Bindings of these entries on other ports: those of a VSI leave with it; those
 * that no VSI stands for end here (DESIGN: an association elsewhere). */
static void leave_there(const struct doing *d)
{
	unsigned states = 1u << MIGRATION_ARRIVED | 1u << MIGRATION_SETTLED |
			  1u << MIGRATION_DORMANT;
	struct vsi *other;

	while ((other = vsi_elsewhere(d->b->vsis, d->vsi, states)))
		bridge_step(d->b, other, MIGRATION_ACTIVE_ELSEWHERE, NULL, NULL);
	for (unsigned i = 0; i < d->vsi->n_leases; i++) {
		struct binding_host host[VSI_MACS_MAX];
		unsigned n = hosts(d, &d->vsi->leases[i], host);

		while (n)
			end_elsewhere(d, &host[--n]);
	}
}

static void activate_static(const struct doing *d)
{
	follow_static(d, BINDING_ACTIVE);
	each_here(d, BRIDGE_ANY_STATE, set_active);
}

static void ask_missing(const struct doing *d)
{
	for (unsigned i = 0; i < d->vsi->n_leases; i++) {
		struct vsi_lease *lease = &d->vsi->leases[i];

		if (!bridge_lease_holds(d->b, d->vsi, lease, BRIDGE_ANY_STATE))
			asking_entry(d->b, d->vsi, lease, LQ_RANK_ASSOC);
	}
}

static void ask_help(const struct doing *d)
{
	const struct port *port = ports_number(d->b, d->vsi->port);

	if (port->settings.assist >= LINK_ASSIST_HELP)
		(void)helping_ask(d->b, d->vsi, d->lease);
}

static void ask_later(const struct doing *d)
{
	if (!d->lease->failed)
		d->b->counts.failed++;
	d->lease->failed = true;
	d->lease->ask_at = d->b->now + ASK_AGAIN_MS;
	bridge_due(d->b, d->lease->ask_at);
}

static void query_groups(const struct doing *d)
{
	bridge_groups_query(d->b, d->vsi);
}

static void take_over(const struct doing *d)
{
	bridge_groups_take_over(d->b, d->vsi);
}

static void hand_over(const struct doing *d)
{
	bridge_groups_hand_over(d->b, d->vsi);
}

static void give_back(const struct doing *d)
{
	bridge_groups_give_back(d->b, d->vsi);
}

static void drop_staged(const struct doing *d)
{
	asking_forget(d->b, d->vsi);
	each_here(d, 1u << BINDING_STAGED, take_out);
}

static void leaving(const struct doing *d)
{
	asking_forget(d->b, d->vsi);
	bridge_groups_quiet(d->b, d->vsi);
	each_here(d, BRIDGE_ANY_STATE, set_leaving);
}

static void dormant(const struct doing *d)
{
	asking_forget(d->b, d->vsi);
	bridge_groups_quiet(d->b, d->vsi);
	each_here(d, BRIDGE_ANY_STATE, set_dormant);
}

static void withdraw(const struct doing *d)
{
	asking_forget(d->b, d->vsi);
	bridge_groups_withdraw(d->b, d->vsi);
	each_here(d, BRIDGE_ANY_STATE, take_out);
}

static void log_conflict(const struct doing *d)
{
	struct vsi *other = vsi_elsewhere(d->b->vsis, d->vsi, ~0u);
	uint16_t there = d->vsi->refused_by ? d->vsi->refused_by : other ? other->port : 0;

	d->b->counts.conflicts++;
	if (bridge_may_warn(d->b, ports_number(d->b, d->vsi->port)))
		bridge_log(d->b, LOG_WARNING, d->vsi, "claim refused: it still answers on %s",
			   there ? bridge_port_name(d->b, there) : "its old port");
}

static void start_clock(const struct doing *d)
{
	const struct port *port = ports_number(d->b, d->vsi->port);

	d->vsi->clock = d->b->now + port->settings.keepalive_ms;
	bridge_due(d->b, d->vsi->clock);
}

/* Below the actions. */

static struct binding_host host_known(const struct doing *d)
{
	struct vsi_entry entry = d->lease->entry;

	if (mac_is_zero(&entry.mac))
		entry.mac = d->known->mac;
	return bridge_host(d->b, d->vsi, &entry);
}

/* Of an entry without MAC: those that were found out. */
static unsigned hosts(const struct doing *d, const struct vsi_lease *lease,
		      struct binding_host ret_hosts[VSI_MACS_MAX])
{
	unsigned n;
	const struct mac *macs = vsi_macs(lease, &n);

	for (unsigned i = 0; i < n; i++) {
		const struct vsi_entry entry = { macs[i], lease->entry.vlan };

		ret_hosts[i] = bridge_host(d->b, d->vsi, &entry);
	}
	return n;
}

static void follow_static(const struct doing *d, enum binding_state state)
{
	for (unsigned i = 0; i < d->vsi->n_leases; i++) {
		struct binding_host host[VSI_MACS_MAX];
		unsigned n = hosts(d, &d->vsi->leases[i], host);

		while (n)
			bridge_static_take_up(d->b, d->vsi, &host[--n], state);
	}
}

static void end_elsewhere(const struct doing *d, const struct binding_host *host)
{
	struct binding *next;

	for (struct binding *j = binding_first(d->b->bindings, host); j; j = next) {
		next = j->next;
		if (j->port != d->vsi->port &&
		    (!j->vsi.format || !vsi_find(d->b->vsis, j->port, &j->vsi))) {
			bridge_static_leave(d->b, j);
			bridge_cases_left_host(d->b, j->port, host);
			binding_remove(d->b->bindings, j);
		}
	}
}

/* What another port has found out of the same entry without MAC. */
static void learn_from_elsewhere(const struct doing *d, struct vsi_lease *lease)
{
	const struct vsi *other = vsi_elsewhere(d->b->vsis, d->vsi, ~0u);
	const struct mac *macs;
	unsigned n;

	if (!other || !mac_is_zero(&lease->entry.mac))
		return;
	for (unsigned i = 0; i < other->n_leases; i++) {
		if (!entry_equal(&other->leases[i].entry, &lease->entry))
			continue;
		macs = vsi_macs(&other->leases[i], &n);
		while (n)
			(void)bridge_learn_mac(d->b, d->vsi, lease, &macs[--n]);
	}
}

static void copy_from_elsewhere(const struct doing *d, struct vsi_lease *lease,
				enum binding_state state)
{
	struct binding_host host[VSI_MACS_MAX];
	unsigned n;

	learn_from_elsewhere(d, lease);
	n = hosts(d, lease, host);
	while (n)
		copy_host(d, &host[--n], state);
}

static void copy_host(const struct doing *d, const struct binding_host *host,
		      enum binding_state state)
{
	for (struct binding *i = binding_first(d->b->bindings, host); i; i = i->next) {
		struct binding here = *i;

		if (i->port == d->vsi->port || i->state == BINDING_STAGED ||
		    binding_find(d->b->bindings, host, &i->ip, d->vsi->port))
			continue;
		here.port = d->vsi->port;
		here.state = (uint8_t)state;
		here.origin = BINDING_MOVED;
		here.vsi = d->vsi->id;
		d->b->counts.moved++;
		binding_put(d->b->bindings, &here);
	}
}

/* This port's bindings of the VSI's entries that are its own or nobody's. */
static void each_here(const struct doing *d, unsigned states,
		      void (*cb)(struct bridge *b, struct binding *binding))
{
	for (unsigned i = 0; i < d->vsi->n_leases; i++) {
		struct binding_host host[VSI_MACS_MAX];
		unsigned n = hosts(d, &d->vsi->leases[i], host);

		while (n)
			each_of_host(d, &host[--n], states, cb);
	}
}

static void each_of_host(const struct doing *d, const struct binding_host *host,
			 unsigned states,
			 void (*cb)(struct bridge *b, struct binding *binding))
{
	struct binding *next;

	for (struct binding *j = binding_first(d->b->bindings, host); j; j = next) {
		next = j->next;
		if (j->port != d->vsi->port || !(states & 1u << j->state) ||
		    (j->vsi.format && !vsi_id_equal(&j->vsi, &d->vsi->id)))
			continue;
		binding_set_vsi(d->b->bindings, j, &d->vsi->id);
		cb(d->b, j);
	}
}

static void set_active(struct bridge *b, struct binding *binding)
{
	binding_set_state(b->bindings, binding, BINDING_ACTIVE);
}

static void set_leaving(struct bridge *b, struct binding *binding)
{
	binding_set_state(b->bindings, binding, BINDING_LEAVING);
}

static void set_dormant(struct bridge *b, struct binding *binding)
{
	binding_set_state(b->bindings, binding, BINDING_DORMANT);
}

static void take_out(struct bridge *b, struct binding *binding)
{
	bridge_static_leave(b, binding);
	binding_remove(b->bindings, binding);
}
