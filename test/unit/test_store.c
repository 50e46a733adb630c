/* SPDX-License-Identifier: GPL-2.0-only */
/* engine/store: what was kept is there at the next start, whatever happened meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/store.h"
#include "engine/store_row.h"

#define MANY 500

static struct store_times clocks;
static char dir[] = "/tmp/store-XXXXXX", path[64];
static char logged[2048];

static struct {
	unsigned n;
	struct store_record at[MANY];
	struct client_id id[MANY];
} loaded;

static void times(struct store_times *ret_times)
{
	*ret_times = clocks;
}

static void note(int priority, const char *text)
{
	size_t at = strlen(logged);

	(void)priority;
	snprintf(logged + at, sizeof(logged) - at, "%s\n", text);
}

static const struct store_ops ops = { .times = times, .log = note };

static void take(void *arg, const struct store_record *record)
{
	(void)arg;
	assert_true(loaded.n < MANY);
	loaded.at[loaded.n] = *record;
	if (record->client_id)
		loaded.id[loaded.n] = *record->client_id;
	loaded.n++;
}

static struct store *open_store(void)
{
	struct store *store;

	*logged = 0;
	loaded.n = 0;
	store = store_open(dir, &ops, NULL);
	assert_non_null(store);
	return store;
}

/* Start, end: what was there is in `loaded`. */
static bool look(void)
{
	struct store *store = open_store();
	bool all = store_load(store, take, NULL);

	store_close(store);
	return all;
}

static struct store_record record(unsigned number, ms_t lease_end)
{
	static const struct client_id id = { .len = 3, .b = { 0xff, 0, 7 } };
	struct store_record made = {
		.bridge = "br0", .port = "p1",
		.binding = {
			.host = {7, 10, {{0x52, 0x54, 0, 0, (uint8_t)(number >> 8),
					  (uint8_t)number}}},
			.ip = {ADDR_IPV4, {10, 1, (uint8_t)(number >> 8), (uint8_t)number}},
			.port = 3, .state = BINDING_LEAVING, .origin = BINDING_LEASEQUERY,
			.vsi = {VSI_ID_UUID, {0xfa, 0x9b, 1}}, .lease_s = 3600,
			.server = {ADDR_IPV4, {10, 0, 0, 2}}, .lease_end = lease_end,
		},
		.client_id = &id,
	};

	return made;
}

static void keep(const struct store_record *kept)
{
	struct store *store = open_store();

	(void)store_load(store, take, NULL);
	store_keep(store, kept);
	store_commit(store);
	store_close(store);
}

static void spoil(const char *statement)
{
	sqlite3 *sql;

	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sql, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sql);
}

static bool exists(const char *suffix)
{
	char name[96];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return !access(name, F_OK);
}

static int fresh_dir(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/" STORE_FILE, dir);
	clocks = (struct store_times){ .mono = 1000000,
				       .wall = 1700000000000,
				       .boot = "one" };
	return 0;
}

static int remove_dir(void **state)
{
	DIR *all = opendir(dir);

	(void)state;
	for (struct dirent *i; all && (i = readdir(all));)
		unlinkat(dirfd(all), i->d_name, 0);
	if (all)
		closedir(all);
	return rmdir(dir);
}

static void all_that_is_known_of_a_binding_comes_back(void **state)
{
	struct store_record kept = record(1, clocks.mono + 5000);
	const struct binding *back = &loaded.at[0].binding;

	(void)state;
	keep(&kept);
	assert_true(look());
	assert_string_equal(logged, "");
	assert_int_equal(loaded.n, 1);
	assert_string_equal(loaded.at[0].port, "p1");
	assert_string_equal(loaded.at[0].bridge, "br0");
	assert_int_equal(back->host.vlan, 10);
	assert_memory_equal(&back->host.mac, &kept.binding.host.mac, sizeof(struct mac));
	assert_memory_equal(&back->ip, &kept.binding.ip, sizeof(struct addr));
	assert_int_equal(back->state, BINDING_LEAVING);
	assert_int_equal(back->origin, BINDING_LEASEQUERY);
	assert_memory_equal(&back->vsi, &kept.binding.vsi, sizeof(struct vsi_id));
	assert_memory_equal(&back->server, &kept.binding.server, sizeof(struct addr));
	assert_int_equal(back->lease_s, 3600);
	assert_int_equal(back->lease_end, clocks.mono + 5000);
	assert_memory_equal(&loaded.id[0], kept.client_id, sizeof(struct client_id));
}

static void static_one_without_a_port_comes_back_without_an_end(void **state)
{
	struct store_record kept = record(1, MS_NEVER);

	(void)state;
	kept.binding.origin = BINDING_STATIC;
	*kept.port = *kept.bridge = 0;
	kept.client_id = NULL;
	keep(&kept);
	look();
	assert_int_equal(loaded.n, 1);
	assert_string_equal(loaded.at[0].port, "");
	assert_int_equal(loaded.at[0].binding.origin, BINDING_STATIC);
	assert_true(loaded.at[0].binding.lease_end == MS_NEVER);
	assert_null(loaded.at[0].client_id);
}

static void lease_under_a_static_one_comes_back_too(void **state)
{
	const ms_t ends[] = { clocks.mono + 5000, MS_NEVER };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct store_record kept = record(1, MS_NEVER);
		const struct binding_under *under = &loaded.at[0].binding.under;

		kept.binding.origin = BINDING_STATIC;
		kept.binding.under = (struct binding_under){ true, BINDING_SNOOPED, 3600,
							     ends[i] };
		keep(&kept);
		look();
		assert_int_equal(loaded.n, 1);
		assert_int_equal(loaded.at[0].binding.origin, BINDING_STATIC);
		assert_true(loaded.at[0].binding.lease_end == MS_NEVER);
		assert_true(under->known && under->lease_end == ends[i]);
		assert_int_equal(under->origin, BINDING_SNOOPED);
		assert_int_equal(under->lease_s, 3600);
	}
}

static void last_word_of_a_key_counts(void **state)
{
	struct store *store = open_store();
	struct store_record one = record(1, 7000), two = record(2, 7000);

	(void)state;
	store_load(store, take, NULL);
	for (int i = 0; i < 50; i++) {
		store_keep(store, &one);
		store_forget(store, &two);
		store_commit(store);
		store_forget(store, &one);
		store_keep(store, &two);
		if (i % 3)
			store_commit(store);
	}
	store_close(store);
	look();
	assert_int_equal(loaded.n, 1);
	assert_int_equal(loaded.at[0].binding.ip.b[3], 2);
}

static void what_is_committed_is_told_as_written(void **state)
{
	struct store *store = open_store();
	struct store_record one = record(1, 7000);
	uint64_t number;

	(void)state;
	store_load(store, take, NULL);
	store_keep(store, &one);
	number = store_commit(store);
	while (!store_written(store, number))
		usleep(1000);
	assert_int_equal(store_written(store, number), 1);
	assert_int_equal(store_commit(store), number);
	store_close(store);
}

/* The clock, as it was set; and as it is after a boot. */

static void in_the_same_boot_the_wall_clock_plays_no_part(void **state)
{
	struct store_record kept = record(1, clocks.mono + 100000);
	ms_t end = clocks.mono + 100000;

	(void)state;
	keep(&kept);
	clocks.mono += 10000;
	clocks.wall -= 1600000000000;
	look();
	assert_int_equal(loaded.n, 1);
	assert_int_equal(loaded.at[0].binding.lease_end, end);
	/* What is written now fits to what is there. */
	kept = record(2, end);
	keep(&kept);
	clocks.wall += 1900000000000;
	look();
	assert_int_equal(loaded.n, 2);
	assert_int_equal(loaded.at[0].binding.lease_end, end);
	assert_int_equal(loaded.at[1].binding.lease_end, end);
}

static void after_a_boot_the_time_away_has_passed(void **state)
{
	struct store_record kept = record(1, clocks.mono + 100000);

	(void)state;
	keep(&kept);
	clocks = (struct store_times){ .mono = 500,
				       .wall = clocks.wall + 40000,
				       .boot = "two" };
	look();
	assert_int_equal(loaded.at[0].binding.lease_end, 500 + 60000);
}

static void clock_that_was_reset_neither_ends_nor_lengthens_a_lease(void **state)
{
	struct store_record kept = record(1, clocks.mono + 100000);

	(void)state;
	keep(&kept);
	clocks = (struct store_times){ .mono = 500, .wall = 3000, .boot = "two" };
	look();
	assert_int_equal(loaded.at[0].binding.lease_end, 500 + 100000);
	/* It is set right, and the machine boots again. */
	clocks.mono += 20000;
	clocks.wall = 1700000100000;
	look();
	clocks = (struct store_times){ .mono = 700,
				       .wall = clocks.wall + 5000,
				       .boot = "three" };
	look();
	assert_int_equal(loaded.at[0].binding.lease_end, 700 + 100000 - 20000 - 5000);
}

/* Files that are no store of ours. */

static void corrupt_file_is_moved_aside_and_a_fresh_one_begun(void **state)
{
	struct store_record kept = record(1, 7000);
	FILE *file = fopen(path, "w");

	(void)state;
	for (int i = 0; i < 9000; i++)
		fputc(i * 7, file);
	fclose(file);
	*logged = 0;
	keep(&kept);
	assert_non_null(strstr(logged, path));
	assert_non_null(strstr(logged, "not a database"));
	assert_true(exists(".corrupt"));
	assert_true(look());
	assert_int_equal(loaded.n, 1);
}

static void store_of_a_newer_version_is_moved_aside(void **state)
{
	struct store_record kept = record(1, 7000);

	(void)state;
	keep(&kept);
	spoil("PRAGMA user_version = 2");
	look();
	assert_int_equal(loaded.n, 0);
	assert_non_null(strstr(logged, "newer version"));
	assert_true(exists(".newer"));
}

static void database_of_somebody_else_is_moved_aside(void **state)
{
	(void)state;
	spoil("CREATE TABLE binding (a)");
	look();
	assert_non_null(strstr(logged, "no store of ours"));
	spoil("DROP TABLE binding");
	assert_false(look());
	assert_non_null(strstr(logged, "moved aside"));
}

static void rows_that_say_no_binding_are_left_out_and_told(void **state)
{
	static const char *const bad[] = {
		"vlan = 4095",
		"vlan = -1",
		"mac = 'x'",
		"mac = '00:00:00:00:00:00'",
		"ip = '0.0.0.0'",
		"ip = ''",
		"state = 'here'",
		"origin = ''", "origin = 'static,'", "origin = ',snooped'",
		"origin = 'static,static'", "origin = 'snooped,snooped'",
		"origin = 'far longer than any origin is,snooped'",
		"vsi = '1'",
		"server = 'a'",
		"client_id = 'z'",
		"lease = -1",
		"port = ''",
		"port = 'a-name-of-16-chr'",
		"lease_end = 9223372036854775807",
		"lease_end = -9223372036854775807 - 1",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct store_record one = record(1, 7000), two = record(2, 7000);
		char update[128];

		keep(&one);
		keep(&two);
		snprintf(update, sizeof(update),
			 "UPDATE binding SET %s WHERE ip = '10.1.0.1'", bad[i]);
		spoil(update);
		assert_false(look());
		assert_int_equal(loaded.n, 1);
		assert_non_null(strstr(logged, "1 rows say no binding"));
		assert_int_equal(remove_dir(state) || fresh_dir(state), 0);
	}
}

/* Octets changed anywhere: it may lose rows, but never its head. */
static void file_with_octets_changed_never_harms(void **state)
{
	struct store *store = open_store();
	uint32_t random = 1;

	(void)state;
	store_load(store, take, NULL);
	for (unsigned i = 0; i < 200; i++) {
		const struct store_record one = record(i, 7000);

		store_keep(store, &one);
	}
	store_commit(store);
	store_close(store);
	for (int i = 0; i < 150; i++) {
		int fd = open(path, O_RDWR);
		off_t size = lseek(fd, 0, SEEK_END);

		for (int j = 0; j < 8; j++) {
			uint8_t octet;

			random = random * 1664525 + 1013904223;
			octet = (uint8_t)(random >> 8);
			assert_int_equal(
				pwrite(fd, &octet, 1, (off_t)(random >> 4) % size), 1);
		}
		close(fd);
		look();
		assert_true(loaded.n <= 300);
	}
}

/* What does not hinder the engine. */

static void store_that_cannot_be_written_is_told_once_and_waited_for(void **state)
{
	struct store_record one = record(1, 7000);
	struct store *store;
	uint64_t number;
	sqlite3 *sql;
	int written;

	(void)state;
	look();
	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL),
			 SQLITE_OK);
	store = open_store();
	store_load(store, take, NULL);
	store_keep(store, &one);
	number = store_commit(store);
	while (!(written = store_written(store, number)))
		usleep(1000);
	assert_true(written < 0);
	assert_non_null(strstr(logged, path));
	assert_non_null(strstr(logged, "database is locked"));
	sqlite3_close(sql);
	store_close(store);
	assert_true(look());
	assert_int_equal(loaded.n, 1);
}

static void two_engines_do_not_share_a_store(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_null(store_open(dir, &ops, NULL));
	assert_non_null(strstr(logged, "another engine uses it"));
	store_close(store);
}

static void directory_that_is_not_there_is_told(void **state)
{
	(void)state;
	*logged = 0;
	assert_null(store_open("/nonexistent/vdp-migrate", &ops, NULL));
	assert_non_null(strstr(logged, "/nonexistent/vdp-migrate: No such file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_known_of_a_binding_comes_back),
		TEST(static_one_without_a_port_comes_back_without_an_end),
		TEST(lease_under_a_static_one_comes_back_too),
		TEST(last_word_of_a_key_counts),
		TEST(what_is_committed_is_told_as_written),
		TEST(in_the_same_boot_the_wall_clock_plays_no_part),
		TEST(after_a_boot_the_time_away_has_passed),
		TEST(clock_that_was_reset_neither_ends_nor_lengthens_a_lease),
		TEST(corrupt_file_is_moved_aside_and_a_fresh_one_begun),
		TEST(store_of_a_newer_version_is_moved_aside),
		TEST(database_of_somebody_else_is_moved_aside),
		TEST(rows_that_say_no_binding_are_left_out_and_told),
		TEST(file_with_octets_changed_never_harms),
		TEST(store_that_cannot_be_written_is_told_once_and_waited_for),
		TEST(two_engines_do_not_share_a_store),
		TEST(directory_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
