/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Key layouts of the guard's sets. An interface name is 16 octets, zero behind
 * its end; a VLAN ID 2 and 2 of padding, a MAC 6 and 2, an IPv4 address 4, an
 * ethertype 2 and 2. The sets themselves are declared in nft_rules.c.
 */
#include "nft_key.h"

#include <errno.h>
#include <string.h>

#define PORT_LEN VM_IFNAME_MAX
#define VLAN_LEN 4
#define MAC_LEN 8
#define IPV4_LEN 4

static const struct {
	const char *name;
	uint8_t len;
} sets[NFT_KEY_SETS] = {
	[NFT_KEY_B4U] = { "b4u", PORT_LEN + MAC_LEN + IPV4_LEN },
	[NFT_KEY_B4T] = { "b4t", PORT_LEN + VLAN_LEN + MAC_LEN + IPV4_LEN },
	[NFT_KEY_MACS] = { "macs", PORT_LEN + MAC_LEN },
	[NFT_KEY_PORTS] = { "ports", PORT_LEN },
	[NFT_KEY_VIOL] = { "viol", PORT_LEN + 4 },
};

static void start(uint8_t set, const char *port, struct nft_key *ret_key);

const char *nft_key_set_name(uint8_t set)
{
	return sets[set].name;
}

int nft_key_element(const struct guard_element *element, struct nft_key *ret_key)
{
	uint8_t *p = ret_key->b + PORT_LEN;

	if (element->ip.family != ADDR_IPV4)
		return -EAFNOSUPPORT;
	start(element->vlan ? NFT_KEY_B4T : NFT_KEY_B4U, element->port, ret_key);
	if (element->vlan) {
		p[0] = (uint8_t)(element->vlan >> 8 & 0x0f);
		p[1] = (uint8_t)element->vlan;
		p += VLAN_LEN;
	}
	memcpy(p, element->mac.b, sizeof(element->mac.b));
	memcpy(p + MAC_LEN, element->ip.b, IPV4_LEN);
	return 0;
}

void nft_key_mac(const char *port, const struct mac *mac, struct nft_key *ret_key)
{
	start(NFT_KEY_MACS, port, ret_key);
	memcpy(ret_key->b + PORT_LEN, mac->b, sizeof(mac->b));
}

void nft_key_port(const char *port, struct nft_key *ret_key)
{
	start(NFT_KEY_PORTS, port, ret_key);
}

bool nft_key_from(uint8_t set, const void *octets, size_t len, struct nft_key *ret_key)
{
	if (len != sets[set].len)
		return false;
	*ret_key = (struct nft_key){ .set = set, .len = (uint8_t)len };
	memcpy(ret_key->b, octets, len);
	return true;
}

void nft_key_to_element(const struct nft_key *key, struct guard_element *ret_element)
{
	const uint8_t *p = key->b + PORT_LEN;

	nft_key_to_port(key, ret_element->port);
	ret_element->vlan = 0;
	if (key->set == NFT_KEY_B4T) {
		ret_element->vlan = (uint16_t)(p[0] << 8 | p[1]);
		p += VLAN_LEN;
	}
	memcpy(ret_element->mac.b, p, sizeof(ret_element->mac.b));
	ret_element->ip = (struct addr){ .family = ADDR_IPV4 };
	memcpy(ret_element->ip.b, p + MAC_LEN, IPV4_LEN);
}

void nft_key_to_port(const struct nft_key *key, char ret_port[VM_IFNAME_MAX])
{
	memcpy(ret_port, key->b, PORT_LEN);
	ret_port[PORT_LEN - 1] = '\0';
}

uint16_t nft_key_to_ethertype(const struct nft_key *key)
{
	return (uint16_t)(key->b[PORT_LEN] << 8 | key->b[PORT_LEN + 1]);
}

static void start(uint8_t set, const char *port, struct nft_key *ret_key)
{
	*ret_key = (struct nft_key){ .set = set, .len = sets[set].len };
	memcpy(ret_key->b, port, strnlen(port, PORT_LEN - 1));
}
