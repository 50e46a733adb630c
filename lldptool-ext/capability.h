/* SPDX-License-Identifier: GPL-2.0-only */
/* The capability TLV as lldptool prints it: a heading, then lines with a tab. */
#ifndef LLDPTOOL_EXT_CAPABILITY_H
#define LLDPTOOL_EXT_CAPABILITY_H

#include <stddef.h>

#define CAPABILITY_TEXT_MAX 1200	/* with the octets of the longest TLV */

/* info: the hexadecimal text behind OUI and subtype of a TLV of len octets, OUI and
 * subtype counted. What cannot be read is said to be malformed, and where.
 * Returns buf. */
const char *capability_text(const char *info, size_t len, char buf[CAPABILITY_TEXT_MAX]);

#endif
