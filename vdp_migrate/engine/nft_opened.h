/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opened by hand: an empty chain of this name in the guard's table says so. Whoever opens
 * the guard makes it in the transaction that empties the map `ports`; a reload of the
 * rules leaves it alone.
 */
#ifndef ENGINE_NFT_OPENED_H
#define ENGINE_NFT_OPENED_H

#include <netlink/socket.h>

#define NFT_OPENED "opened_by_hand" /* the companion knows it, too */

/* 1, 0, or -ENOENT: no table; or -errno. */
int nft_opened(struct nl_sock *sock);
/* Make the chain. 0 or -errno. */
int nft_opened_hold(struct nl_sock *sock);

#endif
