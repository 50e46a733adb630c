/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain as libvirt writes it, as far as it matters to us: its interfaces, and what
 * its metadata says of their leases and VSIs. Our elements there:
 *
 *   <l:leases xmlns:l="urn:vdp-migrate:leases:1">
 *     <l:lease mac="52:54:00:12:34:56" ip="192.0.2.7" server="192.0.2.1"
 *              client-id="01525400123456" (or no-client-id="yes")
 *              expires="seconds since 1970, or never"/>
 *   </l:leases>
 *   <v:vsis xmlns:v="urn:vdp-migrate:vsis:1">
 *     <v:vsi mac="52:54:00:12:34:56" instanceid="fa9b7fff-…"/>
 *   </v:vsis>
 *
 * The agent writes the leases, libvirt carries both to where the VM migrates. vsis is for
 * interfaces that have no 802.1Qbg virtual port, and is the operator's to write.
 */
#ifndef COMPANION_DOMAIN_XML_H
#define COMPANION_DOMAIN_XML_H

#include "vdp_migrate/types.h"

#define DOMAIN_XML_MAX (1u << 20)
#define DOMAIN_NICS_MAX 64
#define DOMAIN_WHY_MAX 160
#define DOMAIN_LEASES_NS "urn:vdp-migrate:leases:1"
#define DOMAIN_VSIS_NS "urn:vdp-migrate:vsis:1"
#define DOMAIN_NEVER INT64_MAX

struct domain_lease {
	struct mac mac;
	struct addr ip, server;		/* server: family 0 = not known */
	struct client_id client_id;
	bool no_client_id;		/* it sends none; else len 0 = not known */
	int64_t expires;		/* seconds since 1970, or DOMAIN_NEVER */
};

struct domain_nic {
	struct mac mac;
	bool qbg;		/* libvirt associates it itself: virtual port 802.1Qbg */
	bool bridge;
	bool named;		/* id is set */
	struct vsi_id id;
	char dev[VM_IFNAME_MAX];	/* <target dev>; "" = none */
};

struct domain {
	unsigned n_nics, n_leases;
	unsigned bad;		/* interfaces, leases, vsis that say nothing usable */
	struct domain_nic nics[DOMAIN_NICS_MAX];
	struct domain_lease leases[DOMAIN_NICS_MAX];	/* one a MAC */
};

/* 0; -EFBIG, -EBADMSG or -ENOMEM: why says what is wrong. A document type, and so
 * entities of its own, is refused; nothing is ever fetched. */
int domain_xml_read(const char *xml, size_t len, struct domain *ret_domain,
		    char why[DOMAIN_WHY_MAX]);

/* NULL: none. */
const struct domain_lease *domain_lease_of(const struct domain *domain,
					   const struct mac *mac);

/* The name may have been made by libvirt on another server. */
bool domain_dev_is_made(const char *dev);

#endif
