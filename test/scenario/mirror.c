/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's side of a script, and the eye on the binding table: mirror.h. */
#include "mirror.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

static int element_at(const struct mirror *mirror, const char *port,
		      const struct mac *mac, const struct addr *ip);
static const char *port_of(const struct mirror *mirror, const struct binding *binding);
static const struct binding *same_key(const struct binding *list, unsigned n,
				      const struct binding *binding);
static void find(void *arg, struct binding *binding);
static void compare(struct mirror *mirror, const struct binding *binding);
static bool is_announced(const struct mirror *mirror, const char *port,
			 const struct mac *mac);
static void look_at_vsis(struct mirror *mirror);

void mirror_init(struct mirror *mirror, struct script *script, struct bridge *bridge)
{
	*mirror = (struct mirror){.script = script, .bridge = bridge};
}

void mirror_put(struct mirror *mirror, const struct guard_element *element)
{
	int at = element_at(mirror, element->port, &element->mac, &element->ip);

	if (at >= 0)
		script_fail(mirror->script, "the kernel is given twice what it has");
	if (at < 0 && mirror->n < MIRROR_MAX)
		at = (int)mirror->n++;
	if (at < 0)
		abort();
	mirror->elements[at] = *element;
	mirror->ends[at] = element->timeout_ms == MS_NEVER
				   ? MS_NEVER
				   : mirror->script->now + element->timeout_ms;
}

void mirror_renew(struct mirror *mirror, const struct guard_element *element)
{
	int at = element_at(mirror, element->port, &element->mac, &element->ip);
	char ip[ADDR_TEXT_MAX];

	addr_text(&element->ip, ip);
	if (at < 0) {
		script_fail(mirror->script, "%s %s is renewed but not there",
			    element->port, ip);
		return;
	}
	if (element->timeout_ms == MS_NEVER) {
		mirror->ends[at] = MS_NEVER;
		script_happen(mirror->script, "renew %s %s forever", element->port, ip);
		return;
	}
	mirror->ends[at] = mirror->script->now + element->timeout_ms;
	script_happen(mirror->script, "renew %s %s %lld", element->port, ip,
		      (long long)(element->timeout_ms - BRIDGE_GRACE_MS) / 1000);
}

void mirror_drop(struct mirror *mirror, const struct guard_element *element)
{
	int at = element_at(mirror, element->port, &element->mac, &element->ip);

	if (at < 0) {
		script_fail(mirror->script, "what is dropped on %s is not there",
			    element->port);
		return;
	}
	mirror->n--;
	mirror->elements[at] = mirror->elements[mirror->n];
	mirror->ends[at] = mirror->ends[mirror->n];
}

void mirror_announce(struct mirror *mirror, const char *port, const struct mac *mac,
		     bool on)
{
	script_happen(mirror->script, "%s %s", on ? "announce" : "renounce", port);
	for (unsigned i = 0; i < mirror->n_announced; i++)
		if (!strcmp(mirror->announced[i].port, port) &&
		    mac_equal(&mirror->announced[i].mac, mac)) {
			if (!on)
				mirror->announced[i] =
					mirror->announced[--mirror->n_announced];
			return;
		}
	if (on && mirror->n_announced < MIRROR_MAX) {
		struct announced *a = &mirror->announced[mirror->n_announced++];

		memcpy(a->port, port, strnlen(port, VM_IFNAME_MAX - 1) + 1);
		a->mac = *mac;
	}
}

void mirror_empty(struct mirror *mirror)
{
	mirror->n = 0;
	mirror->n_announced = 0;
}

void mirror_look(struct mirror *mirror)
{
	unsigned nowhere = 0;

	mirror->n_found = 0;
	binding_each(bridge_bindings(mirror->bridge), find, mirror);
	for (unsigned i = 0; i < mirror->n_found; i++) {
		compare(mirror, &mirror->found[i]);
		nowhere += !mirror->found[i].port;
	}
	for (unsigned i = 0; i < mirror->n_seen; i++) {
		const struct binding *was = &mirror->seen[i];
		char ip[ADDR_TEXT_MAX];

		if (!same_key(mirror->found, mirror->n_found, was))
			script_happen(mirror->script, "drop %s %s", port_of(mirror, was),
				      addr_text(&was->ip, ip));
	}
	if (mirror->n != mirror->n_found - nowhere)
		script_fail(mirror->script, "the kernel holds %u bindings, the table %u",
			    mirror->n, mirror->n_found - nowhere);
	memcpy(mirror->seen, mirror->found, sizeof(mirror->seen));
	mirror->n_seen = mirror->n_found;
	look_at_vsis(mirror);
}

int mirror_vlan(const struct mirror *mirror, const char *port, const struct mac *mac,
		const struct addr *ip)
{
	int at = element_at(mirror, port, mac, ip);

	return at < 0 ? -1 : mirror->elements[at].vlan;
}

void mirror_no_staged(struct mirror *mirror, const struct vsi *vsi)
{
	mirror->n_found = 0;
	binding_each(bridge_bindings(mirror->bridge), find, mirror);
	for (unsigned i = 0; i < mirror->n_found; i++)
		if (mirror->found[i].port == vsi->port &&
		    mirror->found[i].state == BINDING_STAGED &&
		    vsi_id_equal(&mirror->found[i].vsi, &vsi->id))
			script_fail(mirror->script,
				    "groups are queried before the binding");
}

static void find(void *arg, struct binding *binding)
{
	struct mirror *mirror = arg;

	if (mirror->n_found < MIRROR_MAX)
		mirror->found[mirror->n_found++] = *binding;
}

/* What has become of this binding since the last look; does the kernel hold it? */
static void compare(struct mirror *mirror, const struct binding *binding)
{
	static const char *const changed[] = {"stage", "activate", "leaving", "dormant"};
	const struct binding *was = same_key(mirror->seen, mirror->n_seen, binding);
	const char *port = port_of(mirror, binding);
	int at = element_at(mirror, port, &binding->host.mac, &binding->ip);
	const char *what = NULL;
	char ip[ADDR_TEXT_MAX];
	ms_t off;

	addr_text(&binding->ip, ip);
	if (!was)
		what = binding->state == BINDING_ACTIVE ? "put" : changed[binding->state];
	else if (was->state != binding->state)
		what = changed[binding->state];
	if (what)
		script_happen(mirror->script, "%s %s %s", what, port, ip);
	if (!binding->port)
		return;
	if (at < 0) {
		script_fail(mirror->script, "the kernel does not hold %s %s", port, ip);
		return;
	}
	off = mirror->ends[at] == MS_NEVER || binding->lease_end == MS_NEVER
		      ? mirror->ends[at] != binding->lease_end
		      : mirror->ends[at] - binding->lease_end - BRIDGE_GRACE_MS;
	if (off)
		script_fail(mirror->script, "the kernel's %s %s ends %lld ms off", port,
			    ip, (long long)off);
}

static void look_at_vsis(struct mirror *mirror)
{
	unsigned n = 0;

	for (const struct vsi *vsi = bridge_vsis(mirror->bridge); vsi; vsi = vsi->next)
		for (unsigned i = 0; i < vsi->n_leases && !vsi->refused_by; i++) {
			const char *port = bridge_port_name(mirror->bridge, vsi->port);
			unsigned n_macs;
			const struct mac *macs = vsi_macs(&vsi->leases[i], &n_macs);

			n += n_macs;
			while (n_macs)
				if (!is_announced(mirror, port, &macs[--n_macs]))
					script_fail(mirror->script,
						    "a MAC of a VSI on %s is not "
						    "announced",
						    port);
		}
	if (n != mirror->n_announced)
		script_fail(mirror->script, "%u MACs of VSIs, %u announced", n,
			    mirror->n_announced);
}

static bool is_announced(const struct mirror *mirror, const char *port,
			 const struct mac *mac)
{
	for (unsigned i = 0; i < mirror->n_announced; i++)
		if (!strcmp(mirror->announced[i].port, port) &&
		    mac_equal(&mirror->announced[i].mac, mac))
			return true;
	return false;
}

static int element_at(const struct mirror *mirror, const char *port,
		      const struct mac *mac, const struct addr *ip)
{
	for (unsigned i = 0; i < mirror->n; i++)
		if (!strcmp(mirror->elements[i].port, port) &&
		    mac_equal(&mirror->elements[i].mac, mac) &&
		    addr_equal(&mirror->elements[i].ip, ip))
			return (int)i;
	return -1;
}

static const char *port_of(const struct mirror *mirror, const struct binding *binding)
{
	return bridge_port_name(mirror->bridge, binding->port);
}

static const struct binding *same_key(const struct binding *list, unsigned n,
				      const struct binding *binding)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].port == binding->port &&
		    addr_equal(&list[i].ip, &binding->ip) &&
		    !memcmp(&list[i].host, &binding->host, sizeof(binding->host)))
			return &list[i];
	return NULL;
}
