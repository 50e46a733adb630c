/* SPDX-License-Identifier: GPL-2.0-only */
/* lldpad's client interface: messages as Debian 12's lldpad and vdptool say them. */
#include "companion/lldpad_msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define UUID "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
#define TYPE "06typeid0007119304709typeidver00012"
#define TWO "06filter00130-52:54:00:12:34:5606filter0015100-52:54:00:12:34:57"

static const char request[] =
	"M000080c4C3020000021c02e0020000000304mode0005assoc06mgrid200020b" TYPE
	"04uuid0024" UUID "05hints0002to" TWO;
static const char accepted[] =
	"M000080c4E1600ba04mode0005assoc06mgrid200021106typeid0007119304709typeidver00012"
	"04uuid0024" UUID "05hints00010" TWO;
static const char silent[] =
	"M000080c4E16009d04mode0007deassoc06mgrid200021106typeid0007119304709typeidver00012"
	"04uuid0024" UUID "05hints0003767" "06filter00130-52:54:00:12:34:56";

static const struct lldpad_vsi vsi = {
	.mode = VDP22_ASSOC,
	.manager = { 11 },
	.type_id = 1193047,
	.type_version = 2,
	.uuid = { 0xfa, 0x9b, 0x7f, 0xff, 0xb0, 0xa0, 0x48, 0x93, 0xab, 0xcd, 0xbe, 0xef, 0x4f,
		  0xf1, 0x8f, 0x8f },
	.to = true,
	.n = 2,
	.entry = { { { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } }, 0 },
		   { { { 0x52, 0x54, 0, 0x12, 0x34, 0x57 } }, 100 } },
};

static struct lldpad_msg decoded(const char *text, size_t len)
{
	struct lldpad_msg msg;

	assert_int_equal(lldpad_msg_decode((const uint8_t *)text, len, &msg, NULL), 0);
	return msg;
}

static void assert_written(const char *expected, const struct wr *w)
{
	assert_true(wr_ok(w));
	assert_int_equal(w->at, strlen(expected));
	assert_memory_equal(w->p, expected, w->at);
}

static void request_is_as_vdptool_writes_it(void **state)
{
	uint8_t b[LLDPAD_MSG_MAX];
	struct wr w = wr_new(b, sizeof(b));

	(void)state;
	lldpad_msg_request(&w, "e0", &vsi);
	assert_written(request, &w);
}

static void manager_that_is_no_number_goes_out_whole(void **state)
{
	struct lldpad_vsi whole = vsi;
	uint8_t b[LLDPAD_MSG_MAX];
	struct wr w = wr_new(b, sizeof(b));

	(void)state;
	memcpy(whole.manager, "\0\1\0\3", 4);
	lldpad_msg_request(&w, "e0", &whole);
	assert_non_null(memmem(b, w.at, "06mgrid2002000010003000000000000000000000000", 44));
}

static void entry_without_a_mac_is_its_vlan_alone(void **state)
{
	struct lldpad_vsi vid = vsi;
	uint8_t b[LLDPAD_MSG_MAX];
	struct wr w = wr_new(b, sizeof(b));

	(void)state;
	vid.n = 1;
	vid.entry[0] = (struct vsi_entry){ .vlan = 7 };
	lldpad_msg_request(&w, "e0", &vid);
	assert_memory_equal(b + w.at - 13, "06filter00017", 13);
}

static void sixty_entries_fit_into_a_request(void **state)
{
	struct lldpad_vsi many = vsi;
	uint8_t b[LLDPAD_MSG_MAX - 1];
	struct wr w = wr_new(b, sizeof(b));

	(void)state;
	many.n = LLDPAD_ENTRIES_MAX;
	for (unsigned i = 0; i < many.n; i++)
		many.entry[i] = (struct vsi_entry){ { { 2, 0, 0, 0, 0, (uint8_t)i } }, 4094 };
	lldpad_msg_request(&w, "enp0s31f6np1d15", &many);
	assert_true(wr_ok(&w));
}

static void question_asks_by_uuid_in_one_mode(void **state)
{
	uint8_t b[LLDPAD_MSG_MAX];
	struct wr w = wr_new(b, sizeof(b));

	(void)state;
	lldpad_msg_find(&w, "e0", VDP22_ASSOC, vsi.uuid);
	assert_written("M000080c4C3010000001d02e0020000000304uuid0024" UUID, &w);
}

static void acceptance_is_an_event_with_all_of_the_vsi(void **state)
{
	struct lldpad_msg msg = decoded(accepted, strlen(accepted));
	struct lldpad_vsi got;

	(void)state;
	assert_int_equal(msg.kind, LLDPAD_EVENT);
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 1);
	assert_true(lldpad_vsi_same(&got, &vsi));
	assert_int_equal(got.mode, VDP22_ASSOC);
	assert_int_equal(got.answer, 0);
	assert_int_equal(got.n, 2);
	assert_memory_equal(got.entry, vsi.entry, 2 * sizeof(*got.entry));
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 0);
}

static void a_switch_that_does_not_answer_is_an_event_that_ends_the_vsi(void **state)
{
	struct lldpad_msg msg = decoded(silent, strlen(silent));
	struct lldpad_vsi got;

	(void)state;
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 1);
	assert_int_equal(got.mode, VDP22_DEASSOC);
	assert_int_equal(got.answer, LLDPAD_NO_RESPONSE | LLDPAD_ANSWER_NONE);
}

static void answer_to_a_question_holds_all_that_fit(void **state)
{
	static const char two[] =
		"R00C3010000001d02e000000003"
		"00a704mode0005assoc06mgrid20010\xfa\x9b\x7f\xff\xb0\xa0H\x93\xab\xcd\xbe\xef"
		"O\xf1\x8f\x8f" TYPE "04uuid0024" UUID
		"05hints0001006filter00130-52:54:00:12:34:56"
		"009704mode0005assoc06mgrid20000" TYPE "04uuid0024" UUID
		"05hints0001006filter00130-52:54:00:12:34:56";
	struct lldpad_msg msg = decoded(two, sizeof(two) - 1);
	struct lldpad_vsi got, zero_first = vsi;

	(void)state;
	assert_int_equal(msg.kind, LLDPAD_RESPONSE);
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 1);
	assert_memory_equal(got.manager, vsi.uuid, sizeof(got.manager));
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 1);
	/* All that lldpad shows of a manager ID that begins with a zero octet. */
	memcpy(zero_first.manager, "\0\x11\x22", 3);
	assert_true(lldpad_vsi_same(&got, &zero_first));
	assert_false(lldpad_vsi_same(&got, &vsi));
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 0);
}

static void none_found_is_an_empty_answer(void **state)
{
	struct lldpad_msg msg = decoded("R00C3010000001d02e000000001", 27);
	struct lldpad_vsi got;

	(void)state;
	assert_int_equal(msg.status, LLDPAD_OK);
	assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), 0);
}

static void refusal_by_lldpad_needs_no_more_than_its_status(void **state)
{
	(void)state;
	assert_int_equal(decoded("R0fC3020000011c02e000000003", 27).status, LLDPAD_BUSY);
	assert_int_equal(decoded("R02C3020000011c04nope", 21).status, LLDPAD_NO_DEVICE);
	assert_int_equal(decoded("R0a", 3).status, LLDPAD_NO_ACCESS);
	assert_int_equal(decoded("R00A", 4).status, LLDPAD_OK);
}

static void messages_for_others_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(decoded("E3something", 11).kind, LLDPAD_OTHER);
	assert_int_equal(decoded("M02564d01E5 text", 16).kind, LLDPAD_OTHER);
	assert_int_equal(decoded("", 0).kind, LLDPAD_OTHER);
}

static void each_cut_event_is_refused_or_has_no_vsi(void **state)
{
	struct lldpad_msg msg;
	struct lldpad_vsi got;

	(void)state;
	for (size_t len = 10; len < sizeof(accepted) - 1; len++) {
		int err = lldpad_msg_decode((const uint8_t *)accepted, len, &msg, NULL);

		assert_true(err == -EBADMSG || lldpad_msg_vsi(&msg.vsis, &got) <= 0);
	}
}

static void fields_out_of_range_are_refused_by_name(void **state)
{
	static const char *const wrong[][2] = {
		{ "M000080c4E16000d" "06typeid00011", "mode of a VSI" },
		{ "M000080c4E160016" "06typeid000816777216", "typeid" },
		{ "M000080c4E160012" "09typeidver0003256", "typeidver" },
		{ "M000080c4E16000c" "04uuid0002zz", "uuid" },
		{ "M000080c4E160012" "06filter00041-52", "filter" },
		{ "M000080c4E160012" "zzfilter00041-52", "length of a name" },
	};
	struct lldpad_msg msg;
	struct lldpad_vsi got;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[64];

		/* The length as it is. */
		snprintf(text, sizeof(text), "%.12s%04x%s", wrong[i][0],
			 (unsigned)strlen(wrong[i][0] + 16), wrong[i][0] + 16);
		msg = decoded(text, strlen(text));
		assert_int_equal(lldpad_msg_vsi(&msg.vsis, &got), -EBADMSG);
		assert_string_equal(msg.vsis.what, wrong[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_as_vdptool_writes_it),
		cmocka_unit_test(manager_that_is_no_number_goes_out_whole),
		cmocka_unit_test(entry_without_a_mac_is_its_vlan_alone),
		cmocka_unit_test(sixty_entries_fit_into_a_request),
		cmocka_unit_test(question_asks_by_uuid_in_one_mode),
		cmocka_unit_test(acceptance_is_an_event_with_all_of_the_vsi),
		cmocka_unit_test(a_switch_that_does_not_answer_is_an_event_that_ends_the_vsi),
		cmocka_unit_test(answer_to_a_question_holds_all_that_fit),
		cmocka_unit_test(none_found_is_an_empty_answer),
		cmocka_unit_test(refusal_by_lldpad_needs_no_more_than_its_status),
		cmocka_unit_test(messages_for_others_are_passed_over),
		cmocka_unit_test(each_cut_event_is_refused_or_has_no_vsi),
		cmocka_unit_test(fields_out_of_range_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
