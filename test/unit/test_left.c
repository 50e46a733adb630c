/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom lldpad does not tell what has become of an association: who has ended it himself.
 * The messages are as stock lldpad builds them (linux/if_link.h).
 */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module/left.h"

static struct left left;
static struct port port = { .name = "e0" }, other = { .name = "e1" };
static const struct vsis_one known;
static union {
	struct nlmsghdr header;
	uint8_t octets[512];
} message;

static struct vdp22_assoc request(uint8_t mode, uint8_t n)
{
	struct vdp22_assoc assoc = { .mode = mode, .id = { .format = VSI_ID_UUID } };

	memset(assoc.id.b, n, sizeof(assoc.id.b));
	return assoc;
}

static void sends(const struct port *where, uint8_t mode, uint8_t n)
{
	const struct vdp22_assoc assoc = request(mode, n);

	left_see(&left, where, &known, &assoc);
}

/* Its place, for what goes into it. */
static size_t put(unsigned type, const void *value, size_t len)
{
	size_t at = NLMSG_ALIGN(message.header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(message.octets + at);

	attribute->rta_type = (unsigned short)type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(attribute), value, len);
	message.header.nlmsg_len = (unsigned)(at + RTA_SPACE(len));
	return at;
}

static void close_nest(size_t at)
{
	((struct rtattr *)(message.octets + at))->rta_len =
		(unsigned short)(message.header.nlmsg_len - at);
}

static void tells(const char *name, uint8_t n, uint16_t what)
{
	const struct vdp22_assoc assoc = request(0, n);
	size_t ports, one;

	memset(&message, 0, sizeof(message));
	message.header.nlmsg_type = RTM_SETLINK;
	message.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	put(IFLA_IFNAME, name, strlen(name) + 1);
	put(IFLA_VFINFO_LIST, "nothing that matters", 20);
	ports = put(IFLA_VF_PORTS | NLA_F_NESTED, "", 0);
	one = put(IFLA_VF_PORT, "", 0);
	put(IFLA_PORT_INSTANCE_UUID, assoc.id.b, sizeof(assoc.id.b));
	put(IFLA_PORT_REQUEST, &what, sizeof(what));
	close_nest(one);
	close_nest(ports);
}

static bool untold(void)
{
	return left_untold(&left, message.octets, message.header.nlmsg_len);
}

static int setup(void **state)
{
	(void)state;
	memset(&left, 0, sizeof(left));
	return 0;
}

static void who_has_ended_it_himself_is_not_told_once(void **state)
{
	(void)state;
	sends(&port, VDP22_DEASSOC, 1);
	tells("e0", 1, PORT_REQUEST_DISASSOCIATE);
	assert_true(untold());
	assert_false(untold());
}

static void what_the_bridge_has_ended_is_told(void **state)
{
	(void)state;
	tells("e0", 1, PORT_REQUEST_DISASSOCIATE);
	assert_false(untold());
	sends(&port, VDP22_DEASSOC, 1);
	sends(&port, VDP22_PRE, 1);
	assert_false(untold());
}

static void another_port_or_vsi_or_message_is_told(void **state)
{
	(void)state;
	sends(&port, VDP22_DEASSOC, 1);
	sends(&other, VDP22_DEASSOC, 2);
	tells("e1", 1, PORT_REQUEST_DISASSOCIATE);
	assert_false(untold());
	tells("e0", 2, PORT_REQUEST_DISASSOCIATE);
	assert_false(untold());
	tells("e0", 1, PORT_REQUEST_ASSOCIATE);
	assert_false(untold());
	tells("e0", 1, PORT_REQUEST_DISASSOCIATE);
	message.header.nlmsg_type = NLMSG_ERROR;
	assert_false(untold());
	message.header.nlmsg_type = RTM_SETLINK;
	assert_true(untold());
}

static void what_lldpad_ends_by_itself_is_told(void **state)
{
	const struct vdp22_assoc assoc = request(VDP22_DEASSOC, 1);
	const struct vsis_one refused = { .kept_refused = true };

	(void)state;
	left_see(&left, &port, &refused, &assoc);
	left_see(&left, &port, NULL, &assoc);
	tells("e0", 1, PORT_REQUEST_DISASSOCIATE);
	assert_false(untold());
}

static void no_more_than_the_last_ones_are_kept(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= LEFT_MAX; i++) {
		struct vdp22_assoc assoc = request(VDP22_DEASSOC, 0);

		assoc.id.b[0] = (uint8_t)(i >> 8);
		assoc.id.b[1] = (uint8_t)i;
		left_see(&left, &port, &known, &assoc);
	}
	tells("e0", 0, PORT_REQUEST_DISASSOCIATE);
	assert_false(untold());
}

static void a_message_that_ends_too_soon_is_none(void **state)
{
	uint8_t *copy;

	(void)state;
	sends(&port, VDP22_DEASSOC, 1);
	tells("e0", 1, PORT_REQUEST_DISASSOCIATE);
	for (size_t len = 0; len < message.header.nlmsg_len; len++) {
		copy = malloc(len + 1);
		memcpy(copy, message.octets, len);
		assert_false(left_untold(&left, copy, len));
		if (len >= sizeof(struct nlmsghdr)) {
			((struct nlmsghdr *)copy)->nlmsg_len = (unsigned)len;
			assert_false(left_untold(&left, copy, len));
		}
		free(copy);
	}
	assert_true(untold());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_has_ended_it_himself_is_not_told_once, setup),
		cmocka_unit_test_setup(what_the_bridge_has_ended_is_told, setup),
		cmocka_unit_test_setup(another_port_or_vsi_or_message_is_told, setup),
		cmocka_unit_test_setup(what_lldpad_ends_by_itself_is_told, setup),
		cmocka_unit_test_setup(no_more_than_the_last_ones_are_kept, setup),
		cmocka_unit_test_setup(a_message_that_ends_too_soon_is_none, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
