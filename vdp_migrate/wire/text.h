/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses, MACs, VSI instance IDs and client identifiers as text, both ways.
 * Parsers take the whole string or refuse it: 0 or -EINVAL, output untouched.
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include "vdp_migrate/types.h"

#define MAC_TEXT_MAX 18
#define ADDR_TEXT_MAX 46
#define VSI_ID_TEXT_MAX 46
#define CLIENT_ID_TEXT_MAX (255 * 3 + 1)

/* Each returns buf. */
const char *mac_text(const struct mac *mac, char buf[MAC_TEXT_MAX]);
const char *addr_text(const struct addr *addr, char buf[ADDR_TEXT_MAX]);	/* "-" for none */
/* UUID as 8-4-4-4-12; MAC, IPv4, IPv6 as such; local as "local:" and 32 hex digits. */
const char *vsi_id_text(const struct vsi_id *id, char buf[VSI_ID_TEXT_MAX]);
const char *client_id_text(const struct client_id *id, char buf[CLIENT_ID_TEXT_MAX]);

int mac_parse(const char *text, struct mac *ret_mac);		/* xx:xx:xx:xx:xx:xx */
int addr_parse(const char *text, struct addr *ret_addr);	/* IPv4 dotted, IPv6 (RFC 4291) */
/* A UUID, with or without dashes; else a MAC, IPv4 or IPv6 address; else as above. */
int vsi_id_parse(const char *text, struct vsi_id *ret_id);
int client_id_parse(const char *text, struct client_id *ret_id);	/* hex, ':' allowed between octets */

bool mac_is_zero(const struct mac *mac);
bool mac_equal(const struct mac *a, const struct mac *b);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *addr);	/* none, 0.0.0.0 or :: */
bool vsi_id_equal(const struct vsi_id *a, const struct vsi_id *b);
bool entry_equal(const struct vsi_entry *a, const struct vsi_entry *b);

#endif
