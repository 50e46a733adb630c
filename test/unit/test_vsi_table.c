/* SPDX-License-Identifier: GPL-2.0-only */
/* core/vsi: the table of VSIs, and the filter of one. What its sights mean: test_vsi.c. */
#include "vsi_rig.h"

#include "wire/vdp22.h"

static const struct vsi_id other_uuid = {VSI_ID_UUID, {1}};
static const struct vsi_entry entry_2 = {{{0x52, 0x54, 0, 0, 0, 2}}, 10};

/* What a port sees of it: an associate with one entry. */
static struct link_vsi sight(void)
{
	return (struct link_vsi){.port = "p1",
				 .what = LINK_VSI_REQUEST,
				 .mode = VDP22_ASSOC,
				 .id = uuid,
				 .n_entries = 1,
				 .entries = {entry_1}};
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
	struct link_vsi seen = sight();

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
	struct link_vsi seen = sight();

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
	struct link_vsi seen = sight();

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
