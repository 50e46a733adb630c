/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests, how many are remembered: a station announces VSIs and ends them as fast
 * as it likes. What happens to one is in test/scenario.
 */
#include "engine/helping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "vdp_migrate/protocol.h"
#include "wire/orgtlv.h"
#include "wire/vdp22.h"

#define KEPT_MOST 1024	/* of a port */
#define MANY (3 * KEPT_MOST)

static struct bridge *b;
static unsigned told;
static uint32_t drawn;

static bool place(void *arg, const char *port, struct bridge_place *ret_place)
{
	(void)arg;
	*ret_place = (struct bridge_place){ .bridge = 1 };
	snprintf(ret_place->anchor, sizeof(ret_place->anchor), "%s", port);
	return true;
}

static int mode(void *arg, const char *port, enum link_guard guard)
{
	(void)arg;
	(void)port;
	(void)guard;
	return 0;
}

static int announce(void *arg, const char *port, const struct mac *mac)
{
	(void)arg;
	(void)port;
	(void)mac;
	return 0;
}

static bool giaddr(void *arg, const char *port, struct addr *ret_giaddr)
{
	(void)arg;
	(void)port;
	(void)ret_giaddr;
	return false;
}

static void tell_module(void *arg, const struct link_msg *msg)
{
	(void)arg;
	told += msg->type == LINK_HELP;
}

static uint32_t draw(void *arg)
{
	(void)arg;
	return drawn += 0x10001;
}

static void quiet(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		  const char *text)
{
	(void)arg;
	(void)priority;
	(void)port;
	(void)vsi;
	(void)text;
}

static const struct bridge_io io = {
	.place = place, .mode = mode, .announce = announce, .renounce = announce,
	.giaddr = giaddr, .tell_module = tell_module, .random = draw, .log = quiet,
};

static int fresh(void **state)
{
	(void)state;
	told = drawn = 0;
	b = bridge_new(&io, NULL);
	for (int i = 1; b && i <= 2; i++) {
		struct link_port port = {
			.role = LINK_ROLE_BRIDGE, .up = true, .assist = LINK_ASSIST_HELP,
			.keepalive_ms = 100000, .peer_version = 1,
			.peer_role = ORGTLV_STATION, .peer_flags = ORGTLV_HELP,
		};

		snprintf(port.name, sizeof(port.name), "p%d", i);
		bridge_port(b, 0, &port);
	}
	return b ? 0 : -1;
}

static int done(void **state)
{
	(void)state;
	bridge_free(b);
	return 0;
}

static void comes(ms_t now, const char *port, uint8_t vdp_mode, unsigned n)
{
	struct link_vsi seen = { .what = LINK_VSI_REQUEST, .mode = vdp_mode, .n_entries = 1 };

	snprintf(seen.port, sizeof(seen.port), "%s", port);
	seen.status = vdp_mode == VDP22_DEASSOC ? 0 : VDP_STATUS_M;
	seen.id = (struct vsi_id){ .format = 5, .b = { (uint8_t)(n >> 8), (uint8_t)n } };
	seen.entries[0].mac = (struct mac){ { 2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n } };
	bridge_vsi(b, now, &seen);
}

static unsigned count(const struct helping_list *list)
{
	unsigned n = 0;

	for (const struct helping *h = list->first; h; h = h->next)
		n++;
	return n;
}

static void ended_ones_of_a_port_are_kept_up_to_a_number(void **state)
{
	(void)state;
	comes(1, "p2", VDP22_PRE, 1);
	comes(1, "p2", VDP22_DEASSOC, 1);
	for (unsigned n = 0; n < MANY; n++) {
		comes(2, "p1", VDP22_PRE, n);
		comes(2, "p1", VDP22_DEASSOC, n);
	}
	assert_int_equal(told, MANY + 1);
	assert_int_equal(count(&b->helping_open), 0);
	assert_int_equal(count(&b->helping_ended), KEPT_MOST + 1);
	assert_int_equal(HASH_COUNT(b->helping), KEPT_MOST + 1);
	assert_int_equal(HASH_COUNT(b->helping_xids), KEPT_MOST + 1);
	/* The other port's is still there; the newest are; and all fade. */
	assert_true(b->helping_ended.first->key.port != b->helping_ended.last->key.port);
	assert_int_equal(b->helping_ended.last->key.id.b[1], (uint8_t)(MANY - 1));
	bridge_tick(b, 30001);
	assert_int_equal(count(&b->helping_ended), KEPT_MOST);
	bridge_tick(b, 30002);
	assert_null(b->helping_ended.first);
	assert_null(b->helping);
	assert_null(b->helping_xids);
}

static void one_that_comes_again_is_the_same_and_answers_to_both_times_are_known(void **state)
{
	struct helping *h;
	uint32_t xid;

	(void)state;
	comes(1, "p1", VDP22_PRE, 7);
	h = b->helping_open.first;
	assert_non_null(h);
	xid = h->wanted[0].xid;
	assert_ptr_equal(helping_of_xid(b, xid), h);
	assert_ptr_equal(helping_of_xid(b, xid + HELPING_XIDS - 1), h);
	comes(2, "p1", VDP22_DEASSOC, 7);
	assert_null(b->helping_open.first);
	comes(3, "p1", VDP22_PRE, 7);
	assert_ptr_equal(b->helping_open.first, h);
	assert_null(b->helping_ended.first);
	assert_int_not_equal(h->wanted[0].xid, xid);
	assert_ptr_equal(helping_of_xid(b, h->wanted[0].xid), h);
	assert_ptr_equal(helping_of_xid(b, xid), h);
	bridge_tick(b, bridge_deadline(b));
	bridge_tick(b, bridge_deadline(b));
	assert_null(helping_of_xid(b, xid));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(ended_ones_of_a_port_are_kept_up_to_a_number),
		TEST(one_that_comes_again_is_the_same_and_answers_to_both_times_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
