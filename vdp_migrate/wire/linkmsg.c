/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h's messages, octets -> structs; the way back is linkmsg_put.c. Knows the
 * layout of each kind and the range of each field; nothing of what the messages mean
 * or who may send them. The local peer is root's own, and still not believed: a field out of range is -EBADMSG, so
 * that enums may be used as indices behind this door.
 *
 * Layout: link.h. Booleans are 0 or 1; an address is its family and 0, 4 or 16
 * octets; strings are preceded by their length (2) and hold no zero octet.
 */
#include "linkmsg.h"

#include <errno.h>

#include "vdp22.h"
#include "vdp_migrate/leasequery.h"

#define HEADER_LEN 4

static bool get_body(struct rd *r, struct link_msg *msg);
static void get_port(struct rd *r, struct link_port *port);
static void get_vsi(struct rd *r, struct link_vsi *vsi);
static void get_mark(struct rd *r, struct link_mark *mark);
static void get_help(struct rd *r, struct link_help *help);
static void get_bind(struct rd *r, struct link_bind *bind);
static void get_ask(struct rd *r, struct link_ask *ask);
static void get_row(struct rd *r, struct link_row *row);
static void get_vlan_addrs(struct rd *r, struct link_vlan_addr *a, uint8_t n,
			   const char *what);
static void get_vsi_id(struct rd *r, struct vsi_id *id);
static struct addr get_addr(struct rd *r, const char *what);
static void get_string(struct rd *r, char *ret_s, size_t size, const char *what);
static uint8_t get_up_to(struct rd *r, uint8_t most, const char *what);
static bool get_bool(struct rd *r, const char *what);

int linkmsg_get(struct rd *datagram, struct link_msg *ret_msg, struct rd_error *ret_error)
{
	struct link_msg msg;
	uint8_t version;
	struct rd body;

	if (rd_ok(datagram) && !rd_left(datagram))
		return 0;
	memset(&msg, 0, sizeof(msg));
	msg.type = rd_u8(datagram, "message type");
	version = rd_u8(datagram, "version");
	if (rd_ok(datagram) && version != LINK_VERSION) {
		datagram->at--;
		rd_fail(datagram, "version");
		rd_error(datagram, ret_error);
		return -EPROTO;
	}
	body = rd_sub(datagram, rd_u16(datagram, "message length"), "message body");
	if (rd_ok(&body) && !get_body(&body, &msg)) {
		datagram->at = body.base - datagram->base - HEADER_LEN;
		rd_fail(datagram, "message type");
	} else if (rd_left(&body)) {
		rd_fail(&body, "end of message");
	}
	if (!rd_ok(&body) && rd_ok(datagram)) {
		datagram->what = body.what;
		datagram->bad_at = body.bad_at;
	}
	if (!rd_ok(datagram)) {
		rd_error(datagram, ret_error);
		return -EBADMSG;
	}
	*ret_msg = msg;
	return 1;
}

/* False: no such message. */
static bool get_body(struct rd *r, struct link_msg *msg)
{
	switch (msg->type) {
	case LINK_HELLO:
		msg->u.hello.who = get_up_to(r, LINK_COMPANION, "who");
		if (!msg->u.hello.who)
			rd_fail(r, "who");
		msg->u.hello.pid = rd_u32(r, "pid");
		return true;
	case LINK_REPLAY:
	case LINK_REPLAY_END:
		return true;
	case LINK_PORT:
		get_port(r, &msg->u.port);
		return true;
	case LINK_VSI:
		get_vsi(r, &msg->u.vsi);
		return true;
	case LINK_FORGOTTEN:
		get_string(r, msg->u.forgotten, sizeof(msg->u.forgotten), "port");
		return true;
	case LINK_COUNTER:
		get_string(r, msg->u.counter.name, sizeof(msg->u.counter.name),
			   "counter");
		msg->u.counter.value = rd_u64(r, "value");
		return true;
	case LINK_CASES:
		get_string(r, msg->u.cases.port, sizeof(msg->u.cases.port), "port");
		msg->u.cases.complete = get_bool(r, "complete");
		msg->u.cases.n = rd_u32(r, "number of cases");
		msg->u.cases.n_named = get_up_to(r, LINK_CASES_NAMED, "cases named");
		for (unsigned i = 0; i < msg->u.cases.n_named; i++)
			msg->u.cases.named[i] = rd_mac(r, "MAC");
		return true;
	case LINK_MARK:
	case LINK_UNMARK:
		get_mark(r, &msg->u.mark);
		return true;
	case LINK_SUSPEND:
		msg->u.suspend.seq = rd_u32(r, "seq");
		get_vsi_id(r, &msg->u.suspend.id);
		return true;
	case LINK_READY:
	case LINK_HELP_END:
		get_string(r, msg->u.vsi_of.port, sizeof(msg->u.vsi_of.port), "port");
		get_vsi_id(r, &msg->u.vsi_of.id);
		return true;
	case LINK_HELP:
	case LINK_HELP_ASKED:
		get_help(r, &msg->u.help);
		return true;
	case LINK_SET:
		msg->u.set.seq = rd_u32(r, "seq");
		get_string(r, msg->u.set.name, sizeof(msg->u.set.name), "setting");
		get_string(r, msg->u.set.value, sizeof(msg->u.set.value), "value");
		return true;
	case LINK_BIND:
	case LINK_UNBIND:
		get_bind(r, &msg->u.bind);
		return true;
	case LINK_ASK:
		get_ask(r, &msg->u.ask);
		return true;
	case LINK_SHOW:
	case LINK_WATCH:
		msg->u.show.seq = rd_u32(r, "seq");
		get_string(r, msg->u.show.table, sizeof(msg->u.show.table), "table");
		return true;
	case LINK_HEAD:
	case LINK_ROW:
		get_row(r, &msg->u.row);
		return true;
	case LINK_DONE:
		msg->u.done.seq = rd_u32(r, "seq");
		msg->u.done.code = (int32_t)rd_u32(r, "code");
		get_string(r, msg->u.done.text, sizeof(msg->u.done.text), "text");
		return true;
	default:
		return false;
	}
}

static void get_port(struct rd *r, struct link_port *port)
{
	get_string(r, port->name, sizeof(port->name), "port");
	port->role = get_up_to(r, LINK_ROLE_BRIDGE, "role");
	port->up = get_bool(r, "up");
	port->gone = get_bool(r, "gone");
	port->assist = get_up_to(r, LINK_ASSIST_AUTO, "assist");
	port->guard = get_up_to(r, LINK_GUARD_ENFORCE, "guard");
	port->guard_anyway = get_bool(r, "guard anyway");
	port->trusted = get_bool(r, "trusted");
	port->remote_id_text = get_bool(r, "remote-id as text");
	port->n_keys = get_up_to(r, LINK_KEYS_MAX, "number of keys");
	for (unsigned i = 0; i < port->n_keys; i++)
		port->keys[i] = get_up_to(r, LQ_BY_REMOTE_ID, "key");
	port->keepalive_ms = rd_u32(r, "keep-alive time-out");
	port->peer_version = rd_u8(r, "neighbour's version");
	port->peer_role = rd_u8(r, "neighbour's role");
	port->peer_flags = rd_u8(r, "neighbour's flags");
	port->n_servers = get_up_to(r, LINK_SERVERS_MAX, "number of servers");
	get_vlan_addrs(r, port->servers, port->n_servers, "server");
	port->n_giaddrs = get_up_to(r, LINK_SERVERS_MAX, "number of giaddrs");
	get_vlan_addrs(r, port->giaddrs, port->n_giaddrs, "giaddr");
	port->groups = get_up_to(r, LINK_GROUPS_BOTH, "groups");
	port->n_schedule = get_up_to(r, LINK_SCHEDULE_MAX, "length of the schedule");
	for (unsigned i = 0; i < port->n_schedule; i++)
		port->schedule[i] = rd_u32(r, "schedule");
	port->conflict = get_up_to(r, LINK_CONFLICT_VERIFY, "conflict");
	port->max_rate = rd_u16(r, "max-rate");
	port->hold_ms = rd_u16(r, "hold");
}

static void get_vsi(struct rd *r, struct link_vsi *vsi)
{
	get_string(r, vsi->port, sizeof(vsi->port), "port");
	vsi->what = get_up_to(r, LINK_VSI_REPLAYED, "what was seen");
	if (!vsi->what)
		rd_fail(r, "what was seen");
	vsi->mode = get_up_to(r, VDP22_DEASSOC, "mode");
	vsi->status = rd_u8(r, "status");
	get_vsi_id(r, &vsi->id);
	vsi->n_entries = rd_u16(r, "number of entries");
	if (vsi->n_entries > VSI_ENTRIES_MAX)
		rd_fail(r, "number of entries");
	for (unsigned i = 0; rd_ok(r) && i < vsi->n_entries; i++) {
		vsi->entries[i].mac = rd_mac(r, "entry");
		vsi->entries[i].vlan = rd_u16(r, "entry");
	}
}

static void get_mark(struct rd *r, struct link_mark *mark)
{
	mark->seq = rd_u32(r, "seq");
	get_vsi_id(r, &mark->id);
	mark->mac = rd_mac(r, "MAC");
	mark->ip = get_addr(r, "IP address");
	mark->client_id.len = rd_u8(r, "client-id");
	rd_copy(r, mark->client_id.b, mark->client_id.len, "client-id");
	mark->no_client_id = get_bool(r, "no client-id");
	mark->server = get_addr(r, "server");
	get_string(r, mark->tap, sizeof(mark->tap), "tap");
	mark->ttl_s = rd_u32(r, "ttl");
}

static void get_help(struct rd *r, struct link_help *help)
{
	get_string(r, help->port, sizeof(help->port), "port");
	help->dhcp4 = get_bool(r, "DHCPv4 wanted");
	help->dhcp6 = get_bool(r, "DHCPv6 wanted");
	help->giaddr = get_addr(r, "giaddr");
	help->apart = get_bool(r, "giaddr is apart");
	help->xid = rd_u32(r, "xid");
	get_vsi_id(r, &help->id);
	help->n_entries = rd_u16(r, "number of entries");
	if (help->n_entries > LINK_HELP_ENTRIES_MAX)
		rd_fail(r, "number of entries");
	for (unsigned i = 0; rd_ok(r) && i < help->n_entries; i++) {
		help->entries[i].mac = rd_mac(r, "entry");
		help->entries[i].vlan = rd_u16(r, "entry");
	}
}

static void get_bind(struct rd *r, struct link_bind *bind)
{
	bind->seq = rd_u32(r, "seq");
	bind->vlan = rd_u16(r, "VLAN");
	bind->mac = rd_mac(r, "MAC");
	bind->ip = get_addr(r, "IP address");
	get_string(r, bind->port, sizeof(bind->port), "port");
}

static void get_ask(struct rd *r, struct link_ask *ask)
{
	ask->seq = rd_u32(r, "seq");
	ask->key = get_up_to(r, LQ_BY_REMOTE_ID, "key");
	ask->mac = rd_mac(r, "MAC");
	ask->ip = get_addr(r, "IP address");
	ask->id.len = rd_u8(r, "id");
	rd_copy(r, ask->id.b, ask->id.len, "id");
	ask->giaddr = get_addr(r, "giaddr");
	ask->n_servers = get_up_to(r, LINK_SERVERS_MAX, "number of servers");
	for (unsigned i = 0; rd_ok(r) && i < ask->n_servers; i++)
		ask->servers[i] = get_addr(r, "server");
}

static void get_row(struct rd *r, struct link_row *row)
{
	row->seq = rd_u32(r, "seq");
	row->n = get_up_to(r, LINK_COLUMNS_MAX, "number of fields");
	for (unsigned i = 0; rd_ok(r) && i < row->n; i++) {
		row->field[i].len = rd_u16(r, "field");
		row->field[i].s = (const char *)rd_bytes(r, row->field[i].len, "field");
	}
}

static void get_vlan_addrs(struct rd *r, struct link_vlan_addr *a, uint8_t n,
			   const char *what)
{
	for (unsigned i = 0; rd_ok(r) && i < n; i++) {
		a[i].vlan = rd_u16(r, what);
		a[i].addr = get_addr(r, what);
	}
}

static void get_vsi_id(struct rd *r, struct vsi_id *id)
{
	id->format = rd_u8(r, "VSI ID format");
	rd_copy(r, id->b, sizeof(id->b), "VSI ID");
}

static struct addr get_addr(struct rd *r, const char *what)
{
	switch (get_up_to(r, ADDR_IPV6, what)) {
	case ADDR_IPV4:
		return rd_ipv4(r, what);
	case ADDR_IPV6:
		return rd_ipv6(r, what);
	default:
		return (struct addr){ .family = ADDR_NONE };
	}
}

static void get_string(struct rd *r, char *ret_s, size_t size, const char *what)
{
	size_t len = rd_u16(r, what);
	const uint8_t *s;

	if (len >= size) {
		rd_fail(r, what);
		return;
	}
	s = rd_bytes(r, len, what);
	if (s && memchr(s, 0, len))
		rd_fail(r, what);
	else if (s)
		memcpy(ret_s, s, len);
}

static uint8_t get_up_to(struct rd *r, uint8_t most, const char *what)
{
	uint8_t v = rd_u8(r, what);

	if (v <= most)
		return v;
	rd_fail(r, what);
	return 0;
}

static bool get_bool(struct rd *r, const char *what)
{
	return get_up_to(r, 1, what);
}
