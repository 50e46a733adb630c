/* SPDX-License-Identifier: GPL-2.0-only */
/* core/announced: of the same VSI on several members of an anchor, whose sight counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/announced.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

static bool see(struct vsi *vsi, unsigned member, uint8_t what, uint8_t mode, uint8_t status)
{
	const struct link_vsi seen = {.what = what, .mode = mode, .status = status};

	return announced_see(vsi, member, &seen);
}

static bool asks(struct vsi *vsi, unsigned member, uint8_t mode)
{
	return see(vsi, member, LINK_VSI_REQUEST, mode, 0);
}

static void all_of_a_lone_member_counts(void **state)
{
	struct vsi vsi = {0};

	(void)state;
	assert_true(asks(&vsi, 0, VDP22_PRE));
	assert_true(see(&vsi, 0, LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK));
	assert_true(asks(&vsi, 0, VDP22_ASSOC));
	assert_true(asks(&vsi, 0, VDP22_PRE));
	assert_true(see(&vsi, 0, LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK | 2));
	assert_true(asks(&vsi, 0, VDP22_ASSOC));
	assert_true(see(&vsi, 0, LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0));
	assert_true(asks(&vsi, 0, VDP22_DEASSOC));
}

static void vsi_is_as_far_on_as_the_furthest_member(void **state)
{
	struct vsi vsi = {0};

	(void)state;
	assert_true(asks(&vsi, 0, VDP22_PRE));
	assert_true(asks(&vsi, 31, VDP22_PRE_RR));
	assert_true(asks(&vsi, 31, VDP22_ASSOC));
	assert_false(asks(&vsi, 0, VDP22_PRE));
	assert_false(see(&vsi, 0, LINK_VSI_RESPONSE, VDP22_PRE, VDP_STATUS_ACK));
	assert_true(asks(&vsi, 0, VDP22_ASSOC));
	assert_false(asks(&vsi, 31, VDP22_PRE));
	assert_true(asks(&vsi, 0, VDP22_PRE));
}

static void end_counts_when_no_member_is_left(void **state)
{
	static const struct {
		uint8_t what, mode, status;
	} ends[] = {
		{LINK_VSI_REQUEST, VDP22_DEASSOC, 0},
		{LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0},
		{LINK_VSI_RESPONSE, VDP22_ASSOC, VDP_STATUS_ACK | 2},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct vsi vsi = {0};

		asks(&vsi, 0, VDP22_ASSOC);
		asks(&vsi, 1, VDP22_ASSOC);
		assert_false(see(&vsi, 0, ends[i].what, ends[i].mode, ends[i].status));
		assert_false(see(&vsi, 0, ends[i].what, ends[i].mode, ends[i].status));
		assert_true(see(&vsi, 1, ends[i].what, ends[i].mode, ends[i].status));
	}
}

static void member_that_is_gone_ends_what_it_alone_announced(void **state)
{
	struct vsi vsi = {0};

	(void)state;
	asks(&vsi, 2, VDP22_ASSOC);
	asks(&vsi, 3, VDP22_PRE);
	assert_false(announced_end(&vsi, 2));
	assert_true(asks(&vsi, 3, VDP22_PRE));
	assert_true(announced_end(&vsi, 3));
	asks(&vsi, 2, VDP22_ASSOC);
	announced_end_all(&vsi);
	assert_true(asks(&vsi, 3, VDP22_DEASSOC));
}

static void replay_drops_the_members_that_do_not_name_it(void **state)
{
	struct vsi vsi = {0};

	(void)state;
	asks(&vsi, 0, VDP22_ASSOC);
	asks(&vsi, 1, VDP22_ASSOC);
	announced_replay(&vsi);
	assert_true(see(&vsi, 1, LINK_VSI_REPLAYED, VDP22_ASSOC, 0));
	assert_false(announced_replayed(&vsi));
	assert_true(asks(&vsi, 1, VDP22_DEASSOC));
	asks(&vsi, 0, VDP22_ASSOC);
	announced_replay(&vsi);
	assert_true(announced_replayed(&vsi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_lone_member_counts),
		cmocka_unit_test(vsi_is_as_far_on_as_the_furthest_member),
		cmocka_unit_test(end_counts_when_no_member_is_left),
		cmocka_unit_test(member_that_is_gone_ends_what_it_alone_announced),
		cmocka_unit_test(replay_drops_the_members_that_do_not_name_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
