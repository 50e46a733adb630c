/* SPDX-License-Identifier: GPL-2.0-only */
/* A port's VSIs as the bus shows them: what is kept, what ends them. */
#include "module/vsis.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define ACK VDP_STATUS_ACK
#define M VDP_STATUS_M

static struct vsis vsis;

static int done(void **state)
{
	(void)state;
	vsis_clear(&vsis);
	return 0;
}

static struct link_vsi seen_of(unsigned n, uint8_t what, uint8_t mode, uint8_t status)
{
	struct link_vsi seen = { .what = what, .mode = mode, .status = status,
				 .id.format = VSI_ID_UUID, .n_entries = 1 };

	seen.id.b[0] = (uint8_t)(n >> 8);
	seen.id.b[1] = (uint8_t)n;
	seen.entries[0].vlan = 10;
	return seen;
}

static int see(uint8_t what, uint8_t mode, uint8_t status)
{
	const struct link_vsi seen = seen_of(1, what, mode, status);

	return vsis_see(&vsis, &seen);
}

static void request(uint8_t mode, uint8_t status)
{
	assert_int_equal(see(LINK_VSI_REQUEST, mode, status), 0);
}

static void response(uint8_t mode, uint8_t status)
{
	assert_int_equal(see(LINK_VSI_RESPONSE, mode, status), 0);
}

static const struct vsis_one *one(void)
{
	const struct link_vsi seen = seen_of(1, 0, 0, 0);

	return vsis_find(&vsis, &seen.id);
}

static void a_vsi_holds_once_its_request_is_accepted(void **state)
{
	(void)state;
	request(VDP22_PRE, M);
	assert_int_equal(one()->mode, 0);
	assert_int_equal(one()->asked, VDP22_PRE);
	response(VDP22_PRE, ACK);
	assert_int_equal(one()->mode, VDP22_PRE);
	assert_int_equal(one()->asked, 0);
	assert_int_equal(one()->status, M);
	assert_int_equal(one()->n_entries, 1);
	assert_int_equal(one()->entries[0].vlan, 10);
	assert_false(vsis_confirmed(one()));
	request(VDP22_ASSOC, 0);
	assert_false(vsis_confirmed(one()));
	response(VDP22_ASSOC, ACK);
	assert_true(vsis_confirmed(one()));
	assert_int_equal(one()->status, 0);
	assert_false(vsis_confirmed(NULL));
}

static void keepalives_leave_the_M_of_the_request_that_began_the_mode(void **state)
{
	(void)state;
	request(VDP22_PRE, M);
	response(VDP22_PRE, ACK);
	request(VDP22_PRE, 0);
	response(VDP22_PRE, ACK);
	assert_int_equal(one()->status, M);
	request(VDP22_ASSOC, M);
	request(VDP22_ASSOC, 0);
	response(VDP22_ASSOC, ACK);
	assert_int_equal(one()->status, M);
	request(VDP22_ASSOC, 0);
	assert_true(vsis_confirmed(one()));
	response(VDP22_ASSOC, ACK);
	assert_int_equal(one()->status, M);
}

static void a_de_associate_request_ends_it_at_once(void **state)
{
	(void)state;
	request(VDP22_ASSOC, 0);
	response(VDP22_ASSOC, ACK);
	request(VDP22_DEASSOC, 0);
	assert_null(one());
	response(VDP22_DEASSOC, ACK);
	assert_int_equal(vsis.n, 0);
}

static void the_bridges_own_de_associate_ends_it(void **state)
{
	(void)state;
	request(VDP22_ASSOC, 0);
	response(VDP22_ASSOC, ACK);
	assert_int_equal(see(LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0), 0);
	assert_null(one());
	assert_int_equal(see(LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0), 0);
}

static void a_refusal_ends_it_unless_it_keeps_what_was_accepted(void **state)
{
	(void)state;
	request(VDP22_PRE, 0);
	response(VDP22_PRE, ACK | VDP_STATUS_KEEP | 2);
	assert_null(one());
	request(VDP22_PRE, M);
	response(VDP22_PRE, ACK);
	request(VDP22_ASSOC, M);
	response(VDP22_ASSOC, ACK | VDP_STATUS_KEEP | 2);
	assert_int_equal(one()->mode, VDP22_PRE);
	assert_int_equal(one()->asked, 0);
	request(VDP22_ASSOC, M);
	response(VDP22_ASSOC, ACK | 2);
	assert_null(one());
	response(VDP22_ASSOC, ACK | 2);
}

static void an_answer_to_what_was_not_seen_is_kept(void **state)
{
	(void)state;
	response(VDP22_ASSOC, ACK);
	assert_true(vsis_confirmed(one()));
	assert_int_equal(one()->status, 0);
	assert_int_equal(one()->n_entries, 1);
}

static void another_filter_replaces_the_entries(void **state)
{
	struct link_vsi seen = seen_of(1, LINK_VSI_REQUEST, VDP22_ASSOC, 0);

	(void)state;
	assert_int_equal(vsis_see(&vsis, &seen), 0);
	seen.n_entries = 2;
	seen.entries[1].vlan = 20;
	assert_int_equal(vsis_see(&vsis, &seen), 0);
	assert_int_equal(one()->n_entries, 2);
	assert_int_equal(one()->entries[1].vlan, 20);
}

static void fill(uint8_t what)
{
	for (unsigned i = 0; i < VSIS_MAX; i++) {
		const struct link_vsi seen =
			seen_of(i, what, VDP22_PRE,
				what == LINK_VSI_RESPONSE ? VDP_STATUS_ACK : 0);

		assert_int_equal(vsis_see(&vsis, &seen), 0);
	}
}

static void a_full_list_keeps_no_more_and_says_so(void **state)
{
	struct link_vsi seen = seen_of(VSIS_MAX, LINK_VSI_REQUEST, VDP22_PRE, 0);

	(void)state;
	fill(LINK_VSI_RESPONSE);
	assert_int_equal(vsis_see(&vsis, &seen), -ENOSPC);
	seen.what = LINK_VSI_RESPONSE;
	assert_int_equal(vsis_see(&vsis, &seen), -ENOSPC);
	request(VDP22_DEASSOC, 0);
	assert_int_equal(vsis_see(&vsis, &seen), 0);
}

static void in_a_full_list_the_oldest_request_without_an_answer_gives_way(void **state)
{
	const struct link_vsi first = seen_of(0, LINK_VSI_REQUEST, VDP22_PRE, 0);
	const struct link_vsi seen = seen_of(VSIS_MAX, LINK_VSI_REQUEST, VDP22_PRE, 0);

	(void)state;
	fill(LINK_VSI_REQUEST);
	assert_int_equal(vsis_see(&vsis, &seen), 0);
	assert_null(vsis_find(&vsis, &first.id));
	assert_non_null(vsis_find(&vsis, &seen.id));
	assert_int_equal(vsis.n, VSIS_MAX);
}

static void one_goes_on_by_serial_number_while_the_list_changes(void **state)
{
	const struct vsis_one *at = NULL;
	uint64_t before = vsis.serial;
	struct link_vsi seen;
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++) {
		seen = seen_of(i, LINK_VSI_REQUEST, VDP22_PRE, 0);
		vsis_see(&vsis, &seen);
	}
	at = vsis_after(&vsis, 0);
	assert_int_equal(at->id.b[1], 0);
	at = vsis_after(&vsis, before + 2);
	assert_int_equal(at->id.b[1], 2);
	for (i = 0; i < 6; i += 2) {
		seen = seen_of(i, LINK_VSI_REQUEST, VDP22_DEASSOC, 0);
		vsis_see(&vsis, &seen);
	}
	at = vsis_after(&vsis, before + 2);
	assert_int_equal(at->id.b[1], 3);
	assert_int_equal(at->next->id.b[1], 5);
	assert_null(at->next->next);
	assert_null(vsis_after(&vsis, before + 6));
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vsi_holds_once_its_request_is_accepted),
		TEST(keepalives_leave_the_M_of_the_request_that_began_the_mode),
		TEST(a_de_associate_request_ends_it_at_once),
		TEST(the_bridges_own_de_associate_ends_it),
		TEST(a_refusal_ends_it_unless_it_keeps_what_was_accepted),
		TEST(an_answer_to_what_was_not_seen_is_kept),
		TEST(another_filter_replaces_the_entries),
		TEST(a_full_list_keeps_no_more_and_says_so),
		TEST(in_a_full_list_the_oldest_request_without_an_answer_gives_way),
		TEST(one_goes_on_by_serial_number_while_the_list_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
