/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values that every room speaks of: addresses of either family, MAC
 * addresses, VSI instance IDs. Plain data, compared with memcmp: unused octets
 * are always zero.
 */
#ifndef VDP_MIGRATE_TYPES_H
#define VDP_MIGRATE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An interface name, as the kernel bounds it (IFNAMSIZ). */
#define VM_IFNAME_MAX 16

struct mac {
	uint8_t b[6];
};

/* The numbers of the help TLV's address family (protocol.h). */
enum addr_family {
	ADDR_NONE = 0,
	ADDR_IPV4 = 1,
	ADDR_IPV6 = 2,
};

struct addr {
	uint8_t family;		/* enum addr_family */
	uint8_t b[16];		/* network order; IPv4 uses the first four */
};

/* VSI ID format, IEEE 802.1Q 41.2.5. */
enum vsi_id_format {
	VSI_ID_IPV4 = 1,
	VSI_ID_IPV6 = 2,
	VSI_ID_MAC = 3,
	VSI_ID_LOCAL = 4,
	VSI_ID_UUID = 5,
};

/* VSI instance ID with its format: what names a VSI, IEEE 802.1Q 41.2.5, 41.2.6. */
struct vsi_id {
	uint8_t format;		/* enum vsi_id_format */
	uint8_t b[16];
};

/* One entry of a VSI's filter info: who sends, in which VLAN. */
struct vsi_entry {
	struct mac mac;		/* zero where the filter has no MAC (VID only) */
	uint16_t vlan;		/* VLAN ID, 0 = untagged */
};

/* Most entries that one association TLV can hold (511 octets, VID filter). */
#define VSI_ENTRIES_MAX 243

/* Time: milliseconds, monotonic. */
typedef int64_t ms_t;
#define MS_NEVER INT64_MAX

/* DHCP client identifier (RFC 2132 9.14), as the client sent it; len 0 = none. */
struct client_id {
	uint8_t len;
	uint8_t b[255];
};

#endif
