/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See lease_file.h. Strict: a renewal for the VM is made of what stands there, and one
 * with a wrong address ends its real lease.
 */
#include "lease_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "wire/text.h"

#define VLAN_LAST 4094

struct reading {
	struct lease_file lease;
	const char *name;	/* of the member that is read */
	char *why;
};

typedef int take_fn(struct reading *r, const json_t *value);
static take_fn take_version, take_mac, take_ip, take_client_id, take_server, take_vlan,
	take_expires;

static const struct member {
	const char *name;
	take_fn *take;
	bool optional;
} members[] = {
	{ "version", take_version, false },	{ "mac", take_mac, false },
	{ "ip", take_ip, false },		{ "client-id", take_client_id, false },
	{ "server", take_server, false },	{ "vlan", take_vlan, true },
	{ "expires", take_expires, false },
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static int take_all(struct reading *r, json_t *object);
static bool is_known(const char *name);
static int take_addr(struct reading *r, const json_t *value, struct addr *ret_addr);
static int bad(struct reading *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int lease_file_read(FILE *file, struct lease_file *ret_lease,
		    char why[LEASE_FILE_WHY_MAX])
{
	struct reading r = { .why = why };
	json_error_t error;
	json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!object) {
		snprintf(why, LEASE_FILE_WHY_MAX, "line %d, column %d: %s", error.line,
			 error.column, error.text);
		return -EBADMSG;
	}
	rc = take_all(&r, object);
	json_decref(object);
	if (!rc)
		*ret_lease = r.lease;
	return rc;
}

static int take_all(struct reading *r, json_t *object)
{
	const char *name;
	json_t *value;
	int rc = 0;

	r->name = "the whole";
	if (!json_is_object(object))
		return bad(r, "is no object");
	/* First of all: of another version nothing else is known. */
	for (size_t i = 0; !rc && i < N_MEMBERS; i++) {
		r->name = members[i].name;
		value = json_object_get(object, r->name);
		if (value)
			rc = members[i].take(r, value);
		else if (!members[i].optional)
			rc = bad(r, "is missing");
	}
	json_object_foreach(object, name, value) {
		r->name = name;
		if (!rc && !is_known(name))
			rc = bad(r, "is not known");
	}
	if (!rc && r->lease.ip.family != r->lease.server.family) {
		r->name = "server";
		rc = bad(r, "is of another address family than \"ip\"");
	}
	return rc;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (!strcmp(name, members[i].name))
			return true;
	return false;
}

static int take_version(struct reading *r, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) != 1)
		return bad(r, "is not 1, which is all that this program knows");
	return 0;
}

static int take_mac(struct reading *r, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || mac_parse(text, &r->lease.mac))
		return bad(r, "is no MAC address");
	if (r->lease.mac.b[0] & 1 || mac_is_zero(&r->lease.mac))
		return bad(r, "is nobody's MAC address: '%s'", text);
	return 0;
}

static int take_ip(struct reading *r, const json_t *value)
{
	return take_addr(r, value, &r->lease.ip);
}

static int take_client_id(struct reading *r, const json_t *value)
{
	const char *text = json_string_value(value);

	r->lease.no_client_id = json_is_null(value);
	if (r->lease.no_client_id)
		return 0;
	if (!text || client_id_parse(text, &r->lease.client_id) || !r->lease.client_id.len)
		return bad(r, "is neither hex digits nor null");
	return 0;
}

static int take_server(struct reading *r, const json_t *value)
{
	return take_addr(r, value, &r->lease.server);
}

static int take_vlan(struct reading *r, const json_t *value)
{
	json_int_t vlan = json_is_integer(value) ? json_integer_value(value) : -1;

	if (vlan < 0 || vlan > VLAN_LAST)
		return bad(r, "is no VLAN ID, 0 to %d", VLAN_LAST);
	r->lease.has_vlan = true;
	r->lease.vlan = (uint16_t)vlan;
	return 0;
}

static int take_expires(struct reading *r, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		return bad(r, "is no number of seconds since 1970");
	r->lease.expires = json_integer_value(value);
	return 0;
}

static int take_addr(struct reading *r, const json_t *value, struct addr *ret_addr)
{
	const char *text = json_string_value(value);

	if (!text || addr_parse(text, ret_addr))
		return bad(r, "is no IP address");
	if (addr_is_any(ret_addr))
		return bad(r, "is nobody's IP address: '%s'", text);
	return 0;
}

static int bad(struct reading *r, const char *format, ...)
{
	va_list args;
	int n = snprintf(r->why, LEASE_FILE_WHY_MAX, "\"%.40s\" ", r->name);

	va_start(args, format);
	if (n > 0 && n < LEASE_FILE_WHY_MAX)
		vsnprintf(r->why + n, LEASE_FILE_WHY_MAX - (size_t)n, format, args);
	va_end(args);
	return -EBADMSG;
}
