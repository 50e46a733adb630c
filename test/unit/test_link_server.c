/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's socket as companions see it that watch: who hears, who is cut off.
 * The server is the real one on a socket of its own name; who may connect and what
 * is logged is the test's.
 */
#include "engine/link_server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/log.h"
#include "engine/sandbox.h"
#include "wire/linkmsg.h"

static struct ev_loop *loop;
static struct link_server *server;
static struct sockaddr_un name;
static socklen_t name_len;

/* In the place of log.c and sandbox.c. */
void log_line(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

bool sandbox_may_control(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
	return true;
}

static void module_msg(void *arg, const struct link_msg *msg)
{
	(void)arg;
	(void)msg;
}

static void module_gone(void *arg)
{
	(void)arg;
}

static void watched(void *arg, struct link_client *client, uint32_t seq)
{
	static const char *const head[] = { "what:s" };

	(void)arg;
	link_head(client, seq, head, 1);
	link_server_watch(client, seq);
}

static const struct link_server_ops ops = {
	.module_msg = module_msg, .module_gone = module_gone, .watch = watched,
};

static void turn(void)
{
	for (int i = 0; i < 4; i++) {
		ev_run(loop, EVRUN_NOWAIT);
		link_server_flush(server);
		link_server_flush_told(server);
	}
}

static void say(int fd, const struct link_msg *msg)
{
	uint8_t b[256];
	struct wr w = wr_new(b, sizeof(b));

	assert_true(linkmsg_put(&w, msg));
	assert_int_equal(send(fd, b, w.at, 0), w.at);
}

/* A companion that has said hello and watches with this seq (0: does not). */
static int companion(uint32_t seq)
{
	const struct link_msg hello = { .type = LINK_HELLO,
					.u.hello.who = LINK_COMPANION };
	const struct link_msg watch = { .type = LINK_WATCH, .u.show.seq = seq };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&name, name_len), 0);
	say(fd, &hello);
	if (seq)
		say(fd, &watch);
	turn();
	return fd;
}

static void tell(const char *what)
{
	link_server_tell(server, &what, 1);
}

struct heard {
	unsigned heads, rows, dones;
	uint32_t seq;
	int code;
};

/* All that has come in; what does not fit into the socket comes when it is read. */
static struct heard hear(int fd)
{
	static uint8_t b[LINK_DATAGRAM_MAX];
	struct heard heard = { 0 };
	struct link_msg msg;
	ssize_t n;

	while ((n = recv(fd, b, sizeof(b), 0)) > 0) {
		struct rd rd = rd_new(b, (size_t)n, 0);

		while (linkmsg_get(&rd, &msg, NULL) > 0) {
			heard.heads += msg.type == LINK_HEAD;
			heard.rows += msg.type == LINK_ROW;
			heard.dones += msg.type == LINK_DONE;
			if (msg.type == LINK_ROW)
				heard.seq = msg.u.row.seq;
			if (msg.type == LINK_DONE)
				heard.code = msg.u.done.code;
		}
		turn();
	}
	return heard;
}

static int start(void **state)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	(void)state;
	/* A name that the kernel chooses. */
	name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	name_len = sizeof(name);
	if (bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&name, &name_len))
		return -1;
	loop = ev_loop_new(0);
	server = link_server_new(loop, fd, &ops, NULL);
	return server ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	link_server_free(server);
	ev_loop_destroy(loop);
	return 0;
}

static void nobody_watches_until_one_asks_to_and_when_he_is_gone(void **state)
{
	int other = companion(0), one;

	(void)state;
	assert_false(link_server_watched(server));
	one = companion(7);
	assert_true(link_server_watched(server));
	close(other);
	turn();
	assert_true(link_server_watched(server));
	close(one);
	turn();
	assert_false(link_server_watched(server));
}

static void each_who_watches_hears_each_event_with_his_own_seq(void **state)
{
	int one = companion(7), two = companion(8), other = companion(0);
	struct heard heard;

	(void)state;
	tell("a");
	tell("b");
	turn();
	heard = hear(one);
	assert_int_equal(heard.heads, 1);
	assert_int_equal(heard.rows, 2);
	assert_int_equal(heard.seq, 7);
	heard = hear(two);
	assert_int_equal(heard.rows, 2);
	assert_int_equal(heard.seq, 8);
	assert_int_equal(hear(other).rows, 0);
	close(one);
	close(two);
	close(other);
}

static void events_leave_only_when_the_kernel_has_what_they_tell(void **state)
{
	int one = companion(7);
	char octet;

	(void)state;
	assert_int_equal(hear(one).heads, 1);
	tell("a");
	link_server_flush(server);
	assert_int_equal(recv(one, &octet, 1, MSG_PEEK), -1);
	link_server_flush_told(server);
	assert_int_equal(hear(one).rows, 1);
	close(one);
}

static void who_asks_twice_to_watch_counts_once(void **state)
{
	const struct link_msg watch = { .type = LINK_WATCH, .u.show.seq = 9 };
	int one = companion(7);

	(void)state;
	say(one, &watch);
	turn();
	tell("a");
	turn();
	assert_int_equal(hear(one).seq, 9);
	close(one);
	turn();
	assert_false(link_server_watched(server));
}

static void one_of_another_version_is_told_ours_and_not_listened_to(void **state)
{
	const struct link_msg watch = { .type = LINK_WATCH, .u.show.seq = 7 };
	const uint8_t hello[] = { LINK_HELLO, LINK_VERSION + 1, 0, 0 };
	uint8_t b[LINK_DATAGRAM_MAX];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	(void)state;
	assert_int_equal(connect(fd, (struct sockaddr *)&name, name_len), 0);
	assert_int_equal(send(fd, hello, sizeof(hello), 0), sizeof(hello));
	say(fd, &watch);
	turn();
	assert_true(recv(fd, b, sizeof(b), 0) >= 2);
	assert_int_equal(b[0], LINK_HELLO);
	assert_int_equal(b[1], LINK_VERSION);
	say(fd, &watch);
	turn();
	assert_false(link_server_watched(server));
	assert_int_equal(recv(fd, b, sizeof(b), 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	turn();
}

static void one_who_does_not_read_is_cut_off_and_others_hear_on(void **state)
{
	int slow = companion(7), quick = companion(8);
	struct heard heard;
	unsigned told = 0, got = hear(quick).rows;

	(void)state;
	for (; told < 20000; told++) {
		tell("an event");
		turn();
		got += hear(quick).rows;
	}
	assert_int_equal(got, told);
	heard = hear(slow);
	assert_in_range(heard.rows, 64, told - 1);
	assert_int_equal(heard.dones, 1);
	assert_int_equal(heard.code, ENOBUFS);
	assert_true(link_server_watched(server));
	tell("one more");
	turn();
	assert_int_equal(hear(slow).rows, 0);
	assert_int_equal(hear(quick).rows, 1);
	close(quick);
	close(slow);
	turn();
	assert_false(link_server_watched(server));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(nobody_watches_until_one_asks_to_and_when_he_is_gone),
		TEST(each_who_watches_hears_each_event_with_his_own_seq),
		TEST(events_leave_only_when_the_kernel_has_what_they_tell),
		TEST(who_asks_twice_to_watch_counts_once),
		TEST(one_of_another_version_is_told_ours_and_not_listened_to),
		TEST(one_who_does_not_read_is_cut_off_and_others_hear_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
