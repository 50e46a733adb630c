/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of bindings and of VSIs.
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
static void add_address(void *arg, const struct binding *binding);
static const char *mode_text(uint8_t mode);

void control_bindings(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vlan:n", "mac:s", "address:s", "state:s", "lease_left:d",
		     "origin:s", "server:s", "vsi:s");
	binding_each(bridge_bindings(s->control->bridge), binding_row, (void *)s);
}

void control_vsis(const struct showing *s)
{
	CONTROL_HEAD(s, "port:s", "vsi:s", "state:s", "for:d", "mode:s", "vlan:n", "mac:s",
		     "lease:s", "addresses:s", "accepted:b+", "in_lldpad:b+",
		     "ask_again_s:n+");
	for (struct vsi *vsi = bridge_vsis(s->control->bridge); vsi; vsi = vsi->next) {
		for (unsigned i = 0; i < vsi->n_leases; i++)
			vsi_row(s, vsi, &vsi->leases[i]);
		if (!vsi->n_leases)
			vsi_row(s, vsi, NULL);
	}
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
		       : lease->tag    ? "asking"
		       : found.n       ? "known"
		       : lease->failed ? "none found"
				       : NULL);
	row_text(&row, found.text);
	row_flag(&row, vsi->confirmed);
	row_flag(&row, !vsi->forgotten);
	if (lease && lease->ask_at != MS_NEVER)
		row_duration(&row, s->control->now, lease->ask_at);
	else
		row_none(&row);
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
