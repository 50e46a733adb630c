/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts for the switch's story: the store and static bindings. P is a port, "-" none:
 *
 *   T kept P VM IP SECONDS|forever ORIGIN    as it was kept before this start
 *   T bind|unbind VM IP [P]                  by an operator; "refused TEXT" happens
 *
 * After each line the store must hold what the table does, but for what comes from the
 * kernel alone (the engine keeps that at the end of its start).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "on_switch.h"
#include "wire/text.h"

#define ROUNDED_MS 2000

static int kept_at(const struct on_switch *s, const struct binding *binding);
static void compare(void *arg, struct binding *binding);

void on_store_keep(void *arg, const struct binding *binding)
{
	struct on_switch *s = arg;
	int at = kept_at(s, binding);

	if (at < 0 && s->n_kept == MIRROR_MAX)
		abort();
	s->kept[at < 0 ? (int)s->n_kept++ : at] = *binding;
}

void on_store_forget(void *arg, const struct binding *binding)
{
	struct on_switch *s = arg;
	int at = kept_at(s, binding);

	if (at >= 0)
		s->kept[at] = s->kept[--s->n_kept];
}

bool on_store_kept(struct on_switch *s, char **words, unsigned n)
{
	struct binding binding = { .state = BINDING_ACTIVE, .lease_end = MS_NEVER };
	const struct vm *vm = n == 5 ? vm_named(s->script, words[1]) : NULL;
	const char *port = n && strcmp(words[0], "-") ? words[0] : "";

	if (!vm || addr_parse(words[2], &binding.ip))
		return false;
	binding.host.mac = vm->entries[0].mac;
	binding.host.vlan = vm->entries[0].vlan;
	binding.vsi = vm->id;
	if (strcmp(words[3], "forever"))
		binding.lease_end = s->script->now + strtol(words[3], NULL, 10) * 1000;
	while (strcmp(binding_origin_text(binding.origin), words[4]))
		if (binding.origin++ == BINDING_KERNEL)
			return false;
	bridge_restore_kept(s->bridge, s->script->now, port, &binding, NULL);
	/* The file had it, whatever becomes of it. */
	binding_each(bridge_bindings(s->bridge), compare, s);
	return true;
}

bool on_store_bind(struct on_switch *s, char **words, unsigned n)
{
	struct link_bind bind = { .seq = 1 };
	const struct vm *vm = n == 3 || n == 4 ? vm_named(s->script, words[1]) : NULL;
	char text[LINK_TEXT_MAX] = "";
	int code;

	if (!vm || addr_parse(words[2], &bind.ip))
		return false;
	bind.mac = vm->entries[0].mac;
	bind.vlan = vm->entries[0].vlan;
	if (n == 4)
		snprintf(bind.port, sizeof(bind.port), "%s", words[3]);
	code = !strcmp(words[0], "bind")
		       ? bridge_bind_static(s->bridge, s->script->now, &bind, text,
					    sizeof(text))
		       : bridge_unbind_static(s->bridge, s->script->now, &bind, text,
					      sizeof(text));
	if (code)
		script_happen(s->script, "refused %s", text);
	return true;
}

void on_store_look(struct on_switch *s)
{
	for (unsigned i = 0; i < s->n_kept; i++) {
		const struct binding *kept = &s->kept[i];
		const struct binding *there = binding_find(
			bridge_bindings(s->bridge), &kept->host, &kept->ip, kept->port);
		char ip[ADDR_TEXT_MAX];

		if (!there)
			script_fail(s->script,
				    "the store holds %s %s, the table does not",
				    bridge_port_name(s->bridge, kept->port),
				    addr_text(&kept->ip, ip));
		else if (there->origin != kept->origin ||
			 there->lease_end - kept->lease_end > ROUNDED_MS ||
			 kept->lease_end - there->lease_end > ROUNDED_MS)
			script_fail(s->script,
				    "the store has another %s %s than the table",
				    bridge_port_name(s->bridge, kept->port),
				    addr_text(&kept->ip, ip));
	}
	s->loading = false;
	binding_each(bridge_bindings(s->bridge), compare, s);
	s->loading = true;
}

static int kept_at(const struct on_switch *s, const struct binding *binding)
{
	for (unsigned i = 0; i < s->n_kept; i++)
		if (s->kept[i].port == binding->port &&
		    addr_equal(&s->kept[i].ip, &binding->ip) &&
		    !memcmp(&s->kept[i].host, &binding->host, sizeof(binding->host)))
			return (int)i;
	return -1;
}

/* While it is loaded, what comes from it is in it. */
static void compare(void *arg, struct binding *binding)
{
	struct on_switch *s = arg;
	char ip[ADDR_TEXT_MAX];

	if (kept_at(s, binding) >= 0 || binding->origin == BINDING_KERNEL)
		return;
	if (s->loading)
		on_store_keep(s, binding);
	else
		script_fail(s->script, "the store does not hold %s %s",
			    bridge_port_name(s->bridge, binding->port),
			    addr_text(&binding->ip, ip));
}
