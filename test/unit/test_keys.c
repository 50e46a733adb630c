/* SPDX-License-Identifier: GPL-2.0-only */
/* core/keys: what a key needs, whom it must mean, and which reply is the better one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/keys.h"
#include "wire/text.h"

static const struct mac mac = {{0x52, 0x54, 0, 0, 0, 1}};
static const struct vsi_id uuid = {
	VSI_ID_UUID,
	{0xfa, 0x9b, 0x7f, 0xff, 0xb0, 0xa0, 0x48, 0x93, 0xab, 0xcd, 0xbe, 0xef, 0x4f, 0xf1,
	 0x8f, 0x8f}};
static const struct client_id client_id = {3, {0xff, 1, 2}};

static void mac_is_asked_by_itself_alone(void **state)
{
	struct keys_known known = {.vsi = &uuid, .client_id = &client_id};
	struct lq_question q = {0};

	(void)state;
	assert_false(keys_fill(LQ_BY_MAC, &known, &q));
	known.mac = mac;
	assert_true(keys_fill(LQ_BY_MAC, &known, &q));
	assert_true(mac_equal(&q.mac, &mac));
	assert_int_equal(q.id.len, 0);
}

static void client_id_is_never_guessed(void **state)
{
	static const struct client_id none = {0};
	struct keys_known known = {.vsi = &uuid, .mac = mac};
	struct lq_question q = {0};

	(void)state;
	assert_false(keys_fill(LQ_BY_CLIENT_ID, &known, &q));
	known.client_id = &none;
	assert_false(keys_fill(LQ_BY_CLIENT_ID, &known, &q));
	known.client_id = &client_id;
	assert_true(keys_fill(LQ_BY_CLIENT_ID, &known, &q));
	assert_memory_equal(&q.id, &client_id, sizeof(client_id));
	assert_true(mac_equal(&q.mac, &mac));
}

static void remote_id_is_the_instance_id_as_octets_or_text(void **state)
{
	struct keys_known known = {.vsi = &uuid, .mac = mac, .only_mac = true};
	struct lq_question q = {0};

	(void)state;
	assert_true(keys_fill(LQ_BY_REMOTE_ID, &known, &q));
	assert_int_equal(q.id.len, 16);
	assert_memory_equal(q.id.b, uuid.b, 16);
	assert_true(mac_equal(&q.mac, &mac));
	known.remote_id_text = true;
	known.only_mac = false;
	assert_true(keys_fill(LQ_BY_REMOTE_ID, &known, &q));
	assert_int_equal(q.id.len, 36);
	assert_memory_equal(q.id.b, "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", 36);
	assert_true(mac_is_zero(&q.mac));
	known.vsi = NULL;
	assert_false(keys_fill(LQ_BY_REMOTE_ID, &known, &q));
}

static void ip_is_no_key_of_a_vsi(void **state)
{
	const struct keys_known known = {.vsi = &uuid, .mac = mac, .client_id = &client_id};
	struct lq_question q = {0};

	(void)state;
	assert_false(keys_fill(LQ_BY_IP, &known, &q));
}

static void active_beats_unassigned_beats_unknown_beats_silence(void **state)
{
	static const enum lq_outcome order[] = {LQ_ACTIVE, LQ_UNASSIGNED, LQ_UNKNOWN,
						LQ_SILENT};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 4; j++) {
			const struct lq_answer a = {.outcome = order[i]};
			const struct lq_answer b = {.outcome = order[j]};

			assert_int_equal(keys_better(&a, &b), i < j);
		}
}

static void of_two_active_counts_who_heard_the_client_last(void **state)
{
	struct lq_answer a = {.outcome = LQ_ACTIVE, .last_s = 5};
	struct lq_answer b = {.outcome = LQ_ACTIVE, .last_s = 6};

	(void)state;
	assert_true(keys_better(&a, &b));
	assert_false(keys_better(&b, &a));
	a.last_s = LQ_NO_TIME;
	assert_true(keys_better(&b, &a));
	b.last_s = LQ_NO_TIME;
	assert_false(keys_better(&b, &a));
}

static void outcome_is_the_same_word_both_ways(void **state)
{
	(void)state;
	assert_string_equal(keys_outcome_text(LQ_ACTIVE), "LEASEACTIVE");
	assert_int_equal(keys_outcome_parse("LEASEACTIVE"), LQ_ACTIVE);
	assert_int_equal(keys_outcome_parse("LEASEUNASSIGNED"), LQ_UNASSIGNED);
	assert_int_equal(keys_outcome_parse("LEASEUNKNOWN"), LQ_UNKNOWN);
	assert_int_equal(keys_outcome_parse("none"), LQ_SILENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_is_asked_by_itself_alone),
		cmocka_unit_test(client_id_is_never_guessed),
		cmocka_unit_test(remote_id_is_the_instance_id_as_octets_or_text),
		cmocka_unit_test(ip_is_no_key_of_a_vsi),
		cmocka_unit_test(active_beats_unassigned_beats_unknown_beats_silence),
		cmocka_unit_test(of_two_active_counts_who_heard_the_client_last),
		cmocka_unit_test(outcome_is_the_same_word_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
