/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests through the module as a whole, the station's side: out of what comes in on
 * a port e0 to the engine, or refused.
 */
#include "module_rig.h"

#include "module/help_answer.h"
#include "wire/orgtlv_help.h"

static struct orgtlv_help asking(uint32_t xid)
{
	struct orgtlv_help help = { .flags = ORGTLV_HELP_DHCP4, .xid = xid, .n_entries = 1 };

	vsi_id_parse(MARKED, &help.id);
	addr_parse("10.77.1.254", &help.giaddr);
	mac_parse("52:54:00:12:34:56", &help.entries[0].mac);
	return help;
}

/* It comes in, in a VDPDU of its own (number 0) or behind a captured answer. */
static bool comes(const struct orgtlv_help *help, unsigned number)
{
	uint8_t tlv[ORGTLV_HELP_LEN_MAX];
	struct wr w = wr_new(tlv, sizeof(tlv));
	size_t len = VDP22_EMPTY_LEN;

	orgtlv_put_help(&w, help);
	assert_true(wr_ok(&w));
	memset(pdu, 0, sizeof(pdu));
	if (number)
		len = captured(number);
	else
		vdp22_empty(pdu);
	len = vdp22_add_org(pdu, len, 1493, tlv, w.at);
	return events->pdu_in("e0", pdu, len);
}

static void asked(uint32_t xid)
{
	const struct orgtlv_help help = asking(xid);

	comes(&help, 0);
	hear();
}

static void marked(void)
{
	mark(LINK_MARK, 5, 0);
	hear();
}

static int station_fresh(void **state)
{
	int rc = fresh(state);

	mark(LINK_UNMARK, 6, 0);
	events->setting_set("e0", "assist", "auto");
	fake_host_advance(3600 * 1000);
	hear();
	return rc;
}

static void assert_refused(const char *why)
{
	char line[200];
	unsigned i, n = 0;

	for (i = 0; i < n_heard && i < HEARD_MAX; i++)
		n += strstr(heard[i], "e0 asked") != NULL;
	assert_int_equal(n, 0);
	snprintf(line, sizeof(line), "e0 vsi " MARKED ": help request refused: %s", why);
	assert_non_null(strstr(fake_host_last_log(), line));
}

#define ASKED(xid) "e0 asked xid " #xid " giaddr family 1 56/0"

static void the_engine_hears_of_a_request_for_its_marked_vsi(void **state)
{
	const struct orgtlv_help help = asking(0x11);

	(void)state;
	marked();
	out("e0", PRE);
	hear();
	assert_true(comes(&help, PRE_OK));
	hear();
	assert_string_equal(heard[0], "e0 response mode 1 status 40");
	assert_heard(ASKED(11));
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	asked(0x12);
	assert_heard(ASKED(12));
}

static void a_vdpdu_with_nothing_but_help_is_not_vdp22s(void **state)
{
	const struct orgtlv_help help = asking(0x11);
	size_t len;

	(void)state;
	marked();
	out("e0", PRE);
	assert_false(comes(&help, 0));
	/* One that only clears the other's memory is. */
	memset(pdu, 0, sizeof(pdu));
	vdp22_empty(pdu);
	assert_true(events->pdu_in("e0", pdu, VDP22_EMPTY_LEN));
	/* So is a foreign TLV; and on a bridge port all are. */
	len = vdp22_add_org(pdu, VDP22_EMPTY_LEN, sizeof(pdu),
			    (const uint8_t *)"\0\0\x0c\x01", 4);
	assert_true(events->pdu_in("e0", pdu, len));
	comes(&help, 0);
	assert_true(events->pdu_in("p1", pdu, 20 + 2 + 42 + 2));
}

static void a_repetition_is_handed_on_once_and_again_to_a_new_engine(void **state)
{
	unsigned before;

	(void)state;
	marked();
	out("e0", PRE);
	asked(0x11);
	before = fake_host_logged("");
	asked(0x11);
	asked(0x11);
	assert_int_equal(n_heard, 0);
	assert_int_equal(fake_host_logged(""), before);
	tick();
	hear();
	assert_heard("counter help requests repeated 3");
	engine_restarts();
	hear();
	asked(0x11);
	assert_heard(ASKED(11));
}

static void the_vlan_is_the_stations_own(void **state)
{
	struct orgtlv_help help = asking(0x11);

	(void)state;
	marked();
	out("e0", PRE);
	help.entries[0].vlan = 10;
	comes(&help, 0);
	hear();
	assert_heard(ASKED(11));
}

/* A VSI of which one MAC is in two VLANs. */
static void of_two_entries_with_one_mac_that_of_its_vlan_counts(void **state)
{
	struct orgtlv_help help = asking(0x11);
	size_t len = 63;

	(void)state;
	marked();
	(void)captured(PRE);
	pdu[19] = (uint8_t)(pdu[19] + 8);
	pdu[44] = 2;
	memcpy(pdu + 53, pdu + 45, 8);
	memset(pdu + 61, 0, sizeof(pdu) - 61);
	pdu[60] = 10;
	assert_true(events->pdu_out("e0", pdu, &len));
	help.entries[0].vlan = 10;
	comes(&help, 0);
	hear();
	assert_heard("e0 asked xid 11 giaddr family 1 56/10");
	help.entries[0].vlan = 0;
	help.xid = 0x12;
	comes(&help, 0);
	hear();
	assert_heard(ASKED(12));
}

static void that_giaddr_is_apart_is_handed_on(void **state)
{
	struct orgtlv_help help = asking(0x11);

	(void)state;
	marked();
	out("e0", PRE);
	help.flags |= ORGTLV_HELP_APART;
	comes(&help, 0);
	hear();
	assert_heard(ASKED(11) " apart");
}

/* To an engine that starts now. */
static bool marked_with_lease(void)
{
	bool found = false;

	engine_restarts();
	for (unsigned i = 0; i < n_heard && i < HEARD_MAX; i++)
		found |= strstr(heard[i], "mark for") && strstr(heard[i], "with lease");
	return found;
}

static void what_a_mark_says_of_a_lease_ends_when_its_vsi_has_left(void **state)
{
	struct link_msg msg = { .type = LINK_MARK, .u.mark = { .seq = 5, .ttl_s = 600 } };

	(void)state;
	assert_int_equal(vsi_id_parse(MARKED, &msg.u.mark.id), 0);
	assert_int_equal(addr_parse("10.77.1.7", &msg.u.mark.ip), 0);
	say(&msg);
	out("e0", DEASSOC);
	assert_true(marked_with_lease());
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	assert_true(marked_with_lease());
	out("e0", DEASSOC);
	assert_false(marked_with_lease());
	say(&msg);
	assert_true(marked_with_lease());
}

static void an_unknown_vsi_is_refused(void **state)
{
	(void)state;
	marked();
	asked(0x11);
	assert_refused("no such VSI here");
	out("e0", PRE);
	out("e0", DEASSOC);
	fake_host_advance(LIMIT_PERIOD_MS);
	asked(0x12);
	assert_refused("no such VSI here");
}

static void a_vsi_that_is_not_marked_is_refused_and_logged_once(void **state)
{
	unsigned before;

	(void)state;
	out("e0", PRE);
	asked(0x11);
	assert_refused("it is not marked as migrating in");
	before = fake_host_logged("");
	fake_host_advance(LIMIT_PERIOD_MS);
	asked(0x11);
	asked(0x12);
	assert_int_equal(fake_host_logged(""), before);
	/* The mark comes, and so does the switch's repetition. */
	marked();
	asked(0x12);
	assert_heard(ASKED(12));
}

static void a_vsi_associated_before_its_mark_or_long_ago_is_refused(void **state)
{
	(void)state;
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	marked();
	asked(0x11);
	assert_refused("it was associated before it was marked");
	out("e0", DEASSOC);
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	hear();
	fake_host_advance(HELP_YOUNG_MS);
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	asked(0x11);
	assert_heard(ASKED(11));
	fake_host_advance(1);
	asked(0x12);
	assert_refused("it has arrived long ago");
}

static void foreign_macs_are_refused(void **state)
{
	struct orgtlv_help help = asking(0x11);

	(void)state;
	marked();
	out("e0", PRE);
	help.n_entries = 2;
	help.entries[1] = help.entries[0];
	help.entries[1].mac.b[5]++;
	comes(&help, 0);
	hear();
	assert_refused("a MAC address is not the VSI's");
	fake_host_advance(LIMIT_PERIOD_MS);
	help.n_entries = 0;
	comes(&help, 0);
	hear();
	assert_refused("it names no MAC address");
}

static void a_port_that_is_not_to_help_refuses(void **state)
{
	(void)state;
	marked();
	out("e0", PRE);
	events->setting_set("e0", "assist", "leasequery");
	asked(0x11);
	assert_refused("assist is not set to help here");
	events->setting_set("e0", "assist", "help");
	asked(0x11);
	assert_heard(ASKED(11));
}

static void what_wants_nothing_known_is_refused(void **state)
{
	struct orgtlv_help help = asking(0x11);

	(void)state;
	marked();
	out("e0", PRE);
	help.flags = 0x80;
	comes(&help, 0);
	hear();
	assert_refused("it wants nothing that is known here");
	help.flags |= ORGTLV_HELP_DHCP6;
	comes(&help, 0);
	hear();
	assert_heard(ASKED(11));
}

static void too_many_are_refused_until_time_has_passed(void **state)
{
	unsigned i;

	(void)state;
	marked();
	out("e0", PRE);
	for (i = 0; i < HELP_VSI_BURST; i++)
		asked(0x20 + i);
	assert_heard(ASKED(23));
	asked(0x24);
	assert_refused("too many for this VSI");
	fake_host_advance(HELP_VSI_EVERY_MS);
	asked(0x24);
	assert_heard(ASKED(24));
	asked(0x25);
	assert_int_equal(n_heard, 0);
}

static void a_port_has_a_lid_too(void **state)
{
	struct orgtlv_help help = asking(0x11);
	unsigned i, n = 0;
	size_t len;

	(void)state;
	for (i = 0; i < HELP_PORT_BURST + 10; i++) {
		struct link_msg msg = { .type = LINK_MARK };

		vsi_id_parse(MARKED, &msg.u.mark.id);
		msg.u.mark.id.b[0] = (uint8_t)i;
		say(&msg);
		len = captured(PRE);
		pdu[ID_AT] = (uint8_t)i;
		events->pdu_out("e0", pdu, &len);
		help.id.b[0] = (uint8_t)i;
		comes(&help, 0);
		hear();
		for (unsigned j = 0; j < n_heard; j++)
			n += !strcmp(heard[j], ASKED(11));
		msg.type = LINK_UNMARK;
		say(&msg);
	}
	assert_int_equal(n, HELP_PORT_BURST);
	assert_non_null(strstr(fake_host_last_log(), "too many on this port"));
}

static void a_wrong_tlv_is_refused_and_its_vdpdu_goes_on(void **state)
{
	const uint8_t cut[] = { 0x02, 0x56, 0x4d, 0x02, 1, 1, 9, 0 };
	size_t len;

	(void)state;
	marked();
	out("e0", PRE);
	len = captured(PRE_OK);
	len = vdp22_add_org(pdu, len, sizeof(pdu), cut, sizeof(cut));
	assert_true(events->pdu_in("e0", pdu, len));
	hear();
	assert_heard("e0 response mode 1 status 40");
	assert_string_equal(fake_host_last_log(), "e0: help request refused: bad address "
			    "family at octet 62");
}

#define AT_STATION(f) cmocka_unit_test_setup(f, station_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_STATION(the_engine_hears_of_a_request_for_its_marked_vsi),
		AT_STATION(a_vdpdu_with_nothing_but_help_is_not_vdp22s),
		AT_STATION(a_repetition_is_handed_on_once_and_again_to_a_new_engine),
		AT_STATION(the_vlan_is_the_stations_own),
		AT_STATION(of_two_entries_with_one_mac_that_of_its_vlan_counts),
		AT_STATION(that_giaddr_is_apart_is_handed_on),
		AT_STATION(what_a_mark_says_of_a_lease_ends_when_its_vsi_has_left),
		AT_STATION(an_unknown_vsi_is_refused),
		AT_STATION(a_vsi_that_is_not_marked_is_refused_and_logged_once),
		AT_STATION(a_vsi_associated_before_its_mark_or_long_ago_is_refused),
		AT_STATION(foreign_macs_are_refused),
		AT_STATION(a_port_that_is_not_to_help_refuses),
		AT_STATION(what_wants_nothing_known_is_refused),
		AT_STATION(too_many_are_refused_until_time_has_passed),
		AT_STATION(a_port_has_a_lid_too),
		AT_STATION(a_wrong_tlv_is_refused_and_its_vdpdu_goes_on),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
