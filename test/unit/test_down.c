/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A link that goes down while ECP22 works (down.h), and ECP22's dead generations: with an
 * EVB22 and an ECP22 that only count, and packet sockets of a namespace of its own.
 */
#include "attach/down.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/clock.h"
#include "attach/dead.h"
#include "attach/delay.h"
#include "attach/ports.h"
#include "fake/host.h"
#include "fake/root.h"
#include "vdp_migrate/protocol.h"

#define GATE_MS 3000
#define TIMER_US 2560

enum { REQUEST = 0, ACK = 1 };	/* ECP's operation */

static time_t set_by;		/* so much the clock has been set, s */
static int64_t set_us;
static unsigned ups, downs, freed;
static int fd = -1;		/* ECP22's socket of lo */
static struct lldpad_agent agent = { .type = LLDPAD_AGENT_CUSTOMER };
static struct lldpad_module evb = { .id = LLDPAD_EVB22 };
static char name[] = "lo";

/* In place of libc's. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, id, now);
	int64_t us = now->tv_nsec / 1000 + set_us;

	if (id != CLOCK_REALTIME)
		return rc;
	now->tv_sec += set_by + (time_t)(us / 1000000);
	now->tv_nsec = (long)(us % 1000000) * 1000;
	return rc;
}

static void count_up(char *ifname, struct lldpad_agent *of)
{
	assert_string_equal(ifname, name);
	assert_int_equal(of->type, LLDPAD_AGENT_CUSTOMER);
	ups++;
}

static void count_down(char *ifname, struct lldpad_agent *of)
{
	assert_string_equal(ifname, name);
	assert_int_equal(of->type, LLDPAD_AGENT_CUSTOMER);
	downs++;
}

static void free_module(struct lldpad_module *module)
{
	free(module);
	freed++;
}

/* Each slot that EVB22 fills. */
static struct lldpad_ops full(void)
{
	void *slots[LLDPAD_SLOTS] = { 0 };
	struct lldpad_ops ops;

	for (unsigned i = 0; i < LLDPAD_SLOTS; i++)
		if (LLDPAD_SLOTS_EVB22 >> i & 1)
			slots[i] = slots;
	memcpy(&ops, slots, sizeof(ops));
	ops.ifup = count_up;
	ops.ifdown = count_down;
	return ops;
}

static int packet_socket(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = 1,
				  .sll_protocol = htons(ETHERTYPE_ECP) };
	int made = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE_ECP));

	assert_true(made >= 0);
	assert_int_equal(bind(made, (struct sockaddr *)&at, sizeof(at)), 0);
	return made;
}

/* The loop's select() returns so much later, all that is due is run, the next begins. */
static bool turn(int64_t us)
{
	const struct timeval timeout = { 1, 0 };
	int64_t set_back;
	bool closed;

	set_us += us;
	clock_returned();
	set_back = clock_set_back();
	if (set_back)
		down_later(set_back);
	clock_turn(&timeout);
	closed = down_turn(host_now());
	return closed;
}

static void sends(int from, uint8_t operation, bool gone)
{
	uint8_t frame[60] = { 0 };

	frame[12] = ETHERTYPE_ECP >> 8;
	frame[13] = ETHERTYPE_ECP & 0xff;
	frame[14] = (uint8_t)(0x10 | operation << 2);
	frame[15] = 1;
	down_sent(from, frame, sizeof(frame), gone);
}

/* By how much the next timer is told to begin earlier. */
static int64_t hurry(void)
{
	struct timeval time = { 200000, 0 };

	clock_answer(&time);
	return 200000 * 1000000LL - (time.tv_sec * 1000000LL + time.tv_usec);
}

static bool gated(void)
{
	int news = socket(AF_NETLINK, SOCK_RAW, 0);
	struct sockaddr at = { .sa_family = AF_NETLINK };
	uint32_t groups = 1;
	fd_set readable;
	bool cleared;

	/* nl_groups */
	memcpy((uint8_t *)&at + 8, &groups, sizeof(groups));
	assert_int_equal(bind(news, &at, 12), 0);
	FD_ZERO(&readable);
	FD_SET(news, &readable);
	down_gate(news + 1, &readable);
	cleared = !FD_ISSET(news, &readable);
	close(news);
	return cleared;
}

static void ifdown(void)
{
	evb.ops->ifdown(name, &agent);
}

static int fresh(void **state)
{
	static struct lldpad_ops ops;
	struct port *port;

	(void)state;
	down_forget();
	ports_forget_all();
	fake_host_reset();
	if (fd >= 0)
		close(fd);
	fd = packet_socket();
	ops = full();
	evb.ops = &ops;
	down_insert(&evb);
	port = ports_get(name);
	port->up = true;
	port->ifindex = 1;
	turn(60000000);
	turn(0);
	ups = downs = freed = 0;
	return 0;
}

static void while_ecp_is_quiet_a_link_goes_down_at_once(void **state)
{
	(void)state;
	ifdown();
	assert_int_equal(downs, 1);
	assert_false(down_goes(name));
	assert_false(gated());
}

static void a_request_is_waited_for_until_its_timer_is_over(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	ifdown();
	assert_int_equal(downs, 0);
	assert_true(down_goes(name));
	assert_true(gated());
	assert_false(turn(TIMER_US / 2));
	assert_true(gated());
	assert_true(turn(TIMER_US));
	assert_int_equal(downs, 1);
	assert_false(gated());
}

static void an_acknowledgement_starts_no_timer(void **state)
{
	(void)state;
	sends(fd, ACK, false);
	ifdown();
	assert_int_equal(downs, 1);
}

static void what_is_sent_while_it_goes_down_is_over_at_once(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	assert_int_equal(hurry(), 0);
	ifdown();
	sends(fd, ACK, false);
	assert_int_equal(hurry(), 0);
	sends(fd, REQUEST, false);
	assert_int_equal(hurry(), TIMER_US);
	assert_int_equal(hurry(), 0);
}

static void the_number_is_kept_for_the_name_that_goes_and_only_then(void **state)
{
	int number = 0;

	(void)state;
	assert_false(down_number(name, &number));
	sends(fd, REQUEST, false);
	assert_false(down_number(name, &number));
	ifdown();
	assert_false(down_number("p2", &number));
	assert_false(down_number("", &number));
	assert_int_equal(number, 0);
	assert_true(down_number(name, &number));
	assert_int_equal(number, 1);
	turn(0);
	assert_true(turn(2 * TIMER_US));
	number = 0;
	assert_false(down_number(name, &number));
}

static void it_waits_no_longer_than_the_gate(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	ifdown();
	fake_host_advance(GATE_MS - 1);
	sends(fd, REQUEST, false);
	assert_false(turn(0));
	fake_host_advance(1);
	sends(fd, REQUEST, false);
	assert_true(turn(0));
	assert_int_equal(downs, 1);
}

static void a_port_whose_peer_wants_long_timers_makes_no_other_wait(void **state)
{
	(void)state;
	ports_get("slow")->rte = 31;
	ports_get("slow")->ifindex = 99;
	sends(fd, REQUEST, false);
	turn(0);
	turn(2 * TIMER_US);
	ifdown();
	assert_int_equal(downs, 1);
}

static void its_own_is_waited_for(void **state)
{
	(void)state;
	ports_get(name)->rte = 12;	/* 41 ms */
	sends(fd, REQUEST, false);
	turn(0);
	turn(2 * TIMER_US);
	ifdown();
	assert_int_equal(downs, 0);
	sends(fd, REQUEST, false);
	assert_int_equal(hurry(), 40960);
	assert_false(turn(0));
	assert_true(turn(41000));
}

static void the_clock_set_back_an_hour_later_delays_no_link(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	turn(0);
	turn(2 * TIMER_US);
	set_by -= 3600;
	turn(1000);
	ifdown();
	assert_int_equal(downs, 1);
}

/* lldpad's own timer is as late. */
static void a_timer_that_runs_when_the_clock_is_set_back_is_waited_for(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	turn(0);
	set_by -= 3600;
	turn(0);
	turn(1000000);
	ifdown();
	assert_int_equal(downs, 0);
	assert_false(turn(2 * TIMER_US));
	set_by += 3600;
	assert_true(turn(2 * TIMER_US));
}

static void a_link_that_comes_back_at_once_has_never_gone(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	ifdown();
	evb.ops->ifup(name, &agent);
	assert_int_equal(ups, 1);
	assert_false(turn(2 * TIMER_US));
	assert_int_equal(downs, 0);
}

static void another_interface_of_the_name_is_up_after_the_old_one_is_down(void **state)
{
	int number = 7;

	(void)state;
	ports_get(name)->ifindex = 7;	/* the socket is bound to none, in place of lo */
	close(fd);
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE_ECP));
	sends(fd, REQUEST, false);
	ifdown();
	assert_true(down_goes(name));
	evb.ops->ifup(name, &agent);
	assert_int_equal(ups, 0);
	number = 1;
	assert_false(down_number(name, &number));
	assert_false(turn(0));
	assert_true(turn(2 * TIMER_US));
	assert_int_equal(downs, 1);
	assert_int_equal(ups, 1);
}

/* Dead generations */

static const struct lldpad_ops ecp = { .unregister = free_module };
static int dead_fd;

static void bury(void)
{
	struct dead *dead = dead_bury(&ecp, NULL, host_now() + 10000);

	assert_non_null(dead);
	dead_add_sockets(dead, ETHERTYPE_ECP);
	down_forget();
	dead_fd = fd;
	fd = packet_socket();
}

/* As hook_stop() does. */
static bool reap(void)
{
	return !down_dead_works() && dead_reap(host_now());
}

static void a_dead_generation_is_freed_when_its_timers_are_over(void **state)
{
	(void)state;
	bury();
	fake_host_advance(9999);
	assert_false(reap());
	fake_host_advance(1);
	sends(dead_fd, REQUEST, false);
	turn(0);
	assert_false(reap());
	turn(2 * TIMER_US);
	assert_true(reap());
	assert_int_equal(freed, 1);
	close(dead_fd);
}

static void what_it_sent_last_before_it_died_is_waited_for(void **state)
{
	(void)state;
	sends(fd, REQUEST, false);
	bury();
	fake_host_advance(10000);
	assert_false(reap());
	turn(2 * TIMER_US);
	assert_true(reap());
	close(dead_fd);
}

static void a_dead_one_is_shown_no_interface_that_is_gone(void **state)
{
	int number = 0;

	(void)state;
	sends(fd, REQUEST, false);
	bury();
	assert_true(down_dead_works());
	assert_false(down_number("p9", &number));
	assert_false(down_number(name, &number));
	sends(dead_fd, REQUEST, true);
	assert_true(hurry() < -80000LL * 1000000);
	assert_false(down_number("p9", &number));
	assert_int_equal(number, 0);
}

static void one_that_sleeps_stays_and_keeps_no_other(void **state)
{
	int sleeper;

	(void)state;
	bury();
	sleeper = dead_fd;
	sends(sleeper, REQUEST, true);
	bury();
	turn(2 * TIMER_US);
	fake_host_advance(20000);
	freed = 0;
	assert_true(reap());
	assert_int_equal(freed, 1);
	assert_true(dead_owns(sleeper));
	assert_false(dead_owns(dead_fd));
	assert_false(reap());
	close(dead_fd);
}

int main(void)
{
#define DOWN(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		DOWN(while_ecp_is_quiet_a_link_goes_down_at_once),
		DOWN(a_request_is_waited_for_until_its_timer_is_over),
		DOWN(an_acknowledgement_starts_no_timer),
		DOWN(what_is_sent_while_it_goes_down_is_over_at_once),
		DOWN(the_number_is_kept_for_the_name_that_goes_and_only_then),
		DOWN(it_waits_no_longer_than_the_gate),
		DOWN(a_port_whose_peer_wants_long_timers_makes_no_other_wait),
		DOWN(its_own_is_waited_for),
		DOWN(the_clock_set_back_an_hour_later_delays_no_link),
		DOWN(a_timer_that_runs_when_the_clock_is_set_back_is_waited_for),
		DOWN(a_link_that_comes_back_at_once_has_never_gone),
		DOWN(another_interface_of_the_name_is_up_after_the_old_one_is_down),
		DOWN(a_dead_generation_is_freed_when_its_timers_are_over),
		DOWN(what_it_sent_last_before_it_died_is_waited_for),
		DOWN(a_dead_one_is_shown_no_interface_that_is_gone),
		DOWN(one_that_sleeps_stays_and_keeps_no_other),
	};

	if (!fake_root())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
