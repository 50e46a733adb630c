/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of set elements, made true in the kernel as one nf_tables transaction:
 * all of them or none. Netlink messages of our own over libnl-3; a transaction
 * costs a few microseconds, where a spawned nft costs ten milliseconds.
 */
#ifndef ENGINE_NFT_BATCH_H
#define ENGINE_NFT_BATCH_H

#include <netlink/socket.h>

#include "nft_key.h"

struct nft_batch {
	struct nl_sock *sock;
	uint32_t seq;
	uint8_t *buf;
	size_t size, len, last_at;
};

struct nft_change {
	struct nft_key key;
	bool del, add; /* both: the element with a new time-out, or mode */
	ms_t timeout_ms; /* of an added binding; MS_NEVER: stays */
	const char *jump; /* of the map `ports`: the chain */
};

/* Open batch->sock. 0 or -errno. */
int nft_batch_init(struct nft_batch *batch);
void nft_batch_done(struct nft_batch *batch);

/* 0 or -errno: then nothing was changed. A deletion of what is not there (any
 * more) is left out; the flags of the changes are the batch's to alter. */
int nft_batch_commit(struct nft_batch *batch, struct nft_change *const *changes,
		     size_t n);

/* A socket for NETLINK_NETFILTER with a receive buffer of that many octets. */
int nft_batch_socket(struct nl_sock **ret_sock, int rcvbuf);

#endif
