/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module whole: what a host tells it, what the engine hears. The engine is the
 * test, on the real name in a network namespace of its own (as root of a user
 * namespace where the test is not run by root).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "fake/host.h"
#include "fake/root.h"
#include "vdp_migrate/link.h"
#include "vdp_migrate/protocol.h"
#include "wire/ecp.h"
#include "wire/linkmsg.h"
#include "wire/text.h"
#include "wire/vdp22.h"

enum { PRE = 1, PRE_OK = 3, ASSOC = 5, ASSOC_OK = 7, DEASSOC = 13, BRIDGE_DEASSOC = 29 };

#define STATUS_AT 20
#define ID_AT 26
#define HEARD_MAX 20000
#define MARKED "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
#define MARKED_ROW "row 9 " MARKED " ... "

/* What the engine has heard, as one line each. */
static char (*heard)[100];
static unsigned n_heard, n_datagrams;
static const struct host_events *events;
static int listener = -1, engine = -1;
static uint8_t pdu[HOST_PDU_MAX];

static void say(const struct link_msg *msg)
{
	uint8_t buf[2048];
	struct wr w = wr_new(buf, sizeof(buf));

	assert_true(linkmsg_put(&w, msg));
	assert_int_equal(send(engine, buf, w.at, MSG_NOSIGNAL), w.at);
	fake_host_poll();
}

static void tick(void)
{
	const struct link_msg hello = { .type = LINK_HELLO, .u.hello.who = LINK_ENGINE };

	fake_host_advance(1000);
	events->tick(host_now());
	if (listener < 0 || engine >= 0)
		return;
	engine = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (engine >= 0)
		say(&hello);
}

static void note(const struct link_msg *msg)
{
	static const char *const what[] = { "", "request", "response", "timeout",
					    "replayed" };
	const struct link_port *p = &msg->u.port;
	const struct link_vsi *v = &msg->u.vsi;
	char *line = heard[n_heard++ % HEARD_MAX];
	const struct link_row *row = &msg->u.row;
	const size_t size = sizeof(heard[0]);
	int n;

	switch (msg->type) {
	case LINK_HELLO:
		snprintf(line, size, "hello");
		break;
	case LINK_REPLAY:
		snprintf(line, size, "replay");
		break;
	case LINK_REPLAY_END:
		snprintf(line, size, "replay end");
		break;
	case LINK_PORT:
		n = snprintf(line, size, "port %s%s%s role %u guard %u%s keep-alive %u",
			     p->name, p->up ? " up" : " down", p->gone ? " gone" : "",
			     p->role, p->guard, p->guard_anyway ? " anyway" : "",
			     p->keepalive_ms);
		if (p->peer_version)
			snprintf(line + n, size - (size_t)n, " peer %u %u %x",
				 p->peer_version, p->peer_role, p->peer_flags);
		break;
	case LINK_VSI:
		snprintf(line, size, "%s %s mode %u status %02x", v->port,
			 what[v->what], v->mode, v->status);
		break;
	case LINK_FORGOTTEN:
		snprintf(line, size, "forgotten '%s'", msg->u.forgotten);
		break;
	case LINK_COUNTER:
		snprintf(line, size, "counter %s %llu", msg->u.counter.name,
			 (unsigned long long)msg->u.counter.value);
		break;
	case LINK_HEAD:
	case LINK_ROW:
		n = snprintf(line, size, "row %u", row->seq);
		for (unsigned i = 0; i < row->n && (i == 0 || row->n < 5); i++)
			n += snprintf(line + n, size - (size_t)n, " %.*s",
				      row->field[i].len, row->field[i].s);
		snprintf(line + n, size - (size_t)n, " ... %.*s",
			 row->field[5].len, row->field[5].s);
		break;
	case LINK_DONE:
		snprintf(line, size, "done %u %d %.40s", msg->u.done.seq,
			 msg->u.done.code, msg->u.done.text);
		break;
	}
}

/* Everything that has been sent until now, after one turn. */
static void hear(void)
{
	static uint8_t buf[LINK_DATAGRAM_MAX];
	struct rd_error error;
	struct link_msg msg;
	ssize_t n;
	int rc;

	n_heard = n_datagrams = 0;
	events->turn(host_now());
	while ((n = recv(engine, buf, sizeof(buf), 0)) > 0) {
		struct rd datagram = rd_new(buf, (size_t)n, 0);

		n_datagrams++;
		while ((rc = linkmsg_get(&datagram, &msg, &error)) == 1)
			note(&msg);
		assert_int_equal(rc, 0);
	}
}

static unsigned heard_lines(const char *line)
{
	unsigned i, n = 0;

	for (i = 0; i < n_heard && i < HEARD_MAX; i++)
		n += !strcmp(heard[i], line);
	return n;
}

static void assert_heard(const char *line)
{
	if (heard_lines(line) != 1)
		fail_msg("heard %u times: %s; first of %u: %s", heard_lines(line), line,
			 n_heard, n_heard ? heard[0] : "");
}

static void engine_restarts(void)
{
	close(engine);
	engine = -1;
	fake_host_poll();
	tick();
	hear();
}

/* Each test begins with a bridge port p1 in use, a station port e0 in use, a port
 * p2 that is not ours, and an engine that knows it. */
static int fresh(void **state)
{
	static const struct host_evb none;

	(void)state;
	if (listener < 0)
		skip();
	events->detached();
	fake_host_set("p1", "use", "yes");
	fake_host_set("p1", "guard", NULL);
	fake_host_set("p2", "use", NULL);
	fake_host_set("p2", "guard", NULL);
	fake_host_set("e0", "use", "yes");
	fake_host_evb_mode("p1", "bridge");
	fake_host_evb_mode("p2", "bridge");
	fake_host_evb_mode("e0", "station");
	fake_host_refuse_store(0);
	events->attached();
	events->port_up("p1");
	events->port_up("p2");
	events->port_up("e0");
	events->evb("p1", &none);
	fake_host_advance(3600 * 1000);
	if (engine < 0)
		tick();
	assert_true(engine >= 0);
	hear();
	return 0;
}

static void set_group(const char *name, const char *value)
{
	struct link_msg msg = { .type = LINK_SET, .u.set.seq = 4 };

	snprintf(msg.u.set.name, sizeof(msg.u.set.name), "%s", name);
	snprintf(msg.u.set.value, sizeof(msg.u.set.value), "%s", value);
	say(&msg);
	hear();
}

static void cases(const char *port, bool complete, uint32_t n)
{
	struct link_msg msg = { .type = LINK_CASES,
				.u.cases = { .complete = complete, .n = n } };

	snprintf(msg.u.cases.port, sizeof(msg.u.cases.port), "%s", port);
	say(&msg);
}

static void assert_enforce_refused(const char *why)
{
	unsigned before = fake_host_logged("");

	assert_int_equal(events->setting_test("p1", "guard", "enforce"), HOST_SET_FAILED);
	assert_int_equal(events->setting_set("p1", "guard", "enforce"), HOST_SET_FAILED);
	assert_int_equal(fake_host_logged(""), before + 2);
	assert_non_null(strstr(fake_host_last_log(),
			       "p1: setting guard: 'enforce' refused: "));
	assert_non_null(strstr(fake_host_last_log(), why));
	assert_string_not_equal(events->setting_get("p1", "guard"), "enforce");
}

static size_t captured(unsigned number)
{
	uint8_t frame[2048];
	size_t len = capture_get("vdp22.pcap", number, frame, sizeof(frame));
	struct ecp ecp;

	assert_int_equal(ecp_decode(frame, len, &ecp, NULL), 0);
	len = rd_left(&ecp.payload);
	memset(pdu, 0, sizeof(pdu));
	rd_copy(&ecp.payload, pdu, len, "payload");
	return len;
}

static bool in(const char *port, unsigned number)
{
	size_t len = captured(number);

	return events->pdu_in(port, pdu, len);
}

static void out(const char *port, unsigned number)
{
	size_t len = captured(number);

	events->pdu_out(port, pdu, &len);
}

static bool leaves(const char *port, unsigned number)
{
	size_t len = captured(number);

	return events->pdu_out(port, pdu, &len);
}

static void mark(uint8_t type, uint32_t seq, uint32_t ttl_s)
{
	struct link_msg msg = { .type = type, .u.mark = { .seq = seq, .ttl_s = ttl_s } };

	assert_int_equal(vsi_id_parse(MARKED, &msg.u.mark.id), 0);
	say(&msg);
}

static void show(const char *table)
{
	struct link_msg msg = { .type = LINK_SHOW, .u.show.seq = 9 };

	snprintf(msg.u.show.table, sizeof(msg.u.show.table), "%s", table);
	say(&msg);
	hear();
}

static void a_replay_tells_ports_before_vsis_and_those_given_up_as_gone(void **state)
{
	(void)state;
	in("p1", PRE);
	out("p1", PRE_OK);
	in("p1", ASSOC);
	engine_restarts();
	assert_string_equal(heard[0], "hello");
	assert_string_equal(heard[1], "replay");
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	assert_heard("port p2 up gone role 2 guard 0 keep-alive 15755");
	assert_heard("port e0 up role 1 guard 0 keep-alive 15755");
	assert_string_equal(heard[5], "p1 replayed mode 1 status 00");
	assert_string_equal(heard[6], "p1 request mode 3 status 00");
	assert_string_equal(heard[n_heard - 1], "replay end");
}

static void a_large_replay_takes_several_datagrams_and_loses_nothing(void **state)
{
	const unsigned n = 4096;
	unsigned i;
	size_t len;

	(void)state;
	for (i = 0; i < n; i++) {
		len = captured(PRE);
		pdu[ID_AT] = (uint8_t)(i >> 8);
		pdu[ID_AT + 1] = (uint8_t)i;
		pdu[STATUS_AT] = VDP_STATUS_M;
		assert_true(events->pdu_in("p1", pdu, len));
		len = captured(PRE_OK);
		pdu[ID_AT] = (uint8_t)(i >> 8);
		pdu[ID_AT + 1] = (uint8_t)i;
		events->pdu_out("p1", pdu, &len);
		if (i % 64 == 0)
			hear();
	}
	engine_restarts();
	for (i = 0; i < 10 && strcmp(heard[n_heard - 1], "replay end"); i++)
		hear();
	assert_int_equal(heard_lines("p1 replayed mode 1 status 10"), n);
	assert_true(n_datagrams > 4);
}

static void a_port_that_is_not_ours_passes_unread(void **state)
{
	(void)state;
	captured(PRE);
	pdu[0] = 0xff;
	assert_true(events->pdu_in("p2", pdu, 40));
	assert_true(in("p2", PRE));
	out("p2", PRE_OK);
	assert_true(in("p9", PRE));
	hear();
	assert_int_equal(n_heard, 0);
}

static void use_takes_effect_at_once_both_ways(void **state)
{
	(void)state;
	assert_int_equal(events->setting_set("p2", "use", "yes"), HOST_SET_OK);
	hear();
	assert_heard("port p2 up role 2 guard 0 keep-alive 15755");
	in("p2", PRE);
	hear();
	assert_heard("p2 request mode 1 status 00");
	assert_int_equal(events->setting_set("p2", "use", "no"), HOST_SET_OK);
	hear();
	assert_heard("port p2 up gone role 2 guard 0 keep-alive 15755");
	in("p2", PRE);
	assert_int_equal(events->setting_set("p2", "guard", "monitor"), HOST_SET_OK);
	hear();
	assert_int_equal(n_heard, 0);
}

static void a_wrong_value_is_refused_and_told_what_it_takes(void **state)
{
	(void)state;
	assert_int_equal(events->setting_test("p1", "guard", "x"), HOST_SET_BAD_VALUE);
	assert_string_equal(fake_host_last_log(),
			    "p1: setting guard: 'x' refused: takes off, monitor, "
			    "enforce, enforce! (open cases are accepted)");
	assert_int_equal(events->setting_set("p1", "guard", "x"), HOST_SET_BAD_VALUE);
	assert_int_equal(events->setting_test("p1", "gard", "off"),
			 HOST_SET_NO_SUCH_NAME);
	assert_null(events->setting_get("p1", "gard"));
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	assert_int_equal(events->setting_test("p1", "guard", "monitor"), HOST_SET_OK);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
}

static void what_cannot_be_stored_is_not_in_force(void **state)
{
	(void)state;
	fake_host_refuse_store(-EROFS);
	assert_int_equal(events->setting_set("p1", "guard", "monitor"), HOST_SET_FAILED);
	assert_int_equal(fake_host_logged("could not be stored"), 1);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	hear();
	assert_int_equal(n_heard, 0);
}

static void enforce_waits_for_an_engine_and_a_complete_and_empty_list(void **state)
{
	(void)state;
	assert_enforce_refused("looked for yet");
	cases("p1", false, 0);
	assert_enforce_refused("looked for yet");
	cases("p1", true, 2);
	assert_enforce_refused("2 open cases");
	cases("p2", true, 0);
	assert_enforce_refused("2 open cases");
	cases("p1", true, 0);
	assert_int_equal(events->setting_test("p1", "guard", "enforce"), HOST_SET_OK);
	/* What an engine has said holds while it is there. */
	engine_restarts();
	assert_enforce_refused("looked for yet");
	close(engine);
	engine = -1;
	fake_host_poll();
	assert_enforce_refused("engine not running");
	tick();
	cases("p1", true, 0);
	assert_int_equal(events->setting_set("p1", "guard", "enforce"), HOST_SET_OK);
	hear();
	assert_heard("port p1 up role 2 guard 2 keep-alive 15755");
	/* It is in force: said again, it is no question. */
	cases("p1", true, 9);
	assert_int_equal(events->setting_set("p1", "guard", "enforce"), HOST_SET_OK);
}

static void enforce_anyway_accepts_open_cases_and_is_kept_as_enforce(void **state)
{
	(void)state;
	cases("p1", true, 2);
	assert_int_equal(events->setting_set("p1", "guard", "enforce!"), HOST_SET_OK);
	assert_string_equal(events->setting_get("p1", "guard"), "enforce");
	assert_string_equal(host_setting("p1", "guard"), "enforce");
	hear();
	assert_heard("port p1 up role 2 guard 2 anyway keep-alive 15755");
	assert_int_equal(events->setting_set("p1", "guard", "off"), HOST_SET_OK);
	hear();
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
}

static void what_the_file_holds_at_a_start_is_applied_as_it_is(void **state)
{
	(void)state;
	events->detached();
	fake_host_set("p1", "guard", "enforce");
	events->attached();
	events->port_up("p1");
	hear();
	assert_heard("port p1 up role 2 guard 2 keep-alive 15755");
}

static void a_port_that_an_asic_forwards_gets_no_guard_and_is_told_so(void **state)
{
	(void)state;
	fake_host_offload("p1");
	assert_int_equal(events->setting_set("p1", "guard", "monitor"), HOST_SET_FAILED);
	assert_int_equal(events->setting_set("p1", "guard", "enforce!"), HOST_SET_FAILED);
	assert_non_null(strstr(fake_host_last_log(), "ASIC"));
	assert_int_equal(events->setting_set("p1", "guard", "off"), HOST_SET_OK);
	fake_host_set("p1", "guard", "enforce");
	hear();
	events->detached();
	events->attached();
	events->port_up("p1");
	events->port_up("p1");
	hear();
	assert_int_equal(heard_lines("port p1 up role 2 guard 2 keep-alive 15755"), 0);
	assert_int_equal(fake_host_logged("p1: no guard: an ASIC"), 1);
	assert_string_equal(events->setting_get("p1", "guard"), "off");
	fake_host_offload(NULL);
}

static void settings_of_the_group_hold_where_a_port_has_none_of_its_own(void **state)
{
	(void)state;
	fake_host_set("e0", "guard", "off");
	cases("p1", false, 0);
	set_group("guard", "monitor");
	assert_heard("port p1 up role 2 guard 1 keep-alive 15755");
	assert_heard("done 4 0 ");
	assert_int_equal(n_heard, 2);
	assert_string_equal(events->setting_get("p1", "guard"), "monitor");
	assert_string_equal(events->setting_get("e0", "guard"), "off");
	set_group("guard", "enforce");
	assert_heard("done 4 22 p1: setting guard: 'enforce' refused: no");
	set_group("guard", "hard");
	assert_heard("done 4 22 group vdp_migrate: setting guard: 'hard'");
	set_group("gard", "off");
	assert_heard("done 4 22 no setting 'gard'");
	set_group("gard", "");
	assert_heard("done 4 22 no setting 'gard'");
	set_group("guard", "");
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	assert_heard("done 4 0 ");
	assert_null(host_setting(NULL, "guard"));
	fake_host_set("e0", "guard", NULL);
}

static void the_table_of_settings_says_where_each_comes_from(void **state)
{
	(void)state;
	fake_host_set(NULL, "remote-id", "text");
	show("settings");
	assert_heard("row 9 port:s name:s value:s from:s ... ");
	assert_heard("row 9 p1 use yes port ... ");
	assert_heard("row 9 e0 remote-id text group ... ");
	assert_heard("row 9 p1 keys mac default ... ");
	assert_int_equal(n_heard, 1 + 2 * 9 + 1);
	fake_host_set(NULL, "remote-id", NULL);
}

static void the_capability_follows_settings_and_role_at_once(void **state)
{
	const uint8_t bridge[] = { 0x02, 0x56, 0x4d, 0x01, 1, 2, 0x08 };
	uint8_t value[64];

	(void)state;
	assert_int_equal(events->tlv_out("p1", value, sizeof(value)), sizeof(bridge));
	assert_memory_equal(value, bridge, sizeof(bridge));
	assert_int_equal(events->tlv_out("e0", value, sizeof(value)), sizeof(bridge));
	assert_int_equal(value[5], 1);
	assert_int_equal(value[6], 0);
	assert_int_equal(events->tlv_out("p2", value, sizeof(value)), 0);
	assert_int_equal(events->tlv_out("p9", value, sizeof(value)), 0);
	fake_host_lldp_changes("p1");
	events->setting_set("p1", "trusted", "yes");
	assert_int_equal(fake_host_lldp_changes("p1"), 0);
	events->setting_set("p1", "assist", "off");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->tlv_out("p1", value, sizeof(value));
	assert_int_equal(value[6], 0);
	events->setting_set("p1", "advertise", "no");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	assert_int_equal(events->tlv_out("p1", value, sizeof(value)), 0);
	events->setting_set("p1", "advertise", "yes");
	events->setting_set("p1", "assist", "leasequery");
	events->setting_set("p1", "use", "no");
	assert_int_equal(fake_host_lldp_changes("p1"), 3);
}

static void the_neighbours_capability_is_told_once_until_it_is_gone(void **state)
{
	const uint8_t station[] = { 0x02, 0x56, 0x4d, 0x01, 1, 1, 0 };
	const uint8_t bad[] = { 0x02, 0x56, 0x4d, 0x01, 0, 1, 0 };

	(void)state;
	events->tlv_in("p1", station, sizeof(station));
	events->tlv_in("p1", station, sizeof(station));
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755 peer 1 1 0");
	events->tlv_gone("p1");
	events->tlv_gone("p1");
	events->tlv_gone("p9");
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 15755");
	events->tlv_in("p1", station, sizeof(station));
	events->tlv_in("p1", bad, sizeof(bad));
	hear();
	assert_int_equal(n_heard, 2);
	/* Of a port that is not ours it is known when it becomes ours. */
	events->tlv_in("p2", station, sizeof(station));
	hear();
	assert_int_equal(n_heard, 0);
	events->setting_set("p2", "use", "yes");
	hear();
	assert_heard("port p2 up role 2 guard 0 keep-alive 15755 peer 1 1 0");
	events->setting_set("p2", "use", "no");
	events->tlv_gone("p2");
}

static void once_vdp_runs_the_evb_tlv_leaves_and_then_an_empty_vdpdu(void **state)
{
	const uint8_t empty[VDP22_EMPTY_LEN] = { 0x0a, 0x10 };
	char port[VM_IFNAME_MAX];
	uint8_t sent[HOST_PDU_MAX];

	(void)state;
	fake_host_lldp_changes("p1");
	events->vdp_started("p1");
	assert_int_equal(fake_host_lldp_changes("p1"), 1);
	events->ecp_started("p1");
	assert_int_equal(fake_host_pdu(false, port, sent), sizeof(empty));
	assert_string_equal(port, "p1");
	assert_memory_equal(sent, empty, sizeof(empty));
	fake_host_lldp_changes("p2");
	events->vdp_started("p2");
	events->ecp_started("p2");
	assert_int_equal(fake_host_lldp_changes("p2"), 0);
	assert_int_equal(fake_host_pdu(false, port, sent), 0);
}

static void a_request_taken_for_a_repetition_is_handed_on_at_the_next_turn(void **state)
{
	char port[VM_IFNAME_MAX];
	uint8_t frame[2048], got[HOST_PDU_MAX];
	size_t len = capture_get("vdp22.pcap", PRE, frame, sizeof(frame));

	(void)state;
	events->frame_in("p1", frame, len);
	assert_true(in("p1", PRE));
	fake_host_advance(5000);
	events->frame_in("p1", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), len - 18);
	assert_string_equal(port, "p1");
	assert_memory_equal(got, frame + 18, len - 18);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
	/* ECP22 begins anew as well, and takes it. */
	events->port_down("p1");
	events->port_up("p1");
	events->frame_in("p1", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
	/* Not ours. */
	events->frame_in("p2", frame, len);
	fake_host_advance(5000);
	events->frame_in("p2", frame, len);
	hear();
	assert_int_equal(fake_host_pdu(true, port, got), 0);
}

static void before_its_timers_a_bridge_loses_no_vsi(void **state)
{
	const struct host_evb evb = { .retries = 3, .rte = 8, .rwd = 20, .rka = 20 };

	(void)state;
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	captured(BRIDGE_DEASSOC);
	assert_false(leaves("p1", BRIDGE_DEASSOC));
	hear();
	assert_int_equal(n_heard, 0);
	events->evb("p1", &evb);
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	assert_true(leaves("p1", BRIDGE_DEASSOC));
	/* After a SIGHUP lldpad begins without them again. */
	events->detached();
	events->attached();
	events->port_up("p1");
	assert_false(leaves("p1", BRIDGE_DEASSOC));
	hear();
}

static void new_timers_of_a_port_are_told_once(void **state)
{
	const struct host_evb fast = { .retries = 3, .rte = 8, .rwd = 16, .rka = 16 };

	(void)state;
	events->evb("p1", &fast);
	events->evb("p1", &fast);
	hear();
	assert_int_equal(n_heard, 1);
	assert_heard("port p1 up role 2 guard 0 keep-alive 1009");
}

static void a_port_that_goes_down_forgets_its_vsis(void **state)
{
	(void)state;
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	events->port_down("p1");
	events->port_down("p1");
	hear();
	assert_int_equal(n_heard, 2);
	assert_string_equal(heard[0], "forgotten 'p1'");
	assert_string_equal(heard[1], "port p1 down role 2 guard 0 keep-alive 15755");
	engine_restarts();
	assert_int_equal(heard_lines("p1 replayed mode 3 status 00"), 0);
	assert_heard("port p1 down role 2 guard 0 keep-alive 15755");
}

static void a_sighup_forgets_all_vsis_but_no_mark(void **state)
{
	(void)state;
	mark(LINK_MARK, 5, 0);
	in("p1", ASSOC);
	out("p1", ASSOC_OK);
	hear();
	assert_heard("done 5 0 marked");
	events->detached();
	hear();
	assert_heard("forgotten ''");
	events->attached();
	events->port_up("p1");
	events->port_up("e0");
	out("e0", PRE);
	assert_int_equal(pdu[STATUS_AT], VDP_STATUS_M);
	engine_restarts();
	assert_int_equal(heard_lines("p1 replayed mode 3 status 00"), 0);
	mark(LINK_UNMARK, 6, 0);
}

static void marks_are_set_shown_and_taken_away(void **state)
{
	(void)state;
	mark(LINK_MARK, 7, 100000);
	hear();
	assert_heard("done 7 22 a mark lives at most 86400 s");
	mark(LINK_MARK, 7, 60);
	show("marks");
	assert_heard("done 7 0 marked");
	assert_heard("row 9 vsi:s ... state:s");
	assert_heard(MARKED_ROW "waiting");
	assert_heard("done 9 0 ");
	out("e0", PRE);
	in("e0", PRE_OK);
	show("marks");
	assert_heard("e0 request mode 1 status 10");
	assert_heard(MARKED_ROW "pre-associated");
	out("e0", ASSOC);
	in("e0", ASSOC_OK);
	show("marks");
	assert_heard(MARKED_ROW "associated");
	mark(LINK_UNMARK, 8, 0);
	mark(LINK_UNMARK, 8, 0);
	hear();
	assert_heard("done 8 0 unmarked");
	assert_heard("done 8 2 this VSI is not marked");
	show("bindings");
	assert_heard("done 9 2 no such table in the module");
}

static void a_mark_runs_out_by_itself(void **state)
{
	(void)state;
	mark(LINK_MARK, 7, 60);
	fake_host_advance(60 * 1000);
	tick();
	show("marks");
	assert_int_equal(heard_lines(MARKED_ROW "waiting"), 0);
	out("e0", PRE);
	assert_int_equal(pdu[STATUS_AT], 0);
}

static void dropped_frames_are_counted_and_logged_within_limits(void **state)
{
	unsigned i, before = fake_host_logged("");

	(void)state;
	assert_ptr_equal(events->frame_ok, ecp_survivable);
	for (i = 0; i < 100; i++)
		events->frame_dropped("p1", ETHERTYPE_ECP, 1600);
	assert_int_equal(fake_host_logged(""), before + 1);
	assert_string_equal(fake_host_last_log(),
			    "p1: frame dropped: ethertype 0x8940, 1600 octets, "
			    "lldpad would not survive it");
	tick();
	hear();
	assert_heard("counter frames dropped below the bus 100");
	tick();
	hear();
	assert_int_equal(heard_lines("counter frames dropped below the bus 100"), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_replay_tells_ports_before_vsis_and_those_given_up_as_gone),
		TEST(a_large_replay_takes_several_datagrams_and_loses_nothing),
		TEST(a_port_that_is_not_ours_passes_unread),
		TEST(use_takes_effect_at_once_both_ways),
		TEST(a_wrong_value_is_refused_and_told_what_it_takes),
		TEST(what_cannot_be_stored_is_not_in_force),
		TEST(enforce_waits_for_an_engine_and_a_complete_and_empty_list),
		TEST(enforce_anyway_accepts_open_cases_and_is_kept_as_enforce),
		TEST(what_the_file_holds_at_a_start_is_applied_as_it_is),
		TEST(a_port_that_an_asic_forwards_gets_no_guard_and_is_told_so),
		TEST(settings_of_the_group_hold_where_a_port_has_none_of_its_own),
		TEST(the_table_of_settings_says_where_each_comes_from),
		TEST(the_capability_follows_settings_and_role_at_once),
		TEST(the_neighbours_capability_is_told_once_until_it_is_gone),
		TEST(once_vdp_runs_the_evb_tlv_leaves_and_then_an_empty_vdpdu),
		TEST(a_request_taken_for_a_repetition_is_handed_on_at_the_next_turn),
		TEST(before_its_timers_a_bridge_loses_no_vsi),
		TEST(new_timers_of_a_port_are_told_once),
		TEST(a_port_that_goes_down_forgets_its_vsis),
		TEST(a_sighup_forgets_all_vsis_but_no_mark),
		TEST(marks_are_set_shown_and_taken_away),
		TEST(a_mark_runs_out_by_itself),
		TEST(dropped_frames_are_counted_and_logged_within_limits),
	};

	heard = calloc(HEARD_MAX, sizeof(*heard));
	fake_host_reset();
	events = module_init();
	if (heard && fake_root())
		listener = fake_listen(VDP_MIGRATE_SOCKET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
