/* SPDX-License-Identifier: GPL-2.0-only */
/* Which leases belong into a domain's metadata, and when it is written again. */
#include "companion/seen_leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/text.h"

#define NOW 1000000
#define NIC "<interface type='bridge'><mac address='52:54:00:00:00:%02x'/>" \
	    "<target dev='%s'/></interface>"

static struct table rows;
static struct seen_leases seen;
static struct seen_macs ours;
static struct domain domain;
static struct domain_lease leases[DOMAIN_NICS_MAX];
static bool changed;

static void row(const char *first, ...)
{
	struct link_row out = { 0 };
	va_list args;

	va_start(args, first);
	for (const char *s = first; s; s = va_arg(args, const char *)) {
		out.field[out.n].s = s;
		out.field[out.n++].len = (uint16_t)strlen(s);
	}
	va_end(args);
	assert_int_equal(table_add(&rows, &out), 0);
}

static void engine_says(void)
{
	seen_leases_free(&seen);
	assert_int_equal(seen_leases_read(&rows, NOW, &seen), 0);
}

static int fresh(void **state)
{
	(void)state;
	table_done(&rows);
	memset(&rows, 0, sizeof(rows));
	seen_leases_free(&seen);
	seen_macs_clear(&ours);
	row("port:s", "vlan:n", "mac:s", "address:s", "client_id:s", "no_client_id:b",
	    "server:s", "lease_left:d", NULL);
	return 0;
}

static int done(void **state)
{
	(void)state;
	table_done(&rows);
	seen_leases_free(&seen);
	seen_macs_clear(&ours);
	return 0;
}

/* Two interfaces, vnet1 and vnet2, and this metadata (NULL: none). */
static void domain_is(const char *metadata)
{
	char xml[4096], why[DOMAIN_WHY_MAX];

	snprintf(xml, sizeof(xml), "<domain><metadata>%s</metadata><devices>" NIC NIC
		 "</devices></domain>", metadata ? metadata : "", 1, "vnet1", 2, "vnet2");
	assert_int_equal(domain_xml_read(xml, strlen(xml), &domain, why), 0);
	assert_int_equal(domain.bad, 0);
}

/* As libvirt keeps what was written: the namespace is put on it. */
static void domain_has(const struct domain_lease *list, unsigned n)
{
	char *xml = seen_leases_xml(list, n), metadata[2048];

	assert_memory_equal(xml, "<leases>", 8);
	snprintf(metadata, sizeof(metadata), "<leases xmlns='" DOMAIN_LEASES_NS "'>%s",
		 xml + 8);
	free(xml);
	domain_is(metadata);
}

static unsigned merge(ms_t now)
{
	return seen_leases_merge(&seen, &ours, &domain, now, leases, &changed);
}

static void what_the_engine_has_seen_is_written_once(void **state)
{
	(void)state;
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "01525400000001", "no",
	    "10.0.0.254", "3600", NULL);
	row("vnet2", "0", "52:54:00:00:00:02", "10.0.0.2", "", "yes", "10.0.0.254", "", NULL);
	engine_says();
	domain_is(NULL);
	assert_int_equal(merge(NOW), 2);
	assert_true(changed);
	domain_has(leases, 2);
	assert_int_equal(domain.n_leases, 2);
	assert_int_equal(domain.leases[0].expires, NOW + 3600);
	assert_int_equal(domain.leases[0].client_id.len, 7);
	assert_false(domain.leases[0].no_client_id);
	assert_true(domain.leases[1].no_client_id);
	assert_true(domain.leases[1].expires == DOMAIN_NEVER);
	assert_int_equal(merge(NOW), 2);
	assert_false(changed);
}

static void a_second_more_or_less_is_no_change_and_a_renewal_is(void **state)
{
	(void)state;
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "3600", NULL);
	engine_says();
	domain_is(NULL);
	merge(NOW);
	domain_has(leases, 1);
	for (int apart = -5; apart <= 5; apart++) {
		seen.list[0].lease.expires = NOW + 3600 + apart;
		assert_int_equal(merge(NOW), 1);
		assert_false(changed);
	}
	seen.list[0].lease.expires = NOW + 3606;
	assert_int_equal(merge(NOW), 1);
	assert_true(changed);
	assert_int_equal(leases[0].expires, NOW + 3606);
}

static void a_lease_that_the_vm_came_with_stays_until_it_ends(void **state)
{
	const struct domain_lease came[] = {
		{ .mac = { { 0x52, 0x54, 0, 0, 0, 1 } }, .expires = NOW + 100,
		  .ip = { .family = ADDR_IPV4, .b = { 10, 0, 0, 1 } } },
	};

	(void)state;
	engine_says();
	domain_has(came, 1);
	assert_int_equal(merge(NOW), 1);
	assert_false(changed);
	assert_int_equal(merge(NOW + 100), 0);
	assert_true(changed);
}

static void a_lease_of_ours_goes_when_the_engine_has_it_no_longer(void **state)
{
	(void)state;
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "3600", NULL);
	engine_says();
	domain_is(NULL);
	merge(NOW);
	domain_has(leases, 1);
	seen_macs_add(&ours, &leases[0].mac);
	assert_true(seen_macs_has(&ours, &leases[0].mac));
	seen_leases_free(&seen);
	assert_int_equal(merge(NOW), 0);
	assert_true(changed);
	/* An engine that was away has forgotten all: then it stays. */
	seen_macs_clear(&ours);
	assert_int_equal(merge(NOW), 1);
	assert_false(changed);
}

static void a_mac_that_has_left_is_ours_no_longer(void **state)
{
	const struct domain_lease came = { .mac = { { 0x52, 0x54, 0, 0, 0, 1 } },
		.ip = { .family = ADDR_IPV4, .b = { 10, 0, 0, 1 } }, .expires = NOW + 100 };
	const struct mac other = { { 0x52, 0x54, 0, 0, 0, 2 } };
	struct seen_macs here = { 0 };

	(void)state;
	seen_macs_add(&ours, &came.mac);
	seen_macs_add(&ours, &other);
	seen_macs_add(&here, &other);
	seen_macs_keep(&ours, &here);
	seen_macs_clear(&here);
	assert_false(seen_macs_has(&ours, &came.mac));
	assert_true(seen_macs_has(&ours, &other));
	/* It is back, and brings its lease. */
	engine_says();
	domain_has(&came, 1);
	assert_int_equal(merge(NOW), 1);
	assert_false(changed);
}

static void a_lease_seen_on_another_interface_or_in_two_vlans_is_not_sure(void **state)
{
	(void)state;
	row("vnet9", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "3600", NULL);
	row("vnet2", "1", "52:54:00:00:00:02", "10.0.0.2", "", "yes", "", "3600", NULL);
	row("vnet2", "2", "52:54:00:00:00:02", "10.0.1.2", "", "yes", "", "3600", NULL);
	engine_says();
	assert_int_equal(seen.n, 3);
	domain_is(NULL);
	assert_int_equal(merge(NOW), 0);
	assert_false(changed);
	strcpy(domain.nics[1].dev, "");
	domain.nics[1].mac.b[5] = 1;
	/* Two interfaces of one MAC. */
	assert_int_equal(merge(NOW), 0);
}

static void a_lease_of_nobody_here_leaves_the_metadata(void **state)
{
	const struct domain_lease gone = { .mac = { { 0x52, 0x54, 0, 0, 0, 7 } },
		.ip = { .family = ADDR_IPV4, .b = { 10, 0, 0, 7 } }, .expires = NOW + 100 };

	(void)state;
	engine_says();
	domain_has(&gone, 1);
	assert_int_equal(domain.n_leases, 1);
	assert_int_equal(merge(NOW), 0);
	assert_true(changed);
}

static void rows_that_say_nothing_usable_are_left_out(void **state)
{
	(void)state;
	row("vnet1", "0", "52:54:00:00:00", "10.0.0.1", "", "yes", "", "3600", NULL);
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0", "", "yes", "", "3600", NULL);
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "x", "no", "", "3600", NULL);
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "x", "3600", NULL);
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "-1", NULL);
	row("vnet1", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "9x", NULL);
	row("a-name-of-16-letters", "0", "52:54:00:00:00:01", "10.0.0.1", "", "yes", "", "9",
	    NULL);
	row("vnet1", NULL);
	engine_says();
	assert_int_equal(seen.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_engine_has_seen_is_written_once),
		TEST(a_second_more_or_less_is_no_change_and_a_renewal_is),
		TEST(a_lease_that_the_vm_came_with_stays_until_it_ends),
		TEST(a_lease_of_ours_goes_when_the_engine_has_it_no_longer),
		TEST(a_mac_that_has_left_is_ours_no_longer),
		TEST(a_lease_seen_on_another_interface_or_in_two_vlans_is_not_sure),
		TEST(a_lease_of_nobody_here_leaves_the_metadata),
		TEST(rows_that_say_nothing_usable_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
