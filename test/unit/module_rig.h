/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module on the fake host, with an engine that listens: what its tests share.
 * Each line that the engine hears is a text in heard[].
 */
#ifndef TEST_MODULE_RIG_H
#define TEST_MODULE_RIG_H

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

static inline void say(const struct link_msg *msg)
{
	uint8_t buf[2048];
	struct wr w = wr_new(buf, sizeof(buf));

	assert_true(linkmsg_put(&w, msg));
	assert_int_equal(send(engine, buf, w.at, MSG_NOSIGNAL), w.at);
	fake_host_poll();
}

static inline void tick(void)
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

static inline void note(const struct link_msg *msg)
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
	case LINK_HELP_ASKED:
		n = snprintf(line, size, "%s asked xid %x giaddr family %u",
			     msg->u.help.port, msg->u.help.xid, msg->u.help.giaddr.family);
		for (unsigned i = 0; i < msg->u.help.n_entries && i < 2; i++)
			n += snprintf(line + n, size - (size_t)n, " %02x/%u",
				      msg->u.help.entries[i].mac.b[5],
				      msg->u.help.entries[i].vlan);
		snprintf(line + n, size - (size_t)n, "%s", msg->u.help.apart ? " apart" : "");
		break;
	case LINK_MARK:
		snprintf(line, size, "mark for %u%s", msg->u.mark.ttl_s,
			 msg->u.mark.ip.family ? " with lease" : "");
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
	default:
		snprintf(line, size, "message %u", msg->type);
		break;
	}
}

/* Everything that has been sent until now, after one turn. */
static inline void hear(void)
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

static inline unsigned heard_lines(const char *line)
{
	unsigned i, n = 0;

	for (i = 0; i < n_heard && i < HEARD_MAX; i++)
		n += !strcmp(heard[i], line);
	return n;
}

static inline void assert_heard(const char *line)
{
	if (heard_lines(line) != 1)
		fail_msg("heard %u times: %s; first of %u: %s", heard_lines(line), line,
			 n_heard, n_heard ? heard[0] : "");
}

static inline void engine_restarts(void)
{
	close(engine);
	engine = -1;
	fake_host_poll();
	tick();
	hear();
}

/* Each test begins with a bridge port p1 in use, a station port e0 in use, a port
 * p2 that is not ours, and an engine that knows it. */
static inline int fresh(void **state)
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

static inline void set_group(const char *name, const char *value)
{
	struct link_msg msg = { .type = LINK_SET, .u.set.seq = 4 };

	snprintf(msg.u.set.name, sizeof(msg.u.set.name), "%s", name);
	snprintf(msg.u.set.value, sizeof(msg.u.set.value), "%s", value);
	say(&msg);
	hear();
}

/* As many as there is room for are named: 02::1, … */
static inline void cases(const char *port, bool complete, uint32_t n)
{
	struct link_msg msg = { .type = LINK_CASES,
				.u.cases = { .complete = complete, .n = n } };

	for (uint8_t i = 0; i < n && i < LINK_CASES_NAMED; i++)
		msg.u.cases.named[msg.u.cases.n_named++] =
			(struct mac){ { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } };
	snprintf(msg.u.cases.port, sizeof(msg.u.cases.port), "%s", port);
	say(&msg);
}

static inline void assert_enforce_refused(const char *why)
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

static inline size_t captured(unsigned number)
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

static inline bool in(const char *port, unsigned number)
{
	size_t len = captured(number);

	return events->pdu_in(port, pdu, len);
}

static inline void out(const char *port, unsigned number)
{
	size_t len = captured(number);

	events->pdu_out(port, pdu, &len);
}

static inline bool leaves(const char *port, unsigned number)
{
	size_t len = captured(number);

	return events->pdu_out(port, pdu, &len);
}

static inline void mark(uint8_t type, uint32_t seq, uint32_t ttl_s)
{
	struct link_msg msg = { .type = type, .u.mark = { .seq = seq, .ttl_s = ttl_s } };

	assert_int_equal(vsi_id_parse(MARKED, &msg.u.mark.id), 0);
	say(&msg);
}

static inline void show(const char *table)
{
	struct link_msg msg = { .type = LINK_SHOW, .u.show.seq = 9 };

	snprintf(msg.u.show.table, sizeof(msg.u.show.table), "%s", table);
	say(&msg);
	hear();
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

static inline int module_rig_run(const struct CMUnitTest *tests, size_t n)
{
	heard = calloc(HEARD_MAX, sizeof(*heard));
	fake_host_reset();
	events = module_init();
	if (heard && fake_root())
		listener = fake_listen(VDP_MIGRATE_SOCKET);
	return _cmocka_run_group_tests("module", tests, n, NULL, NULL);
}

#endif
