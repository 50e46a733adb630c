/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leasequery client between a test that answers as its servers would and a clock
 * that goes when the test says so. For the cmocka tests of core/leasequery and
 * core/lq_server.
 */
#ifndef FAKE_LQ_H
#define FAKE_LQ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/dhcp.h"
#include "vdp_migrate/leasequery.h"
#include "wire/text.h"

#define SENT_MAX 256

static const struct mac vm = {{0x52, 0x54, 0, 0, 0, 1}};
static const struct mac other_mac __attribute__((unused)) = {{0x52, 0x54, 0, 0, 0, 2}};
static const struct addr giaddr = {ADDR_IPV4, {10, 0, 0, 254}};
static const struct addr server_1 = {ADDR_IPV4, {10, 0, 0, 2}};
static const struct addr server_2 = {ADDR_IPV4, {10, 0, 0, 3}};
static const struct addr ip_7 = {ADDR_IPV4, {10, 0, 0, 7}};
static const struct addr ip_8 __attribute__((unused)) = {ADDR_IPV4, {10, 0, 0, 8}};

struct fixture {
	struct lq *lq;
	ms_t now;
	uint32_t random;
	unsigned n_sent;
	struct sent {
		ms_t at;
		struct addr server;
		uint32_t xid;
		struct mac mac;
	} sent[SENT_MAX];
	int send_error;
	unsigned n_answers, n_back;
	struct lq_answer answer; /* the last one */
	bool asking;		 /* inside lq_ask */
	void (*on_answer)(struct fixture *f);
};

static int send(void *arg, const struct addr *from, const struct addr *server,
		const uint8_t *msg, size_t len)
{
	struct fixture *f = arg;
	struct dhcp4 m;

	if (f->send_error)
		return f->send_error;
	assert_true(addr_equal(from, &giaddr));
	assert_int_equal(dhcp4_decode(rd_new(msg, len, 0), &m, NULL), 0);
	assert_int_equal(m.type, DHCP4_LEASEQUERY);
	assert_true(addr_equal(&m.giaddr, &giaddr));
	assert_true(f->n_sent < SENT_MAX);
	f->sent[f->n_sent++] = (struct sent){f->now, *server, m.xid, m.chaddr};
	return 0;
}

static void answer(void *arg, const struct lq_answer *answer)
{
	struct fixture *f = arg;

	assert_false(f->asking);
	f->n_answers++;
	f->answer = *answer;
	if (f->on_answer)
		f->on_answer(f);
}

static void back(void *arg, const struct addr *server)
{
	struct fixture *f = arg;

	assert_true(addr_equal(server, &server_1));
	f->n_back++;
}

static uint32_t random_bits(void *arg)
{
	struct fixture *f = arg;

	f->random = f->random * 1664525 + 1013904223;
	return f->random;
}

static const struct lq_ops ops = {
	.send = send, .answer = answer, .back = back, .random = random_bits,
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->lq = lq_new(&ops, f);
	assert_non_null(f->lq);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	lq_free(f->lq);
	free(f);
	return 0;
}

static inline struct lq_question by_mac(uint64_t tag, unsigned n_servers)
{
	return (struct lq_question){
		.tag = tag,
		.key = LQ_BY_MAC,
		.rank = LQ_RANK_PREASSOC,
		.mac = vm,
		.giaddr = giaddr,
		.n_servers = n_servers,
		.servers = {server_1, server_2},
	};
}

static inline int ask(struct fixture *f, const struct lq_question *question)
{
	int error;

	f->asking = true;
	error = lq_ask(f->lq, f->now, question);
	f->asking = false;
	return error;
}

static inline void ask_by_mac(struct fixture *f, uint64_t tag, unsigned n_servers)
{
	const struct lq_question question = by_mac(tag, n_servers);

	assert_int_equal(ask(f, &question), 0);
}

static inline struct fake_dhcp active(uint32_t xid)
{
	return (struct fake_dhcp){.op = DHCP4_BOOTREPLY,
				  .type = DHCP4_LEASEACTIVE,
				  .xid = xid,
				  .giaddr = giaddr,
				  .chaddr = vm,
				  .ciaddr = ip_7,
				  .has_lease = true,
				  .lease_s = 3600};
}

static inline enum lq_reject come(struct fixture *f, const struct addr *server,
				  const struct fake_dhcp *fake)
{
	uint8_t buf[600];
	size_t len = fake_dhcp(buf, sizeof(buf), fake);

	return lq_input(f->lq, f->now, &giaddr, server, buf, len);
}

static inline enum lq_reject come_type(struct fixture *f, const struct addr *server,
				       uint32_t xid, uint8_t type)
{
	struct fake_dhcp fake = active(xid);

	fake.type = type;
	return come(f, server, &fake);
}

/* Let time pass, with a tick at each deadline. */
static inline void run_until(struct fixture *f, ms_t until)
{
	for (ms_t due; (due = lq_deadline(f->lq)) <= until;) {
		if (due > f->now)
			f->now = due;
		lq_tick(f->lq, f->now);
	}
	f->now = until;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
