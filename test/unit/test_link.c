/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's socket: connect, replay, live messages, loss, versions, owners.
 * The engine is the test itself, on a socket of its own name. It must be root's:
 * run by somebody else, the test makes itself root of a user namespace.
 */
#include "module/link.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/host.h"
#include "fake/root.h"

#define PARTS 3		/* of the test's replay */
#define NOBODY 65534

static struct link *link_;
static struct counters counters;
static char name[64];
static int listener, engine;
static unsigned parts, parts_given, restarts, heard_marks;
static bool root;

static bool replay(void *arg, struct wr *datagram, bool restart)
{
	struct link_msg msg = { .type = LINK_COUNTER };

	(void)arg;
	if (restart) {
		parts_given = 0;
		restarts++;
	}
	assert_int_equal(datagram->at, 0);
	snprintf(msg.u.counter.name, sizeof(msg.u.counter.name), "part");
	msg.u.counter.value = ++parts_given;
	do
		assert_true(linkmsg_put(datagram, &msg));
	while (parts > PARTS && datagram->size - datagram->at > 100);
	return parts_given == parts;
}

static void message(void *arg, const struct link_msg *msg)
{
	struct link_msg answer = { .type = LINK_DONE };

	(void)arg;
	if (msg->type == LINK_HELLO)
		return;
	heard_marks += msg->type == LINK_MARK;
	answer.u.done.seq = msg->u.mark.seq;
	link_put(link_, &answer);
	link_flush(link_);
}

static const struct link_ops ops = { replay, message };

static int become_root(void **state)
{
	(void)state;
	root = fake_root();
	return 0;
}

static int fresh(void **state)
{
	static unsigned n;

	(void)state;
	if (!root)
		skip();
	fake_host_reset();
	memset(&counters, 0, sizeof(counters));
	parts_given = restarts = heard_marks = 0;
	parts = PARTS;
	snprintf(name, sizeof(name), "vdp-migrate-test-%d-%u", (int)getpid(), n++);
	listener = engine = -1;
	link_ = link_new(name, &ops, NULL, &counters);
	return link_ ? 0 : -1;
}

static void close_engine(void)
{
	if (engine >= 0)
		close(engine);
	engine = -1;
}

static int done(void **state)
{
	(void)state;
	link_free(link_);
	link_ = NULL;
	close_engine();
	if (listener >= 0)
		close(listener);
	return 0;
}

static void tick(void)
{
	fake_host_advance(1000);
	link_tick(link_, host_now());
}

static bool accepted(void)
{
	close_engine();
	engine = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return engine >= 0;
}

static void connected(void)
{
	listener = fake_listen(name);
	assert_true(listener >= 0);
	link_enable(link_);
	tick();
	assert_true(link_connected(link_));
	assert_true(accepted());
}

static void engine_says(uint8_t type, uint8_t version)
{
	struct link_msg msg = { .type = type, .u.hello.who = LINK_ENGINE };
	uint8_t buf[2048];
	struct wr w = wr_new(buf, sizeof(buf));

	if (type == LINK_MARK)
		msg.u.mark = (struct link_mark){ .seq = 7 };
	assert_true(linkmsg_put(&w, &msg));
	buf[1] = version;
	assert_int_equal(send(engine, buf, w.at, MSG_NOSIGNAL), w.at);
}

/* The next datagram's only message; false: there is none. */
static bool engine_hears(struct link_msg *ret_msg)
{
	static uint8_t buf[LINK_DATAGRAM_MAX];
	ssize_t n = recv(engine, buf, sizeof(buf), 0);
	struct rd datagram = rd_new(buf, n > 0 ? (size_t)n : 0, 0);
	struct rd_error error;

	return n > 0 && linkmsg_get(&datagram, ret_msg, &error) == 1;
}

static void assert_hears(uint8_t type)
{
	struct link_msg msg;

	assert_true(engine_hears(&msg));
	assert_int_equal(msg.type, type);
}

static void assert_replayed(void)
{
	unsigned i;

	for (i = 0; i < PARTS; i++)
		assert_hears(LINK_COUNTER);
}

static void assert_silence(void)
{
	struct link_msg msg;

	assert_false(engine_hears(&msg));
}

static void put_port(void)
{
	const struct link_msg msg = { .type = LINK_PORT, .u.port.name = "p1" };

	link_put(link_, &msg);
}

static void it_connects_only_once_attached(void **state)
{
	(void)state;
	listener = fake_listen(name);
	tick();
	assert_false(link_connected(link_));
	link_enable(link_);
	tick();
	assert_true(link_connected(link_));
}

static void a_new_connection_says_hello_and_replays(void **state)
{
	struct link_msg msg;

	(void)state;
	connected();
	assert_true(engine_hears(&msg));
	assert_int_equal(msg.type, LINK_HELLO);
	assert_int_equal(msg.u.hello.who, LINK_MODULE);
	assert_int_equal(msg.u.hello.pid, getpid());
	assert_replayed();
	assert_silence();
	assert_int_equal(counters.value[COUNT_REPLAYS], 1);
	tick();
	assert_silence();
}

static void what_is_collected_leaves_as_one_datagram_at_the_turn(void **state)
{
	uint8_t buf[4096];
	ssize_t n;

	(void)state;
	connected();
	assert_hears(LINK_HELLO);
	assert_replayed();
	put_port();
	put_port();
	assert_silence();
	link_turn(link_, host_now());
	n = recv(engine, buf, sizeof(buf), 0);
	assert_true(n > 0);
	assert_int_equal(n % 2, 0);
	assert_memory_equal(buf, buf + n / 2, (size_t)n / 2);
	assert_silence();
}

static void without_an_engine_it_tries_less_and_less_often_and_says_so_once(void **state)
{
	unsigned i, n;

	(void)state;
	link_enable(link_);
	for (i = 0; i < 20; i++)
		tick();
	assert_int_equal(fake_host_logged(""), 1);
	assert_int_equal(fake_host_logged("engine not running"), 1);
	put_port();
	link_turn(link_, host_now());
	listener = fake_listen(name);
	for (n = 0; !link_connected(link_) && n < 5; n++)
		tick();
	assert_true(link_connected(link_));
	assert_true(accepted());
	assert_hears(LINK_HELLO);
	assert_replayed();
	assert_silence();
	engine_says(LINK_HELLO, LINK_VERSION);
	fake_host_poll();
	assert_string_equal(fake_host_last_log(), "engine connected");
}

static void an_engine_that_goes_and_comes_back_gets_a_replay(void **state)
{
	(void)state;
	connected();
	engine_says(LINK_HELLO, LINK_VERSION);
	fake_host_poll();
	close_engine();
	fake_host_poll();
	assert_false(link_connected(link_));
	assert_int_equal(fake_host_logged("engine not running"), 1);
	tick();
	assert_true(accepted());
	assert_hears(LINK_HELLO);
	assert_replayed();
	assert_int_equal(restarts, 2);
}

static void a_send_to_a_dead_engine_kills_nobody(void **state)
{
	(void)state;
	connected();
	close_engine();
	put_port();
	link_turn(link_, host_now());
	assert_false(link_connected(link_));
}

static void messages_of_the_engine_are_handed_on_and_answered_at_once(void **state)
{
	struct link_msg msg;

	(void)state;
	connected();
	assert_hears(LINK_HELLO);
	assert_replayed();
	engine_says(LINK_HELLO, LINK_VERSION);
	engine_says(LINK_MARK, LINK_VERSION);
	fake_host_poll();
	assert_int_equal(heard_marks, 1);
	assert_true(engine_hears(&msg));
	assert_int_equal(msg.type, LINK_DONE);
	assert_int_equal(msg.u.done.seq, 7);
}

static void another_version_stays_apart_with_one_line_that_names_both(void **state)
{
	unsigned i;

	(void)state;
	connected();
	engine_says(LINK_HELLO, LINK_VERSION + 1);
	close_engine();
	/* Even when a send finds the socket closed first. */
	put_port();
	link_turn(link_, host_now());
	assert_false(link_connected(link_));
	assert_int_equal(fake_host_logged(""), 1);
	assert_string_equal(fake_host_last_log(),
			    "engine speaks version 3 of the link, this module 2; "
			    "staying away from it: restart lldpad, or vdp-migrated, "
			    "whichever is not of the version that is installed");
	for (i = 0; i < 50; i++)
		tick();
	assert_false(accepted());
	for (i = 0; i < 12; i++)
		tick();
	assert_true(accepted());
	engine_says(LINK_HELLO, LINK_VERSION + 1);
	fake_host_poll();
	assert_false(link_connected(link_));
	assert_int_equal(fake_host_logged(""), 1);
}

static void nonsense_of_the_engine_ends_the_connection(void **state)
{
	(void)state;
	connected();
	assert_int_equal(send(engine, "\x63\x02\x00\x00", 4, 0), 4);
	fake_host_poll();
	assert_false(link_connected(link_));
	assert_int_equal(fake_host_logged("cannot read"), 1);
}

/* Fill the socket until it takes no more. */
static unsigned stuff(void)
{
	unsigned n = 0;

	while (!counters.value[COUNT_LOST] && n < 1000000) {
		put_port();
		link_turn(link_, host_now());
		n++;
	}
	return n;
}

static void what_is_lost_is_counted_and_a_replay_makes_up_for_it(void **state)
{
	struct link_msg msg;
	unsigned n;

	(void)state;
	connected();
	n = stuff();
	assert_true(n > 1 && n < 1000000);
	assert_true(link_connected(link_));
	assert_int_equal(counters.value[COUNT_LOST], 1);
	assert_int_equal(counters.value[COUNT_REPLAYS], 1);
	while (engine_hears(&msg))
		;
	fake_host_advance(100);
	link_turn(link_, host_now());
	assert_replayed();
	assert_silence();
	assert_int_equal(counters.value[COUNT_REPLAYS], 2);
}

static void a_replay_goes_on_where_the_socket_was_full(void **state)
{
	struct link_msg msg;
	unsigned i;

	(void)state;
	connected();
	stuff();
	for (i = 0; i < 10; i++)
		tick();
	assert_int_equal(parts_given, 1);
	while (engine_hears(&msg))
		;
	tick();
	assert_int_equal(parts_given, PARTS);
	assert_replayed();
}

static void a_replay_larger_than_the_socket_leaves_room_for_live_messages(void **state)
{
	struct link_msg msg;
	unsigned i;

	(void)state;
	parts = 300;
	connected();
	for (i = 0; i < 200; i++) {
		tick();
		put_port();
		link_turn(link_, host_now());
	}
	assert_true(parts_given < parts);
	assert_int_equal(counters.value[COUNT_LOST], 0);
	for (i = 0; i < 200 && counters.value[COUNT_REPLAYS] == 0; i++) {
		put_port();
		tick();
		while (recv(engine, &msg, sizeof(msg), MSG_TRUNC) > 0)
			;
	}
	assert_int_equal(counters.value[COUNT_REPLAYS], 1);
	assert_int_equal(parts_given, parts);
	assert_int_equal(restarts, 1);
}

static void more_than_a_datagram_at_one_turn_is_made_up_for_by_a_replay(void **state)
{
	unsigned i;

	(void)state;
	connected();
	for (i = 0; i < LINK_DATAGRAM_MAX / 16; i++)
		put_port();
	assert_true(counters.value[COUNT_LOST] > 0);
	link_turn(link_, host_now());
	assert_int_equal(counters.value[COUNT_REPLAYS], 2);
}

/* Somebody else has taken the name. */
static void a_socket_that_is_not_roots_is_left_alone(void **state)
{
	int ready[2], end[2], status;
	char octet = 0;
	pid_t child;

	(void)state;
	if (pipe2(ready, O_CLOEXEC) || pipe2(end, O_CLOEXEC))
		fail();
	child = fork();
	if (!child) {
		close(end[1]);
		if (!setresuid(NOBODY, NOBODY, NOBODY) && fake_listen(name) >= 0)
			octet = 1;
		(void)!write(ready[1], &octet, 1);
		(void)!read(end[0], &octet, 1);
		_exit(0);
	}
	close(end[0]);
	assert_int_equal(read(ready[0], &octet, 1), 1);
	if (octet) {
		link_enable(link_);
		tick();
		tick();
		assert_false(link_connected(link_));
		assert_int_equal(fake_host_logged("not root's"), 1);
		assert_int_equal(fake_host_logged(""), 1);
	}
	close(end[1]);
	close(ready[0]);
	close(ready[1]);
	waitpid(child, &status, 0);
	if (!octet)
		skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_connects_only_once_attached),
		TEST(a_new_connection_says_hello_and_replays),
		TEST(what_is_collected_leaves_as_one_datagram_at_the_turn),
		TEST(without_an_engine_it_tries_less_and_less_often_and_says_so_once),
		TEST(an_engine_that_goes_and_comes_back_gets_a_replay),
		TEST(a_send_to_a_dead_engine_kills_nobody),
		TEST(messages_of_the_engine_are_handed_on_and_answered_at_once),
		TEST(another_version_stays_apart_with_one_line_that_names_both),
		TEST(nonsense_of_the_engine_ends_the_connection),
		TEST(what_is_lost_is_counted_and_a_replay_makes_up_for_it),
		TEST(a_replay_goes_on_where_the_socket_was_full),
		TEST(a_replay_larger_than_the_socket_leaves_room_for_live_messages),
		TEST(more_than_a_datagram_at_one_turn_is_made_up_for_by_a_replay),
		TEST(a_socket_that_is_not_roots_is_left_alone),
	};

	return cmocka_run_group_tests(tests, become_root, NULL);
}
