/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads that cannot fault: of what is there, of what is not, and over the edge.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/peek.h"

static int open_peek(void **state)
{
	static struct peek peek;

	*state = &peek;
	return peek_open(&peek);
}

static int close_peek(void **state)
{
	peek_close(*state);
	return 0;
}

static void memory_that_is_there_is_copied(void **state)
{
	char from[PEEK_MAX], to[PEEK_MAX];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 7);
	assert_int_equal(peek_read(*state, from, to, sizeof(to)), 0);
	assert_memory_equal(from, to, sizeof(to));
}

static void memory_that_is_not_there_is_EFAULT(void **state)
{
	char to[8] = "before";

	assert_int_equal(peek_read(*state, NULL, to, sizeof(to)), -EFAULT);
	assert_int_equal(peek_read(*state, (void *)8, to, sizeof(to)), -EFAULT);
	assert_int_equal(peek_read(*state, (void *)(UINTPTR_MAX - 7), to, sizeof(to)),
			 -EFAULT);
	assert_string_equal(to, "before");
}

static void over_the_edge_of_a_page_is_EFAULT_and_leaves_nothing_behind(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char to[64], good[64];

	assert_ptr_not_equal(two, MAP_FAILED);
	memset(two, 'x', page);
	assert_int_equal(munmap(two + page, page), 0);
	assert_int_equal(peek_read(*state, two + page - 32, to, sizeof(to)), -EFAULT);
	memset(good, 'y', sizeof(good));
	assert_int_equal(peek_read(*state, good, to, sizeof(to)), 0);
	assert_memory_equal(good, to, sizeof(to));
	munmap(two, page);
}

static void write_only_and_no_access_pages_are_EFAULT(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *none = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char to[8];

	assert_int_equal(peek_read(*state, none, to, sizeof(to)), -EFAULT);
	munmap(none, page);
}

static void more_than_the_pipe_surely_holds_is_refused(void **state)
{
	static char from[PEEK_MAX + 1], to[PEEK_MAX + 1];

	assert_int_equal(peek_read(*state, from, to, sizeof(to)), -EINVAL);
}

static void without_descriptors_there_is_no_peek(void **state)
{
	struct rlimit old, none;
	struct peek peek;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(peek_open(&peek), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_peek, close_peek)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_that_is_there_is_copied),
		TEST(memory_that_is_not_there_is_EFAULT),
		TEST(over_the_edge_of_a_page_is_EFAULT_and_leaves_nothing_behind),
		TEST(write_only_and_no_access_pages_are_EFAULT),
		TEST(more_than_the_pipe_surely_holds_is_refused),
		cmocka_unit_test(without_descriptors_there_is_no_peek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
