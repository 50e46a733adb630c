/* SPDX-License-Identifier: GPL-2.0-only */
/* core/binding: what is told of a change, what may replace what, and when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/binding.h"
#include "wire/text.h"

#define SECOND 1000

static const struct binding_host host = {3, 0, {{0x52, 0x54, 0, 0, 0, 1}}};
static const struct addr ip_7 = {ADDR_IPV4, {10, 0, 0, 7}};
static const struct addr ip_8 = {ADDR_IPV4, {10, 0, 0, 8}};
static const struct vsi_id uuid = {VSI_ID_UUID, {0xfa}};

struct fixture {
	struct binding_table *table;
	char told[4096]; /* "put 1 10.0.0.7, drop …" */
};

static void tell(struct fixture *f, const char *what, const struct binding *b)
{
	size_t at = strlen(f->told);
	char ip[ADDR_TEXT_MAX];

	snprintf(f->told + at, sizeof(f->told) - at, "%s%s %u %s", at ? ", " : "", what,
		 b->port, addr_text(&b->ip, ip));
}

static void put(void *arg, const struct binding *b)
{
	tell(arg, "put", b);
}

static void renew(void *arg, const struct binding *b)
{
	tell(arg, "renew", b);
}

static void drop(void *arg, const struct binding *b)
{
	tell(arg, "drop", b);
}

static void changed(void *arg, const struct binding *b, uint8_t old_state,
		    uint8_t old_origin)
{
	char what[64];

	(void)old_origin;
	snprintf(what, sizeof(what), "%s->%s", binding_state_text(old_state),
		 binding_state_text(b->state));
	tell(arg, what, b);
}

static const struct binding_ops ops = {put, renew, drop, changed, NULL};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->table = binding_table_new(&ops, f);
	assert_non_null(f->table);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	binding_table_free(f->table);
	free(f);
	return 0;
}

static struct binding like(uint16_t port, uint8_t state, uint8_t origin, ms_t lease_end)
{
	return (struct binding){.host = host,
				.ip = ip_7,
				.port = port,
				.state = state,
				.origin = origin,
				.lease_end = lease_end};
}

static struct binding *put_in(struct fixture *f, uint16_t port, uint8_t state,
			      uint8_t origin, ms_t lease_end)
{
	const struct binding b = like(port, state, origin, lease_end);

	return binding_put(f->table, &b);
}

static void assert_told(struct fixture *f, const char *what)
{
	assert_string_equal(f->told, what);
	f->told[0] = 0;
}

static void new_binding_is_told_as_put(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	assert_told(f, "put 1 10.0.0.7");
	assert_int_equal(binding_count(f->table), 1);
	assert_ptr_equal(binding_find(f->table, &host, &ip_7, 1), b);
	assert_null(binding_find(f->table, &host, &ip_7, 2));
	assert_null(binding_find(f->table, &host, &ip_8, 1));
}

static void same_binding_again_tells_nothing(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND + 999);
	assert_told(f, "");
	assert_int_equal(binding_count(f->table), 1);
}

static void renewal_elsewhere_leaves_a_dormant_one_to_its_end(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_DORMANT, BINDING_SNOOPED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 2, BINDING_ACTIVE, BINDING_SNOOPED, 90 * SECOND);
	assert_told(f, "put 2 10.0.0.7");
	put_in(f, 2, BINDING_ACTIVE, BINDING_SNOOPED, 120 * SECOND);
	assert_told(f, "renew 2 10.0.0.7");
}

static void lease_end_moved_by_a_second_is_renewed_on_every_port(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	put_in(f, 2, BINDING_STAGED, BINDING_MOVED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 2, BINDING_STAGED, BINDING_LEASEQUERY, 61 * SECOND);
	assert_told(f, "renew 2 10.0.0.7, renew 1 10.0.0.7, staged->staged 2 10.0.0.7");
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	assert_told(f, "renew 1 10.0.0.7, renew 2 10.0.0.7");
}

static void new_binding_with_another_end_renews_the_other_port(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 2, BINDING_STAGED, BINDING_LEASEQUERY, 90 * SECOND);
	assert_told(f, "put 2 10.0.0.7, renew 1 10.0.0.7");
}

static void small_steps_of_a_lease_end_add_up(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND + 600);
	assert_told(f, "");
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND + 1200);
	assert_told(f, "renew 1 10.0.0.7");
}

static void lease_becomes_infinite_and_finite_again(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);
	assert_told(f, "renew 1 10.0.0.7");
	assert_true(binding_deadline(f->table) == MS_NEVER);
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 5 * SECOND);
	assert_told(f, "renew 1 10.0.0.7");
	assert_true(binding_deadline(f->table) == 5 * SECOND);
}

static void staged_never_lowers_what_is_there(void **state)
{
	static const uint8_t states[] = {BINDING_ACTIVE, BINDING_LEAVING,
					 BINDING_DORMANT};
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_LEASEQUERY, MS_NEVER);

	for (unsigned i = 0; i < 3; i++) {
		binding_set_state(f->table, b, states[i]);
		f->told[0] = 0;
		put_in(f, 1, BINDING_STAGED, BINDING_LEASEQUERY, MS_NEVER);
		assert_told(f, "");
		assert_int_equal(b->state, states[i]);
	}
}

static void active_raises_what_is_there(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_STAGED, BINDING_LEASEQUERY, MS_NEVER);
	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_LEASEQUERY, MS_NEVER);
	assert_told(f, "staged->active 1 10.0.0.7");
}

static void moved_or_kernel_never_replaces_a_better_origin(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_MOVED, 90 * SECOND);
	put_in(f, 1, BINDING_DORMANT, BINDING_KERNEL, 90 * SECOND);
	assert_told(f, "");
	assert_int_equal(b->origin, BINDING_SNOOPED);
	assert_int_equal(b->state, BINDING_ACTIVE);
}

static void better_origin_replaces_the_kernels(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_DORMANT, BINDING_KERNEL, 60 * SECOND);

	put_in(f, 1, BINDING_ACTIVE, BINDING_LEASEQUERY, 60 * SECOND);
	assert_int_equal(b->origin, BINDING_LEASEQUERY);
	assert_int_equal(b->state, BINDING_ACTIVE);
}

static void static_binding_stays_static_and_without_end(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);

	f->told[0] = 0;
	put_in(f, 1, BINDING_ACTIVE, BINDING_MOVED, 60 * SECOND);
	assert_told(f, "");
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	assert_int_equal(binding_renew(f->table, &host, &ip_7, 90 * SECOND, 0), 1);
	/* The lease under it. */
	assert_told(f, "active->active 1 10.0.0.7, active->active 1 10.0.0.7");
	assert_int_equal(b->origin, BINDING_STATIC);
	assert_true(b->lease_end == MS_NEVER);
	assert_true(binding_deadline(f->table) == MS_NEVER);
}

static void snooped_binding_stays_snooped_whatever_a_server_says(void **state)
{
	static const uint8_t origins[] = { BINDING_LEASEQUERY, BINDING_HELP };
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	f->told[0] = 0;
	for (unsigned i = 0; i < 2; i++) {
		put_in(f, 1, BINDING_ACTIVE, origins[i], 60 * SECOND);
		assert_told(f, "");
	}
	put_in(f, 1, BINDING_ACTIVE, BINDING_LEASEQUERY, 90 * SECOND);
	assert_told(f, "renew 1 10.0.0.7");
	assert_int_equal(b->origin, BINDING_SNOOPED);
	assert_true(b->lease_end == 90 * SECOND);
}

static void lease_under_a_static_binding_is_bound_when_that_is_unbound(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);
	put_in(f, 1, BINDING_ACTIVE, BINDING_LEASEQUERY, 90 * SECOND);
	f->told[0] = 0;
	assert_true(binding_unbind(f->table, b, 10 * SECOND));
	assert_told(f, "renew 1 10.0.0.7, active->active 1 10.0.0.7");
	assert_int_equal(b->origin, BINDING_SNOOPED);
	assert_true(binding_deadline(f->table) == 90 * SECOND);
	/* Now that it has ended there is nothing that it could become. */
	put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);
	assert_int_equal(binding_expire(f->table, 100 * SECOND, 9), 0);
	f->told[0] = 0;
	assert_false(binding_unbind(f->table, b, 100 * SECOND));
	assert_told(f, "drop 1 10.0.0.7");
}

static void static_binding_without_a_lease_is_removed_when_it_is_unbound(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);

	assert_false(binding_unbind(f->table, b, 0));
	b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);
	binding_forget_under(f->table, b);
	assert_false(binding_unbind(f->table, b, 0));
	assert_int_equal(binding_count(f->table), 0);
}

static void renewal_of_a_static_one_reaches_other_ports_with_the_leases_end(void **state)
{
	struct fixture *f = *state;
	struct binding *other = put_in(f, 2, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	put_in(f, 1, BINDING_ACTIVE, BINDING_STATIC, MS_NEVER);
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 90 * SECOND);
	assert_true(other->lease_end == 90 * SECOND);
}

static void what_is_not_named_stays(void **state)
{
	struct fixture *f = *state;
	struct binding named = like(1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);
	struct binding *b;

	named.vsi = uuid;
	named.server = ip_8;
	b = binding_put(f->table, &named);
	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);
	assert_true(vsi_id_equal(&b->vsi, &uuid));
	assert_true(addr_equal(&b->server, &ip_8));
}

static void renewal_reaches_the_key_on_every_port_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct binding other = like(1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, 60 * SECOND);
	put_in(f, 2, BINDING_LEAVING, BINDING_SNOOPED, 60 * SECOND);
	other.ip = ip_8;
	binding_put(f->table, &other);
	f->told[0] = 0;
	assert_int_equal(binding_renew(f->table, &host, &ip_7, 99 * SECOND, 0), 2);
	assert_told(f, "renew 1 10.0.0.7, renew 2 10.0.0.7");
}

static void hosts_differ_in_bridge_vlan_and_mac(void **state)
{
	struct fixture *f = *state;
	struct binding_host other = host;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);
	other.bridge++;
	assert_null(binding_first(f->table, &other));
	other = host;
	other.vlan = 1;
	assert_null(binding_first(f->table, &other));
	other = host;
	other.mac.b[5]++;
	assert_null(binding_first(f->table, &other));
	assert_non_null(binding_first(f->table, &host));
}

static void state_and_vsi_are_told_when_they_change(void **state)
{
	struct fixture *f = *state;
	struct binding *b = put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);

	f->told[0] = 0;
	binding_set_state(f->table, b, BINDING_ACTIVE);
	assert_told(f, "");
	binding_set_state(f->table, b, BINDING_LEAVING);
	assert_told(f, "active->leaving 1 10.0.0.7");
	binding_set_vsi(f->table, b, &uuid);
	assert_told(f, "leaving->leaving 1 10.0.0.7");
	binding_set_vsi(f->table, b, &uuid);
	assert_told(f, "");
}

static void leases_end_on_time_soonest_first(void **state)
{
	struct fixture *f = *state;

	for (uint16_t port = 1; port <= 4; port++) {
		struct binding b =
			like(port, BINDING_ACTIVE, BINDING_SNOOPED, (10 - port) * SECOND);

		b.host.mac.b[0] = (uint8_t)port;
		binding_put(f->table, &b);
	}
	f->told[0] = 0;
	assert_true(binding_deadline(f->table) == 6 * SECOND);
	assert_int_equal(binding_expire(f->table, 6 * SECOND - 1, 9), 0);
	assert_int_equal(binding_expire(f->table, 8 * SECOND, 2), 2);
	assert_told(f, "drop 4 10.0.0.7, drop 3 10.0.0.7");
	assert_true(binding_deadline(f->table) == 8 * SECOND);
	assert_int_equal(binding_expire(f->table, 9 * SECOND, 9), 2);
	assert_told(f, "drop 2 10.0.0.7, drop 1 10.0.0.7");
	assert_true(binding_deadline(f->table) == MS_NEVER);
	assert_int_equal(binding_count(f->table), 0);
}

static void remove_each(void *arg, struct binding *b)
{
	struct fixture *f = arg;

	binding_remove(f->table, b);
}

static void each_may_remove_what_it_is_given(void **state)
{
	struct fixture *f = *state;

	put_in(f, 1, BINDING_ACTIVE, BINDING_SNOOPED, MS_NEVER);
	put_in(f, 2, BINDING_ACTIVE, BINDING_SNOOPED, 5);
	put_in(f, 3, BINDING_ACTIVE, BINDING_SNOOPED, 7);
	binding_each(f->table, remove_each, f);
	assert_int_equal(binding_count(f->table), 0);
	assert_null(binding_first(f->table, &host));
}

static void deadline_is_always_the_soonest(void **state)
{
	struct fixture *f = *state;
	uint32_t random = 1;
	ms_t ends[200];

	for (unsigned i = 0; i < 20000; i++) {
		struct binding b = like(0, BINDING_ACTIVE, BINDING_SNOOPED, 0);
		struct binding *there;
		ms_t soonest = MS_NEVER;
		unsigned at;

		random = random * 1664525 + 1013904223;
		at = (random >> 16) % 200;
		b.port = (uint16_t)at;
		b.host.mac.b[4] = (uint8_t)(at % 50);
		b.lease_end = random % 7 ? (ms_t)(random >> 8) * SECOND : MS_NEVER;
		there = binding_find(f->table, &b.host, &b.ip, b.port);
		if (there && random % 3 == 0)
			binding_remove(f->table, there);
		else
			binding_put(f->table, &b);
		f->told[0] = 0;
		if (i % 100)
			continue;
		for (at = 0; at < 200; at++) {
			b.port = (uint16_t)at;
			b.host.mac.b[4] = (uint8_t)(at % 50);
			there = binding_find(f->table, &b.host, &b.ip, b.port);
			ends[at] = there ? there->lease_end : MS_NEVER;
			if (ends[at] < soonest)
				soonest = ends[at];
		}
		assert_true(binding_deadline(f->table) == soonest);
	}
}

static void states_and_origins_have_names(void **state)
{
	(void)state;
	assert_string_equal(binding_state_text(BINDING_DORMANT), "dormant");
	assert_string_equal(binding_origin_text(BINDING_KERNEL), "kernel");
	assert_string_equal(binding_state_text(99), "?");
	assert_string_equal(binding_origin_text(99), "?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(new_binding_is_told_as_put),
		TEST(same_binding_again_tells_nothing),
		TEST(lease_end_moved_by_a_second_is_renewed_on_every_port),
		TEST(renewal_elsewhere_leaves_a_dormant_one_to_its_end),
		TEST(new_binding_with_another_end_renews_the_other_port),
		TEST(small_steps_of_a_lease_end_add_up),
		TEST(lease_becomes_infinite_and_finite_again),
		TEST(staged_never_lowers_what_is_there),
		TEST(active_raises_what_is_there),
		TEST(moved_or_kernel_never_replaces_a_better_origin),
		TEST(better_origin_replaces_the_kernels),
		TEST(static_binding_stays_static_and_without_end),
		TEST(snooped_binding_stays_snooped_whatever_a_server_says),
		TEST(lease_under_a_static_binding_is_bound_when_that_is_unbound),
		TEST(static_binding_without_a_lease_is_removed_when_it_is_unbound),
		TEST(renewal_of_a_static_one_reaches_other_ports_with_the_leases_end),
		TEST(what_is_not_named_stays),
		TEST(renewal_reaches_the_key_on_every_port_and_no_other),
		TEST(hosts_differ_in_bridge_vlan_and_mac),
		TEST(state_and_vsi_are_told_when_they_change),
		TEST(leases_end_on_time_soonest_first),
		TEST(each_may_remove_what_it_is_given),
		TEST(deadline_is_always_the_soonest),
		TEST(states_and_origins_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
