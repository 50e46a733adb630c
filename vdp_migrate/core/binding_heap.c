/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A binary heap of bindings by what is due first. A binding without lease end is not
 * in it. It knows neither clock nor table.
 */
#include "binding_heap.h"

#include <stdlib.h>
#include <string.h>

static void set(struct binding_heap *heap, uint32_t at, struct slot *slot);
static void settle(struct binding_heap *heap, uint32_t at, struct slot *slot);
static bool sooner(const struct slot *a, const struct slot *b);
static ms_t due(const struct slot *slot);

bool binding_heap_reserve(struct binding_heap *heap, unsigned n)
{
	size_t size = heap->size ? heap->size * 2 : 64;
	struct slot **slots;

	if (n <= heap->size)
		return true;
	slots = calloc(size, sizeof(struct slot *));
	if (!slots)
		return false;
	if (heap->n)
		memcpy(slots, heap->slots, heap->n * sizeof(struct slot *));
	free(heap->slots);
	heap->slots = slots;
	heap->size = size;
	return true;
}

void binding_heap_update(struct binding_heap *heap, struct slot *slot)
{
	if (slot->binding.lease_end == MS_NEVER)
		binding_heap_remove(heap, slot);
	else if (slot->heap_at == BINDING_NOT_IN_HEAP)
		settle(heap, heap->n++, slot);
	else
		settle(heap, slot->heap_at, slot);
}

void binding_heap_remove(struct binding_heap *heap, struct slot *slot)
{
	uint32_t at = slot->heap_at;
	struct slot *last;

	if (at == BINDING_NOT_IN_HEAP)
		return;
	slot->heap_at = BINDING_NOT_IN_HEAP;
	last = heap->slots[--heap->n];
	if (last != slot)
		settle(heap, at, last);
}

ms_t binding_heap_deadline(const struct binding_heap *heap)
{
	return heap->n ? due(heap->slots[0]) : MS_NEVER;
}

/* Let a slot rise or sink from `at` to its place. */
static void settle(struct binding_heap *heap, uint32_t at, struct slot *slot)
{
	while (at && sooner(slot, heap->slots[(at - 1) / 2])) {
		set(heap, at, heap->slots[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (uint32_t child; (child = 2 * at + 1) < heap->n; at = child) {
		if (child + 1 < heap->n &&
		    sooner(heap->slots[child + 1], heap->slots[child]))
			child++;
		if (!sooner(heap->slots[child], slot))
			break;
		set(heap, at, heap->slots[child]);
	}
	set(heap, at, slot);
}

static void set(struct binding_heap *heap, uint32_t at, struct slot *slot)
{
	heap->slots[at] = slot;
	slot->heap_at = at;
}

static bool sooner(const struct slot *a, const struct slot *b)
{
	return due(a) < due(b);
}

static ms_t due(const struct slot *slot)
{
	return slot->binding.lease_end - (ms_t)slot->refresh_s * 1000;
}
