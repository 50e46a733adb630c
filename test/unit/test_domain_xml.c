/* SPDX-License-Identifier: GPL-2.0-only */
/* A domain as libvirt writes it: its interfaces, VSIs and leases, and what is refused. */
#include "companion/domain_xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/text.h"

#define SEEDS TEST_CAPTURES "/../fuzz/seeds/domain_xml/"

static struct domain domain;
static char why[DOMAIN_WHY_MAX];

static int read_text(const char *xml)
{
	memset(&domain, 0xff, sizeof(domain));
	return domain_xml_read(xml, strlen(xml), &domain, why);
}

static int read_file(const char *path)
{
	char xml[8192];
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(xml, 1, sizeof(xml) - 1, file);
	fclose(file);
	xml[n] = 0;
	return read_text(xml);
}

static void assert_nic(unsigned n, const char *mac, const char *id, const char *dev)
{
	char text[VSI_ID_TEXT_MAX];

	assert_true(n < domain.n_nics);
	assert_string_equal(mac_text(&domain.nics[n].mac, text), mac);
	assert_int_equal(domain.nics[n].named, id != NULL);
	if (id)
		assert_string_equal(vsi_id_text(&domain.nics[n].id, text), id);
	assert_string_equal(domain.nics[n].dev, dev);
}

static void an_interface_with_802_1Qbg_has_its_instance_id_and_lease(void **state)
{
	const struct domain_lease *lease;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(read_file(SEEDS "qbg"), 0);
	assert_int_equal(domain.n_nics, 1);
	assert_nic(0, "52:54:00:12:34:56", "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", "macvtap0");
	assert_true(domain.nics[0].qbg);
	assert_false(domain.nics[0].bridge);
	lease = domain_lease_of(&domain, &domain.nics[0].mac);
	assert_non_null(lease);
	assert_string_equal(addr_text(&lease->ip, text), "10.9.0.101");
	assert_string_equal(addr_text(&lease->server, text), "10.9.0.1");
	assert_int_equal(lease->client_id.len, 7);
	assert_memory_equal(lease->client_id.b, "\1\x52\x54\0\x12\x34\x56", 7);
	assert_false(lease->no_client_id);
	assert_int_equal(lease->expires, 1900000000);
	assert_int_equal(domain.bad, 0);
}

static void bridge_interfaces_are_named_by_metadata_or_interfaceid(void **state)
{
	const struct domain_lease *lease;

	(void)state;
	assert_int_equal(read_file(SEEDS "bridge"), 0);
	assert_int_equal(domain.n_nics, 3);
	assert_nic(0, "52:54:00:00:00:02", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "web-tap");
	assert_nic(1, "52:54:00:00:00:03", "5e9f0fd7-4f3c-4a33-8f0e-2f9d26f1c7b2", "vnet5");
	assert_nic(2, "52:54:00:00:00:04", NULL, "");
	for (unsigned i = 0; i < 3; i++)
		assert_true(domain.nics[i].bridge && !domain.nics[i].qbg);
	lease = domain_lease_of(&domain, &domain.nics[0].mac);
	assert_true(lease->no_client_id);
	assert_int_equal(lease->server.family, ADDR_NONE);
	assert_true(lease->expires == DOMAIN_NEVER);
	/* 0.0.0.0 is nobody's address. */
	assert_null(domain_lease_of(&domain, &domain.nics[1].mac));
	assert_int_equal(domain.bad, 1);
}

static void names_that_libvirt_makes_up_are_known(void **state)
{
	(void)state;
	assert_true(domain_dev_is_made("vnet0"));
	assert_true(domain_dev_is_made("macvtap12"));
	assert_false(domain_dev_is_made("web-tap"));
	assert_false(domain_dev_is_made(""));
}

static void a_document_type_is_refused_before_any_entity_is_known(void **state)
{
	(void)state;
	assert_int_equal(read_file(SEEDS "entities"), -EBADMSG);
	assert_string_equal(why, "it has a document type");
	assert_int_equal(read_text("<!DOCTYPE domain SYSTEM 'http://192.0.2.1/x.dtd'>"
				   "<domain/>"), -EBADMSG);
	assert_int_equal(read_text("<domain>&x;</domain>"), -EBADMSG);
}

static void what_is_no_domain_is_refused_and_says_why(void **state)
{
	static const char *const bad[] = { "", "x", "<domain>", "<domain></domian>", "<a/>",
					   "<d:domain xmlns:d='urn:x'/>", "<domain/><domain/>",
					   "\xff\xfe<\0", "<domain a=b/>" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(read_text(bad[i]), -EBADMSG);
		assert_true(*why);
		assert_int_equal(domain.n_nics + domain.n_leases, 0);
	}
	assert_int_equal(read_file(SEEDS "cut"), -EBADMSG);
	assert_int_equal(read_text("<domain/>"), 0);
	assert_int_equal(domain.n_nics + domain.n_leases + domain.bad, 0);
}

static void more_than_a_megabyte_is_refused(void **state)
{
	char *xml = malloc(DOMAIN_XML_MAX + 1);

	(void)state;
	memset(xml, ' ', DOMAIN_XML_MAX + 1);
	memcpy(xml, "<domain/>", 9);
	assert_int_equal(domain_xml_read(xml, DOMAIN_XML_MAX, &domain, why), 0);
	assert_int_equal(domain_xml_read(xml, DOMAIN_XML_MAX + 1, &domain, why), -EFBIG);
	free(xml);
}

static void interfaces_without_a_mac_are_left_out_and_counted(void **state)
{
	(void)state;
	assert_int_equal(read_text("<domain><devices><interface type='bridge'/>"
				   "<interface><mac address='01:00:5e:00:00:01'/></interface>"
				   "<interface><mac address='52:54:00:00:00:09'/></interface>"
				   "</devices></domain>"), 0);
	assert_int_equal(domain.n_nics, 1);
	assert_int_equal(domain.bad, 2);
}

static void no_more_interfaces_than_there_is_room_for(void **state)
{
	char xml[DOMAIN_NICS_MAX * 100 + 1000] = "<domain><devices>";

	(void)state;
	for (unsigned i = 0; i < DOMAIN_NICS_MAX + 3; i++)
		sprintf(xml + strlen(xml), "<interface type='bridge'><mac address="
			"'52:54:00:00:00:%02x'/></interface>", i);
	strcat(xml, "</devices></domain>");
	assert_int_equal(read_text(xml), 0);
	assert_int_equal(domain.n_nics, DOMAIN_NICS_MAX);
	assert_int_equal(domain.bad, 3);
}

/* One lease element with these attributes. */
static bool takes(const char *attributes)
{
	char xml[1024];

	snprintf(xml, sizeof(xml), "<domain><metadata><leases xmlns='" DOMAIN_LEASES_NS "'>"
		 "<lease %s/></leases></metadata></domain>", attributes);
	assert_int_equal(read_text(xml), 0);
	assert_int_equal(domain.n_leases + domain.bad, 1);
	return domain.n_leases;
}

static void a_lease_that_is_not_sure_is_none(void **state)
{
	(void)state;
	assert_true(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5'"));
	assert_true(takes("mac='52:54:00:00:00:01' ip='2001:db8::1' expires='never'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1'"));
	assert_false(takes("mac='52:54:00:00:00:01' expires='5'"));
	assert_false(takes("ip='10.0.0.1' expires='5'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5 '"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='-5'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires=''"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='99999999999999999999'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5' client-id='x'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5' client-id=''"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5' client-id='01' "
			   "no-client-id='yes'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5' "
			   "server='2001:db8::1'"));
	assert_false(takes("mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5' server='0.0.0.0'"));
}

static void two_leases_of_one_MAC_are_none(void **state)
{
	(void)state;
	assert_int_equal(read_text(
		"<domain><metadata><leases xmlns='" DOMAIN_LEASES_NS "'>"
		"<lease mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5'/>"
		"<lease mac='52:54:00:00:00:02' ip='10.0.0.2' expires='5'/>"
		"<lease mac='52:54:00:00:00:01' ip='10.0.0.3' expires='5'/>"
		"</leases></metadata></domain>"), 0);
	assert_int_equal(domain.n_leases, 1);
	assert_int_equal(domain.leases[0].mac.b[5], 2);
	assert_int_equal(domain.bad, 2);
}

static void elements_of_others_are_not_ours(void **state)
{
	(void)state;
	assert_int_equal(read_text(
		"<domain><metadata>"
		"<leases><lease mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5'/></leases>"
		"<leases xmlns='urn:vdp-migrate:leases:2'>"
		"<lease mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5'/></leases>"
		"<l:leases xmlns:l='" DOMAIN_LEASES_NS "'>"
		"<lease mac='52:54:00:00:00:01' ip='10.0.0.1' expires='5'/></l:leases>"
		"</metadata></domain>"), 0);
	assert_int_equal(domain.n_leases + domain.bad, 0);
}

static void metadata_does_not_rename_what_libvirt_associates(void **state)
{
	(void)state;
	assert_int_equal(read_text(
		"<domain><metadata><vsis xmlns='" DOMAIN_VSIS_NS "'>"
		"<vsi mac='52:54:00:00:00:01' instanceid='1b4e28ba-2fa1-11d2-883f-0016d3cca427'/>"
		"<vsi mac='52:54:00:00:00:01' instanceid='52:54:00:00:00:01'/>"
		"</vsis></metadata><devices><interface type='direct'>"
		"<mac address='52:54:00:00:00:01'/><virtualport type='802.1Qbg'><parameters "
		"instanceid='fa9b7fff-b0a0-4893-abcd-beef4ff18f8f'/></virtualport></interface>"
		"</devices></domain>"), 0);
	assert_nic(0, "52:54:00:00:00:01", "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", "");
	assert_int_equal(domain.bad, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_with_802_1Qbg_has_its_instance_id_and_lease),
		cmocka_unit_test(bridge_interfaces_are_named_by_metadata_or_interfaceid),
		cmocka_unit_test(names_that_libvirt_makes_up_are_known),
		cmocka_unit_test(a_document_type_is_refused_before_any_entity_is_known),
		cmocka_unit_test(what_is_no_domain_is_refused_and_says_why),
		cmocka_unit_test(more_than_a_megabyte_is_refused),
		cmocka_unit_test(interfaces_without_a_mac_are_left_out_and_counted),
		cmocka_unit_test(no_more_interfaces_than_there_is_room_for),
		cmocka_unit_test(a_lease_that_is_not_sure_is_none),
		cmocka_unit_test(two_leases_of_one_MAC_are_none),
		cmocka_unit_test(elements_of_others_are_not_ours),
		cmocka_unit_test(metadata_does_not_rename_what_libvirt_associates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
