/* SPDX-License-Identifier: GPL-2.0-only */
/* core/vsi: what an association TLV means, given what was seen before. */
#include "vsi_rig.h"

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define M VDP_STATUS_M
#define S VDP_STATUS_S
#define ACK VDP_STATUS_ACK
#define NOTHING MIGRATION_N_EVENTS

static struct link_vsi sight(uint8_t what, uint8_t mode, uint8_t status)
{
	return (struct link_vsi){.port = "p1",
				 .what = what,
				 .mode = mode,
				 .status = status,
				 .id = uuid,
				 .n_entries = 1,
				 .entries = {entry_1}};
}

/* The one event, NOTHING, or the first of two. */
static enum migration_event see(struct vsi *vsi, uint8_t what, uint8_t mode,
				uint8_t status)
{
	const struct link_vsi seen = sight(what, mode, status);
	enum migration_event events[VSI_EVENTS_MAX] = {NOTHING, NOTHING};
	unsigned n = vsi_see(vsi, &seen, events);

	assert_true(n <= VSI_EVENTS_MAX);
	return events[0];
}

static enum migration_event request(struct vsi *vsi, uint8_t mode, uint8_t status)
{
	return see(vsi, LINK_VSI_REQUEST, mode, status);
}

static enum migration_event response(struct vsi *vsi, uint8_t mode, uint8_t status)
{
	return see(vsi, LINK_VSI_RESPONSE, mode, status);
}

static void first_preassociate_with_M_is_a_migration(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f->vsi, VDP22_PRE, M), MIGRATION_PRE_M);
	assert_int_equal(f->vsi->mode, VDP22_PRE);
}

static void first_preassociate_with_resources_and_M_is_a_migration(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f->vsi, VDP22_PRE_RR, M), MIGRATION_PRE_M);
}

static void first_associate_with_M_is_a_migration(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_ASSOC_M);
}

static void first_request_without_M_is_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f->vsi, VDP22_ASSOC, 0), MIGRATION_REQUEST);
}

static void S_is_not_M(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f->vsi, VDP22_PRE, S), MIGRATION_REQUEST);
}

static bool is_suspended(struct vsi *vsi, uint8_t mode, uint8_t status)
{
	const struct link_vsi seen = sight(LINK_VSI_REQUEST, mode, status);
	enum migration_event events[VSI_EVENTS_MAX] = {NOTHING, NOTHING};
	unsigned n = vsi_see(vsi, &seen, events);

	return n == 2 && events[0] == MIGRATION_REQUEST && events[1] == MIGRATION_SUSPENDED;
}

static void S_of_an_association_is_told_at_its_edge(void **state)
{
	struct fixture *f = *state;

	(void)request(f->vsi, VDP22_ASSOC, 0);
	assert_true(is_suspended(f->vsi, VDP22_ASSOC, S));
	assert_false(is_suspended(f->vsi, VDP22_ASSOC, S));
	assert_false(is_suspended(f->vsi, VDP22_ASSOC, 0));
	assert_true(is_suspended(f->vsi, VDP22_ASSOC, S));
}

static void S_counts_again_when_what_it_was_for_has_come_to_nothing(void **state)
{
	struct fixture *f = *state;

	(void)request(f->vsi, VDP22_ASSOC, 0);
	assert_true(is_suspended(f->vsi, VDP22_ASSOC, S));
	vsi_resumed(f->vsi);
	assert_true(is_suspended(f->vsi, VDP22_ASSOC, S));
}

/* A stock station has it always: it means no more then. */
static void S_that_was_no_edge_does_not_become_one(void **state)
{
	struct fixture *f = *state;

	assert_false(is_suspended(f->vsi, VDP22_ASSOC, S));
	vsi_resumed(f->vsi);
	assert_false(is_suspended(f->vsi, VDP22_ASSOC, S));
}

static void S_of_a_first_request_and_its_keepalives_says_nothing(void **state)
{
	struct fixture *f = *state;

	assert_false(is_suspended(f->vsi, VDP22_PRE, S));
	assert_false(is_suspended(f->vsi, VDP22_PRE, S));
	assert_false(is_suspended(f->vsi, VDP22_ASSOC, S));
	assert_false(is_suspended(f->vsi, VDP22_ASSOC, S));
	assert_false(is_suspended(f->vsi, VDP22_DEASSOC, S));
}

static void keepalive_repeating_M_asks_nothing(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, M);
	for (int i = 0; i < 3; i++)
		assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_REQUEST);
}

static void change_of_mode_with_M_is_a_transition(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_PRE, M);
	assert_int_equal(request(f->vsi, VDP22_PRE_RR, M), MIGRATION_PRE_M);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_ASSOC_M);
	assert_int_equal(request(f->vsi, VDP22_PRE, M), MIGRATION_PRE_M);
}

static void associate_without_M_after_a_preassociate_is_told(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_PRE, 0);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, 0), MIGRATION_ASSOC_AFTER_PRE);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, 0), MIGRATION_REQUEST);
}

static void deassociate_with_M_is_a_deassociate(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, M);
	assert_int_equal(request(f->vsi, VDP22_DEASSOC, M), MIGRATION_DEASSOC);
	assert_int_equal(f->vsi->mode, 0);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_ASSOC_M);
}

static void association_is_accepted_once(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, 0);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), MIGRATION_ACCEPTED);
	assert_true(f->vsi->confirmed);
	request(f->vsi, VDP22_ASSOC, 0);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), NOTHING);
}

static void accepted_preassociate_means_nothing(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_PRE, M);
	assert_int_equal(response(f->vsi, VDP22_PRE, ACK), NOTHING);
	assert_false(f->vsi->confirmed);
}

static void KEEP_and_HARD_of_a_response_are_no_M(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, 0);
	assert_int_equal(
		response(f->vsi, VDP22_ASSOC, ACK | VDP_STATUS_KEEP | VDP_STATUS_HARD),
		MIGRATION_ACCEPTED);
}

static void response_without_ack_is_none(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, 0);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, 0), NOTHING);
}

static void new_mode_is_accepted_anew(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, 0);
	response(f->vsi, VDP22_ASSOC, ACK);
	request(f->vsi, VDP22_PRE, M);
	request(f->vsi, VDP22_ASSOC, M);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), MIGRATION_ACCEPTED);
}

static void late_answer_to_an_associate_does_not_accept_a_preassociate(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_PRE, M);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), NOTHING);
}

static void answer_whose_request_went_by_unseen_is_accepted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), MIGRATION_ACCEPTED);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_REQUEST);
}

static void refusal_ends_it(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_PRE, M);
	assert_int_equal(response(f->vsi, VDP22_PRE, ACK | 2), MIGRATION_REFUSED);
	assert_int_equal(f->vsi->mode, 0);
	assert_int_equal(request(f->vsi, VDP22_PRE, M), MIGRATION_PRE_M);
}

static void answer_to_a_deassociate_means_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(response(f->vsi, VDP22_DEASSOC, ACK), NOTHING);
	assert_int_equal(response(f->vsi, VDP22_DEASSOC, ACK | 2), NOTHING);
}

static void timeout_makes_the_next_request_the_first(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, M);
	response(f->vsi, VDP22_ASSOC, ACK);
	assert_int_equal(see(f->vsi, LINK_VSI_TIMEOUT, VDP22_DEASSOC, 0),
			 MIGRATION_TIMEOUT);
	assert_true(f->vsi->forgotten);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_ASSOC_M);
	assert_false(f->vsi->forgotten);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), MIGRATION_ACCEPTED);
}

static void forgotten_vsi_in_the_same_mode_is_no_transition(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, M);
	response(f->vsi, VDP22_ASSOC, ACK);
	vsi_forget(f->vsi);
	assert_true(f->vsi->forgotten);
	assert_int_equal(request(f->vsi, VDP22_ASSOC, M), MIGRATION_REQUEST);
	assert_false(f->vsi->forgotten);
	assert_int_equal(response(f->vsi, VDP22_ASSOC, ACK), MIGRATION_ACCEPTED);
}

static void forgotten_vsi_in_another_mode_is_a_transition(void **state)
{
	struct fixture *f = *state;

	request(f->vsi, VDP22_ASSOC, 0);
	vsi_forget(f->vsi);
	assert_int_equal(request(f->vsi, VDP22_PRE, M), MIGRATION_PRE_M);
}

static void request_stops_the_clock(void **state)
{
	struct fixture *f = *state;

	assert_true(f->vsi->clock == MS_NEVER);
	request(f->vsi, VDP22_ASSOC, 0);
	vsi_forget(f->vsi);
	f->vsi->clock = 7000;
	request(f->vsi, VDP22_ASSOC, 0);
	assert_true(f->vsi->clock == MS_NEVER);
}

static void replayed_preassociate_keeps_its_M(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(see(f->vsi, LINK_VSI_REPLAYED, VDP22_PRE, M), MIGRATION_PRE_M);
}

static void replayed_associate_is_a_request_without_M_and_accepted(void **state)
{
	struct fixture *f = *state;
	const struct link_vsi seen = sight(LINK_VSI_REPLAYED, VDP22_ASSOC, M);
	enum migration_event events[VSI_EVENTS_MAX];

	assert_int_equal(vsi_see(f->vsi, &seen, events), 2);
	assert_int_equal(events[0], MIGRATION_REQUEST);
	assert_int_equal(events[1], MIGRATION_ACCEPTED);
	assert_int_equal(vsi_see(f->vsi, &seen, events), 1);
	assert_int_equal(events[0], MIGRATION_REQUEST);
}

static void replayed_associate_of_a_known_preassociate_is_its_end(void **state)
{
	struct fixture *f = *state;
	const struct link_vsi seen = sight(LINK_VSI_REPLAYED, VDP22_ASSOC, M);
	enum migration_event events[VSI_EVENTS_MAX];

	request(f->vsi, VDP22_PRE, M);
	assert_int_equal(vsi_see(f->vsi, &seen, events), 2);
	assert_int_equal(events[0], MIGRATION_ASSOC_AFTER_PRE);
	assert_int_equal(events[1], MIGRATION_ACCEPTED);
}

static void unknown_sights_mean_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(see(f->vsi, 0, VDP22_ASSOC, M), NOTHING);
	assert_int_equal(request(f->vsi, VDP22_MANAGER, M), NOTHING);
	assert_int_equal(see(f->vsi, LINK_VSI_REPLAYED, VDP22_DEASSOC, 0), NOTHING);
	assert_int_equal(f->vsi->mode, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(first_preassociate_with_M_is_a_migration),
		TEST(first_preassociate_with_resources_and_M_is_a_migration),
		TEST(first_associate_with_M_is_a_migration),
		TEST(first_request_without_M_is_none),
		TEST(S_is_not_M),
		TEST(S_of_an_association_is_told_at_its_edge),
		TEST(S_counts_again_when_what_it_was_for_has_come_to_nothing),
		TEST(S_that_was_no_edge_does_not_become_one),
		TEST(S_of_a_first_request_and_its_keepalives_says_nothing),
		TEST(keepalive_repeating_M_asks_nothing),
		TEST(change_of_mode_with_M_is_a_transition),
		TEST(associate_without_M_after_a_preassociate_is_told),
		TEST(deassociate_with_M_is_a_deassociate),
		TEST(association_is_accepted_once),
		TEST(accepted_preassociate_means_nothing),
		TEST(KEEP_and_HARD_of_a_response_are_no_M),
		TEST(response_without_ack_is_none),
		TEST(new_mode_is_accepted_anew),
		TEST(late_answer_to_an_associate_does_not_accept_a_preassociate),
		TEST(answer_whose_request_went_by_unseen_is_accepted),
		TEST(refusal_ends_it),
		TEST(answer_to_a_deassociate_means_nothing),
		TEST(timeout_makes_the_next_request_the_first),
		TEST(forgotten_vsi_in_the_same_mode_is_no_transition),
		TEST(forgotten_vsi_in_another_mode_is_a_transition),
		TEST(request_stops_the_clock),
		TEST(replayed_preassociate_keeps_its_M),
		TEST(replayed_associate_is_a_request_without_M_and_accepted),
		TEST(replayed_associate_of_a_known_preassociate_is_its_end),
		TEST(unknown_sights_mean_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
