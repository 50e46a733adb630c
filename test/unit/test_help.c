/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests through the module as a whole, the bridge's side: from the engine into the
 * answers of a port p1.
 */
#include "module_rig.h"

#include "wire/orgtlv_help.h"

static const uint8_t helps[] = { 0x02, 0x56, 0x4d, 0x01, 1, 1, 0x02 };
static const uint8_t station[] = { 0x02, 0x56, 0x4d, 0x01, 1, 1, 0x00 };
static const uint8_t another_bridge[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 0x02 };

static struct link_help wanted(uint32_t xid)
{
	struct link_help help = { .port = "p1", .dhcp4 = true, .xid = xid, .n_entries = 1 };

	vsi_id_parse(MARKED, &help.id);
	addr_parse("10.77.1.254", &help.giaddr);
	mac_parse("52:54:00:12:34:56", &help.entries[0].mac);
	return help;
}

static void say_help(const struct link_help *help)
{
	struct link_msg msg = { .type = LINK_HELP, .u.help = *help };

	say(&msg);
}

static void want(uint32_t xid)
{
	const struct link_help help = wanted(xid);

	say_help(&help);
}

static void end(void)
{
	struct link_msg msg = { .type = LINK_HELP_END, .u.vsi_of.port = "p1" };

	vsi_id_parse(MARKED, &msg.u.vsi_of.id);
	say(&msg);
}

static uint8_t flags;	/* of the help TLV that was read last */

/* The xid of a VDPDU's only help TLV; 0: it has none. */
static uint32_t xid_in(const uint8_t *vdpdu, size_t len, unsigned n_assocs)
{
	struct orgtlv_help help = { .xid = 0 };
	static struct vdp22 v;
	struct rd_error error;
	struct rd value;
	size_t at = 0;

	assert_int_equal(vdp22_decode(vdpdu, len, &v, &error), 0);
	assert_int_equal(v.n, n_assocs);
	while (vdp22_next_org(vdpdu, &v, &at, &value)) {
		assert_int_equal(help.xid, 0);
		assert_int_equal(orgtlv_get_help(value, &help, &error), 0);
		assert_true(v.has_end);
		flags = help.flags;
	}
	return help.xid;
}

/* Of an answer as it leaves; of what has left by itself. */
static uint32_t rides(unsigned number)
{
	size_t len = captured(number);

	assert_true(events->pdu_out("p1", pdu, &len));
	assert_true(len <= 1493);
	return xid_in(pdu, len, 1);
}

static uint32_t alone(void)
{
	static uint8_t sent[HOST_PDU_MAX];
	char port[VM_IFNAME_MAX];
	size_t len = fake_host_pdu(false, port, sent);

	if (len)
		assert_string_equal(port, "p1");
	return len ? xid_in(sent, len, 0) : 0;
}

static void bridge(void)
{
	events->tlv_in("p1", helps, sizeof(helps));
	alone();
}

static void it_rides_in_the_answer_that_has_not_left_yet(void **state)
{
	(void)state;
	bridge();
	in("p1", PRE);
	want(7);
	assert_int_equal(alone(), 0);
	assert_int_equal(rides(PRE_OK), 7);
	tick();
	tick();
	assert_int_equal(alone(), 0);
}

static void it_says_whether_giaddr_is_in_a_subnet(void **state)
{
	struct link_help help = wanted(7);

	(void)state;
	bridge();
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 0);
	say_help(&help);
	assert_int_equal(alone(), 7);
	assert_int_equal(flags, ORGTLV_HELP_DHCP4);
	help.apart = true;
	say_help(&help);
	assert_int_equal(alone(), 7);
	assert_int_equal(flags, ORGTLV_HELP_DHCP4 | ORGTLV_HELP_APART);
}

static void it_leaves_alone_where_the_answer_has_left(void **state)
{
	(void)state;
	bridge();
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 0);
	want(7);
	assert_int_equal(alone(), 7);
	assert_int_equal(alone(), 0);
}

static void it_is_repeated_in_each_answer_until_its_end(void **state)
{
	(void)state;
	bridge();
	in("p1", PRE);
	want(7);
	assert_int_equal(rides(PRE_OK), 7);
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 7);
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 7);
	want(9);
	assert_int_equal(alone(), 9);
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 9);
	end();
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 0);
	end();
	tick();
	hear();
	assert_heard("counter help tlvs in answers 5");
}

static void it_ends_with_its_vsi_its_port_and_its_engine(void **state)
{
	(void)state;
	bridge();
	in("p1", ASSOC);
	want(7);
	assert_int_equal(rides(ASSOC_OK), 7);
	in("p1", DEASSOC);
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 0);
	want(7);
	assert_int_equal(alone(), 7);
	events->port_down("p1");
	events->port_up("p1");
	bridge();
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 0);
	want(7);
	assert_int_equal(alone(), 7);
	engine_restarts();
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 0);
}

static void without_an_engine_nothing_is_repeated(void **state)
{
	(void)state;
	bridge();
	in("p1", ASSOC);
	want(7);
	assert_int_equal(rides(ASSOC_OK), 7);
	close(engine);
	engine = -1;
	fake_host_poll();
	events->tick(host_now());
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 0);
	tick();
}

static void an_answer_that_does_not_come_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	bridge();
	in("p1", PRE);
	want(7);
	events->tick(host_now());
	assert_int_equal(alone(), 0);
	tick();
	assert_int_equal(alone(), 7);
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 7);
}

static void a_refusal_carries_none(void **state)
{
	size_t len;

	(void)state;
	bridge();
	in("p1", PRE);
	want(7);
	len = captured(PRE_OK);
	pdu[STATUS_AT] = VDP_STATUS_ACK | 2;
	assert_true(events->pdu_out("p1", pdu, &len));
	assert_int_equal(xid_in(pdu, len, 1), 0);
	/* Nor one after which the VSI stays as it was. */
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 0);
	want(9);
	assert_int_equal(alone(), 9);
	in("p1", ASSOC);
	len = captured(ASSOC_OK);
	pdu[STATUS_AT] = VDP_STATUS_ACK | VDP_STATUS_KEEP | 2;
	assert_true(events->pdu_out("p1", pdu, &len));
	assert_int_equal(xid_in(pdu, len, 1), 0);
	in("p1", ASSOC);
	assert_int_equal(rides(ASSOC_OK), 9);
}

static void no_one_is_asked_who_does_not_help(void **state)
{
	(void)state;
	events->tlv_gone("p1");
	alone();
	in("p1", PRE);
	want(7);
	assert_int_equal(rides(PRE_OK), 0);
	events->tlv_in("p1", station, sizeof(station));
	want(7);
	events->tlv_in("p1", another_bridge, sizeof(another_bridge));
	want(7);
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 0);
	bridge();
	events->setting_set("p1", "assist", "leasequery");
	want(7);
	assert_int_equal(alone(), 0);
	events->setting_set("p1", "assist", "auto");
	want(7);
	assert_int_equal(alone(), 7);
	/* It is replaced by one that does not. */
	events->tlv_in("p1", station, sizeof(station));
	in("p1", PRE);
	assert_int_equal(rides(PRE_OK), 0);
}

static void what_has_no_vsi_or_port_is_not_sent(void **state)
{
	struct link_help help = wanted(7);

	(void)state;
	bridge();
	say_help(&help);
	strcpy(help.port, "p9");
	say_help(&help);
	strcpy(help.port, "e0");
	out("e0", PRE);
	say_help(&help);
	assert_int_equal(alone(), 0);
	out("e0", DEASSOC);
}

static void an_answer_without_room_leaves_as_stock_sends_it(void **state)
{
	struct link_help help = wanted(7);
	size_t len, i;

	(void)state;
	bridge();
	in("p1", PRE);
	help.n_entries = LINK_HELP_ENTRIES_MAX;
	for (i = 1; i < help.n_entries; i++)
		help.entries[i] = help.entries[0];
	say_help(&help);
	len = captured(PRE_OK);
	len = vdp22_end(pdu, len, sizeof(pdu));
	for (i = 0; i < 2; i++) {
		uint8_t foreign[509] = { 0, 0, 0x0c, 1 };

		len = vdp22_add_org(pdu, len, sizeof(pdu), foreign, sizeof(foreign));
	}
	assert_int_equal(len, 53 + 2 * 511 + 2);
	assert_true(events->pdu_out("p1", pdu, &len));
	assert_int_equal(len, 53 + 2 * 511 + 2);
	tick();
	assert_int_equal(alone(), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_rides_in_the_answer_that_has_not_left_yet),
		TEST(it_says_whether_giaddr_is_in_a_subnet),
		TEST(it_leaves_alone_where_the_answer_has_left),
		TEST(it_is_repeated_in_each_answer_until_its_end),
		TEST(it_ends_with_its_vsi_its_port_and_its_engine),
		TEST(without_an_engine_nothing_is_repeated),
		TEST(an_answer_that_does_not_come_is_not_waited_for_for_ever),
		TEST(a_refusal_carries_none),
		TEST(no_one_is_asked_who_does_not_help),
		TEST(what_has_no_vsi_or_port_is_not_sent),
		TEST(an_answer_without_room_leaves_as_stock_sends_it),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
