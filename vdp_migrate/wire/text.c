/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values as people write and read them. Knows the spellings (IPv6 by RFC 4291
 * 2.2, written by RFC 5952; UUID by RFC 4122, lower case) and nothing of where the
 * values come from. The C library's own converters are not used: this room imports
 * no more than memory and string functions.
 *
 * A VSI instance ID of a format shorter than 16 octets stands in its first octets,
 * the rest zero; one that breaks this is shown as its 16 octets.
 */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IPV6_GROUPS 8

#define LOCAL "local:"	/* before a VSI ID that is nothing else */

static char *put_hex(char *to, const uint8_t *b, size_t n, char between);
static int get_hex(const char *text, size_t len, uint8_t *ret_b, size_t n, char between);
static int hex_digit(char c);
static char *put_ipv6(char *to, const uint8_t b[16]);
static char *put_group(char *to, unsigned group);
static bool all_zero(const uint8_t *b, size_t n);
static int ipv4_parse(const char *text, uint8_t ret_b[4]);
static int ipv6_parse(const char *text, uint8_t ret_b[16]);
static int uuid_parse(const char *text, uint8_t ret_b[16]);

const char *mac_text(const struct mac *mac, char buf[MAC_TEXT_MAX])
{
	*put_hex(buf, mac->b, sizeof(mac->b), ':') = '\0';
	return buf;
}

const char *addr_text(const struct addr *addr, char buf[ADDR_TEXT_MAX])
{
	switch (addr->family) {
	case ADDR_IPV4:
		snprintf(buf, ADDR_TEXT_MAX, "%u.%u.%u.%u", addr->b[0], addr->b[1],
			 addr->b[2], addr->b[3]);
		break;
	case ADDR_IPV6:
		*put_ipv6(buf, addr->b) = '\0';
		break;
	default:
		memcpy(buf, "-", 2);
	}
	return buf;
}

const char *vsi_id_text(const struct vsi_id *id, char buf[VSI_ID_TEXT_MAX])
{
	struct addr addr = { .family = ADDR_IPV4 };
	struct mac mac;
	char *to = buf;

	if (id->format == VSI_ID_IPV4 && all_zero(id->b + 4, 12)) {
		memcpy(addr.b, id->b, 4);
		return addr_text(&addr, buf);
	}
	if (id->format == VSI_ID_MAC && all_zero(id->b + 6, 10)) {
		memcpy(mac.b, id->b, 6);
		return mac_text(&mac, buf);
	}
	if (id->format == VSI_ID_IPV6) {
		*put_ipv6(buf, id->b) = '\0';
		return buf;
	}
	if (id->format != VSI_ID_UUID) {
		if (id->format == VSI_ID_LOCAL) {
			memcpy(to, LOCAL, strlen(LOCAL));
			to += strlen(LOCAL);
		}
		*put_hex(to, id->b, 16, '\0') = '\0';
		return buf;
	}
	to = put_hex(to, id->b, 4, '\0');
	for (unsigned i = 4; i < 10; i += 2) {
		*to++ = '-';
		to = put_hex(to, id->b + i, 2, '\0');
	}
	*to++ = '-';
	*put_hex(to, id->b + 10, 6, '\0') = '\0';
	return buf;
}

const char *client_id_text(const struct client_id *id, char buf[CLIENT_ID_TEXT_MAX])
{
	if (!id->len)
		return memcpy(buf, "-", 2);
	*put_hex(buf, id->b, id->len, ':') = '\0';
	return buf;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	return get_hex(text, strlen(text), ret_mac->b, sizeof(ret_mac->b), ':');
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr addr = { .family = strchr(text, ':') ? ADDR_IPV6 : ADDR_IPV4 };
	int err;

	if (addr.family == ADDR_IPV6)
		err = ipv6_parse(text, addr.b);
	else
		err = ipv4_parse(text, addr.b);
	if (!err)
		*ret_addr = addr;
	return err;
}

int vsi_id_parse(const char *text, struct vsi_id *ret_id)
{
	struct vsi_id id = { .format = VSI_ID_UUID };
	struct addr addr;
	struct mac mac;

	/* Some write UUIDs without dashes. */
	if (!uuid_parse(text, id.b) || !get_hex(text, strlen(text), id.b, 16, '\0')) {
		*ret_id = id;
		return 0;
	}
	if (!mac_parse(text, &mac)) {
		id.format = VSI_ID_MAC;
		memcpy(id.b, mac.b, sizeof(mac.b));
	} else if (!addr_parse(text, &addr)) {
		id.format = addr.family == ADDR_IPV4 ? VSI_ID_IPV4 : VSI_ID_IPV6;
		memcpy(id.b, addr.b, sizeof(addr.b));
	} else if (!strncmp(text, LOCAL, strlen(LOCAL)) &&
		   !get_hex(text + strlen(LOCAL), strlen(text + strlen(LOCAL)), id.b, 16,
			    '\0')) {
		id.format = VSI_ID_LOCAL;
	} else {
		return -EINVAL;
	}
	*ret_id = id;
	return 0;
}

int client_id_parse(const char *text, struct client_id *ret_id)
{
	struct client_id id = { .len = 0 };

	while (*text) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || id.len == sizeof(id.b))
			return -EINVAL;
		id.b[id.len++] = (uint8_t)(high << 4 | low);
		text += 2;
		if (text[0] == ':' && text[1])
			text++;
	}
	if (!id.len)
		return -EINVAL;
	*ret_id = id;
	return 0;
}

bool mac_is_zero(const struct mac *mac)
{
	return all_zero(mac->b, sizeof(mac->b));
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_is_any(const struct addr *addr)
{
	return addr->family == ADDR_NONE || all_zero(addr->b, sizeof(addr->b));
}

bool vsi_id_equal(const struct vsi_id *a, const struct vsi_id *b)
{
	return a->format == b->format && !memcmp(a->b, b->b, sizeof(a->b));
}

bool entry_equal(const struct vsi_entry *a, const struct vsi_entry *b)
{
	return a->vlan == b->vlan && mac_equal(&a->mac, &b->mac);
}

/* Writes no terminator; returns where it belongs. between: '\0' = nothing. */
static char *put_hex(char *to, const uint8_t *b, size_t n, char between)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		if (i && between)
			*to++ = between;
		*to++ = digit[b[i] >> 4];
		*to++ = digit[b[i] & 15];
	}
	return to;
}

/* Exactly n octets, exactly len characters; ret_b is untouched on failure (n <= 16). */
static int get_hex(const char *text, size_t len, uint8_t *ret_b, size_t n, char between)
{
	uint8_t b[16];

	if (len != 2 * n + (between ? n - 1 : 0))
		return -EINVAL;
	for (size_t i = 0; i < n; i++, text += 2) {
		int high, low;

		if (i && between && *text++ != between)
			return -EINVAL;
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		b[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_b, b, n);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 5952 4: no leading zeros, lower case; the longest run of two or more zero
 * groups, the first of equals, is "::". 5: IPv4-mapped ones end dotted. */
static char *put_ipv6(char *to, const uint8_t b[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned group[IPV6_GROUPS], run_at = IPV6_GROUPS, run = 1;

	if (!memcmp(b, mapped, sizeof(mapped)))
		return to + snprintf(to, ADDR_TEXT_MAX, "::ffff:%u.%u.%u.%u", b[12],
				     b[13], b[14], b[15]);
	for (unsigned i = 0; i < IPV6_GROUPS; i++)
		group[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	for (unsigned i = 0; i < IPV6_GROUPS; i++) {
		unsigned n = 0;

		while (i + n < IPV6_GROUPS && !group[i + n])
			n++;
		if (n > run) {
			run = n;
			run_at = i;
		}
	}
	for (unsigned i = 0; i < IPV6_GROUPS;) {
		if (i == run_at) {
			*to++ = ':';
			*to++ = ':';
			i += run;
			continue;
		}
		if (i && i != run_at + run)
			*to++ = ':';
		to = put_group(to, group[i++]);
	}
	return to;
}

static char *put_group(char *to, unsigned group)
{
	uint8_t b[2] = { (uint8_t)(group >> 8), (uint8_t)group };
	char digits[4];
	unsigned from = 0;

	put_hex(digits, b, 2, '\0');
	while (from < 3 && digits[from] == '0')
		from++;
	memcpy(to, digits + from, 4 - from);
	return to + 4 - from;
}

static bool all_zero(const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* Four decimal numbers without leading zeros: "010" is octal to some. */
static int ipv4_parse(const char *text, uint8_t ret_b[4])
{
	uint8_t b[4];

	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		if (i && *text++ != '.')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++) {
			if (digits++ && !v)
				return -EINVAL;
			v = v * 10 + (unsigned)(*text - '0');
			if (v > 255)
				return -EINVAL;
		}
		if (!digits)
			return -EINVAL;
		b[i] = (uint8_t)v;
	}
	if (*text)
		return -EINVAL;
	memcpy(ret_b, b, 4);
	return 0;
}

/* RFC 4291 2.2: groups of one to four digits, "::" once for one or more zero groups,
 * the last two groups also as dotted IPv4. No zone. */
static int ipv6_parse(const char *text, uint8_t ret_b[16])
{
	uint8_t b[16] = { 0 };
	size_t n = 0, gap = SIZE_MAX;

	if (text[0] == ':' && text[1] != ':')
		return -EINVAL;
	while (*text && n < 16) {
		unsigned v = 0, digits = 0;

		if (text[0] == ':' && text[1] == ':') {
			if (gap != SIZE_MAX)
				return -EINVAL;
			gap = n;
			text += 2;
			continue;
		}
		if (n && gap != n && *text++ != ':')
			return -EINVAL;
		if (n <= 12 && !ipv4_parse(text, b + n)) {
			n += 4;
			text += strlen(text);
			break;
		}
		for (; digits < 4 && hex_digit(*text) >= 0; digits++, text++)
			v = v << 4 | (unsigned)hex_digit(*text);
		if (!digits)
			return -EINVAL;
		b[n++] = (uint8_t)(v >> 8);
		b[n++] = (uint8_t)v;
	}
	if (*text || (gap == SIZE_MAX ? n != 16 : n > 14))
		return -EINVAL;
	if (gap != SIZE_MAX) {
		memmove(b + gap + 16 - n, b + gap, n - gap);
		memset(b + gap, 0, 16 - n);
	}
	memcpy(ret_b, b, 16);
	return 0;
}

static int uuid_parse(const char *text, uint8_t ret_b[16])
{
	static const uint8_t octets[] = { 4, 2, 2, 2, 6 };
	uint8_t b[16];
	size_t n = 0;

	if (strlen(text) != 36)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(octets); i++) {
		if (i && *text++ != '-')
			return -EINVAL;
		if (get_hex(text, 2u * octets[i], b + n, octets[i], '\0'))
			return -EINVAL;
		n += octets[i];
		text += 2u * octets[i];
	}
	memcpy(ret_b, b, 16);
	return 0;
}
