/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When something of a binding is due, its refresh or its end: a binary heap, so that
 * 100,000 of them cost nothing until one is. Of core/binding alone.
 */
#ifndef CORE_BINDING_HEAP_H
#define CORE_BINDING_HEAP_H

#include "binding.h"

struct slot {
	struct binding binding; /* first: a struct binding is its slot */
	struct host *host;
	uint32_t heap_at;	  /* BINDING_NOT_IN_HEAP: no lease end */
	uint32_t refresh_s;	  /* before the lease's end; 0 = not to be told (again) */
};

#define BINDING_NOT_IN_HEAP UINT32_MAX

struct binding_heap {
	struct slot **slots; /* soonest first */
	uint32_t n;
	size_t size;
};

/* Room for all n that the table will hold: later changes of a lease end cannot fail
 * then. False: no memory. */
bool binding_heap_reserve(struct binding_heap *heap, unsigned n);
/* To its place, in or out, after its lease end or its refresh has changed. */
void binding_heap_update(struct binding_heap *heap, struct slot *slot);
void binding_heap_remove(struct binding_heap *heap, struct slot *slot);
ms_t binding_heap_deadline(const struct binding_heap *heap);	/* MS_NEVER */

#endif
