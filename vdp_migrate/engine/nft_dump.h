/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel holds in one of the guard's sets.
 */
#ifndef ENGINE_NFT_DUMP_H
#define ENGINE_NFT_DUMP_H

#include <netlink/socket.h>

#include "nft_key.h"

struct nft_dump_element {
	struct nft_key key;
	ms_t left_ms;		/* MS_NEVER: it has no time-out */
	char chain[16];		/* of the map `ports`: where it jumps to */
	uint64_t packets;	/* of `viol` */
};

/* All elements, in an array that the caller frees. 0 or -errno. */
int nft_dump(struct nl_sock *sock, enum nft_key_set set,
	     struct nft_dump_element **ret_elements, size_t *ret_n);

#endif
