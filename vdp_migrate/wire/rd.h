/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounded reader: the only way to received octets. Sticky: after a read
 * past the end all reads give zeros; ask once, with rd_ok(). It remembers what
 * was wanted and at which octet. Big endian throughout.
 */
#ifndef WIRE_RD_H
#define WIRE_RD_H

#include <string.h>

#include "vdp_migrate/types.h"

struct rd {
	const uint8_t *p;
	size_t len, at;		/* of this reader; at <= len */
	size_t base;		/* where it starts in the whole frame */
	const char *what;	/* NULL while all is well; else what was wanted, */
	size_t bad_at;		/* at which octet of the whole frame */
};

/* Where and why a decoder has given up; what is a static string. */
struct rd_error {
	const char *what;
	size_t at;
};

static inline struct rd rd_new(const void *p, size_t len, size_t base)
{
	return (struct rd){ .p = p, .len = len, .base = base };
}

static inline bool rd_ok(const struct rd *r)
{
	return !r->what;
}

static inline size_t rd_left(const struct rd *r)
{
	return r->what ? 0 : r->len - r->at;
}

/* Octet of the whole frame that is read next. */
static inline size_t rd_at(const struct rd *r)
{
	return r->base + r->at;
}

/* Give up here: the first reason stays. */
static inline void rd_fail(struct rd *r, const char *what)
{
	if (r->what)
		return;
	r->what = what;
	r->bad_at = rd_at(r);
}

/* The next n octets, borrowed; NULL after a failure. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n, const char *what)
{
	const uint8_t *p;

	if (rd_left(r) < n || r->what) {
		rd_fail(r, what);
		return NULL;
	}
	p = r->p + r->at;
	r->at += n;
	return p;
}

static inline void rd_copy(struct rd *r, void *ret_to, size_t n, const char *what)
{
	const uint8_t *p = rd_bytes(r, n, what);

	if (p)
		memcpy(ret_to, p, n);
	else
		memset(ret_to, 0, n);
}

static inline void rd_skip(struct rd *r, size_t n, const char *what)
{
	(void)rd_bytes(r, n, what);
}

static inline uint8_t rd_u8(struct rd *r, const char *what)
{
	const uint8_t *p = rd_bytes(r, 1, what);

	return p ? p[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r, const char *what)
{
	const uint8_t *p = rd_bytes(r, 2, what);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_u24(struct rd *r, const char *what)
{
	const uint8_t *p = rd_bytes(r, 3, what);

	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t rd_u32(struct rd *r, const char *what)
{
	const uint8_t *p = rd_bytes(r, 4, what);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
		 : 0;
}

static inline uint64_t rd_u64(struct rd *r, const char *what)
{
	uint64_t high = rd_u32(r, what);

	return high << 32 | rd_u32(r, what);
}

static inline struct mac rd_mac(struct rd *r, const char *what)
{
	struct mac mac;

	rd_copy(r, mac.b, sizeof(mac.b), what);
	return mac;
}

static inline struct addr rd_ipv4(struct rd *r, const char *what)
{
	struct addr addr = { .family = ADDR_IPV4 };

	rd_copy(r, addr.b, 4, what);
	return addr;
}

static inline struct addr rd_ipv6(struct rd *r, const char *what)
{
	struct addr addr = { .family = ADDR_IPV6 };

	rd_copy(r, addr.b, 16, what);
	return addr;
}

/* A reader of the next n octets alone; it has failed from the start if they are
 * not there. */
static inline struct rd rd_sub(struct rd *r, size_t n, const char *what)
{
	size_t base = rd_at(r);
	const uint8_t *p = rd_bytes(r, n, what);
	struct rd sub = rd_new(p, p ? n : 0, base);

	if (!p) {
		sub.what = r->what;
		sub.bad_at = r->bad_at;
	}
	return sub;
}

static inline void rd_error(const struct rd *r, struct rd_error *ret_error)
{
	if (ret_error)
		*ret_error = (struct rd_error){ r->what, r->bad_at };
}

#endif
