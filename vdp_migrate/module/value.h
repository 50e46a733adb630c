/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How values of settings are written. A list is separated by commas. An address is "A"
 * or "VID:A"; an IPv6 address behind a VLAN ID stands in brackets: without them the VLAN
 * ID would be its first group.
 */
#ifndef MODULE_VALUE_H
#define MODULE_VALUE_H

#include "vdp_migrate/link.h"

/* Of a list, without the blanks around it; *rest is written to. NULL: no more. */
char *value_next_item(char **rest);
/* Decimal digits alone, at most `most`. 0 or -EINVAL. */
int value_number(const char *text, uint32_t most, uint32_t *ret_number);
/* "" and "none" are an empty list. 0 or -EINVAL. */
int value_addresses(const char *value, struct link_vlan_addr *ret_list, uint8_t *ret_n);

#endif
