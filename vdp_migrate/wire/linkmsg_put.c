/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h's messages, structs -> octets; the way back is linkmsg.c, which has the
 * layout.
 */
#include "linkmsg.h"

static bool put_body(struct wr *w, const struct link_msg *msg);
static void put_port(struct wr *w, const struct link_port *port);
static void put_vsi(struct wr *w, const struct link_vsi *vsi);
static void put_mark(struct wr *w, const struct link_mark *mark);
static void put_help(struct wr *w, const struct link_help *help);
static void put_bind(struct wr *w, const struct link_bind *bind);
static void put_ask(struct wr *w, const struct link_ask *ask);
static void put_row(struct wr *w, const struct link_row *row);
static void put_vlan_addrs(struct wr *w, const struct link_vlan_addr *a, uint8_t n);
static void put_vsi_id(struct wr *w, const struct vsi_id *id);
static void put_addr(struct wr *w, const struct addr *addr);
static void put_string(struct wr *w, const char *s, size_t size);
static size_t begin(struct wr *w, uint8_t type);
static bool end(struct wr *w, const struct wr *before, size_t length_at);

bool linkmsg_put(struct wr *w, const struct link_msg *msg)
{
	struct wr before = *w;
	size_t length_at = begin(w, msg->type);

	if (!put_body(w, msg))
		w->full = true;
	return end(w, &before, length_at);
}

bool linkmsg_put_row(struct wr *w, uint8_t type, uint32_t seq, const char *const *fields,
		     unsigned n)
{
	struct link_msg msg = { .type = type, .u.row.seq = seq };

	if (n > LINK_COLUMNS_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(fields[i]);

		if (len > UINT16_MAX)
			return false;
		msg.u.row.field[i].s = fields[i];
		msg.u.row.field[i].len = (uint16_t)len;
	}
	msg.u.row.n = (uint8_t)n;
	return (type == LINK_HEAD || type == LINK_ROW) && linkmsg_put(w, &msg);
}

/* False: no such message. */
static bool put_body(struct wr *w, const struct link_msg *msg)
{
	switch (msg->type) {
	case LINK_HELLO:
		wr_u8(w, msg->u.hello.who);
		wr_u32(w, msg->u.hello.pid);
		return true;
	case LINK_REPLAY:
	case LINK_REPLAY_END:
		return true;
	case LINK_PORT:
		put_port(w, &msg->u.port);
		return true;
	case LINK_VSI:
		put_vsi(w, &msg->u.vsi);
		return true;
	case LINK_FORGOTTEN:
		put_string(w, msg->u.forgotten, sizeof(msg->u.forgotten));
		return true;
	case LINK_COUNTER:
		put_string(w, msg->u.counter.name, sizeof(msg->u.counter.name));
		wr_u64(w, msg->u.counter.value);
		return true;
	case LINK_CASES:
		put_string(w, msg->u.cases.port, sizeof(msg->u.cases.port));
		wr_u8(w, msg->u.cases.complete);
		wr_u32(w, msg->u.cases.n);
		wr_u8(w, msg->u.cases.n_named);
		for (unsigned i = 0; i < msg->u.cases.n_named && i < LINK_CASES_NAMED;
		     i++)
			wr_bytes(w, msg->u.cases.named[i].b, 6);
		return true;
	case LINK_MARK:
	case LINK_UNMARK:
		put_mark(w, &msg->u.mark);
		return true;
	case LINK_SUSPEND:
		wr_u32(w, msg->u.suspend.seq);
		put_vsi_id(w, &msg->u.suspend.id);
		return true;
	case LINK_READY:
	case LINK_HELP_END:
		put_string(w, msg->u.vsi_of.port, sizeof(msg->u.vsi_of.port));
		put_vsi_id(w, &msg->u.vsi_of.id);
		return true;
	case LINK_HELP:
	case LINK_HELP_ASKED:
		put_help(w, &msg->u.help);
		return true;
	case LINK_SET:
		wr_u32(w, msg->u.set.seq);
		put_string(w, msg->u.set.name, sizeof(msg->u.set.name));
		put_string(w, msg->u.set.value, sizeof(msg->u.set.value));
		return true;
	case LINK_BIND:
	case LINK_UNBIND:
		put_bind(w, &msg->u.bind);
		return true;
	case LINK_ASK:
		put_ask(w, &msg->u.ask);
		return true;
	case LINK_SHOW:
	case LINK_WATCH:
		wr_u32(w, msg->u.show.seq);
		put_string(w, msg->u.show.table, sizeof(msg->u.show.table));
		return true;
	case LINK_HEAD:
	case LINK_ROW:
		put_row(w, &msg->u.row);
		return true;
	case LINK_DONE:
		wr_u32(w, msg->u.done.seq);
		wr_u32(w, (uint32_t)msg->u.done.code);
		put_string(w, msg->u.done.text, sizeof(msg->u.done.text));
		return true;
	default:
		return false;
	}
}

static void put_port(struct wr *w, const struct link_port *port)
{
	put_string(w, port->name, sizeof(port->name));
	wr_u8(w, port->role);
	wr_u8(w, port->up);
	wr_u8(w, port->gone);
	wr_u8(w, port->assist);
	wr_u8(w, port->guard);
	wr_u8(w, port->guard_anyway);
	wr_u8(w, port->trusted);
	wr_u8(w, port->remote_id_text);
	wr_u8(w, port->n_keys);
	if (port->n_keys > LINK_KEYS_MAX)
		w->full = true;
	else
		wr_bytes(w, port->keys, port->n_keys);
	wr_u32(w, port->keepalive_ms);
	wr_u8(w, port->peer_version);
	wr_u8(w, port->peer_role);
	wr_u8(w, port->peer_flags);
	put_vlan_addrs(w, port->servers, port->n_servers);
	put_vlan_addrs(w, port->giaddrs, port->n_giaddrs);
	wr_u8(w, port->groups);
	wr_u8(w, port->n_schedule);
	if (port->n_schedule > LINK_SCHEDULE_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < port->n_schedule; i++)
		wr_u32(w, port->schedule[i]);
	wr_u8(w, port->conflict);
	wr_u16(w, port->max_rate);
	wr_u16(w, port->hold_ms);
}

static void put_vsi(struct wr *w, const struct link_vsi *vsi)
{
	put_string(w, vsi->port, sizeof(vsi->port));
	wr_u8(w, vsi->what);
	wr_u8(w, vsi->mode);
	wr_u8(w, vsi->status);
	put_vsi_id(w, &vsi->id);
	wr_u16(w, vsi->n_entries);
	if (vsi->n_entries > VSI_ENTRIES_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < vsi->n_entries; i++) {
		wr_bytes(w, vsi->entries[i].mac.b, 6);
		wr_u16(w, vsi->entries[i].vlan);
	}
}

static void put_mark(struct wr *w, const struct link_mark *mark)
{
	wr_u32(w, mark->seq);
	put_vsi_id(w, &mark->id);
	wr_bytes(w, mark->mac.b, 6);
	put_addr(w, &mark->ip);
	wr_u8(w, mark->client_id.len);
	wr_bytes(w, mark->client_id.b, mark->client_id.len);
	wr_u8(w, mark->no_client_id);
	put_addr(w, &mark->server);
	put_string(w, mark->tap, sizeof(mark->tap));
	wr_u32(w, mark->ttl_s);
}

static void put_help(struct wr *w, const struct link_help *help)
{
	put_string(w, help->port, sizeof(help->port));
	wr_u8(w, help->dhcp4);
	wr_u8(w, help->dhcp6);
	put_addr(w, &help->giaddr);
	wr_u8(w, help->apart);
	wr_u32(w, help->xid);
	put_vsi_id(w, &help->id);
	wr_u16(w, help->n_entries);
	if (help->n_entries > LINK_HELP_ENTRIES_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < help->n_entries; i++) {
		wr_bytes(w, help->entries[i].mac.b, 6);
		wr_u16(w, help->entries[i].vlan);
	}
}

static void put_bind(struct wr *w, const struct link_bind *bind)
{
	wr_u32(w, bind->seq);
	wr_u16(w, bind->vlan);
	wr_bytes(w, bind->mac.b, 6);
	put_addr(w, &bind->ip);
	put_string(w, bind->port, sizeof(bind->port));
}

static void put_ask(struct wr *w, const struct link_ask *ask)
{
	wr_u32(w, ask->seq);
	wr_u8(w, ask->key);
	wr_bytes(w, ask->mac.b, 6);
	put_addr(w, &ask->ip);
	wr_u8(w, ask->id.len);
	wr_bytes(w, ask->id.b, ask->id.len);
	put_addr(w, &ask->giaddr);
	wr_u8(w, ask->n_servers);
	if (ask->n_servers > LINK_SERVERS_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < ask->n_servers; i++)
		put_addr(w, &ask->servers[i]);
}

static void put_row(struct wr *w, const struct link_row *row)
{
	wr_u32(w, row->seq);
	wr_u8(w, row->n);
	if (row->n > LINK_COLUMNS_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < row->n; i++) {
		wr_u16(w, row->field[i].len);
		wr_bytes(w, row->field[i].s, row->field[i].len);
	}
}

static void put_vlan_addrs(struct wr *w, const struct link_vlan_addr *a, uint8_t n)
{
	wr_u8(w, n);
	if (n > LINK_SERVERS_MAX)
		w->full = true;
	for (unsigned i = 0; wr_ok(w) && i < n; i++) {
		wr_u16(w, a[i].vlan);
		put_addr(w, &a[i].addr);
	}
}

static void put_vsi_id(struct wr *w, const struct vsi_id *id)
{
	wr_u8(w, id->format);
	wr_bytes(w, id->b, sizeof(id->b));
}

static void put_addr(struct wr *w, const struct addr *addr)
{
	wr_u8(w, addr->family);
	if (addr->family == ADDR_IPV4)
		wr_bytes(w, addr->b, 4);
	else if (addr->family == ADDR_IPV6)
		wr_bytes(w, addr->b, 16);
	else if (addr->family != ADDR_NONE)
		w->full = true;
}

/* A string in a field of this size; one without its terminator does not fit. */
static void put_string(struct wr *w, const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	if (len == size)
		w->full = true;
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, s, len);
}

/* Returns where the length belongs. */
static size_t begin(struct wr *w, uint8_t type)
{
	wr_u8(w, type);
	wr_u8(w, LINK_VERSION);
	wr_u16(w, 0);
	return w->at - 2;
}

static bool end(struct wr *w, const struct wr *before, size_t length_at)
{
	size_t len = w->at - length_at - 2;

	if (!wr_ok(w) || len > UINT16_MAX) {
		*w = *before;
		return false;
	}
	wr_set_u16(w, length_at, (uint16_t)len);
	return true;
}
