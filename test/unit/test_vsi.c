/* SPDX-License-Identifier: GPL-2.0-only */
/* core/vsi: what an association TLV means, given what was seen before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vsi.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

#define M VDP_STATUS_M
#define S VDP_STATUS_S
#define ACK VDP_STATUS_ACK
#define NOTHING MIGRATION_N_EVENTS

static const struct vsi_id uuid = {VSI_ID_UUID, {0xfa, 0x9b, 0x7f, 0xff}};
static const struct vsi_id other_uuid = {VSI_ID_UUID, {1}};
static const struct vsi_entry entry_1 = {{{0x52, 0x54, 0, 0, 0, 1}}, 0};
static const struct vsi_entry entry_2 = {{{0x52, 0x54, 0, 0, 0, 2}}, 10};

struct fixture {
	struct vsi_table *table;
	struct vsi *vsi;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->table = vsi_table_new();
	assert_non_null(f->table);
	f->vsi = vsi_get(f->table, 1, &uuid);
	assert_non_null(f->vsi);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vsi_table_free(f->table);
	free(f);
	return 0;
}

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

static void vsi_is_one_port_and_one_id(void **state)
{
	struct fixture *f = *state;
	struct vsi *there = vsi_get(f->table, 2, &uuid);

	assert_ptr_not_equal(there, f->vsi);
	assert_ptr_equal(vsi_get(f->table, 1, &uuid), f->vsi);
	assert_ptr_equal(vsi_find(f->table, 2, &uuid), there);
	assert_null(vsi_find(f->table, 3, &uuid));
	assert_null(vsi_find(f->table, 1, &other_uuid));
	vsi_remove(f->table, there);
	assert_null(vsi_find(f->table, 2, &uuid));
	assert_ptr_equal(vsi_find(f->table, 1, &uuid), f->vsi);
	vsi_remove(f->table, f->vsi);
	assert_null(vsi_find(f->table, 1, &uuid));
	assert_null(vsi_first(f->table));
}

static void oldest_vsi_comes_first(void **state)
{
	struct fixture *f = *state;
	struct vsi *second = vsi_get(f->table, 9, &other_uuid);
	struct vsi *third = vsi_get(f->table, 4, &uuid);

	assert_ptr_equal(vsi_first(f->table), f->vsi);
	assert_ptr_equal(f->vsi->next, second);
	assert_ptr_equal(second->next, third);
	assert_null(third->next);
	vsi_remove(f->table, second);
	assert_ptr_equal(f->vsi->next, third);
	vsi_remove(f->table, third);
	assert_null(f->vsi->next);
	third = vsi_get(f->table, 5, &uuid);
	assert_ptr_equal(f->vsi->next, third);
}

static void elsewhere_is_another_port_with_the_same_id(void **state)
{
	struct fixture *f = *state;
	struct vsi *there = vsi_get(f->table, 2, &uuid);
	struct vsi *stranger = vsi_get(f->table, 2, &other_uuid);

	there->state = MIGRATION_SETTLED;
	f->vsi->state = stranger->state = MIGRATION_ARRIVED;
	assert_ptr_equal(vsi_elsewhere(f->table, f->vsi, 1u << MIGRATION_SETTLED), there);
	assert_null(vsi_elsewhere(f->table, f->vsi, 1u << MIGRATION_ARRIVED));
	assert_ptr_equal(vsi_elsewhere(f->table, there, 1u << MIGRATION_ARRIVED), f->vsi);
}

static void filter_in_another_order_is_the_same(void **state)
{
	struct fixture *f = *state;
	struct link_vsi seen = sight(LINK_VSI_REQUEST, VDP22_ASSOC, 0);

	assert_false(vsi_filter_changed(f->vsi, &seen));
	seen.n_entries = 2;
	seen.entries[1] = entry_2;
	assert_int_equal(vsi_set_filter(f->vsi, &seen), 0);
	assert_false(vsi_filter_changed(f->vsi, &seen));
	seen.entries[0] = entry_2;
	seen.entries[1] = entry_1;
	assert_false(vsi_filter_changed(f->vsi, &seen));
	/* The same one twice is not both. */
	seen.entries[1] = entry_2;
	assert_true(vsi_filter_changed(f->vsi, &seen));
	seen.n_entries = 1;
	assert_true(vsi_filter_changed(f->vsi, &seen));
	seen.n_entries = 0;
	assert_false(vsi_filter_changed(f->vsi, &seen));
}

static void one_more_entry_changes_the_filter(void **state)
{
	struct fixture *f = *state;
	struct link_vsi seen = sight(LINK_VSI_REQUEST, VDP22_ASSOC, 0);

	vsi_set_filter(f->vsi, &seen);
	seen.n_entries = 2;
	seen.entries[1] = entry_1;
	assert_false(vsi_filter_changed(f->vsi, &seen));
	seen.entries[1] = entry_2;
	assert_true(vsi_filter_changed(f->vsi, &seen));
}

static void entries_that_stay_keep_what_is_known_of_them(void **state)
{
	struct fixture *f = *state;
	struct link_vsi seen = sight(LINK_VSI_REQUEST, VDP22_ASSOC, 0);

	vsi_set_filter(f->vsi, &seen);
	assert_true(f->vsi->leases[0].ask_at == MS_NEVER);
	f->vsi->leases[0].tag = 77;
	seen.n_entries = 3;
	seen.entries[0] = seen.entries[1] = entry_2;
	seen.entries[2] = entry_1;
	vsi_set_filter(f->vsi, &seen);
	assert_int_equal(f->vsi->n_leases, 2);
	assert_int_equal(f->vsi->leases[0].tag, 0);
	assert_int_equal(f->vsi->leases[1].tag, 77);
}

static void thousand_vsis_are_found(void **state)
{
	struct fixture *f = *state;

	for (uint16_t i = 0; i < 1000; i++) {
		struct vsi_id id = {VSI_ID_LOCAL, {(uint8_t)(i >> 8), (uint8_t)i}};
		struct vsi *vsi = vsi_get(f->table, (uint16_t)(i % 7), &id);

		assert_non_null(vsi);
		assert_ptr_equal(vsi_find(f->table, (uint16_t)(i % 7), &id), vsi);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void an_entry_is_found_by_mac_and_vlan(void **state)
{
	struct vsi_lease leases[2] = {
		{ .entry = { { { 2, 0, 0, 0, 0, 1 } }, 10 } },
		{ .entry = { { { 2, 0, 0, 0, 0, 1 } }, 20 } },
	};
	struct vsi vsi = { .n_leases = 2, .leases = leases };
	struct vsi_entry entry = leases[1].entry;

	(void)state;
	assert_ptr_equal(vsi_lease_find(&vsi, &entry), &leases[1]);
	entry.vlan = 30;
	assert_null(vsi_lease_find(&vsi, &entry));
}

static void states_of_a_help_request_have_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= VSI_HELP_SILENT; i++)
		assert_true(*vsi_help_text((enum vsi_help)i) != '?');
	assert_string_equal(vsi_help_text((enum vsi_help)99), "?");
}

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
		TEST(vsi_is_one_port_and_one_id),
		TEST(oldest_vsi_comes_first),
		TEST(elsewhere_is_another_port_with_the_same_id),
		TEST(filter_in_another_order_is_the_same),
		TEST(one_more_entry_changes_the_filter),
		TEST(entries_that_stay_keep_what_is_known_of_them),
		TEST(thousand_vsis_are_found),
		cmocka_unit_test(an_entry_is_found_by_mac_and_vlan),
		cmocka_unit_test(states_of_a_help_request_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
