/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings in a libconfig tree and its file: where they go, that a failed write
 * leaves both as they were, and that the file stays what it was to others.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <libconfig.h>

#include "attach/tree.h"

static const char before[] =
	"nearest_customer_bridge : { e0 : { tlvid0080c20d : { enableTx = true; "
	"evbmode = \"Bridge\"; }; }; e1 : { tlvid0080c20d : { enableTx = true; }; "
	"tlvid02564d01 : { hold = 10; use = \"yes\"; }; }; }; "
	"vdp_migrate : { guard = \"monitor\"; };\n";

static config_t config;
static char dir[64], file[128];

static void fresh(void)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	fputs(before, out);
	fclose(out);
	config_init(&config);
	assert_true(config_read_file(&config, file));
	tree_at(&config);
	tree_file(file);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_tree-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/lldpad.conf", dir);
	fresh();
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	tree_at(NULL);
	config_destroy(&config);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* What another reader finds in the file. */
static const char *in_file(const char *path)
{
	static config_t other;
	static char value[64];
	const char *found = NULL;

	config_init(&other);
	assert_true(config_read_file(&other, file));
	config_lookup_string(&other, path, &found);
	snprintf(value, sizeof(value), "%s", found ? found : "(none)");
	config_destroy(&other);
	return value;
}

static void block_writing(void)
{
	char path[160];

	/* The new file's name is taken by a directory that is not empty. */
	snprintf(path, sizeof(path), "%s.vdp_migrate", file);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/x");
	assert_int_equal(mkdir(path, 0700), 0);
}

static void a_ports_setting_is_stored_in_its_group(void **state)
{
	(void)state;
	assert_null(tree_get("e0", "use"));
	assert_int_equal(tree_set("e0", "use", "a \"b\"; c"), 0);
	assert_string_equal(tree_get("e0", "use"), "a \"b\"; c");
	assert_string_equal(in_file("nearest_customer_bridge.e0.tlvid02564d01.use"),
			    "a \"b\"; c");
	assert_string_equal(in_file("nearest_customer_bridge.e1.tlvid02564d01.use"),
			    "yes");
}

static void a_port_that_the_file_does_not_know_gets_its_groups(void **state)
{
	(void)state;
	assert_int_equal(tree_set("new", "use", "yes"), 0);
	assert_string_equal(in_file("nearest_customer_bridge.new.tlvid02564d01.use"),
			    "yes");
}

static void what_holds_for_all_ports_is_in_our_own_group(void **state)
{
	(void)state;
	assert_string_equal(tree_get(NULL, "guard"), "monitor");
	assert_null(tree_get(NULL, "use"));
	assert_int_equal(tree_set(NULL, "use", "no"), 0);
	assert_string_equal(in_file("vdp_migrate.use"), "no");
}

static void a_failed_write_leaves_the_old_value(void **state)
{
	(void)state;
	block_writing();
	assert_int_equal(tree_set("e1", "use", "no"), -EEXIST);
	assert_string_equal(tree_get("e1", "use"), "yes");
	assert_string_equal(in_file("nearest_customer_bridge.e1.tlvid02564d01.use"),
			    "yes");
}

static void a_failed_write_leaves_no_new_groups(void **state)
{
	(void)state;
	block_writing();
	assert_int_equal(tree_set("e0", "use", "yes"), -EEXIST);
	assert_null(tree_get("e0", "use"));
	assert_null(config_lookup(&config, "nearest_customer_bridge.e0.tlvid02564d01"));
	assert_int_equal(tree_set("new", "use", "yes"), -EEXIST);
	assert_null(config_lookup(&config, "nearest_customer_bridge.new"));
	assert_int_equal(tree_set("e1", "guard", "off"), -EEXIST);
	assert_null(tree_get("e1", "guard"));
	assert_string_equal(tree_get("e1", "use"), "yes");
}

static void a_value_that_is_taken_out_is_as_never_set(void **state)
{
	(void)state;
	assert_int_equal(tree_set(NULL, "guard", NULL), 0);
	assert_null(tree_get(NULL, "guard"));
	assert_string_equal(in_file("vdp_migrate.guard"), "(none)");
	assert_int_equal(tree_set(NULL, "guard", NULL), 0);
	assert_int_equal(tree_set("e7", "guard", NULL), 0);
	/* Somebody's: no string. */
	assert_int_equal(tree_set("e1", "hold", NULL), -EINVAL);
	assert_int_equal(tree_set(NULL, "guard", "off"), 0);
	assert_string_equal(tree_get(NULL, "guard"), "off");
}

static void a_failed_write_leaves_a_value_that_was_to_be_taken_out(void **state)
{
	(void)state;
	block_writing();
	assert_true(tree_set(NULL, "guard", NULL) < 0);
	assert_string_equal(tree_get(NULL, "guard"), "monitor");
	assert_string_equal(in_file("vdp_migrate.guard"), "monitor");
}

static void a_value_of_another_type_is_somebodys_and_stays(void **state)
{
	(void)state;
	assert_null(tree_get("e1", "hold"));
	assert_int_equal(tree_set("e1", "hold", "20"), -EINVAL);
}

static void a_name_that_libconfig_cannot_hold_is_refused(void **state)
{
	(void)state;
	assert_int_equal(tree_set("eth0.7", "use", "yes"), -EINVAL);
	assert_int_equal(tree_set("e0", "use", "yes"), 0);
}

static void the_file_keeps_its_mode_and_a_link_stays_a_link(void **state)
{
	char link[160];
	struct stat st;

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("lldpad.conf", link), 0);
	assert_int_equal(chmod(file, 0604), 0);
	tree_file(link);
	assert_int_equal(tree_set("e0", "use", "yes"), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_string_equal(in_file("nearest_customer_bridge.e0.tlvid02564d01.use"),
			    "yes");
}

static void the_evb_mode_is_read_as_stock_reads_it(void **state)
{
	(void)state;
	assert_string_equal(tree_evb_mode("e0"), "bridge");
	assert_string_equal(tree_evb_mode("e1"), "station");
	assert_null(tree_evb_mode("e2"));
}

static void without_a_tree_there_is_nothing(void **state)
{
	(void)state;
	tree_at(NULL);
	assert_null(tree_get("e1", "use"));
	assert_null(tree_evb_mode("e0"));
	assert_int_equal(tree_set("e1", "use", "no"), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ports_setting_is_stored_in_its_group),
		TEST(a_port_that_the_file_does_not_know_gets_its_groups),
		TEST(what_holds_for_all_ports_is_in_our_own_group),
		TEST(a_failed_write_leaves_the_old_value),
		TEST(a_failed_write_leaves_no_new_groups),
		TEST(a_value_that_is_taken_out_is_as_never_set),
		TEST(a_failed_write_leaves_a_value_that_was_to_be_taken_out),
		TEST(a_value_of_another_type_is_somebodys_and_stays),
		TEST(a_name_that_libconfig_cannot_hold_is_refused),
		TEST(the_file_keeps_its_mode_and_a_link_stays_a_link),
		TEST(the_evb_mode_is_read_as_stock_reads_it),
		TEST(without_a_tree_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
