/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scan on lists built up here: a program of three areas (data, operations,
 * code) and modules on the heap. The good list is found; each rule, broken alone, is
 * named.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "attach/lldpad.h"
#include "attach/scan.h"

#define MODULES 5
#define A_ID 0x80c4
#define B_ID 0x80c3

static const struct scan_wanted wanted[] = {
	{ A_ID, 0xc203 },
	{ B_ID, 0x8003 },
};
static const struct scan_rules rules = { 3, 8, 0x0003, 2, wanted };

/* The program. */
static struct {
	char text[256];
	void *ops[MODULES + 1][LLDPAD_SLOTS];
	void *data[64];
} program;

struct fixture {
	struct scan_image image;
	struct peek peek;
	struct lldpad_module *module[MODULES];
	struct scan_result result;
};

static void fill_ops(unsigned n, unsigned slots)
{
	for (unsigned i = 0; i < LLDPAD_SLOTS; i++)
		program.ops[n][i] = slots >> i & 1 ? &program.text[n * 16 + i] : NULL;
}

static void link_modules(struct fixture *f, unsigned n)
{
	struct lldpad_module **at = (struct lldpad_module **)&program.data[20];

	for (unsigned i = 0; i < n; i++) {
		f->module[i]->prev = at;
		*at = f->module[i];
		at = &f->module[i]->next;
	}
	*at = NULL;
}

static int set_up(void **state)
{
	static const int ids[MODULES] = { 1, 2, 0x1b3f, A_ID, B_ID };
	static const unsigned slots[MODULES] = { 0x4267, 0x4067, 0x60ef, 0xc203, 0x8003 };
	struct fixture *f = calloc(1, sizeof(*f));

	memset(&program, 0, sizeof(program));
	f->image.whole = (struct scan_range){ (uintptr_t)&program,
					      (uintptr_t)(&program + 1) };
	f->image.n_text = f->image.n_data = 1;
	f->image.text[0] = (struct scan_range){ (uintptr_t)program.text,
						(uintptr_t)program.text +
						sizeof(program.text) };
	f->image.data[0] = (struct scan_range){ (uintptr_t)program.data,
						(uintptr_t)program.data +
						sizeof(program.data) };
	for (unsigned i = 0; i < MODULES; i++) {
		f->module[i] = malloc(sizeof(*f->module[i]));
		/* As malloc gives it: rubbish in what most modules never set. */
		memset(f->module[i], 0xa5, sizeof(*f->module[i]));
		f->module[i]->id = ids[i];
		f->module[i]->ops = (const void *)program.ops[i];
		fill_ops(i, slots[i]);
	}
	link_modules(f, MODULES);
	/* What else a program's data hold: nothing, odd numbers, own and foreign
	 * addresses, such as are not mapped. */
	program.data[3] = (void *)0x1001;
	program.data[4] = &program.data[3];
	program.data[5] = f;
	program.data[6] = (void *)0x1000;
	*state = f;
	return peek_open(&f->peek);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	peek_close(&f->peek);
	for (unsigned i = 0; i < MODULES; i++)
		free(f->module[i]);
	free(f);
	return 0;
}

static void fails_by(struct fixture *f, enum scan_rule rule)
{
	char text[256];

	assert_int_equal(scan_modules(&f->image, &rules, &f->peek, &f->result), -ENOENT);
	assert_int_equal(f->result.failed, rule);
	assert_null(f->result.head);
	assert_true(strlen(scan_text(&f->result, text, sizeof(text))) > 20);
}

static void the_list_is_found(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(scan_modules(&f->image, &rules, &f->peek, &f->result), 0);
	assert_ptr_equal(f->result.head, &program.data[20]);
	assert_int_equal(f->result.lists, 1);
	assert_int_equal(f->result.words, 64);
	assert_int_equal(f->result.candidates, 3);
}

static void it_is_found_in_a_second_data_segment(void **state)
{
	struct fixture *f = *state;

	f->image.data[1] = f->image.data[0];
	f->image.data[1].start = (uintptr_t)&program.data[10];
	f->image.data[0].end = (uintptr_t)&program.data[10];
	f->image.n_data = 2;
	assert_int_equal(scan_modules(&f->image, &rules, &f->peek, &f->result), 0);
	assert_ptr_equal(f->result.head, &program.data[20]);
}

static void no_writable_segment(void **state)
{
	struct fixture *f = *state;

	f->image.n_data = 0;
	fails_by(f, SCAN_NO_DATA);
}

static void no_pointer_out_of_the_program(void **state)
{
	struct fixture *f = *state;

	memset(program.data, 0, sizeof(program.data));
	fails_by(f, SCAN_NO_POINTER);
}

static void nothing_points_back_at_the_head(void **state)
{
	struct fixture *f = *state;

	f->module[0]->prev = (struct lldpad_module **)&program.data[21];
	fails_by(f, SCAN_FIRST_NODE);
}

static void a_node_inside_the_program(void **state)
{
	struct fixture *f = *state;

	f->module[1]->next = (struct lldpad_module *)&program.data[30];
	fails_by(f, SCAN_NODE);
}

static void a_node_that_is_not_mapped(void **state)
{
	struct fixture *f = *state;

	f->module[1]->next = (struct lldpad_module *)0x1000;
	fails_by(f, SCAN_NODE);
}

static void a_node_at_an_odd_address(void **state)
{
	struct fixture *f = *state;

	f->module[1]->next = (struct lldpad_module *)((char *)f->module[2] + 1);
	fails_by(f, SCAN_NODE);
}

static void a_later_node_that_does_not_point_back(void **state)
{
	struct fixture *f = *state;

	f->module[2]->prev = &f->module[0]->next;
	fails_by(f, SCAN_BACK_POINTER);
}

static void an_id_out_of_range(void **state)
{
	struct fixture *f = *state;

	f->module[2]->id = 0;
	fails_by(f, SCAN_ID);
	f->module[2]->id = 0x1000000;
	fails_by(f, SCAN_ID);
}

static void operations_that_are_not_the_programs(void **state)
{
	struct fixture *f = *state;

	f->module[2]->ops = (const void *)f;
	fails_by(f, SCAN_OPS);
	/* The last octets of the program hold no whole table. */
	f->module[2]->ops = (const void *)&program.data[60];
	fails_by(f, SCAN_OPS);
}

static void a_slot_that_is_no_code(void **state)
{
	struct fixture *f = *state;

	program.ops[2][5] = &program.data[1];
	fails_by(f, SCAN_SLOT);
	assert_int_equal(f->result.id, 0x1b3f);
}

static void a_module_that_cannot_unregister(void **state)
{
	struct fixture *f = *state;

	fill_ops(2, 0x60ed);
	fails_by(f, SCAN_SLOTS);
	assert_int_equal(f->result.id, 0x1b3f);
}

static void a_loop(void **state)
{
	struct fixture *f = *state;
	const struct scan_rules tight = { 3, 4, 0x0003, 2, wanted };

	assert_int_equal(scan_modules(&f->image, &tight, &f->peek, &f->result), -ENOENT);
	assert_int_equal(f->result.failed, SCAN_TOO_MANY);
	/* A real one ends at its back pointer. */
	f->module[4]->next = f->module[0];
	fails_by(f, SCAN_BACK_POINTER);
}

static void too_few_modules(void **state)
{
	struct fixture *f = *state;

	link_modules(f, 2);
	fails_by(f, SCAN_TOO_FEW);
}

static void a_wanted_module_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	link_modules(f, 4);
	fails_by(f, SCAN_WANTED);
	assert_int_equal(f->result.id, B_ID);
}

static void a_wanted_module_that_is_there_twice(void **state)
{
	struct fixture *f = *state;

	f->module[0]->id = A_ID;
	fill_ops(0, 0xc203);
	fails_by(f, SCAN_WANTED);
	assert_int_equal(f->result.id, A_ID);
}

static void a_wanted_module_with_other_slots(void **state)
{
	struct fixture *f = *state;
	char text[256];

	fill_ops(3, 0xc207);
	fails_by(f, SCAN_WANTED_SLOTS);
	scan_text(&f->result, text, sizeof(text));
	assert_non_null(strstr(text, "module 0x80c4, slots 0xc207"));
}

static void two_lists_that_pass(void **state)
{
	struct fixture *f = *state;
	struct lldpad_module second[3];

	for (unsigned i = 0; i < 3; i++) {
		second[i] = *f->module[i + 2];
		second[i].prev = i ? &second[i - 1].next :
			(struct lldpad_module **)&program.data[40];
		second[i].next = i < 2 ? &second[i + 1] : NULL;
	}
	program.data[40] = second;
	fails_by(f, SCAN_SEVERAL);
	assert_int_equal(f->result.lists, 2);
}

static void a_peek_that_does_not_work(void **state)
{
	struct fixture *f = *state;
	struct peek none = { -1, -1 };

	assert_int_equal(scan_modules(&f->image, &rules, &none, &f->result), -ENOENT);
	assert_int_equal(f->result.failed, SCAN_UNREADABLE);
	assert_int_equal(f->result.error, EBADF);
}

/* ASan's own variables lie beside the program's, on pages that nobody may read. */
static void skip_if_sanitized(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	skip();
#endif
#endif
}

static void this_program_has_data_and_code_but_no_list(void **state)
{
	static int variable = 1;
	struct fixture *f = *state;
	struct scan_image self;
	bool code = false, data = false;

	skip_if_sanitized();
	assert_true(scan_self(&self));
	for (unsigned i = 0; i < self.n_text; i++)
		code |= (uintptr_t)scan_self >= self.text[i].start &&
			(uintptr_t)scan_self < self.text[i].end;
	for (unsigned i = 0; i < self.n_data; i++)
		data |= (uintptr_t)&variable >= self.data[i].start &&
			(uintptr_t)&variable < self.data[i].end;
	assert_true(code);
	assert_true(data);
	/* The list above: its operations are not in code here. */
	assert_int_equal(scan_modules(&self, &rules, &f->peek, &f->result), -ENOENT);
	assert_int_equal(f->result.failed, SCAN_SLOT);
}

static void a_running_program_without_a_list_is_told_why(void **state)
{
	char why[256];

	(void)state;
	skip_if_sanitized();
	assert_null(scan_program(&rules, why, sizeof(why)));
	assert_memory_equal(why, "an operation is no code of the program", 38);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_list_is_found),
		TEST(it_is_found_in_a_second_data_segment),
		TEST(no_writable_segment),
		TEST(no_pointer_out_of_the_program),
		TEST(nothing_points_back_at_the_head),
		TEST(a_node_inside_the_program),
		TEST(a_node_that_is_not_mapped),
		TEST(a_node_at_an_odd_address),
		TEST(a_later_node_that_does_not_point_back),
		TEST(an_id_out_of_range),
		TEST(operations_that_are_not_the_programs),
		TEST(a_slot_that_is_no_code),
		TEST(a_module_that_cannot_unregister),
		TEST(a_loop),
		TEST(too_few_modules),
		TEST(a_wanted_module_that_is_not_there),
		TEST(a_wanted_module_that_is_there_twice),
		TEST(a_wanted_module_with_other_slots),
		TEST(two_lists_that_pass),
		TEST(a_peek_that_does_not_work),
		TEST(this_program_has_data_and_code_but_no_list),
		TEST(a_running_program_without_a_list_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
