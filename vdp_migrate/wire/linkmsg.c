/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h's messages, octets <-> structs. Knows the layout of each kind and the range
 * of each field; nothing of what the messages mean or who may send them. The local
 * peer is root's own, and still not believed: a field out of range is -EBADMSG, so
 * that enums may be used as indices behind this door.
 *
 * Layout: link.h. Booleans are 0 or 1; an address is its family and 0, 4 or 16
 * octets; strings are preceded by their length (2) and hold no zero octet.
 */
#include "linkmsg.h"

#include <errno.h>

#include "vdp22.h"

#define HEADER_LEN 4

static bool put_body(struct wr *w, const struct link_msg *msg);
static void put_port(struct wr *w, const struct link_port *port);
static void put_vsi(struct wr *w, const struct link_vsi *vsi);
static void put_mark(struct wr *w, const struct link_mark *mark);
static void put_row(struct wr *w, const struct link_row *row);
static void put_vlan_addrs(struct wr *w, const struct link_vlan_addr *a, uint8_t n);
static void put_vsi_id(struct wr *w, const struct vsi_id *id);
static void put_addr(struct wr *w, const struct addr *addr);
static void put_string(struct wr *w, const char *s, size_t size);
static size_t begin(struct wr *w, uint8_t type);
static bool end(struct wr *w, const struct wr *before, size_t length_at);

static bool get_body(struct rd *r, struct link_msg *msg);
static void get_port(struct rd *r, struct link_port *port);
static void get_vsi(struct rd *r, struct link_vsi *vsi);
static void get_mark(struct rd *r, struct link_mark *mark);
static void get_row(struct rd *r, struct link_row *row);
static void get_vlan_addrs(struct rd *r, struct link_vlan_addr *a, uint8_t n,
			   const char *what);
static void get_vsi_id(struct rd *r, struct vsi_id *id);
static struct addr get_addr(struct rd *r, const char *what);
static void get_string(struct rd *r, char *ret_s, size_t size, const char *what);
static uint8_t get_up_to(struct rd *r, uint8_t most, const char *what);
static bool get_bool(struct rd *r, const char *what);

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
	case LINK_MARK:
	case LINK_UNMARK:
		put_mark(w, &msg->u.mark);
		return true;
	case LINK_SHOW:
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
	wr_u8(w, port->trusted);
	wr_u32(w, port->keepalive_ms);
	put_vlan_addrs(w, port->servers, port->n_servers);
	put_vlan_addrs(w, port->giaddrs, port->n_giaddrs);
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
	wr_u32(w, mark->ttl_s);
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
	case LINK_MARK:
	case LINK_UNMARK:
		get_mark(r, &msg->u.mark);
		return true;
	case LINK_SHOW:
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
	port->trusted = get_bool(r, "trusted");
	port->keepalive_ms = rd_u32(r, "keep-alive time-out");
	port->n_servers = get_up_to(r, LINK_SERVERS_MAX, "number of servers");
	get_vlan_addrs(r, port->servers, port->n_servers, "server");
	port->n_giaddrs = get_up_to(r, LINK_SERVERS_MAX, "number of giaddrs");
	get_vlan_addrs(r, port->giaddrs, port->n_giaddrs, "giaddr");
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
	mark->ttl_s = rd_u32(r, "ttl");
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
