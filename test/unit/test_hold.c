/* SPDX-License-Identifier: GPL-2.0-only */
/* Responses that wait for LINK_READY: the module on the fake host, with an engine. */
#include "module_rig.h"

#include "module/port.h"

enum { PRE_M = 17, PRE_M_OK = 19, ASSOC_M = 21, ASSOC_M_OK = 23, KEEPALIVE_M = 25,
       KEEPALIVE_M_OK = 27 };

#define HOLD_MS 10

static char port[VM_IFNAME_MAX];
static uint8_t sent[HOST_PDU_MAX];
static struct vsi_id moving;

/* Of 2^20 * 10 us: period 10.5 s, time-out 15.7 s. */
static const struct host_evb evb = { .retries = 3, .rte = 8, .rwd = 20, .rka = 20,
				     .on = true };

static int begin(void **state)
{
	int rc = fresh(state);

	fake_host_set("p1", "hold", NULL);
	events->port_up("p1");
	events->evb("p1", &evb);
	captured(PRE_M);
	memcpy(moving.b, pdu + ID_AT, sizeof(moving.b));
	(void)fake_host_pdu(false, port, sent);
	(void)fake_host_turn_at();
	hear();
	return rc;
}

/* The engine says it of the VSI that moves. */
static void say_ready(void)
{
	struct link_msg msg = { .type = LINK_READY, .u.vsi_of.id = moving };

	msg.u.vsi_of.id.format = pdu[ID_AT - 1];
	snprintf(msg.u.vsi_of.port, sizeof(msg.u.vsi_of.port), "p1");
	say(&msg);
}

static bool something_left(void)
{
	return fake_host_pdu(false, port, sent);
}

static void assert_left(unsigned number)
{
	size_t len = fake_host_pdu(false, port, sent);

	assert_int_equal(len, captured(number));
	assert_string_equal(port, "p1");
	assert_memory_equal(sent, pdu, len);
}

static void turn(void)
{
	events->turn(host_now());
}

static void a_first_response_with_M_leaves_when_the_engine_is_ready(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	assert_false(something_left());
	say_ready();
	assert_left(PRE_M_OK);
}

static void the_engine_hears_of_a_response_when_it_leaves(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	hear();
	assert_heard("p1 request mode 1 status 10");
	assert_int_equal(heard_lines("p1 response mode 1 status 40"), 0);
	say_ready();
	hear();
	assert_heard("p1 response mode 1 status 40");
}

static void ready_before_the_response_lets_it_through(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	say_ready();
	assert_true(leaves("p1", PRE_M_OK));
	assert_false(something_left());
}

static void ready_for_one_mode_is_not_ready_for_the_next(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	say_ready();
	assert_true(leaves("p1", PRE_M_OK));
	assert_true(in("p1", ASSOC_M));
	assert_false(leaves("p1", ASSOC_M_OK));
	say_ready();
	assert_left(ASSOC_M_OK);
}

static void without_M_nothing_waits(void **state)
{
	(void)state;
	assert_true(in("p1", PRE));
	assert_true(leaves("p1", PRE_OK));
	assert_true(in("p1", ASSOC));
	assert_true(leaves("p1", ASSOC_OK));
}

static void keepalives_never_wait(void **state)
{
	(void)state;
	assert_true(in("p1", ASSOC_M));
	say_ready();
	assert_true(leaves("p1", ASSOC_M_OK));
	for (int i = 0; i < 3; i++) {
		assert_true(in("p1", KEEPALIVE_M));
		assert_true(leaves("p1", KEEPALIVE_M_OK));
	}
}

static void it_waits_no_longer_than_the_setting_says(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	turn();
	assert_int_equal(fake_host_turn_at(), host_now() + HOLD_MS);
	fake_host_advance(HOLD_MS - 1);
	turn();
	assert_false(something_left());
	assert_int_equal(fake_host_turn_at(), host_now() + 1);
	fake_host_advance(1);
	turn();
	assert_left(PRE_M_OK);
	assert_int_equal(fake_host_turn_at(), 0);
}

static void nor_than_half_of_the_keepalive_margin(void **state)
{
	/* Period 20.5 ms, time-out 44.9 ms. */
	static const struct host_evb quick = { .retries = 0, .rte = 8, .rwd = 11,
					       .rka = 11, .on = true };

	(void)state;
	fake_host_set("p1", "hold", "1000");
	events->port_up("p1");
	events->evb("p1", &quick);
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	turn();
	assert_in_range(fake_host_turn_at() - host_now(), 5, 7);
	fake_host_advance(7);
	turn();
	assert_left(PRE_M_OK);
}

static void nor_than_half_of_what_its_station_waits_for_it(void **state)
{
	/* The station waits 20.5 ms; period 10.5 s. */
	static const struct host_evb hasty = { .retries = 3, .rte = 8, .rwd = 11,
					       .rka = 20, .on = true };

	(void)state;
	fake_host_set("p1", "hold", "1000");
	events->port_up("p1");
	events->evb("p1", &hasty);
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	turn();
	assert_in_range(fake_host_turn_at() - host_now(), 9, 10);
	fake_host_advance(10);
	turn();
	assert_left(PRE_M_OK);
}

static void without_timers_nothing_waits(void **state)
{
	static const struct host_evb none;

	(void)state;
	events->evb("p1", &none);
	assert_true(in("p1", PRE_M));
	assert_true(leaves("p1", PRE_M_OK));
}

/* The engine has known all its VSIs since before: to it that is a keep-alive. */
static void what_a_port_taken_up_again_shows_first_does_not_wait(void **state)
{
	(void)state;
	assert_int_equal(events->setting_set("p1", "use", "no"), HOST_SET_OK);
	assert_int_equal(events->setting_set("p1", "use", "yes"), HOST_SET_OK);
	assert_true(in("p1", PRE_M));
	assert_true(leaves("p1", PRE_M_OK));
	fake_host_advance(port_keepalive_ms(&evb));
	assert_true(in("p1", ASSOC_M));
	assert_false(leaves("p1", ASSOC_M_OK));
	say_ready();
	assert_left(ASSOC_M_OK);
}

static void hold_0_holds_nothing(void **state)
{
	(void)state;
	fake_host_set("p1", "hold", "0");
	events->port_up("p1");
	assert_true(in("p1", PRE_M));
	assert_true(leaves("p1", PRE_M_OK));
}

static void without_an_engine_nothing_waits(void **state)
{
	(void)state;
	close(engine);
	engine = -1;
	fake_host_poll();
	turn();
	assert_true(in("p1", PRE_M));
	assert_true(leaves("p1", PRE_M_OK));
}

static void an_engine_that_goes_takes_no_response_with_it(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	close(engine);
	engine = -1;
	fake_host_poll();
	turn();
	assert_left(PRE_M_OK);
}

static void another_answer_of_the_vsi_does_not_overtake_it(void **state)
{
	size_t len;

	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	/* The bridge's time-out of the same VSI. */
	len = captured(BRIDGE_DEASSOC);
	memcpy(pdu + ID_AT, moving.b, sizeof(moving.b));
	assert_true(events->pdu_out("p1", pdu, &len));
	assert_left(PRE_M_OK);
	turn();
	assert_false(something_left());
}

static void a_vsi_that_is_given_up_leaves_nothing_behind(void **state)
{
	size_t len;

	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	len = captured(DEASSOC);
	memcpy(pdu + ID_AT, moving.b, sizeof(moving.b));
	assert_true(events->pdu_in("p1", pdu, len));
	assert_false(something_left());
	turn();
	assert_left(PRE_M_OK);
	turn();
	assert_false(something_left());
}

static void a_link_that_goes_down_drops_it(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	events->port_down("p1");
	fake_host_advance(HOLD_MS);
	turn();
	assert_false(something_left());
}

static void so_does_the_end_of_the_modules(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	events->detached();
	fake_host_advance(HOLD_MS);
	turn();
	assert_false(something_left());
}

static void a_port_given_up_lets_it_go(void **state)
{
	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	assert_int_equal(events->setting_set("p1", "use", "no"), HOST_SET_OK);
	assert_left(PRE_M_OK);
}

/* All tests of this program count together. */
static void what_is_held_is_counted(void **state)
{
	unsigned counted = 0;

	(void)state;
	assert_true(in("p1", PRE_M));
	assert_false(leaves("p1", PRE_M_OK));
	say_ready();
	assert_true(in("p1", ASSOC_M));
	assert_false(leaves("p1", ASSOC_M_OK));
	turn();
	fake_host_advance(HOLD_MS);
	turn();
	engine_restarts();
	for (unsigned i = 0; i < n_heard; i++)
		counted += !strncmp(heard[i], "counter responses held ", 23) ||
			   !strncmp(heard[i], "counter held responses ", 23);
	assert_int_equal(counted, 3);
}

static void a_port_says_how_fast_it_may_be(void **state)
{
	(void)state;
	assert_int_equal(events->pace("p1"), HOST_PACE_AT_ONCE);
	fake_host_set("p1", "fast", "no");
	events->port_up("p1");
	assert_int_equal(events->pace("p1"), HOST_PACE_QUEUED);
	fake_host_set("p1", "fast", NULL);
	assert_int_equal(events->pace("p2"), HOST_PACE_STOCK);
	assert_int_equal(events->pace("p9"), HOST_PACE_STOCK);
}

static void what_finds_no_room_is_counted_and_logged_once(void **state)
{
	unsigned before = fake_host_logged("too many wait for lldpad");

	(void)state;
	for (int i = 0; i < 5; i++)
		events->pdu_lost("p1");
	assert_int_equal(fake_host_logged("too many wait for lldpad"), before + 1);
	engine_restarts();
	assert_heard("counter vdpdus lost: queue full 5");
}

int main(void)
{
#define HOLD(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		HOLD(a_first_response_with_M_leaves_when_the_engine_is_ready),
		HOLD(the_engine_hears_of_a_response_when_it_leaves),
		HOLD(ready_before_the_response_lets_it_through),
		HOLD(ready_for_one_mode_is_not_ready_for_the_next),
		HOLD(without_M_nothing_waits),
		HOLD(keepalives_never_wait),
		HOLD(it_waits_no_longer_than_the_setting_says),
		HOLD(nor_than_half_of_the_keepalive_margin),
		HOLD(nor_than_half_of_what_its_station_waits_for_it),
		HOLD(without_timers_nothing_waits),
		HOLD(what_a_port_taken_up_again_shows_first_does_not_wait),
		HOLD(hold_0_holds_nothing),
		HOLD(without_an_engine_nothing_waits),
		HOLD(an_engine_that_goes_takes_no_response_with_it),
		HOLD(another_answer_of_the_vsi_does_not_overtake_it),
		HOLD(a_vsi_that_is_given_up_leaves_nothing_behind),
		HOLD(a_link_that_goes_down_drops_it),
		HOLD(so_does_the_end_of_the_modules),
		HOLD(a_port_given_up_lets_it_go),
		HOLD(what_is_held_is_counted),
		HOLD(a_port_says_how_fast_it_may_be),
		HOLD(what_finds_no_room_is_counted_and_logged_once),
	};

	return module_rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
