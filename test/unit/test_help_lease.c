/* SPDX-License-Identifier: GPL-2.0-only */
/* core/help: what is certain of a VM's lease, and the request for it. */
#include "core/help.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "wire/dhcp4.h"
#include "wire/inet.h"
#include "wire/text.h"

static const struct addr a1 = { ADDR_IPV4, { 10, 0, 0, 1 } };
static const struct addr a2 = { ADDR_IPV4, { 10, 0, 0, 2 } };
static const struct client_id id1 = { 2, { 1, 2 } }, id2 = { 2, { 1, 3 } };
static struct help_known mark, snooped, lease;

static enum help_verdict decide(void)
{
	const struct help_facts facts = {
		.dhcp4 = true, .mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
		.mark = &mark, .snooped = &snooped,
	};

	lease = (struct help_known){ 0 };
	return help_decide(&facts, &lease);
}

static int clear(void **state)
{
	(void)state;
	mark = snooped = (struct help_known){ 0 };
	return 0;
}

static void nothing_known_requests_nothing(void **state)
{
	struct help_facts facts = { .dhcp4 = true, .mac = { { 2 } } };

	(void)state;
	assert_int_equal(help_decide(&facts, &lease), HELP_NO_ADDRESS);
	facts.dhcp4 = false;
	assert_int_equal(help_decide(&facts, &lease), HELP_NOT_DHCP4);
	facts.dhcp4 = true;
	facts.mac = (struct mac){ { 0 } };
	assert_int_equal(help_decide(&facts, &lease), HELP_NO_MAC);
	facts.mac = (struct mac){ { 1 } };
	assert_int_equal(help_decide(&facts, &lease), HELP_NO_MAC);
}

static void an_address_without_word_of_the_client_id_is_not_enough(void **state)
{
	(void)state;
	mark.ip = a1;
	assert_int_equal(decide(), HELP_NO_CLIENT_ID);
	mark.no_client_id = true;
	assert_int_equal(decide(), HELP_REQUEST);
	assert_true(addr_equal(&lease.ip, &a1));
	assert_int_equal(lease.client_id.len, 0);
}

static void two_sources_complete_each_other(void **state)
{
	(void)state;
	mark.ip = a1;
	snooped.client_id = id1;
	assert_int_equal(decide(), HELP_REQUEST);
	assert_memory_equal(&lease.client_id, &id1, sizeof(id1));
	snooped.ip = a1;
	mark.client_id = id1;
	assert_int_equal(decide(), HELP_REQUEST);
}

static void two_sources_that_differ_request_nothing(void **state)
{
	(void)state;
	mark = (struct help_known){ .ip = a1, .client_id = id1 };
	snooped = (struct help_known){ .ip = a2, .client_id = id1 };
	assert_int_equal(decide(), HELP_ADDRESSES_DIFFER);
	snooped.ip = a1;
	snooped.client_id = id2;
	assert_int_equal(decide(), HELP_CLIENT_IDS_DIFFER);
	snooped.client_id.len = 1;
	assert_int_equal(decide(), HELP_CLIENT_IDS_DIFFER);
	snooped.client_id.len = 0;
	snooped.no_client_id = true;
	assert_int_equal(decide(), HELP_CLIENT_IDS_DIFFER);
	mark.client_id.len = 0;
	mark.no_client_id = true;
	assert_int_equal(decide(), HELP_REQUEST);
	snooped.ended = true;
	assert_int_equal(decide(), HELP_ENDED);
	snooped.ended = false;
	snooped.contested = true;
	assert_int_equal(decide(), HELP_CONTESTED);
}

static void what_is_doubtful_is_a_reason_against_alone(void **state)
{
	struct help_known doubtful = { .ip = a1, .client_id = id1 };
	struct help_facts facts = {
		.dhcp4 = true, .mac = { { 2 } }, .mark = &mark, .doubtful = &doubtful,
	};

	(void)state;
	assert_int_equal(help_decide(&facts, &lease), HELP_NO_ADDRESS);
	mark.ip = a1;
	assert_int_equal(help_decide(&facts, &lease), HELP_NO_CLIENT_ID);
	mark.client_id = id1;
	assert_int_equal(help_decide(&facts, &lease), HELP_REQUEST);
	doubtful.client_id = id2;
	assert_int_equal(help_decide(&facts, &lease), HELP_CLIENT_IDS_DIFFER);
	doubtful.ip = a2;
	assert_int_equal(help_decide(&facts, &lease), HELP_ADDRESSES_DIFFER);
	doubtful = (struct help_known){ .contested = true };
	assert_int_equal(help_decide(&facts, &lease), HELP_CONTESTED);
}

static void the_subnet_is_named_where_giaddr_is_apart(void **state)
{
	const struct help_known known = { .ip = a1, .no_client_id = true };
	struct help_form form = { .mac = { { 2 } }, .giaddr = a2, .apart = true };
	uint8_t buf[HELP_FRAME_MAX];
	struct inet_frame f;
	struct addr subnet;
	struct dhcp4 m;

	(void)state;
	for (int apart = 1; apart >= 0; apart--) {
		form.apart = apart;
		assert_int_equal(inet_decode(buf, help_frame(buf, sizeof(buf), &known, &form),
					     &f, NULL), 0);
		assert_int_equal(dhcp4_decode(f.payload, &m, NULL), 0);
		assert_int_equal(dhcp4_opt_addr(&m, DHCP4_OPT_SUBNET, &subnet), apart);
	}
}

static void an_address_that_no_host_has_is_refused(void **state)
{
	static const uint8_t first[] = { 0, 127, 224, 239, 255 };
	struct help_facts facts = { .dhcp4 = true, .mac = { { 2 } }, .mark = &mark };

	(void)state;
	mark.no_client_id = true;
	for (size_t i = 0; i < sizeof(first); i++) {
		mark.ip = (struct addr){ ADDR_IPV4, { first[i], 0, 0, 1 } };
		assert_int_equal(decide(), HELP_BAD_ADDRESS);
	}
	mark.ip.family = ADDR_IPV6;
	assert_int_equal(decide(), HELP_BAD_ADDRESS);
	mark.ip = a1;
	facts.giaddr = (struct addr){ ADDR_IPV4, { 127, 0, 0, 1 } };
	assert_int_equal(help_decide(&facts, &lease), HELP_BAD_GIADDR);
	facts.giaddr.family = ADDR_IPV6;
	assert_int_equal(help_decide(&facts, &lease), HELP_BAD_GIADDR);
}

static void the_request_is_broadcast_from_the_uplinks_own_mac(void **state)
{
	const struct help_known known = { .ip = a1, .client_id = id1 };
	const struct help_form form = {
		.own = { { 2, 0, 0, 0, 0, 9 } }, .mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
		.vlan = 20, .giaddr = a2, .xid = 7, .since = 12999,
	};
	uint8_t buf[HELP_FRAME_MAX];
	size_t len = help_frame(buf, sizeof(buf), &known, &form);
	struct inet_frame f;
	struct dhcp4 m;

	(void)state;
	assert_int_equal(inet_decode(buf, len, &f, NULL), 0);
	assert_int_equal(f.vlan, 20);
	assert_int_equal(f.sport, 68);
	assert_int_equal(f.dport, 67);
	assert_true(mac_equal(&f.src, &form.own));
	assert_int_equal(f.dst.b[0], 255);
	assert_true(addr_is_any(&f.saddr));
	assert_int_equal(f.daddr.b[3], 255);
	assert_int_equal(dhcp4_decode(f.payload, &m, NULL), 0);
	assert_true(mac_equal(&m.chaddr, &form.mac));
	assert_int_equal(m.secs, 12);
	assert_int_equal(m.xid, 7);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(help_frame(buf, size, &known, &form), 0);
}

static void the_longest_client_id_fits(void **state)
{
	const struct help_known known = { .ip = a1, .client_id.len = 255 };
	const struct help_form form = { .vlan = 1, .since = INT64_MAX };
	uint8_t buf[HELP_FRAME_MAX];

	(void)state;
	assert_true(help_frame(buf, sizeof(buf), &known, &form) > 0);
}

static void waits_double_from_four_seconds_one_more_or_less(void **state)
{
	(void)state;
	assert_int_equal(help_wait(1, 0), 3000);
	assert_int_equal(help_wait(1, 2000), 5000);
	assert_int_equal(help_wait(1, 2001), 3000);
	assert_int_equal(help_wait(2, 1000), 8000);
	assert_int_equal(help_wait(3, 1000), 16000);
	assert_int_equal(help_wait(5, 1000), 64000);
	assert_int_equal(help_wait(50, 1000), 64000);
}

static void each_verdict_has_its_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HELP_N_VERDICTS; i++)
		assert_true(help_verdict_text((enum help_verdict)i)[0] != '?');
	assert_string_equal(help_verdict_text(HELP_N_VERDICTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_known_requests_nothing, clear),
		cmocka_unit_test_setup(an_address_without_word_of_the_client_id_is_not_enough,
				       clear),
		cmocka_unit_test_setup(two_sources_complete_each_other, clear),
		cmocka_unit_test_setup(two_sources_that_differ_request_nothing, clear),
		cmocka_unit_test_setup(what_is_doubtful_is_a_reason_against_alone, clear),
		cmocka_unit_test(the_subnet_is_named_where_giaddr_is_apart),
		cmocka_unit_test_setup(an_address_that_no_host_has_is_refused, clear),
		cmocka_unit_test(the_request_is_broadcast_from_the_uplinks_own_mac),
		cmocka_unit_test(the_longest_client_id_fits),
		cmocka_unit_test(waits_double_from_four_seconds_one_more_or_less),
		cmocka_unit_test(each_verdict_has_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
