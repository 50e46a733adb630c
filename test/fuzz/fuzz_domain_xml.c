/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any text as a domain. What is read holds together: counts within bounds, one lease a
 * MAC, addresses that are somebody's; what is refused says why.
 */
#include "companion/domain_xml.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lease(const struct domain *domain, unsigned n)
{
	const struct domain_lease *lease = &domain->leases[n];

	if (mac_is_zero(&lease->mac) || addr_is_any(&lease->ip) || lease->expires <= 0 ||
	    domain_lease_of(domain, &lease->mac) != lease)
		abort();
	if (lease->server.family && lease->server.family != lease->ip.family)
		abort();
	if (lease->no_client_id && lease->client_id.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct domain domain;
	char why[DOMAIN_WHY_MAX] = "";

	if (domain_xml_read((const char *)data, size, &domain, why)) {
		if (!*why || domain.n_nics || domain.n_leases)
			abort();
		return 0;
	}
	if (domain.n_nics > DOMAIN_NICS_MAX || domain.n_leases > DOMAIN_NICS_MAX)
		abort();
	for (unsigned i = 0; i < domain.n_nics; i++) {
		const struct domain_nic *nic = &domain.nics[i];

		if (mac_is_zero(&nic->mac) || !memchr(nic->dev, 0, sizeof(nic->dev)))
			abort();
		if (nic->named && nic->id.format != VSI_ID_UUID)
			abort();
	}
	for (unsigned i = 0; i < domain.n_leases; i++)
		check_lease(&domain, i);
	return 0;
}
