/* SPDX-License-Identifier: GPL-2.0-only */
/* See capability.h. What is right and wrong in the TLV is known in wire/orgtlv.c. */
#include "capability.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "vdp_migrate/protocol.h"
#include "wire/orgtlv.h"

#define HEAD_LEN 4		/* OUI and subtype */
#define VALUE_MAX 511		/* IEEE 802.1AB 8.4: the length has nine bits */

static void describe(const struct orgtlv_capability *capability, char *buf);
static void append(char *buf, const char *text);
static size_t octets(const char *info, size_t len, uint8_t value[VALUE_MAX]);

const char *capability_text(const char *info, size_t len, char buf[CAPABILITY_TEXT_MAX])
{
	struct orgtlv_capability capability;
	struct rd_error error;
	uint8_t value[VALUE_MAX];

	buf[0] = '\0';
	append(buf, "vdp_migrate Capability TLV\n");
	if (orgtlv_get_capability(value, octets(info, len, value), &capability, &error))
		snprintf(buf + strlen(buf), CAPABILITY_TEXT_MAX - strlen(buf),
			 "\tmalformed: %s at octet %zu: %.*s\n", error.what, error.at,
			 len > HEAD_LEN ? (int)(len - HEAD_LEN) * 2 : 0, info);
	else
		describe(&capability, buf);
	return buf;
}

static void describe(const struct orgtlv_capability *capability, char *buf)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {
		{ ORGTLV_LEASEQUERY, "leasequery" },
		{ ORGTLV_GROUPS, "group query" },
		{ ORGTLV_HELP, "help requests" },
		{ ORGTLV_DRAFT_M, "M-bit in draft 0.2" },
	};
	unsigned left = capability->flags;
	char text[96];

	snprintf(text, sizeof(text), "\tRole: %s\n\tVersion: %u%s\n\tFlags: ",
		 capability->role == ORGTLV_BRIDGE ? "bridge (switch)"
						   : "station (server)",
		 capability->version,
		 capability->version > VDP_MIGRATE_TLV_VERSION ? " (a later one)" : "");
	append(buf, text);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!(left & flags[i].flag))
			continue;
		append(buf, left == capability->flags ? "" : ", ");
		append(buf, flags[i].name);
		left &= ~(unsigned)flags[i].flag;
	}
	snprintf(text, sizeof(text), "%s0x%02x of a later version",
		 left == capability->flags ? "" : ", ", left);
	append(buf, capability->flags ? left ? text : "" : "none");
	append(buf, "\n");
}

static void append(char *buf, const char *text)
{
	size_t at = strlen(buf);

	snprintf(buf + at, CAPABILITY_TEXT_MAX - at, "%s", text);
}

/* The TLV's value; it ends before the first that is no octet. */
static size_t octets(const char *info, size_t len, uint8_t value[VALUE_MAX])
{
	size_t digits = len > HEAD_LEN ? (len - HEAD_LEN) * 2 : 0;
	struct rd r = rd_new(info, strnlen(info, digits), 0);
	struct wr w = wr_new(value, VALUE_MAX);

	wr_u32(&w, VDP_MIGRATE_TLVID);
	while (rd_left(&r)) {
		uint32_t octet = hex_read(&r, 2, "octet");

		if (rd_ok(&r))
			wr_u8(&w, (uint8_t)octet);
	}
	return w.at;
}
