/* SPDX-License-Identifier: GPL-2.0-only */
/* What rtnetlink says of interfaces that stand on others. */
#include "engine/link_attrs.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LINK 7

struct said {
	const char *kind;
	uint32_t mode;		/* of a macvlan, 0 = not said */
	uint16_t vlan, protocol;
	bool netns;		/* LINK is of another */
};

static struct link_attrs read_as(uint16_t type, uint8_t family, const struct said *said)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct ifinfomsg info = { .ifi_family = family, .ifi_index = 9 };
	struct link_attrs attrs = { .ifindex = 1 };
	struct nlattr *kind, *data;

	assert_non_null(nlmsg_put(msg, 0, 0, type, 0, 0));
	assert_int_equal(nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO), 0);
	nla_put_string(msg, IFLA_IFNAME, "m0");
	nla_put(msg, IFLA_ADDRESS, 6, "\2\0\0\0\0\1");
	nla_put_u32(msg, IFLA_LINK, LINK);
	if (said->netns)
		nla_put_u32(msg, IFLA_LINK_NETNSID, 0);
	kind = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, said->kind);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (said->mode)
		nla_put_u32(msg, IFLA_MACVLAN_MODE, said->mode);
	if (said->protocol)
		nla_put_u16(msg, IFLA_VLAN_PROTOCOL, htons(said->protocol));
	if (said->vlan)
		nla_put_u16(msg, IFLA_VLAN_ID, said->vlan);
	nla_nest_end(msg, data);
	nla_nest_end(msg, kind);
	if (!link_attrs_read(nlmsg_hdr(msg), &attrs))
		attrs.ifindex = 0;
	nlmsg_free(msg);
	return attrs;
}

static struct link_attrs of(const struct said *said)
{
	struct link_attrs attrs = read_as(RTM_NEWLINK, AF_UNSPEC, said);

	assert_int_equal(attrs.ifindex, 9);
	assert_string_equal(attrs.name, "m0");
	return attrs;
}

static void macvtap_and_macvlan_stand_on_their_lower_interface(void **state)
{
	struct link_attrs tap =
		of(&(struct said){ "macvtap", MACVLAN_MODE_VEPA, 0, 0, 0 });
	struct link_attrs lan =
		of(&(struct said){ "macvlan", MACVLAN_MODE_BRIDGE, 0, 0, 0 });

	(void)state;
	assert_true(tap.direct && !tap.beside && tap.lower == LINK && !tap.vlan);
	assert_true(lan.direct && lan.beside && lan.lower == LINK);
	assert_false(link_attrs_equal(&tap, &lan));
	assert_true(link_attrs_equal(&tap, &tap));
}

static void vlan_is_one_of_8021q_alone(void **state)
{
	struct link_attrs q = of(&(struct said){ "vlan", 0, 10, ETH_P_8021Q, 0 });
	struct link_attrs old = of(&(struct said){ "vlan", 0, 11, 0, 0 });
	struct link_attrs ad = of(&(struct said){ "vlan", 0, 10, ETH_P_8021AD, 0 });

	(void)state;
	assert_true(q.vlan == 10 && q.lower == LINK && !q.direct);
	assert_true(old.vlan == 11 && old.lower == LINK);
	assert_true(!ad.vlan && !ad.lower);
}

/* Its number may be any interface's here. */
static void link_in_another_network_namespace_is_none(void **state)
{
	struct link_attrs tap =
		of(&(struct said){ "macvtap", MACVLAN_MODE_VEPA, 0, 0, 1 });
	struct link_attrs vlan = of(&(struct said){ "vlan", 0, 10, ETH_P_8021Q, 1 });

	(void)state;
	assert_true(tap.direct && !tap.lower);
	assert_true(vlan.vlan == 10 && !vlan.lower);
}

static void peer_of_a_veth_is_nothing_that_it_stands_on(void **state)
{
	struct link_attrs veth = of(&(struct said){ "veth", 0, 10, 0, 0 });

	(void)state;
	assert_true(!veth.lower && !veth.direct && !veth.vlan);
}

static void message_of_another_kind_is_none(void **state)
{
	const struct said said = { "macvtap", MACVLAN_MODE_VEPA, 0, 0, 0 };

	(void)state;
	assert_int_equal(read_as(RTM_NEWLINK, AF_BRIDGE, &said).ifindex, 0);
	assert_int_equal(read_as(RTM_NEWADDR, AF_UNSPEC, &said).ifindex, 0);
	assert_int_equal(read_as(RTM_DELLINK, AF_UNSPEC, &said).ifindex, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macvtap_and_macvlan_stand_on_their_lower_interface),
		cmocka_unit_test(vlan_is_one_of_8021q_alone),
		cmocka_unit_test(link_in_another_network_namespace_is_none),
		cmocka_unit_test(peer_of_a_veth_is_nothing_that_it_stands_on),
		cmocka_unit_test(message_of_another_kind_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
