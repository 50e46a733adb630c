/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of the guard's sets, elements <-> octets as the kernel holds them: each
 * part of a concatenation in network order, padded to a multiple of four.
 */
#ifndef ENGINE_NFT_KEY_H
#define ENGINE_NFT_KEY_H

#include "vdp_migrate/guard.h"

#define NFT_KEY_TABLE "vdp_migrate"
#define NFT_KEY_MAX 32

enum nft_key_set {
	NFT_KEY_B4U,	/* port, MAC, IPv4 address: untagged */
	NFT_KEY_B4T,	/* port, VLAN ID, MAC, IPv4 address */
	NFT_KEY_MACS,	/* port, MAC of an announced VSI */
	NFT_KEY_PORTS,	/* map port : jump to the chain of its mode */
	NFT_KEY_VIOL,	/* port, ethertype of what was dropped: counters */
	NFT_KEY_SETS,
};

/* Unused octets are zero: compared and hashed as memory. */
struct nft_key {
	uint8_t set;	/* enum nft_key_set */
	uint8_t len;
	uint8_t b[NFT_KEY_MAX];
};

const char *nft_key_set_name(uint8_t set);

/* 0 or -EAFNOSUPPORT: no set for this kind of address. */
int nft_key_element(const struct guard_element *element, struct nft_key *ret_key);
void nft_key_mac(const char *port, const struct mac *mac, struct nft_key *ret_key);
void nft_key_port(const char *port, struct nft_key *ret_key);

/* A key as dumped by the kernel. False: not of this set's length. */
bool nft_key_from(uint8_t set, const void *octets, size_t len, struct nft_key *ret_key);
/* Of NFT_KEY_B4U and NFT_KEY_B4T; timeout_ms is left as it is. */
void nft_key_to_element(const struct nft_key *key, struct guard_element *ret_element);
/* Every key starts with the port's name. */
void nft_key_to_port(const struct nft_key *key, char ret_port[VM_IFNAME_MAX]);
/* Of NFT_KEY_VIOL. */
uint16_t nft_key_to_ethertype(const struct nft_key *key);

#endif
