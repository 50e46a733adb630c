/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live domain alone: a lease is the running VM's, its next start asks for another.
 */
#include "agent_domain.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#define PREFIX "vdp-migrate"

static int write_metadata(virDomainPtr domain, const char *xml);
static bool is_busy(virDomainPtr domain);

int agent_domain_read(virDomainPtr domain, struct domain *ret_domain,
		      char why[DOMAIN_WHY_MAX])
{
	char *xml = virDomainGetXMLDesc(domain, 0);
	int err;

	if (!xml) {
		snprintf(why, DOMAIN_WHY_MAX, "%s", virGetLastErrorMessage());
		return -EIO;
	}
	err = domain_xml_read(xml, strlen(xml), ret_domain, why);
	free(xml);
	return err;
}

enum agent_did agent_domain_update(virDomainPtr domain, const struct domain *known,
				   const struct seen_leases *seen, struct seen_macs *ours,
				   int64_t now)
{
	struct domain_lease *leases = calloc(DOMAIN_NICS_MAX, sizeof(*leases));
	enum agent_did did = AGENT_FAILED;
	char *xml = NULL;
	bool changed;
	unsigned n;

	if (!leases)
		return AGENT_FAILED;
	n = seen_leases_merge(seen, ours, known, now, leases, &changed);
	if (!changed)
		did = AGENT_NOTHING;
	else if (is_busy(domain))
		did = AGENT_BUSY;
	else if (!n || (xml = seen_leases_xml(leases, n)))
		did = write_metadata(domain, xml) ? AGENT_FAILED : AGENT_WRITTEN;
	for (unsigned i = 0; i < n && did == AGENT_WRITTEN; i++)
		for (unsigned j = 0; j < seen->n; j++)
			if (mac_equal(&seen->list[j].lease.mac, &leases[i].mac))
				seen_macs_add(ours, &leases[i].mac);
	free(xml);
	free(leases);
	return did;
}

/* NULL: ours is taken out. */
static int write_metadata(virDomainPtr domain, const char *xml)
{
	return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, PREFIX,
				    DOMAIN_LEASES_NS, VIR_DOMAIN_AFFECT_LIVE);
}

/* Drivers without jobs say no. */
static bool is_busy(virDomainPtr domain)
{
	virDomainJobInfo job;

	if (virDomainGetJobInfo(domain, &job))
		return false;
	return job.type == VIR_DOMAIN_JOB_BOUNDED || job.type == VIR_DOMAIN_JOB_UNBOUNDED;
}
