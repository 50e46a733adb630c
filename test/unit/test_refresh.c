/* SPDX-License-Identifier: GPL-2.0-only */
/* core/binding: when a lease is to be refreshed, and whose client-id is known. */
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

static void refresh(void *arg, struct binding *b)
{
	tell(arg, "refresh", b);
}

static const struct binding_ops ops = {put, renew, drop, NULL, refresh};

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

static struct binding leased(uint16_t port, uint32_t from_s, uint32_t lease_s)
{
	return (struct binding){.host = host,
				.ip = ip_7,
				.port = port,
				.state = BINDING_ACTIVE,
				.origin = BINDING_SNOOPED,
				.lease_s = lease_s,
				.lease_end = ((ms_t)from_s + lease_s) * SECOND};
}

static void refresh_is_told_once_at_seven_eighths(void **state)
{
	struct fixture *f = *state;
	const struct binding b = leased(1, 0, 80);

	binding_put(f->table, &b);
	assert_true(binding_deadline(f->table) == 70 * SECOND);
	f->told[0] = 0;
	assert_int_equal(binding_expire(f->table, 70 * SECOND, 9), 1);
	assert_string_equal(f->told, "refresh 1 10.0.0.7");
	assert_true(binding_deadline(f->table) == 80 * SECOND);
	binding_expire(f->table, 80 * SECOND, 9);
	assert_string_equal(f->told, "refresh 1 10.0.0.7, drop 1 10.0.0.7");
}

static void renewed_lease_is_refreshed_at_its_own_time(void **state)
{
	struct fixture *f = *state;
	const struct binding b = leased(1, 0, 80);

	binding_put(f->table, &b);
	binding_renew(f->table, &host, &ip_7, 140 * SECOND, 80);
	assert_true(binding_deadline(f->table) == 130 * SECOND);
	/* Of a length that is not known: not at all. */
	binding_renew(f->table, &host, &ip_7, 240 * SECOND, 0);
	assert_true(binding_deadline(f->table) == 240 * SECOND);
}

static void length_that_becomes_known_plans_the_refresh(void **state)
{
	struct fixture *f = *state;
	struct binding b = leased(1, 0, 80);

	b.lease_s = 0;
	b.origin = BINDING_KERNEL;
	binding_put(f->table, &b);
	assert_true(binding_deadline(f->table) == 80 * SECOND);
	b.lease_s = 80;
	b.origin = BINDING_SNOOPED;
	binding_put(f->table, &b);
	assert_true(binding_deadline(f->table) == 70 * SECOND);
}

static void all_ports_of_a_key_are_refreshed_together(void **state)
{
	struct fixture *f = *state;
	struct binding b = leased(1, 0, 80);

	binding_put(f->table, &b);
	b.port = 2;
	b.origin = BINDING_MOVED;
	b.state = BINDING_STAGED;
	binding_put(f->table, &b);
	f->told[0] = 0;
	binding_expire(f->table, 75 * SECOND, 9);
	assert_int_equal(strlen(f->told), strlen("refresh 1 10.0.0.7"));
	/* A copy made after it was asked for is not asked for again. */
	b.port = 3;
	binding_put(f->table, &b);
	assert_true(binding_deadline(f->table) == 80 * SECOND);
}

static void refresh_can_be_put_off(void **state)
{
	struct fixture *f = *state;
	const struct binding b = leased(1, 0, 80);
	struct binding *put = binding_put(f->table, &b);

	binding_refresh_at(f->table, put, 76 * SECOND);
	assert_true(binding_deadline(f->table) == 76 * SECOND);
	binding_refresh_at(f->table, put, 90 * SECOND);
	assert_true(binding_deadline(f->table) == 76 * SECOND);
}

static void client_id_lasts_as_long_as_its_host(void **state)
{
	static const struct client_id usual = {7, {1, 0x52, 0x54, 0, 0, 0, 1}};
	static const struct client_id other = {5, {0xff, 1, 2, 3, 4}};
	struct fixture *f = *state;
	const struct binding b = leased(1, 0, 80);
	struct client_id id;
	struct binding *put;

	binding_set_client_id(f->table, &host, &usual);
	assert_false(binding_client_id(f->table, &host, &id));
	put = binding_put(f->table, &b);
	assert_false(binding_client_id(f->table, &host, &id));
	binding_set_client_id(f->table, &host, &usual);
	assert_true(binding_client_id(f->table, &host, &id));
	assert_memory_equal(&id, &usual, sizeof(id));
	binding_set_client_id(f->table, &host, &other);
	assert_true(binding_client_id(f->table, &host, &id));
	assert_memory_equal(&id, &other, sizeof(id));
	binding_remove(f->table, put);
	assert_false(binding_client_id(f->table, &host, &id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refresh_is_told_once_at_seven_eighths),
		TEST(renewed_lease_is_refreshed_at_its_own_time),
		TEST(length_that_becomes_known_plans_the_refresh),
		TEST(all_ports_of_a_key_are_refreshed_together),
		TEST(refresh_can_be_put_off),
		TEST(client_id_lasts_as_long_as_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
