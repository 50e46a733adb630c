/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent and libvirt: its own test driver keeps the metadata, in this process and
 * without a daemon.
 */
#include "companion/agent_domain.h"

#include <libvirt/virterror.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1000000
#define DOMAIN "<domain type='test'><name>vm1</name><memory>1024</memory><vcpu>1</vcpu>" \
	       "<os><type>hvm</type></os><metadata><n:note xmlns:n='http://example.org/n'>" \
	       "theirs</n:note></metadata><devices><interface type='bridge'>" \
	       "<mac address='52:54:00:00:00:01'/><source bridge='br0'/>" \
	       "</interface></devices></domain>"

static virConnectPtr libvirt;
static virDomainPtr vm;
static struct domain *known;
static struct seen_macs ours;
static struct seen_lease lease = {
	.lease = { .mac = { { 0x52, 0x54, 0, 0, 0, 1 } }, .no_client_id = true,
		   .ip = { .family = ADDR_IPV4, .b = { 10, 0, 0, 1 } },
		   .server = { .family = ADDR_IPV4, .b = { 10, 0, 0, 254 } },
		   .expires = NOW + 3600 },
};
static const struct seen_leases seen = { .n = 1, .list = &lease }, none = { .n = 0 };

static void quiet(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static int start(void **state)
{
	(void)state;
	virSetErrorFunc(NULL, quiet);
	libvirt = virConnectOpen("test:///default");
	vm = libvirt ? virDomainCreateXML(libvirt, DOMAIN, 0) : NULL;
	known = calloc(1, sizeof(*known));
	return vm && known ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	free(known);
	seen_macs_clear(&ours);
	virDomainDestroy(vm);
	virDomainFree(vm);
	virConnectClose(libvirt);
	return 0;
}

static enum agent_did update(const struct seen_leases *leases, int64_t now)
{
	char why[DOMAIN_WHY_MAX];

	assert_int_equal(agent_domain_read(vm, known, why), 0);
	assert_int_equal(known->bad, 0);
	return agent_domain_update(vm, known, leases, &ours, now);
}

static const struct domain_lease *in_metadata(void)
{
	char why[DOMAIN_WHY_MAX];

	assert_int_equal(agent_domain_read(vm, known, why), 0);
	return domain_lease_of(known, &lease.lease.mac);
}

static void a_lease_gets_into_the_domain_and_is_read_back_from_its_xml(void **state)
{
	const struct domain_lease *found;

	(void)state;
	assert_int_equal(update(&seen, NOW), AGENT_WRITTEN);
	found = in_metadata();
	assert_non_null(found);
	assert_memory_equal(found, &lease.lease, sizeof(*found));
	assert_int_equal(update(&seen, NOW), AGENT_NOTHING);
}

static void the_metadata_of_others_stays(void **state)
{
	char *xml = virDomainGetXMLDesc(vm, 0);

	(void)state;
	assert_non_null(strstr(xml, ">theirs</n:note>"));
	assert_non_null(strstr(xml, "urn:vdp-migrate:leases:1"));
	free(xml);
}

static void a_lease_given_back_leaves_the_domain_with_its_element(void **state)
{
	char *xml;

	(void)state;
	assert_int_equal(update(&none, NOW), AGENT_WRITTEN);
	assert_null(in_metadata());
	xml = virDomainGetXMLDesc(vm, 0);
	assert_null(strstr(xml, "urn:vdp-migrate"));
	assert_non_null(strstr(xml, ">theirs</n:note>"));
	free(xml);
	assert_int_equal(update(&none, NOW), AGENT_NOTHING);
}

static void a_domain_that_has_gone_is_no_more_than_an_error(void **state)
{
	(void)state;
	assert_int_equal(update(&none, NOW), AGENT_NOTHING);
	virDomainDestroy(vm);
	assert_int_equal(agent_domain_update(vm, known, &seen, &ours, NOW), AGENT_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_gets_into_the_domain_and_is_read_back_from_its_xml),
		cmocka_unit_test(the_metadata_of_others_stays),
		cmocka_unit_test(a_lease_given_back_leaves_the_domain_with_its_element),
		cmocka_unit_test(a_domain_that_has_gone_is_no_more_than_an_error),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
