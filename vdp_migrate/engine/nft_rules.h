/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard's rules, and their way into the kernel.
 */
#ifndef ENGINE_NFT_RULES_H
#define ENGINE_NFT_RULES_H

#include <stddef.h>

/* The chains of the two modes, targets of the map `ports`. */
#define NFT_RULES_MONITOR "mon"
#define NFT_RULES_ENFORCE "enf"

/* Load the text by a spawned nft, in one transaction: rules that are there are
 * replaced, elements stay. 0 or -errno, and in ret_error (which may be NULL) what
 * nft says. */
int nft_rules_install(char *ret_error, size_t error_size);

#endif
