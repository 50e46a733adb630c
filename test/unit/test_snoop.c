/* SPDX-License-Identifier: GPL-2.0-only */
/* core/snoop: whose word counts, and for which port. */
#include "snoop_rig.h"

static const struct mac other_mac = {{0x52, 0x54, 0, 0, 0, 2}};
static const struct addr relay = {ADDR_IPV4, {10, 0, 0, 254}};

static const struct snoop_counts *counts(const struct fixture *f)
{
	return snoop_counts(f->snoop);
}

static void ack_binds_where_the_request_came_in(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VM_PORT, 77), SNOOP_NOTHING);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	assert_int_equal(f->change.port, VM_PORT);
	assert_int_equal(f->change.host.bridge, 3);
	assert_true(mac_equal(&f->change.host.mac, &vm));
	assert_true(addr_equal(&f->change.ip, &ip));
	assert_true(addr_equal(&f->change.server, &server));
	assert_int_equal(f->change.lease_s, 3600);
	assert_int_equal(counts(f)->requests, 1);
	assert_int_equal(counts(f)->acks, 1);
}

static void client_id_that_is_too_long_is_odd_not_none(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_REQUEST, 77);

	fake.long_client_id = true;
	see(f, VM_PORT, &vm, &fake);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	assert_true(f->change.odd_client_id);
	assert_int_equal(f->change.client_id.len, 0);
	request(f, VM_PORT, 78);
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_BOUND);
	assert_false(f->change.odd_client_id);
	fake = client(DHCP4_REQUEST, 79);
	fake.client_id = (struct client_id){255, {1, 2}};
	see(f, VM_PORT, &vm, &fake);
	assert_int_equal(ack(f, SERVER_PORT, 79), SNOOP_BOUND);
	assert_false(f->change.odd_client_id);
	assert_int_equal(f->change.client_id.len, 255);
}

static void ack_from_a_port_not_trusted_is_nothing(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, BAD_PORT, 77), SNOOP_NOTHING);
	assert_int_equal(ack(f, VM_PORT, 77), SNOOP_NOTHING);
	assert_int_equal(counts(f)->untrusted, 2);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
}

static void request_whose_source_is_not_its_client_opens_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_dhcp fake = client(DHCP4_REQUEST, 77);

	see(f, BAD_PORT, &other_mac, &fake);
	assert_int_equal(counts(f)->forged, 1);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
}

static void request_of_a_client_that_is_announced_elsewhere_opens_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_dhcp fake = client(DHCP4_REQUEST, 77);

	f->elsewhere = true;
	see(f, BAD_PORT, &vm, &fake);
	f->elsewhere = false;
	assert_int_equal(counts(f)->forged, 1);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
}

static void ack_without_a_request_only_renews(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	assert_int_equal(counts(f)->unasked, 1);
	assert_true(addr_equal(&f->change.ip, &ip));
	assert_int_equal(f->change.lease_s, 3600);
}

static void request_is_answered_once(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
}

static void ack_to_another_xid_does_not_bind(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_RENEWED);
}

static void ack_to_another_client_does_not_bind(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_ACK, 77);

	request(f, VM_PORT, 77);
	fake.chaddr = other_mac;
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_RENEWED);
}

static void first_port_of_a_request_stays(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	request(f, BAD_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	assert_int_equal(f->change.port, VM_PORT);
}

static void request_repeated_on_its_port_is_fresh(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	f->now = 50000;
	request(f, VM_PORT, 77);
	f->now = 100000;
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
}

static void request_is_open_for_a_minute(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	f->now = 60000;
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	request(f, VM_PORT, 78);
	f->now += 59999;
	assert_int_equal(ack(f, SERVER_PORT, 78), SNOOP_BOUND);
}

static void client_behind_a_trusted_port_gets_no_binding(void **state)
{
	struct fixture *f = *state;

	request(f, SERVER_PORT, 77);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_NOTHING);
	assert_int_equal(counts(f)->unasked, 0);
}

static void nak_ends_no_binding_but_closes_the_request(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_NAK, 77);

	request(f, VM_PORT, 77);
	assert_int_equal(see(f, BAD_PORT, &server_mac, &fake), SNOOP_NOTHING);
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
	assert_int_equal(counts(f)->naks, 1);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
}

static void ack_to_an_inform_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_ACK, 77);

	request(f, VM_PORT, 77);
	fake.yiaddr = (struct addr){0};
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
}

static void ack_without_a_lease_time_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_ACK, 77);

	fake.has_lease = false;
	request(f, VM_PORT, 77);
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
	fake.has_lease = true;
	fake.lease_s = 0;
	request(f, VM_PORT, 77);
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
}

static void infinite_lease_is_forever(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_ACK, 77);

	fake.lease_s = DHCP4_LEASE_FOREVER;
	request(f, VM_PORT, 77);
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_BOUND);
	assert_true(f->change.lease_s == LQ_FOREVER);
}

static void release_ends_the_binding_on_its_own_port(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_RELEASE, 5);

	fake.ciaddr = ip;
	assert_int_equal(see(f, VM_PORT, &vm, &fake), SNOOP_ENDED);
	assert_int_equal(f->change.port, VM_PORT);
	assert_true(addr_equal(&f->change.ip, &ip));
	assert_int_equal(counts(f)->releases, 1);
}

static void decline_names_its_address_in_option_50(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_DECLINE, 5);

	assert_int_equal(see(f, VM_PORT, &vm, &fake), SNOOP_NOTHING);
	fake.requested = ip;
	assert_int_equal(see(f, VM_PORT, &vm, &fake), SNOOP_ENDED);
	assert_true(addr_equal(&f->change.ip, &ip));
	assert_int_equal(counts(f)->declines, 2);
}

static void forged_release_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_RELEASE, 5);

	fake.ciaddr = ip;
	assert_int_equal(see(f, BAD_PORT, &other_mac, &fake), SNOOP_NOTHING);
	assert_int_equal(counts(f)->forged, 1);
	assert_int_equal(counts(f)->releases, 0);
}

static void relayed_messages_are_no_clients_of_this_port(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_REQUEST, 77);

	fake.giaddr = relay;
	see(f, VM_PORT, &vm, &fake);
	assert_int_equal(counts(f)->requests, 0);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_RENEWED);
	fake = client(DHCP4_RELEASE, 5);
	fake.ciaddr = ip;
	fake.giaddr = relay;
	assert_int_equal(see(f, VM_PORT, &vm, &fake), SNOOP_NOTHING);
}

static void leasequery_messages_are_never_snooped(void **state)
{
	struct fixture *f = *state;
	struct snoop_counts none = {0};

	for (uint8_t type = DHCP4_LEASEQUERY; type <= DHCP4_LEASEACTIVE; type++) {
		struct fake_dhcp fake = answer(type, 77);

		assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
		assert_int_equal(see(f, BAD_PORT, &server_mac, &fake), SNOOP_NOTHING);
		fake.op = DHCP4_BOOTREQUEST;
		assert_int_equal(see(f, VM_PORT, &vm, &fake), SNOOP_NOTHING);
	}
	assert_memory_equal(counts(f), &none, sizeof(none));
}

static void messages_of_the_wrong_op_are_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = client(DHCP4_REQUEST, 77);

	fake.op = DHCP4_BOOTREPLY;
	see(f, VM_PORT, &vm, &fake);
	assert_int_equal(counts(f)->requests, 0);
	fake = answer(DHCP4_ACK, 77);
	fake.op = DHCP4_BOOTREQUEST;
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
	assert_int_equal(counts(f)->acks, 0);
}

static void other_hardware_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake_dhcp fake = answer(DHCP4_ACK, 77);

	fake.hlen = 5;
	assert_int_equal(see(f, SERVER_PORT, &server_mac, &fake), SNOOP_NOTHING);
}

static void flood_on_one_port_pushes_out_only_its_own(void **state)
{
	struct fixture *f = *state;

	request(f, VM_PORT, 77);
	for (uint32_t xid = 1000; xid < 1000 + 64; xid++)
		request(f, BAD_PORT, xid);
	assert_int_equal(counts(f)->full, 0);
	request(f, BAD_PORT, 2000);
	assert_int_equal(counts(f)->full, 1);
	assert_int_equal(ack(f, SERVER_PORT, 1000), SNOOP_RENEWED);
	assert_int_equal(ack(f, SERVER_PORT, 1001), SNOOP_BOUND);
	assert_int_equal(ack(f, SERVER_PORT, 2000), SNOOP_BOUND);
	assert_int_equal(ack(f, SERVER_PORT, 77), SNOOP_BOUND);
	assert_int_equal(f->change.port, VM_PORT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(ack_binds_where_the_request_came_in),
		TEST(client_id_that_is_too_long_is_odd_not_none),
		TEST(ack_from_a_port_not_trusted_is_nothing),
		TEST(request_whose_source_is_not_its_client_opens_nothing),
		TEST(request_of_a_client_that_is_announced_elsewhere_opens_nothing),
		TEST(ack_without_a_request_only_renews),
		TEST(request_is_answered_once),
		TEST(ack_to_another_xid_does_not_bind),
		TEST(ack_to_another_client_does_not_bind),
		TEST(first_port_of_a_request_stays),
		TEST(request_repeated_on_its_port_is_fresh),
		TEST(request_is_open_for_a_minute),
		TEST(client_behind_a_trusted_port_gets_no_binding),
		TEST(nak_ends_no_binding_but_closes_the_request),
		TEST(ack_to_an_inform_is_nothing),
		TEST(ack_without_a_lease_time_is_nothing),
		TEST(infinite_lease_is_forever),
		TEST(release_ends_the_binding_on_its_own_port),
		TEST(decline_names_its_address_in_option_50),
		TEST(forged_release_is_nothing),
		TEST(relayed_messages_are_no_clients_of_this_port),
		TEST(leasequery_messages_are_never_snooped),
		TEST(messages_of_the_wrong_op_are_nothing),
		TEST(other_hardware_is_nothing),
		TEST(flood_on_one_port_pushes_out_only_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
