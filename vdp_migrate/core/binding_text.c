/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States and origins of bindings as words: in tables, events and the store.
 */
#include "binding.h"

const char *binding_state_text(enum binding_state state)
{
	static const char *const text[] = {
		[BINDING_STAGED] = "staged",
		[BINDING_ACTIVE] = "active",
		[BINDING_LEAVING] = "leaving",
		[BINDING_DORMANT] = "dormant",
	};

	return state < sizeof(text) / sizeof(text[0]) ? text[state] : "?";
}

const char *binding_origin_text(enum binding_origin origin)
{
	static const char *const text[] = {
		[BINDING_SNOOPED] = "snooped", [BINDING_LEASEQUERY] = "leasequery",
		[BINDING_HELP] = "help",       [BINDING_MOVED] = "moved",
		[BINDING_STATIC] = "static",   [BINDING_KERNEL] = "kernel",
	};

	return origin < sizeof(text) / sizeof(text[0]) ? text[origin] : "?";
}
