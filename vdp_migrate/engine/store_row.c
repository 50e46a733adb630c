/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of the store as text and numbers, both ways: store_row.h.
 */
#include "store_row.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VLAN_MAX 4094
/* Times further away than this (some 10,000 years, in ms) are no times. */
#define TIME_MAX_MS (INT64_C(1) << 48)

static int name_decode(const char *text, char ret_name[VM_IFNAME_MAX]);
static int state_decode(const char *text, uint8_t *ret_state);
static int origin_decode(const char *text, uint8_t *ret_origin);
static int lease_decode(const struct store_row *row, struct binding *binding);

void store_row_encode(const struct store_record *record, struct store_row_room *room,
		      struct store_row *ret_row)
{
	const struct binding *binding = &record->binding;
	struct store_row row = {
		.bridge = record->bridge,
		.port = record->port,
		.vlan = binding->host.vlan,
		.mac = mac_text(&binding->host.mac, room->mac),
		.ip = addr_text(&binding->ip, room->ip),
		.state = binding_state_text(binding->state),
		.origin = binding_origin_text(binding->origin),
		.lease_s = binding->lease_s,
		.ends = binding->lease_end != MS_NEVER,
	};

	if (row.ends)
		row.lease_end = binding->lease_end;
	if (binding->under.known) {
		snprintf(room->origin, sizeof(room->origin), "%s,%s", row.origin,
			 binding_origin_text(binding->under.origin));
		row.origin = room->origin;
		row.lease_s = binding->under.lease_s;
		row.ends = binding->under.lease_end != MS_NEVER;
		if (row.ends)
			row.lease_end = binding->under.lease_end;
	}
	if (binding->vsi.format)
		row.vsi = vsi_id_text(&binding->vsi, room->vsi);
	if (binding->server.family)
		row.server = addr_text(&binding->server, room->server);
	if (record->client_id && record->client_id->len)
		row.client_id = client_id_text(record->client_id, room->client_id);
	*ret_row = row;
}

int store_row_decode(const struct store_row *row, struct client_id *id,
		     struct store_record *ret_record)
{
	struct store_record record = { .binding.lease_end = MS_NEVER };
	struct binding *binding = &record.binding;

	if (name_decode(row->bridge, record.bridge) ||
	    name_decode(row->port, record.port) || row->vlan < 0 ||
	    row->vlan > VLAN_MAX || !row->mac ||
	    mac_parse(row->mac, &binding->host.mac) || mac_is_zero(&binding->host.mac) ||
	    !row->ip || addr_parse(row->ip, &binding->ip) || addr_is_any(&binding->ip) ||
	    state_decode(row->state, &binding->state) ||
	    (row->vsi && vsi_id_parse(row->vsi, &binding->vsi)) ||
	    (row->server && addr_parse(row->server, &binding->server)) ||
	    (row->client_id && client_id_parse(row->client_id, id)) ||
	    lease_decode(row, binding))
		return -EINVAL;
	binding->host.vlan = (uint16_t)row->vlan;
	if (row->client_id)
		record.client_id = id;
	/* Without a port there is only what an operator has said. */
	if (!*record.port && binding->origin != BINDING_STATIC)
		return -EINVAL;
	*ret_record = record;
	return 0;
}

/* Statics. */

static int name_decode(const char *text, char ret_name[VM_IFNAME_MAX])
{
	size_t len = text ? strlen(text) : VM_IFNAME_MAX;

	if (len >= VM_IFNAME_MAX)
		return -EINVAL;
	memset(ret_name, 0, VM_IFNAME_MAX);
	memcpy(ret_name, text, len);
	return 0;
}

static int state_decode(const char *text, uint8_t *ret_state)
{
	for (unsigned i = BINDING_STAGED; text && i <= BINDING_DORMANT; i++)
		if (!strcmp(text, binding_state_text((enum binding_state)i))) {
			*ret_state = (uint8_t)i;
			return 0;
		}
	return -EINVAL;
}

static int lease_decode(const struct store_row *row, struct binding *binding)
{
	const char *under = row->origin ? strchr(row->origin, ',') : NULL;
	const size_t len = under ? (size_t)(under - row->origin) : 0;
	char origin[16];
	ms_t end = MS_NEVER;

	if (!row->origin || row->lease_s < 0 || row->lease_s > UINT32_MAX ||
	    len >= sizeof(origin) ||
	    (row->ends && (row->lease_end < -TIME_MAX_MS || row->lease_end > TIME_MAX_MS)))
		return -EINVAL;
	snprintf(origin, sizeof(origin), "%.*s", (int)len, row->origin);
	if (origin_decode(under ? origin : row->origin, &binding->origin))
		return -EINVAL;
	if (row->ends)
		end = row->lease_end;
	if (!under) {
		binding->lease_s = (uint32_t)row->lease_s;
		binding->lease_end = binding->origin == BINDING_STATIC ? MS_NEVER : end;
		return 0;
	}
	binding->under = (struct binding_under){ .known = true,
						 .lease_s = (uint32_t)row->lease_s,
						 .lease_end = end };
	if (binding->origin != BINDING_STATIC ||
	    origin_decode(under + 1, &binding->under.origin) ||
	    binding->under.origin == BINDING_STATIC)
		return -EINVAL;
	return 0;
}

static int origin_decode(const char *text, uint8_t *ret_origin)
{
	for (unsigned i = BINDING_SNOOPED; text && i <= BINDING_KERNEL; i++)
		if (!strcmp(text, binding_origin_text((enum binding_origin)i))) {
			*ret_origin = (uint8_t)i;
			return 0;
		}
	return -EINVAL;
}
