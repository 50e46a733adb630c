/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lease of a VM as a file: what the server that the VM leaves has seen of it, for the
 * server that it goes to. JSON (RFC 8259), one object, each member once, no others:
 *
 *   "version"    1
 *   "mac"        "52:54:00:12:34:56"
 *   "ip"         "10.77.1.100"
 *   "client-id"  hex digits (RFC 2132 9.14), or null: the client sends none
 *   "server"     the DHCP server's address (RFC 2132 9.7)
 *   "vlan"       0 (untagged) to 4094; may be missing
 *   "expires"    when the lease ends, in seconds since 1970
 */
#ifndef COMPANION_LEASE_FILE_H
#define COMPANION_LEASE_FILE_H

#include <stdio.h>

#include "vdp_migrate/types.h"

#define LEASE_FILE_WHY_MAX 200

struct lease_file {
	struct mac mac;
	struct addr ip, server;
	bool no_client_id;
	struct client_id client_id;
	bool has_vlan;
	uint16_t vlan;
	int64_t expires;
};

/* 0, -EBADMSG or -ENOMEM; why says what is wrong, and where. */
int lease_file_read(FILE *file, struct lease_file *ret_lease,
		    char why[LEASE_FILE_WHY_MAX]);

#endif
