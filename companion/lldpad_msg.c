/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Encoder and decoder of lldpad's client interface, as far as its VDP module goes.
 *
 *   request   M000080c4 C3 02 OPTIONS LEN PORT 02 MODE fields      (02: set, 01: get)
 *   response  R SS C3 …the request's head, then for a get: LEN4 fields, …
 *   event     M000080c4 E16 LEN4 fields
 *   field     LEN2 name LEN4 value, all lengths hex digits
 *
 * A number as manager ID is said in hex digits and reported in decimal ones; another
 * one is reported as raw octets up to its first zero.
 */
#include "lldpad_msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/text.h"

#define MODULE "M000080c4"
#define HEAD "C3" /* a command, version 3 of the interface */
#define GET 1
#define SET 2
#define OPTION_LOCAL 0x01u
#define OPTION_FIELDS 0x04u
#define OPTION_VALUES 0x08u
#define OPTION_CONFIG 0x10u
#define OPTION_FILTERS(n) ((n) << 8) /* how many of the fields are filter entries */
#define NEAREST_CUSTOMER_BRIDGE 2
#define VALUE_MAX 63

static void put(struct wr *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void put_head(struct wr *w, unsigned command, unsigned options, const char *port,
		     uint8_t mode);
static void put_field(struct wr *w, const char *name, const char *value);
static void uuid_text(const uint8_t uuid[16], char ret_text[37]);
static void get_response(struct rd *r, struct lldpad_msg *msg);
static void get_event(struct rd *r, struct lldpad_msg *msg);
static uint32_t get_hex(struct rd *r, unsigned digits, const char *what);
static void get_field(struct rd *r, struct lldpad_vsi *vsi);
static void get_value(struct rd *r, const char *name, const char *value, size_t len,
		      struct lldpad_vsi *vsi);
static uint32_t number(struct rd *r, const char *value, uint32_t max, const char *what);
static void get_manager(const char *value, size_t len, struct lldpad_vsi *vsi);
static void get_filter(struct rd *r, const char *value, struct lldpad_vsi *vsi);
static bool manager_is_number(const uint8_t manager[LLDPAD_MANAGER_MAX]);
static void manager_as_shown(const uint8_t manager[LLDPAD_MANAGER_MAX],
			     struct lldpad_vsi *ret_vsi);

static const char *const modes[] = {
	[VDP22_PRE] = "preassoc",
	[VDP22_PRE_RR] = "preassoc-rr",
	[VDP22_ASSOC] = "assoc",
	[VDP22_DEASSOC] = "deassoc",
};

void lldpad_msg_attach(struct wr *w)
{
	put(w, "A80c4");
}

void lldpad_msg_detach(struct wr *w)
{
	put(w, "D");
}

void lldpad_msg_request(struct wr *w, const char *port, const struct lldpad_vsi *vsi)
{
	char value[VALUE_MAX + 1], mac[MAC_TEXT_MAX];
	unsigned octets = manager_is_number(vsi->manager) ? 1 : LLDPAD_MANAGER_MAX;

	put_head(w, SET,
		 OPTION_FIELDS | OPTION_VALUES | OPTION_CONFIG | OPTION_FILTERS(vsi->n),
		 port, vsi->mode);
	put_field(w, "mode", modes[vsi->mode]);
	for (unsigned i = 0; i < octets; i++)
		snprintf(value + 2 * i, 3, "%02x", vsi->manager[i]);
	put_field(w, "mgrid2", value);
	snprintf(value, sizeof(value), "%u", (unsigned)vsi->type_id);
	put_field(w, "typeid", value);
	snprintf(value, sizeof(value), "%u", vsi->type_version);
	put_field(w, "typeidver", value);
	uuid_text(vsi->uuid, value);
	put_field(w, "uuid", value);
	put_field(w, "hints", vsi->to ? "to" : "none");
	for (unsigned i = 0; i < vsi->n; i++) {
		bool vid_only = mac_is_zero(&vsi->entry[i].mac);

		snprintf(value, sizeof(value), "%u%s%s", vsi->entry[i].vlan,
			 vid_only ? "" : "-",
			 vid_only ? "" : mac_text(&vsi->entry[i].mac, mac));
		put_field(w, "filter", value);
	}
}

void lldpad_msg_find(struct wr *w, const char *port, uint8_t mode, const uint8_t uuid[16])
{
	char value[37];

	put_head(w, GET, OPTION_LOCAL | OPTION_FIELDS | OPTION_VALUES | OPTION_CONFIG,
		 port, mode);
	uuid_text(uuid, value);
	put_field(w, "uuid", value);
}

int lldpad_msg_decode(const uint8_t *p, size_t len, struct lldpad_msg *ret_msg,
		      struct rd_error *ret_error)
{
	struct lldpad_msg msg = { .kind = LLDPAD_OTHER };
	struct rd r = rd_new(p, len, 0);
	size_t head = strlen(MODULE);

	if (len && p[0] == 'R') {
		rd_skip(&r, 1, "response");
		get_response(&r, &msg);
	} else if (len > head && !memcmp(p, MODULE, head) && p[head] == 'E') {
		rd_skip(&r, head + 1, "event");
		get_event(&r, &msg);
	}
	if (!rd_ok(&r)) {
		rd_error(&r, ret_error);
		return -EBADMSG;
	}
	*ret_msg = msg;
	return 0;
}

int lldpad_msg_vsi(struct rd *vsis, struct lldpad_vsi *ret_vsi)
{
	struct lldpad_vsi vsi = { .answer = LLDPAD_ANSWER_NONE };
	struct rd one;

	if (rd_ok(vsis) && !rd_left(vsis))
		return 0;
	one = rd_sub(vsis, get_hex(vsis, 4, "length of a VSI"), "a VSI");
	while (rd_left(&one))
		get_field(&one, &vsi);
	if (rd_ok(&one) && !vsi.mode)
		rd_fail(&one, "mode of a VSI");
	if (!rd_ok(&one)) {
		rd_fail(vsis, one.what);
		return -EBADMSG;
	}
	*ret_vsi = vsi;
	return 1;
}

bool lldpad_vsi_same(const struct lldpad_vsi *a, const struct lldpad_vsi *b)
{
	struct lldpad_vsi shown_a, shown_b;

	manager_as_shown(a->manager, &shown_a);
	manager_as_shown(b->manager, &shown_b);
	return !memcmp(shown_a.manager, shown_b.manager, LLDPAD_MANAGER_MAX) &&
	       a->type_id == b->type_id && a->type_version == b->type_version &&
	       !memcmp(a->uuid, b->uuid, sizeof(a->uuid));
}

const char *lldpad_mode_text(uint8_t mode)
{
	static const char *const texts[] = {
		[VDP22_PRE] = "pre-associated",
		[VDP22_PRE_RR] = "pre-associated",
		[VDP22_ASSOC] = "associated",
		[VDP22_DEASSOC] = "de-associated",
	};

	return mode < sizeof(texts) / sizeof(*texts) && texts[mode] ? texts[mode] : "?";
}

/* Out. */

static void put(struct wr *w, const char *format, ...)
{
	char text[VALUE_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	wr_bytes(w, text, strlen(text));
}

static void put_head(struct wr *w, unsigned command, unsigned options, const char *port,
		     uint8_t mode)
{
	put(w, MODULE HEAD "%02x%08x%02x", command, options, (unsigned)strlen(port));
	put(w, "%s%02x%08x", port, NEAREST_CUSTOMER_BRIDGE, mode);
}

static void put_field(struct wr *w, const char *name, const char *value)
{
	put(w, "%02x%s%04x", (unsigned)strlen(name), name, (unsigned)strlen(value));
	put(w, "%s", value);
}

static void uuid_text(const uint8_t uuid[16], char ret_text[37])
{
	struct vsi_id id = { .format = VSI_ID_UUID };
	char text[VSI_ID_TEXT_MAX];

	memcpy(id.b, uuid, sizeof(id.b));
	snprintf(ret_text, 37, "%.36s", vsi_id_text(&id, text));
}

/* In. */

static void get_response(struct rd *r, struct lldpad_msg *msg)
{
	uint32_t command;

	msg->kind = LLDPAD_RESPONSE;
	msg->status = (uint8_t)get_hex(r, 2, "status of a response");
	/* A refusal may end anywhere; to attach and detach no more is said. */
	if (msg->status || rd_left(r) < 2 || memcmp(r->p + r->at, HEAD, 2))
		return;
	rd_skip(r, 2, "command");
	command = get_hex(r, 2, "command");
	rd_skip(r, 8, "options");
	rd_skip(r, get_hex(r, 2, "length of the port"), "port");
	rd_skip(r, 8, "mode of the command");
	if (command == GET)
		msg->vsis = rd_sub(r, rd_left(r), "VSIs");
}

/* Its level is two decimal digits. */
static void get_event(struct rd *r, struct lldpad_msg *msg)
{
	msg->kind = LLDPAD_EVENT;
	rd_skip(r, 2, "level of the event");
	msg->vsis = rd_sub(r, rd_left(r), "VSIs");
}

static uint32_t get_hex(struct rd *r, unsigned digits, const char *what)
{
	const uint8_t *p = rd_bytes(r, digits, what);
	uint32_t value = 0;

	for (unsigned i = 0; p && i < digits; i++) {
		unsigned digit = p[i] >= '0' && p[i] <= '9'   ? p[i] - '0' + 0u
				 : p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10u
				 : p[i] >= 'A' && p[i] <= 'F' ? p[i] - 'A' + 10u
							      : 16;

		if (digit > 15) {
			rd_fail(r, what);
			return 0;
		}
		value = value << 4 | digit;
	}
	return value;
}

static void get_field(struct rd *r, struct lldpad_vsi *vsi)
{
	char name[VALUE_MAX + 1] = "", value[VALUE_MAX + 1] = "";
	size_t name_len = get_hex(r, 2, "length of a name"), len;
	const uint8_t *p = rd_bytes(r, name_len, "name");

	if (p && name_len < sizeof(name))
		memcpy(name, p, name_len);
	len = get_hex(r, 4, "length of a value");
	p = rd_bytes(r, len, "value");
	/* What is longer is none that we know (an organization's own fields). */
	if (!p || len >= sizeof(value))
		return;
	memcpy(value, p, len);
	get_value(r, name, value, len, vsi);
}

static void get_value(struct rd *r, const char *name, const char *value, size_t len,
		      struct lldpad_vsi *vsi)
{
	struct vsi_id id;

	if (!strcmp(name, "mode")) {
		for (uint8_t i = VDP22_PRE; i <= VDP22_DEASSOC; i++)
			if (!strcmp(value, modes[i]))
				vsi->mode = i;
	} else if (!strcmp(name, "mgrid2")) {
		get_manager(value, len, vsi);
	} else if (!strcmp(name, "typeid")) {
		vsi->type_id = number(r, value, 0xffffff, "typeid");
	} else if (!strcmp(name, "typeidver")) {
		vsi->type_version = (uint8_t)number(r, value, 255, "typeidver");
	} else if (!strcmp(name, "hints")) {
		vsi->answer = (uint16_t)number(r, value, 0xffff, "hints");
	} else if (!strcmp(name, "filter")) {
		get_filter(r, value, vsi);
	} else if (!strcmp(name, "uuid")) {
		if (vsi_id_parse(value, &id) || id.format != VSI_ID_UUID)
			rd_fail(r, "uuid");
		else
			memcpy(vsi->uuid, id.b, sizeof(vsi->uuid));
	}
}

static uint32_t number(struct rd *r, const char *value, uint32_t max, const char *what)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || *value < '0' || *value > '9' || n > max) {
		rd_fail(r, what);
		return 0;
	}
	return (uint32_t)n;
}

/* Up to 255 it was a number; the digits of "12" as octets nobody gives. */
static void get_manager(const char *value, size_t len, struct lldpad_vsi *vsi)
{
	memset(vsi->manager, 0, sizeof(vsi->manager));
	if (len < 4 && len == strspn(value, "0123456789") && atoi(value) < 256)
		vsi->manager[0] = (uint8_t)atoi(value);
	else
		memcpy(vsi->manager, value,
		       len < sizeof(vsi->manager) ? len : sizeof(vsi->manager));
}

/* VLAN, or VLAN-MAC; groups are not ours. */
static void get_filter(struct rd *r, const char *value, struct lldpad_vsi *vsi)
{
	struct vsi_entry entry = { 0 };
	char vlan[6] = "";
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits >= sizeof(vlan) || vsi->n == LLDPAD_ENTRIES_MAX) {
		rd_fail(r, "filter");
		return;
	}
	memcpy(vlan, value, digits);
	entry.vlan = (uint16_t)number(r, vlan, 0xffff, "filter");
	if (value[digits] &&
	    (value[digits] != '-' || mac_parse(value + digits + 1, &entry.mac)))
		rd_fail(r, "filter");
	else
		vsi->entry[vsi->n++] = entry;
}

static bool manager_is_number(const uint8_t manager[LLDPAD_MANAGER_MAX])
{
	for (unsigned i = 1; i < LLDPAD_MANAGER_MAX; i++)
		if (manager[i])
			return false;
	return true;
}

/* What comes back of it when lldpad reports it. */
static void manager_as_shown(const uint8_t manager[LLDPAD_MANAGER_MAX],
			     struct lldpad_vsi *ret_vsi)
{
	char text[LLDPAD_MANAGER_MAX + 1] = "";

	memcpy(text, manager, LLDPAD_MANAGER_MAX);
	if (manager_is_number(manager))
		snprintf(text, sizeof(text), "%u", manager[0]);
	get_manager(text, strlen(text), ret_vsi);
}
