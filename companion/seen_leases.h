/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The leases that the engine has seen VMs of this server get (its table `leases`), and
 * what of them belongs into a domain's metadata.
 *
 * A lease there that the engine does not know stays until it ends: the VM came with it.
 * One that we have put there goes when the engine no longer has it: it was given back.
 */
#ifndef COMPANION_SEEN_LEASES_H
#define COMPANION_SEEN_LEASES_H

#include "domain_xml.h"
#include "table.h"

/* A row: port:s, vlan:n, mac:s, address:s, client_id:s, no_client_id:b, server:s,
 * lease_left:d. port: the VM's interface here. */
struct seen_lease {
	struct domain_lease lease;
	char dev[VM_IFNAME_MAX];
};

struct seen_leases {
	unsigned n;
	struct seen_lease *list;
};

/* now: seconds since 1970. 0 or -ENOMEM; rows that say nothing usable are left out. */
int seen_leases_read(const struct table *rows, int64_t now, struct seen_leases *ret_seen);
void seen_leases_free(struct seen_leases *seen);

/* MACs whose leases we have put into metadata since the engine was there. */
struct seen_macs {
	unsigned n;
	struct mac *list;
};
bool seen_macs_has(const struct seen_macs *macs, const struct mac *mac);
/* No memory: it is not noted, and its lease stays to its end. */
void seen_macs_add(struct seen_macs *macs, const struct mac *mac);
/* Those of kept stay. */
void seen_macs_keep(struct seen_macs *macs, const struct seen_macs *kept);
void seen_macs_clear(struct seen_macs *macs);

/* What the domain's leases are to be: into ret_leases (DOMAIN_NICS_MAX), their number.
 * *ret_changed: other ones than there are. */
unsigned seen_leases_merge(const struct seen_leases *seen, const struct seen_macs *ours,
			   const struct domain *domain, int64_t now,
			   struct domain_lease *ret_leases, bool *ret_changed);

/* As metadata: the caller frees; NULL: no memory. */
char *seen_leases_xml(const struct domain_lease *leases, unsigned n);

#endif
