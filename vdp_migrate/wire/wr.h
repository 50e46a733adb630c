/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounded writer, the reader's twin: sticky, big endian. What does not fit
 * is not written; ask once, with wr_ok().
 */
#ifndef WIRE_WR_H
#define WIRE_WR_H

#include <string.h>

#include "vdp_migrate/types.h"

struct wr {
	uint8_t *p;
	size_t size, at;
	bool full;
};

static inline struct wr wr_new(void *p, size_t size)
{
	return (struct wr){ .p = p, .size = size };
}

static inline bool wr_ok(const struct wr *w)
{
	return !w->full;
}

/* Room for n octets, NULL if it is not there. */
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
	uint8_t *p;

	if (w->full || w->size - w->at < n) {
		w->full = true;
		return NULL;
	}
	p = w->p + w->at;
	w->at += n;
	return p;
}

static inline void wr_bytes(struct wr *w, const void *from, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p && n)
		memcpy(p, from, n);
}

static inline void wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p && n)
		memset(p, 0, n);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wr_bytes(w, b, sizeof(b));
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	wr_u16(w, (uint16_t)(v >> 16));
	wr_u16(w, (uint16_t)v);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	wr_u32(w, (uint32_t)(v >> 32));
	wr_u32(w, (uint32_t)v);
}

/* Overwrite a 16-bit number at octet `at`, written before. */
static inline void wr_set_u16(struct wr *w, size_t at, uint16_t v)
{
	if (w->full || at + 2 > w->at)
		return;
	w->p[at] = (uint8_t)(v >> 8);
	w->p[at + 1] = (uint8_t)v;
}

#endif
