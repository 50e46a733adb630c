/* SPDX-License-Identifier: GPL-2.0-only */
/* What core/snoop's tests share: one client behind a port, a server behind a trusted one. */
#ifndef TEST_SNOOP_RIG_H
#define TEST_SNOOP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/snoop.h"
#include "fake/dhcp.h"
#include "wire/text.h"

#define SERVER_PORT 9
#define VM_PORT 1
#define BAD_PORT 2

static const struct mac vm = {{0x52, 0x54, 0, 0, 0, 1}};
static const struct mac server_mac = {{2, 0, 0, 0, 0, 9}};
static const struct addr ip = {ADDR_IPV4, {10, 0, 0, 7}};
static const struct addr server = {ADDR_IPV4, {10, 0, 0, 2}};

struct fixture {
	struct snoop *snoop;
	ms_t now;
	struct snoop_change change;
	bool elsewhere; /* the client is announced at another port than it is seen at */
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->snoop = snoop_new();
	assert_non_null(f->snoop);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	snoop_free(f->snoop);
	free(f);
	return 0;
}

static inline enum snoop_what see(struct fixture *f, uint16_t port,
				  const struct mac *src, const struct fake_dhcp *fake)
{
	uint8_t buf[800];
	size_t len = fake_dhcp(buf, sizeof(buf), fake);
	struct dhcp4 message;
	const struct snoop_seen seen = {
		.bridge = 3,
		.vlan = 0,
		.port = port,
		.trusted = port == SERVER_PORT,
		.elsewhere = f->elsewhere,
		.src = *src,
		.message = &message,
	};

	assert_int_equal(dhcp4_decode(rd_new(buf, len, 0), &message, NULL), 0);
	snoop_see(f->snoop, f->now, &seen, &f->change);
	return f->change.what;
}

static inline struct fake_dhcp client(uint8_t type, uint32_t xid)
{
	return (struct fake_dhcp){
		.op = DHCP4_BOOTREQUEST, .type = type, .xid = xid, .chaddr = vm};
}

static inline enum snoop_what request(struct fixture *f, uint16_t port, uint32_t xid)
{
	const struct fake_dhcp fake = client(DHCP4_REQUEST, xid);

	return see(f, port, &vm, &fake);
}

static inline struct fake_dhcp answer(uint8_t type, uint32_t xid)
{
	return (struct fake_dhcp){.op = DHCP4_BOOTREPLY,
				  .type = type,
				  .xid = xid,
				  .chaddr = vm,
				  .yiaddr = ip,
				  .has_lease = true,
				  .lease_s = 3600,
				  .server = server};
}

static inline enum snoop_what ack(struct fixture *f, uint16_t port, uint32_t xid)
{
	const struct fake_dhcp fake = answer(DHCP4_ACK, xid);

	return see(f, port, &server_mac, &fake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
