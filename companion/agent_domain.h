/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One running domain of libvirt's: its metadata brought up to date.
 */
#ifndef COMPANION_AGENT_DOMAIN_H
#define COMPANION_AGENT_DOMAIN_H

#include <libvirt/libvirt.h>

#include "seen_leases.h"

enum agent_did { AGENT_NOTHING, AGENT_WRITTEN, AGENT_BUSY, AGENT_FAILED };

/* Read it as it is now. 0 or -errno; why as in domain_xml_read(). */
int agent_domain_read(virDomainPtr domain, struct domain *ret_domain,
		      char why[DOMAIN_WHY_MAX]);

/* A domain with a job (it migrates) is left alone: its metadata is on the way, and
 * libvirt would have us wait. AGENT_FAILED: virGetLastErrorMessage(). */
enum agent_did agent_domain_update(virDomainPtr domain, const struct domain *known,
				   const struct seen_leases *seen, struct seen_macs *ours,
				   int64_t now);

#endif
