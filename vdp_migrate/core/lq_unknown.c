/* SPDX-License-Identifier: GPL-2.0-only */
/* See lq_unknown.h. By hash alone: of 64 bits, from a start that nobody outside knows. */
#include "lq_unknown.h"

static uint64_t hash_of(const struct lq_unknown *unknown,
			const struct lq_question *question, const struct addr *server);
static uint64_t more(uint64_t hash, const void *p, size_t len);
static size_t slot_of(uint64_t hash);

bool lq_unknown_is(const struct lq_unknown *unknown, ms_t now,
		   const struct lq_question *question, const struct addr *server)
{
	uint64_t hash = hash_of(unknown, question, server);
	const struct lq_unknown_slot *slot = &unknown->slots[slot_of(hash)];

	return slot->hash == hash && now < slot->until;
}

void lq_unknown_note(struct lq_unknown *unknown, ms_t now,
		     const struct lq_question *question, const struct addr *server)
{
	uint64_t hash = hash_of(unknown, question, server);

	unknown->slots[slot_of(hash)] =
		(struct lq_unknown_slot){hash, now + LQ_UNKNOWN_MS};
}

static uint64_t hash_of(const struct lq_unknown *unknown,
			const struct lq_question *question, const struct addr *server)
{
	uint64_t hash = more(unknown->seed, &question->key, sizeof(question->key));

	hash = more(hash, server, sizeof(*server));
	hash = more(hash, &question->giaddr, sizeof(question->giaddr));
	hash = more(hash, &question->mac, sizeof(question->mac));
	hash = more(hash, &question->ip, sizeof(question->ip));
	return more(hash, question->id.b, question->id.len);
}

/* FNV-1a. */
static uint64_t more(uint64_t hash, const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len--)
		hash = (hash ^ *b++) * 0x100000001b3u;
	return hash;
}

static size_t slot_of(uint64_t hash)
{
	return (hash ^ hash >> 32) % LQ_UNKNOWNS;
}
