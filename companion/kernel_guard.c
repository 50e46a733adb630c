/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `ports` of table `bridge vdp_migrate` says which ports are guarded: without an
 * element in it a port's frames meet no rule. The empty chain `opened_by_hand` beside it
 * tells the engine, the one that runs and the one that starts, to leave that so.
 */
#include "kernel_guard.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "spawn.h"

#define TABLE "bridge vdp_migrate"
#define OPENED "opened_by_hand"

static int nft(struct kernel_guard *guard, const char *text);
static void take(struct kernel_guard *guard, const json_t *item);
static void take_port(struct kernel_guard *guard, const json_t *element);

int kernel_guard_read(struct kernel_guard *ret_guard)
{
	/* Of what nft can list, these two alone read no set of bindings: there may be
	 * very many. Chains of all tables; ours is not without one. */
	static const char *const chains[] = { "nft",	"-j",	  "list",
					      "chains", "bridge", NULL };
	static const char *const ports[] = { "nft",    "-j",	      "list",  "map",
					     "bridge", "vdp_migrate", "ports", NULL };
	struct kernel_guard *guard = ret_guard;
	const char *const *const questions[] = { chains, ports };

	memset(guard, 0, sizeof(*guard));
	for (unsigned i = 0; i < 2 && (!i || guard->there); i++) {
		struct spawned s;
		json_t *root, *item;
		size_t at;

		if (spawn(questions[i], NULL, &s)) {
			bool gone = s.code > 0 && strstr(s.error, "No such file");

			snprintf(guard->error, sizeof(guard->error), "%s", s.error);
			spawned_done(&s);
			return gone ? 0 : -EIO;
		}
		root = json_loads(s.out, 0, NULL);
		if (!root)
			snprintf(guard->error, sizeof(guard->error), "%s",
				 "what it lists is no JSON");
		json_array_foreach(json_object_get(root, "nftables"), at, item)
			take(guard, item);
		spawned_done(&s);
		if (!root)
			return -EIO;
		json_decref(root);
	}
	return 0;
}

int kernel_guard_open(struct kernel_guard *guard)
{
	int err = nft(guard, "add table " TABLE "\n"
			     "add chain " TABLE " " OPENED "\n"
			     "add map " TABLE " ports { type ifname : verdict; }\n"
			     "flush map " TABLE " ports\n");

	/* A table of another version, it may be: out with it, whatever it holds. */
	if (err && !nft(guard, "delete table " TABLE "\n"))
		err = nft(guard, "add table " TABLE "\nadd chain " TABLE " " OPENED "\n");
	return err;
}

int kernel_guard_shut(struct kernel_guard *guard)
{
	return nft(guard, "delete chain " TABLE " " OPENED "\n");
}

static int nft(struct kernel_guard *guard, const char *text)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	struct spawned s;
	int code = spawn(argv, text, &s);

	snprintf(guard->error, sizeof(guard->error), "%s", s.error);
	spawned_done(&s);
	return code ? -EIO : 0;
}

static void take(struct kernel_guard *guard, const json_t *item)
{
	const json_t *map = json_object_get(item, "map"), *element;
	const json_t *chain = json_object_get(item, "chain");
	const char *table = json_string_value(json_object_get(chain, "table"));
	const char *name = json_string_value(json_object_get(chain, "name"));
	size_t i;

	if (table && name && !strcmp(table, "vdp_migrate")) {
		guard->there = true;
		guard->opened |= !strcmp(name, OPENED);
	}
	json_array_foreach(json_object_get(map, "elem"), i, element)
		take_port(guard, element);
}

/* [ port, { "jump": { "target": chain } } ] */
static void take_port(struct kernel_guard *guard, const json_t *element)
{
	const json_t *verdict = json_array_get(element, 1);
	const char *name = json_string_value(json_array_get(element, 0));
	const json_t *to = json_object_get(verdict, "jump");
	const char *chain;

	if (!to)
		to = json_object_get(verdict, "goto");
	chain = json_string_value(json_object_get(to, "target"));
	if (!name || guard->n == KERNEL_GUARD_PORTS_MAX)
		return;
	snprintf(guard->port[guard->n].name, sizeof(guard->port[0].name), "%s", name);
	guard->port[guard->n++].enforce = chain && !strcmp(chain, "enf");
}
