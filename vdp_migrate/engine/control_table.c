/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of bindings, of VSIs, and of the leases that a server has seen its VMs get.
 */
#include <stdio.h>
#include <string.h>

#include "control_private.h"
#include "wire/vdp22.h"

struct addresses {
	unsigned n;
	char text[256];
};

static void binding_row(void *arg, struct binding *binding);
static void vsi_row(const struct showing *s, const struct vsi *vsi,
		    const struct vsi_lease *lease);
static void help_row(void *arg, const struct station_help_info *info);
static void lost_row(void *arg, const struct station_lost_info *info);
static void lease_row(void *arg, const struct station_lease_info *info);
static void add_address(void *arg, const struct binding *binding);
static const char *mode_text(uint8_t mode);
static const char *reason_text(struct bridge *bridge, const struct vsi *vsi,
			       char text[64]);

void control_bindings(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vlan:n", "mac:s", "address:s", "state:s", "lease_left:d",
		     "origin:s", "server:s", "vsi:s");
	binding_each(bridge_bindings(s->control->bridge), binding_row, (void *)s);
}

void control_vsis(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vsi:s", "state:s", "for:d", "mode:s", "vlan:n", "mac:s",
		     "lease:s", "addresses:s", "help:s", "reason:s", "accepted:b+",
		     "in_lldpad:b+", "ask_again_s:n+", "help_why:s+", "groups:n+");
	for (struct vsi *vsi = bridge_vsis(s->control->bridge); vsi; vsi = vsi->next) {
		for (unsigned i = 0; i < vsi->n_leases; i++)
			vsi_row(s, vsi, &vsi->leases[i]);
		if (!vsi->n_leases)
			vsi_row(s, vsi, NULL);
	}
	station_each_help(s->control->station, help_row, (void *)s);
	station_each_lost(s->control->station, s->control->now, lost_row, (void *)s);
}

void control_leases(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vlan:n", "mac:s", "address:s", "client_id:s",
		     "no_client_id:b", "server:s", "lease_left:d");
	station_each_lease(s->control->station, s->control->now, lease_row, (void *)s);
}

/* Statics. */

static void binding_row(void *arg, struct binding *binding)
{
	const struct showing *s = arg;
	struct row row = { 0 };

	row_text(&row, binding->port ? bridge_port_name(s->control->bridge, binding->port)
				     : NULL);
	row_number(&row, binding->host.vlan);
	row_mac(&row, &binding->host.mac);
	row_addr(&row, &binding->ip);
	row_text(&row, binding_state_text(binding->state));
	row_duration(&row, s->control->now, binding->lease_end);
	row_text(&row, binding_origin_text(binding->origin));
	row_addr(&row, &binding->server);
	row_vsi(&row, &binding->vsi);
	row_send(&row, s->client, s->seq);
}

/* An entry of its filter info; NULL: it has none. */
static void vsi_row(const struct showing *s, const struct vsi *vsi,
		    const struct vsi_lease *lease)
{
	struct bridge *bridge = s->control->bridge;
	struct addresses found = { 0 };
	struct row row = { 0 };
	char reason[64];

	if (lease)
		bridge_each_of_entry(bridge, vsi, &lease->entry, add_address, &found);
	row_text(&row, bridge_port_name(bridge, vsi->port));
	row_vsi(&row, &vsi->id);
	row_text(&row, migration_state_text(vsi->state));
	row_duration(&row, vsi->since, s->control->now);
	row_text(&row, mode_text(vsi->mode));
	if (lease)
		row_number(&row, lease->entry.vlan);
	else
		row_none(&row);
	row_mac(&row, lease ? &lease->entry.mac : &(struct mac){ 0 });
	row_text(&row, !lease	       ? NULL
		       : lease->tag || lease->help == VSI_HELP_ASKED ? "asking"
		       : found.n       ? "known"
		       : lease->failed ? "none found"
				       : NULL);
	row_text(&row, found.text);
	row_text(&row, lease && lease->help ? vsi_help_text((enum vsi_help)lease->help)
					    : NULL);
	row_text(&row, reason_text(bridge, vsi, reason));
	row_flag(&row, vsi->confirmed);
	row_flag(&row, !vsi->forgotten);
	if (lease && lease->ask_at != MS_NEVER)
		row_duration(&row, s->control->now, lease->ask_at);
	else
		row_none(&row);
	row_none(&row);
	row_number(&row, lease ? bridge_groups_of_entry(bridge, vsi, lease) : 0);
	row_send(&row, s->client, s->seq);
}

/* A VSI of this server that the switch has asked help for. */
static void help_row(void *arg, const struct station_help_info *info)
{
	const struct showing *s = arg;
	struct row row = { 0 };

	row_text(&row, info->port);
	row_vsi(&row, info->id);
	row_text(&row, "migrating in");
	row_duration(&row, info->began, s->control->now);
	row_none(&row);
	row_number(&row, info->entry.vlan);
	row_mac(&row, &info->entry.mac);
	row_text(&row, info->ip.family ? "known" : NULL);
	row_addr(&row, &info->ip);
	row_text(&row, station_help_state_text(info->state));
	for (unsigned i = 0; i < 4; i++)
		row_none(&row);
	row_text(&row, info->why);
	row_none(&row);
	row_send(&row, s->client, s->seq);
}

/* A VSI of this server that was associated, and that lldpad holds no more. */
static void lost_row(void *arg, const struct station_lost_info *info)
{
	const struct showing *s = arg;
	struct row row = { 0 };

	row_text(&row, info->port);
	row_vsi(&row, info->id);
	row_text(&row, "lost");
	row_duration(&row, info->since, s->control->now);
	row_text(&row, mode_text(VDP22_ASSOC));
	row_number(&row, info->entry.vlan);
	row_mac(&row, &info->entry.mac);
	for (unsigned i = 0; i < 3; i++)
		row_none(&row);
	row_text(&row, info->why);
	row_flag(&row, false);
	row_flag(&row, false);
	for (unsigned i = 0; i < 3; i++)
		row_none(&row);
	row_send(&row, s->client, s->seq);
}

/* What is wrong with it. */
static const char *reason_text(struct bridge *bridge, const struct vsi *vsi, char text[64])
{
	if (vsi->refused_by && vsi->state == MIGRATION_ABSENT)
		snprintf(text, 64, "refused: still answers on %s",
			 bridge_port_name(bridge, vsi->refused_by));
	else if (bridge_twin(bridge, vsi))
		snprintf(text, 64, "same VSI ID on %s",
			 bridge_port_name(bridge, bridge_twin(bridge, vsi)));
	else
		return NULL;
	return text;
}

static void lease_row(void *arg, const struct station_lease_info *info)
{
	const struct showing *s = arg;
	char client_id[CLIENT_ID_TEXT_MAX];
	struct row row = { 0 };

	row_text(&row, info->tap);
	row_number(&row, info->vlan);
	row_mac(&row, &info->mac);
	row_addr(&row, &info->ip);
	row_text(&row, info->client_id->len ? client_id_text(info->client_id, client_id)
					    : NULL);
	row_flag(&row, !info->client_id->len);
	row_addr(&row, &info->server);
	row_duration(&row, s->control->now, info->ends);
	row_send(&row, s->client, s->seq);
}

static void add_address(void *arg, const struct binding *binding)
{
	struct addresses *found = arg;
	char text[ADDR_TEXT_MAX];
	size_t at = strlen(found->text);

	addr_text(&binding->ip, text);
	if (at + strlen(text) + 2 > sizeof(found->text))
		return;
	snprintf(found->text + at, sizeof(found->text) - at, "%s%s", found->n++ ? "," : "",
		 text);
}

/* Of the station's last request. */
static const char *mode_text(uint8_t mode)
{
	switch (mode) {
	case VDP22_PRE:
		return "pre-associate";
	case VDP22_PRE_RR:
		return "pre-associate-rr";
	case VDP22_ASSOC:
		return "associate";
	default:
		return NULL;
	}
}
