/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the extended lldptool prints of our TLV, and what it adds to lldpad's answers:
 * commands and replies as lldptool 1.1 and lldpad exchange them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lldptool-ext/answer.h"
#include "lldptool-ext/capability.h"

#define HEAD "vdp_migrate Capability TLV\n"

/* What our own question is answered, and what it was; NULL: lldpad does not answer. */
static const char *answer;
static char question[256];

static void prints(const char *info, size_t len, const char *expected)
{
	char buf[CAPABILITY_TEXT_MAX];

	capability_text(info, len, buf);
	assert_memory_equal(buf, HEAD, strlen(HEAD));
	assert_string_equal(buf + strlen(HEAD), expected);
}

static void role_version_and_flags_are_words(void **state)
{
	(void)state;
	prints("010208", 7, "\tRole: bridge (switch)\n\tVersion: 1\n"
	       "\tFlags: leasequery\n");
	prints("010100", 7, "\tRole: station (server)\n\tVersion: 1\n\tFlags: none\n");
	prints("01020f", 7, "\tRole: bridge (switch)\n\tVersion: 1\n\tFlags: leasequery, "
	       "group query, help requests, M-bit in draft 0.2\n");
	prints("020180ff", 8, "\tRole: station (server)\n\tVersion: 2 (a later one)\n"
	       "\tFlags: 0x80 of a later version\n");
	prints("01020A", 7, "\tRole: bridge (switch)\n\tVersion: 1\n"
	       "\tFlags: leasequery, help requests\n");
}

static void what_cannot_be_read_is_malformed(void **state)
{
	char longest[2 * 507 + 1], buf[CAPABILITY_TEXT_MAX];

	(void)state;
	prints("", 4, "\tmalformed: version at octet 4: \n");
	prints("", 0, "\tmalformed: version at octet 4: \n");
	prints("000208", 7, "\tmalformed: version at octet 5: 000208\n");
	prints("0102", 6, "\tmalformed: flags at octet 6: 0102\n");
	prints("01020800", 8, "\tmalformed: end of capability at octet 7: 01020800\n");
	/* Less text than the length says, and text that is no octets. */
	prints("0102", 7, "\tmalformed: flags at octet 6: 0102\n");
	prints("01020", 7, "\tmalformed: flags at octet 6: 01020\n");
	prints("01x208", 7, "\tmalformed: role at octet 5: 01x208\n");
	memset(longest, 'f', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	capability_text(longest, 511, buf);
	assert_string_equal(buf + strlen(buf) - 4, "fff\n");
}

static int ask(void *arg, const char *cmd, size_t len, char *reply, size_t *reply_len)
{
	(void)arg;
	assert_true(len < sizeof(question));
	memcpy(question, cmd, len);
	question[len] = '\0';
	if (!answer)
		return -2;
	assert_true(strlen(answer) <= *reply_len);
	*reply_len = strlen(answer);
	memcpy(reply, answer, strlen(answer));
	return 0;
}

static const char *explained(const char *cmd, const char *reply)
{
	static char buf[ANSWER_TEXT_MAX];

	question[0] = '\0';
	return answer_explain(cmd, strlen(cmd), reply, strlen(reply), ask, NULL, buf);
}

#define GET "M00000001C301"
#define PORT "02p1" "02"
#define OURS "02564d01"
#define GOT "C301" "00000001" "02p1"

static void another_command_is_none_of_our_business(void **state)
{
	static const char *const others[] = {
		"P", "", "M", "M00000001C30100000001", GET "00000001" PORT "0080c20d",
		"E00000001C301" "00000001" PORT OURS,
		"M00000001C303" "00000004" PORT OURS,
		GET "00000001" "20" "p1" "02" OURS, GET "000000x1" PORT OURS,
	};

	(void)state;
	answer = "R09" GOT OURS;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_null(explained(others[i], "R09" GOT OURS));
		assert_string_equal(question, "");
	}
	/* Nor is a reply that is none. */
	assert_null(explained(GET "00000001" PORT OURS, "R0"));
	assert_null(explained(GET "00000001" PORT OURS, "R09C301"));
}

static void an_answer_that_says_it_all_is_left_alone(void **state)
{
	(void)state;
	answer = "R09" GOT OURS;
	assert_null(explained(GET "00000001" PORT OURS,
			      "R00" GOT OURS "fe0702564d01010208"));
	assert_null(explained(GET "00000015" PORT OURS "03use",
			      "R00" GOT OURS "03use0003yes"));
	assert_null(explained("M00000001C302" "0000000c" PORT OURS "05guard0001x",
			      "R05" GOT OURS "    p1: takes"));
	assert_string_equal(question, "");
}

static void the_missing_module_is_found_out_by_asking_for_a_setting(void **state)
{
	(void)state;
	answer = "R09" GOT OURS;
	assert_non_null(strstr(explained(GET "00000001" PORT OURS, "R00" GOT OURS),
			       "without the module"));
	assert_string_equal(question, GET "00000015" PORT OURS "03use");
	assert_non_null(strstr(explained("M00000001C302" "0000000c" PORT OURS
					 "05groups0003off", "R09" GOT OURS),
			       "without the module"));
	assert_string_equal(question, GET "00000015" PORT OURS "03use");
	/* lldpad does not answer, or not that. */
	answer = NULL;
	assert_null(explained(GET "00000001" PORT OURS, "R00" GOT OURS));
	answer = "nothing";
	assert_null(explained(GET "00000001" PORT OURS, "R00" GOT OURS));
	answer = "R02" GOT OURS;
	assert_null(explained(GET "00000001" PORT OURS, "R00" GOT OURS));
}

static void why_there_is_no_tlv_is_said(void **state)
{
	(void)state;
	answer = "R00" GOT OURS "03use0002no";
	assert_string_equal(explained(GET "00000001" PORT OURS, "R00" GOT OURS),
			    "p1 sends no capability TLV: use=no");
	answer = "R00" GOT OURS "03use0003yes";
	assert_non_null(strstr(explained(GET "00000001" PORT OURS, "R00" GOT OURS),
			       "advertise=no"));
	assert_string_equal(explained(GET "00000002" PORT OURS, "R00" GOT OURS),
			    "the neighbour of p1 sends no capability TLV");
	answer = "R0b" GOT OURS;
	assert_non_null(strstr(explained(GET "00000001" "02p1" "00" OURS, "R00" GOT OURS),
			       "-g ncb"));
	assert_non_null(strstr(explained(GET "00000011" "02p1" "00" OURS, "R0b" GOT OURS),
			       "-g ncb"));
}

static void an_unknown_name_is_named_and_so_are_those_there_are(void **state)
{
	const char *said;

	(void)state;
	answer = "R00" GOT OURS "03use0003yes";
	said = explained("M00000001C302" "0000000c" PORT OURS
			 "03use0003yes" "05gaurd0003off",
			 "R09" GOT OURS);
	assert_memory_equal(said, "no setting 'gaurd'; there are use, assist, ", 43);
	said = explained(GET "00000015" PORT OURS "03use05gaurd", "R09" GOT OURS);
	assert_memory_equal(said, "no setting 'gaurd'; ", 20);
	/* All are known; an argument that is cut is passed over. */
	assert_null(explained(GET "00000015" PORT OURS "03use", "R09" GOT OURS));
	assert_null(explained(GET "00000015" PORT OURS "99use", "R09" GOT OURS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(role_version_and_flags_are_words),
		cmocka_unit_test(what_cannot_be_read_is_malformed),
		cmocka_unit_test(another_command_is_none_of_our_business),
		cmocka_unit_test(an_answer_that_says_it_all_is_left_alone),
		cmocka_unit_test(the_missing_module_is_found_out_by_asking_for_a_setting),
		cmocka_unit_test(why_there_is_no_tlv_is_said),
		cmocka_unit_test(an_unknown_name_is_named_and_so_are_those_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
