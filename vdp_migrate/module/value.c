/* SPDX-License-Identifier: GPL-2.0-only */
/* How values of settings are written: numbers, addresses, lists of them. */
#include "value.h"

#include <errno.h>
#include <string.h>

#include "settings.h"
#include "wire/text.h"

#define VLAN_MAX 4094

static int parse_one(const char *text, struct link_vlan_addr *ret_one);
static int parse_address(char *text, struct addr *ret_addr);
static bool parse_vlan(const char *text, const char *end, uint16_t *ret_vlan);

char *value_next_item(char **rest)
{
	char *item = *rest, *comma, *end;

	if (!item)
		return NULL;
	comma = strchr(item, ',');
	end = comma ? comma : item + strlen(item);
	*rest = comma ? comma + 1 : NULL;
	while (*item == ' ')
		item++;
	while (end > item && end[-1] == ' ')
		end--;
	*end = '\0';
	return item;
}

int value_number(const char *text, uint32_t most, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > most)
			return -EINVAL;
	}
	*ret_number = (uint32_t)number;
	return 0;
}

int value_addresses(const char *value, struct link_vlan_addr *ret_list, uint8_t *ret_n)
{
	char text[SETTINGS_VALUE_MAX], *rest = text, *item;
	uint8_t n = 0;

	*ret_n = 0;
	if (!*value || !strcmp(value, "none"))
		return 0;
	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	while ((item = value_next_item(&rest))) {
		if (n == LINK_SERVERS_MAX || parse_one(item, &ret_list[n]))
			return -EINVAL;
		n++;
	}
	*ret_n = n;
	return 0;
}

static int parse_one(const char *text, struct link_vlan_addr *ret_one)
{
	char address[ADDR_TEXT_MAX + 2];
	const char *colon;
	struct link_vlan_addr one = { .vlan = LINK_VLAN_ANY };

	if (strlen(text) >= sizeof(address))
		return -EINVAL;
	strcpy(address, text);
	if (parse_address(address, &one.addr)) {
		colon = strchr(address, ':');
		if (!colon || !parse_vlan(address, colon, &one.vlan) ||
		    parse_address(address + (colon + 1 - address), &one.addr))
			return -EINVAL;
	}
	*ret_one = one;
	return 0;
}

/* An address, IPv6 with or without brackets. */
static int parse_address(char *text, struct addr *ret_addr)
{
	size_t len = strlen(text);
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
	char inner[ADDR_TEXT_MAX];
	struct addr addr;

	if (brackets)
		len -= 2;
	if (len >= sizeof(inner))
		return -EINVAL;
	memcpy(inner, text + brackets, len);
	inner[len] = '\0';
	if (addr_parse(inner, &addr) || addr_is_any(&addr))
		return -EINVAL;
	/* Multicast and broadcast: nobody's address. */
	if (addr.b[0] >= (addr.family == ADDR_IPV4 ? 224 : 255))
		return -EINVAL;
	if (brackets && addr.family != ADDR_IPV6)
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

static bool parse_vlan(const char *text, const char *end, uint16_t *ret_vlan)
{
	unsigned vlan = 0;

	if (text == end || end - text > 4)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		vlan = vlan * 10 + (unsigned)(*text - '0');
	}
	if (vlan > VLAN_MAX)
		return false;
	*ret_vlan = (uint16_t)vlan;
	return true;
}
