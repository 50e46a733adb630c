/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard in nftables, table `bridge vdp_migrate`: rules by a spawned nft once
 * (nft_rules), elements by transactions of our own (nft_batch), the kernel's state
 * by dumps (nft_dump), somebody else's hand in it by notifications (nft_watch).
 *
 * Changes are kept by key until the commit, where they are reduced to what is
 * true at its end: a drop that a put follows renews the element.
 */
#include "guard_backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(change) ((change)->unhashed = true)
#include <uthash.h>

#include "nft_batch.h"
#include "nft_dump.h"
#include "nft_opened.h"
#include "nft_rules.h"
#include "nft_watch.h"

/* Removals in one transaction: each may be answered by an error. */
#define REMOVALS_MAX 1000

struct change {
	struct nft_change nft; /* its key first: what it is hashed by */
	bool unhashed;
	UT_hash_handle hh;
};

struct guard {
	struct nft_batch batch;
	struct nft_watch watch;
	struct change *changes;
};

static int install(struct guard *guard, char *ret_error, size_t error_size);
static int queue_element(struct guard *guard, const struct guard_element *element,
			 bool del, bool add);
static int queue(struct guard *guard, const struct nft_change *change);
static void forget(struct guard *guard);
static int commit_additions(struct guard *guard, struct nft_change **changes);
static int commit_removals(struct guard *guard, struct nft_change **changes);
static int list_set(struct guard *guard, enum nft_key_set set,
		    void (*cb)(void *arg, const struct guard_element *element),
		    void *arg);

static int guard_nft_open(struct guard **ret_guard, char *ret_error, size_t error_size)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int r;

	if (!guard)
		return -ENOMEM;
	r = nft_batch_init(&guard->batch);
	if (!r)
		r = nft_watch_init(&guard->watch,
				   nl_socket_get_local_port(guard->batch.sock));
	if (r < 0)
		snprintf(ret_error, error_size, "nf_tables: %s", strerror(-r));
	else
		r = install(guard, ret_error, error_size);
	if (r < 0) {
		nft_watch_done(&guard->watch);
		nft_batch_done(&guard->batch);
		free(guard);
		return r;
	}
	*ret_guard = guard;
	return 0;
}

static void guard_nft_close(struct guard *guard)
{
	if (!guard)
		return;
	forget(guard);
	nft_watch_done(&guard->watch);
	nft_batch_done(&guard->batch);
	free(guard);
}

static int guard_nft_put(struct guard *guard, const struct guard_element *element)
{
	return queue_element(guard, element, false, true);
}

static int guard_nft_renew(struct guard *guard, const struct guard_element *element)
{
	return queue_element(guard, element, true, true);
}

static int guard_nft_drop(struct guard *guard, const struct guard_element *element)
{
	return queue_element(guard, element, true, false);
}

static int guard_nft_announce(struct guard *guard, const char *port,
			      const struct mac *mac)
{
	struct nft_change change = { .add = true, .timeout_ms = MS_NEVER };

	nft_key_mac(port, mac, &change.key);
	return queue(guard, &change);
}

static int guard_nft_renounce(struct guard *guard, const char *port,
			      const struct mac *mac)
{
	struct nft_change change = { .del = true };

	nft_key_mac(port, mac, &change.key);
	return queue(guard, &change);
}

static int guard_nft_mode(struct guard *guard, const char *port, enum link_guard mode)
{
	struct nft_change change = { .timeout_ms = MS_NEVER };

	nft_key_port(port, &change.key);
	change.add = mode != LINK_GUARD_OFF;
	change.del = !change.add;
	if (change.add)
		change.jump = mode == LINK_GUARD_ENFORCE ? NFT_RULES_ENFORCE
							 : NFT_RULES_MONITOR;
	return queue(guard, &change);
}

static int guard_nft_commit(struct guard *guard)
{
	size_t n = HASH_COUNT(guard->changes);
	struct nft_change **changes;
	int r;

	if (!n)
		return 0;
	changes = malloc(n * sizeof(*changes));
	r = changes ? commit_additions(guard, changes) : -ENOMEM;
	if (!r)
		r = commit_removals(guard, changes);
	free(changes);
	forget(guard);
	return r;
}

static int guard_nft_fd(const struct guard *guard)
{
	return nl_socket_get_fd(guard->watch.sock);
}

static int guard_nft_dispatch(struct guard *guard)
{
	return nft_watch_dispatch(&guard->watch);
}

static int guard_nft_recover(struct guard *guard)
{
	return install(guard, NULL, 0);
}

static int guard_nft_opened(struct guard *guard)
{
	return nft_opened(guard->batch.sock);
}

static int guard_nft_hold_open(struct guard *guard)
{
	return nft_opened_hold(guard->batch.sock);
}

static int guard_nft_list(struct guard *guard,
			  void (*cb)(void *arg, const struct guard_element *element),
			  void *arg)
{
	int r = list_set(guard, NFT_KEY_B4U, cb, arg);

	return r ? r : list_set(guard, NFT_KEY_B4T, cb, arg);
}

static int guard_nft_list_modes(struct guard *guard,
				void (*cb)(void *arg, const char *port,
					   enum link_guard mode),
				void *arg)
{
	struct nft_dump_element *elements;
	char port[VM_IFNAME_MAX];
	size_t n;
	int r;

	r = nft_dump(guard->batch.sock, NFT_KEY_PORTS, &elements, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		nft_key_to_port(&elements[i].key, port);
		cb(arg, port,
		   strcmp(elements[i].chain, NFT_RULES_ENFORCE) ? LINK_GUARD_MONITOR
								: LINK_GUARD_ENFORCE);
	}
	free(elements);
	return 0;
}

static int guard_nft_counts(struct guard *guard,
			    void (*cb)(void *arg, const char *port, uint16_t ethertype,
				       uint64_t packets),
			    void *arg)
{
	struct nft_dump_element *elements;
	char port[VM_IFNAME_MAX];
	size_t n;
	int r;

	r = nft_dump(guard->batch.sock, NFT_KEY_VIOL, &elements, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		nft_key_to_port(&elements[i].key, port);
		cb(arg, port, nft_key_to_ethertype(&elements[i].key),
		   elements[i].packets);
	}
	free(elements);
	return 0;
}

const struct guard_ops guard_nft = {
	.name = "nft",
	.open = guard_nft_open,
	.close = guard_nft_close,
	.put = guard_nft_put,
	.renew = guard_nft_renew,
	.drop = guard_nft_drop,
	.announce = guard_nft_announce,
	.renounce = guard_nft_renounce,
	.mode = guard_nft_mode,
	.commit = guard_nft_commit,
	.fd = guard_nft_fd,
	.dispatch = guard_nft_dispatch,
	.recover = guard_nft_recover,
	.opened = guard_nft_opened,
	.hold_open = guard_nft_hold_open,
	.list = guard_nft_list,
	.list_modes = guard_nft_list_modes,
	.counts = guard_nft_counts,
};

/* A port that the dead engine still had guarded stays so: its mode is among the
 * elements that the load leaves alone. */
static int install(struct guard *guard, char *ret_error, size_t error_size)
{
	forget(guard);
	return nft_rules_install(ret_error, error_size);
}

static int queue_element(struct guard *guard, const struct guard_element *element,
			 bool del, bool add)
{
	struct nft_change change = { .del = del,
				     .add = add,
				     .timeout_ms = element->timeout_ms };
	int r = nft_key_element(element, &change.key);

	return r ? r : queue(guard, &change);
}

static int queue(struct guard *guard, const struct nft_change *change)
{
	struct change *known;

	HASH_FIND(hh, guard->changes, &change->key, sizeof(change->key), known);
	if (known) {
		/* What is there before stays unknown until the commit. */
		bool del = change->del || (known->nft.del && !change->jump);

		known->nft = *change;
		known->nft.del = del;
		return 0;
	}
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->nft = *change;
	HASH_ADD(hh, guard->changes, nft.key, sizeof(known->nft.key), known);
	if (known->unhashed) {
		free(known);
		return -ENOMEM;
	}
	return 0;
}

static void forget(struct guard *guard)
{
	struct change *change, *next;

	HASH_ITER(hh, guard->changes, change, next) {
		HASH_DEL(guard->changes, change);
		free(change);
	}
}

static int commit_additions(struct guard *guard, struct nft_change **changes)
{
	struct change *change, *next;
	size_t n = 0;

	HASH_ITER(hh, guard->changes, change, next)
		if (change->nft.add)
			changes[n++] = &change->nft;
	return nft_batch_commit(&guard->batch, changes, n);
}

static int commit_removals(struct guard *guard, struct nft_change **changes)
{
	struct change *change, *next;
	size_t n = 0;
	int r = 0;

	HASH_ITER(hh, guard->changes, change, next) {
		if (change->nft.add)
			continue;
		changes[n++] = &change->nft;
		if (n < REMOVALS_MAX)
			continue;
		r = nft_batch_commit(&guard->batch, changes, n);
		if (r < 0)
			return r;
		n = 0;
	}
	return nft_batch_commit(&guard->batch, changes, n);
}

static int list_set(struct guard *guard, enum nft_key_set set,
		    void (*cb)(void *arg, const struct guard_element *element), void *arg)
{
	struct nft_dump_element *elements;
	size_t n;
	int r;

	r = nft_dump(guard->batch.sock, set, &elements, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct guard_element element = { .timeout_ms = elements[i].left_ms };

		nft_key_to_element(&elements[i].key, &element);
		cb(arg, &element);
	}
	free(elements);
	return 0;
}
