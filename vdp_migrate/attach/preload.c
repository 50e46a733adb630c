/* SPDX-License-Identifier: GPL-2.0-only */
/* See preload.h. The list is separated by colons or blanks. */
#include "preload.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_ours(const char *entry, size_t len, const char *path);

void preload_leave(void)
{
	const char *list = getenv("LD_PRELOAD");
	char *rest, *out;
	Dl_info self;

	if (!list || !dladdr((void *)(uintptr_t)preload_leave, &self))
		return;
	rest = out = malloc(strlen(list) + 1);
	if (!rest)
		return;
	while (*list) {
		size_t len = strcspn(list, " :");

		if (len && !is_ours(list, len, self.dli_fname)) {
			if (out != rest)
				*out++ = ':';
			memcpy(out, list, len);
			out += len;
		}
		list += len + (list[len] ? 1 : 0);
	}
	*out = '\0';
	if (out == rest)
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", rest, 1);
	free(rest);
}

/* By its path, or by a bare name that the loader has looked up. */
static bool is_ours(const char *entry, size_t len, const char *path)
{
	const char *base = strrchr(path, '/');

	if (strlen(path) == len && !memcmp(entry, path, len))
		return true;
	return base && strlen(base + 1) == len && !memcmp(entry, base + 1, len);
}
