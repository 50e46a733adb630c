/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uthash as this room may use it: memory by calloc and free alone, and no end of
 * the program where there is none. After HASH_ADD an element's hh.tbl is NULL if it
 * could not be added. Its handle must be called hh. Keys are compared with memcmp:
 * structs without padding, or zeroed.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) calloc(1, size)
#define uthash_free(p, size) free(p)
#define uthash_nonfatal_oom(obj) ((obj)->hh.tbl = NULL)
#include <uthash.h>

#endif
