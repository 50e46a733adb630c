/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells when somebody else has taken the guard's rules or elements away: nft
 * flush ruleset, delete table, flush set, delete element, a changed mode.
 */
#ifndef ENGINE_NFT_WATCH_H
#define ENGINE_NFT_WATCH_H

#include <netlink/socket.h>

#include "vdp_migrate/types.h"

struct nft_watch {
	struct nl_sock *sock;
	/* In the transaction that is being told: */
	bool taken;		/* what nobody but us takes away */
	bool rules_gone, rules_back;
	bool opens;		/* NFT_OPENED, there before or not */
	bool lost, opened;	/* since the last dispatch */
};

/* own_port: the port ID of the socket that our own changes leave from. */
int nft_watch_init(struct nft_watch *watch, uint32_t own_port);
void nft_watch_done(struct nft_watch *watch);
/* 1: taken away; 2: not that, but opened by hand, once more it may be; else 0. */
int nft_watch_dispatch(struct nft_watch *watch);

#endif
