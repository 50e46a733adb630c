/* SPDX-License-Identifier: GPL-2.0-only */
/* Hexadecimal text by the bounded reader: what lldptool and lldpad say to each other. */
#ifndef LLDPTOOL_EXT_HEX_H
#define LLDPTOOL_EXT_HEX_H

#include "wire/rd.h"

static inline uint32_t hex_read(struct rd *r, unsigned digits, const char *what)
{
	const uint8_t *p = rd_bytes(r, digits, what);
	uint32_t n = 0;

	for (unsigned i = 0; p && i < digits; i++) {
		uint8_t c = p[i] | 0x20;	/* lower case; digits stay */

		if (c >= '0' && c <= '9') {
			n = n << 4 | (uint32_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			n = n << 4 | (uint32_t)(c - 'a' + 10);
		} else {
			rd_fail(r, what);
			return 0;
		}
	}
	return n;
}

#endif
