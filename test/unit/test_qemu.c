/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 'vdp-migrate qemu' makes of QEMU's words: QMP's lines by a socket pair, and each
 * (state, event) pair of the story.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "companion/qemu_story.h"
#include "companion/qmp.h"

struct rig {
	struct qmp qmp;
	int qemu; /* QEMU's end */
};

static struct rig rig;

static int set_up(void **state)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return -1;
	rig.qmp.fd = pair[0];
	rig.qmp.len = 0;
	rig.qemu = pair[1];
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(rig.qmp.fd);
	if (rig.qemu >= 0)
		close(rig.qemu);
	return 0;
}

static void qemu_says(const char *text)
{
	assert_int_equal(write(rig.qemu, text, strlen(text)), strlen(text));
	assert_int_equal(qmp_receive(&rig.qmp), 0);
}

static void expect(enum qmp_kind kind, const char *name, const char *status)
{
	struct qmp_msg msg;

	assert_int_equal(qmp_next(&rig.qmp, &msg), 1);
	assert_int_equal(msg.kind, kind);
	assert_string_equal(msg.name, name);
	assert_string_equal(msg.status, status);
	qmp_msg_free(&msg);
}

static void expect_no_more(void)
{
	struct qmp_msg msg;

	assert_int_equal(qmp_next(&rig.qmp, &msg), 0);
}

static void a_command_carries_its_name_as_id(void **state)
{
	char b[128] = "";

	(void)state;
	assert_int_equal(qmp_send(&rig.qmp, "cont", NULL), 0);
	assert_true(read(rig.qemu, b, sizeof(b) - 1) > 0);
	assert_string_equal(b, "{\"execute\":\"cont\",\"id\":\"cont\"}\r\n");
}

static void a_command_carries_its_arguments(void **state)
{
	char b[128] = "";

	(void)state;
	assert_int_equal(qmp_send(&rig.qmp, "x", "{\"a\":1}"), 0);
	assert_true(read(rig.qemu, b, sizeof(b) - 1) > 0);
	assert_string_equal(
		b, "{\"execute\":\"x\",\"id\":\"x\",\"arguments\":{\"a\":1}}\r\n");
}

static void each_kind_of_line_is_told_apart(void **state)
{
	(void)state;
	qemu_says(
		"{\"QMP\": {\"version\": {}}}\r\n"
		"{\"return\": {}, \"id\": \"qmp_capabilities\"}\r\n"
		"{\"return\": {\"status\": \"inmigrate\"}, \"id\": \"query-status\"}\r\n"
		"{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1}}\r\n"
		"{\"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}\r\n"
		"{\"error\": {\"class\": \"G\", \"desc\": \"no\"}, \"id\": \"cont\"}\r\n"
		"{\"other\": 1}\r\n");
	expect(QMP_GREETING, "", "");
	expect(QMP_RETURN, "qmp_capabilities", "");
	expect(QMP_RETURN, "query-status", "inmigrate");
	expect(QMP_EVENT, "STOP", "");
	expect(QMP_EVENT, "MIGRATION", "completed");
	expect(QMP_ERROR, "cont", "no");
	expect(QMP_OTHER, "", "");
	expect_no_more();
}

static void a_line_may_come_in_pieces(void **state)
{
	(void)state;
	qemu_says("{\"event\": ");
	expect_no_more();
	qemu_says("\"RESUME\"}\r");
	expect_no_more();
	qemu_says("\n{");
	expect(QMP_EVENT, "RESUME", "");
	expect_no_more();
}

static void what_is_no_JSON_is_refused(void **state)
{
	struct qmp_msg msg;

	(void)state;
	qemu_says("220 mail.example.net ESMTP\r\n");
	assert_int_equal(qmp_next(&rig.qmp, &msg), -EBADMSG);
}

static void values_of_other_types_are_nothing(void **state)
{
	(void)state;
	qemu_says("{\"event\": 7, \"data\": []}\n{\"return\": [], \"id\": {}}\n[1]\n");
	expect(QMP_EVENT, "", "");
	expect(QMP_RETURN, "", "");
	expect(QMP_OTHER, "", "");
}

static void a_line_without_an_end_is_refused(void **state)
{
	static char x[QMP_LINE_MAX];
	size_t sent = 0;

	(void)state;
	memset(x, 'x', sizeof(x));
	while (sent < sizeof(x)) {
		ssize_t n = write(rig.qemu, x, sizeof(x) - sent);

		assert_true(n > 0);
		sent += (size_t)n;
		while (rig.qmp.len < sent)
			assert_int_equal(qmp_receive(&rig.qmp), 0);
	}
	expect_no_more();
	assert_int_equal(qmp_receive(&rig.qmp), -EMSGSIZE);
}

static void the_end_is_told(void **state)
{
	(void)state;
	close(rig.qemu);
	rig.qemu = -1;
	assert_int_equal(qmp_receive(&rig.qmp), -ECONNRESET);
	assert_true(qmp_send(&rig.qmp, "cont", NULL) < 0);
}

/* The story: events in turn, from where it begins; what is to be done, in sum. */
static unsigned tell(enum qemu_state from, enum qemu_state to, unsigned n,
		     const enum qemu_event *events)
{
	unsigned what = 0;

	for (unsigned i = 0; i < n; i++) {
		struct qemu_step step = qemu_story(from, events[i]);

		what |= step.what;
		from = step.to;
	}
	assert_int_equal(from, to);
	return what;
}

#define TELL(from, to, ...)                                                              \
	tell(from, to,                                                                   \
	     sizeof((enum qemu_event[]){ __VA_ARGS__ }) / sizeof(enum qemu_event),       \
	     (const enum qemu_event[]){ __VA_ARGS__ })

static void source_says_when_it_stops_and_ends_a_moment_after(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_HERE, QEMU_LEFT, QEMU_COPIES, QEMU_COPIES, QEMU_STOPS,
			      QEMU_COPIED),
			 QEMU_SUSPEND | QEMU_RETURN_CLOCK);
	assert_int_equal(TELL(QEMU_LEFT, QEMU_GONE, QEMU_LATE), QEMU_DEASSOCIATE);
	assert_int_equal(TELL(QEMU_LEFT, QEMU_GONE, QEMU_ENDS), QEMU_DEASSOCIATE);
	assert_int_equal(TELL(QEMU_GONE, QEMU_GONE, QEMU_ENDS), 0);
}

static void cancelled_before_it_stops_nothing_changes(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_HERE, QEMU_HERE, QEMU_COPIES, QEMU_FAILED), 0);
}

static void cancelled_after_it_stops_the_request_is_repeated_once(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_STOPPED, QEMU_HERE, QEMU_RUNS, QEMU_FAILED),
			 QEMU_ASSOCIATE);
	assert_int_equal(TELL(QEMU_STOPPED, QEMU_HERE, QEMU_FAILED, QEMU_RUNS),
			 QEMU_ASSOCIATE);
}

static void source_that_goes_on_after_all_associates(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_LEFT, QEMU_HERE, QEMU_RUNS), QEMU_ASSOCIATE);
	assert_int_equal(TELL(QEMU_GONE, QEMU_HERE, QEMU_RUNS), QEMU_ASSOCIATE);
}

static void destination_goes_on_when_the_switch_has_answered(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_WAITING, QEMU_ARRIVED, QEMU_COPIES, QEMU_COPIED),
			 QEMU_ASSOCIATE_M | QEMU_ANSWER_CLOCK);
	assert_int_equal(TELL(QEMU_ARRIVED, QEMU_HERE, QEMU_ANSWERED), QEMU_CONT);
	assert_int_equal(TELL(QEMU_HERE, QEMU_HERE, QEMU_RUNS, QEMU_ANSWERED, QEMU_LATE),
			 0);
}

static void destination_goes_on_without_an_answer_too(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_ARRIVED, QEMU_HERE, QEMU_LATE, QEMU_RUNS), QEMU_CONT);
}

static void destination_that_runs_at_once_associates_at_once(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_WAITING, QEMU_HERE, QEMU_RUNS, QEMU_COPIED),
			 QEMU_ASSOCIATE_M);
}

static void destination_whose_migration_fails_is_undone(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_WAITING, QEMU_GONE, QEMU_FAILED, QEMU_ENDS),
			 QEMU_DEASSOCIATE);
	assert_int_equal(TELL(QEMU_WAITING, QEMU_GONE, QEMU_ENDS), QEMU_DEASSOCIATE);
}

static void a_pause_by_hand_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(TELL(QEMU_HERE, QEMU_HERE, QEMU_STOPS, QEMU_RUNS), 0);
}

static void whatever_happens_the_end_of_QEMU_ends_the_association(void **state)
{
	(void)state;
	for (unsigned from = 0; from < QEMU_STATES; from++) {
		struct qemu_step step = qemu_story((enum qemu_state)from, QEMU_ENDS);

		assert_int_equal(step.to, QEMU_GONE);
		assert_int_equal(step.what, from == QEMU_GONE ? 0 : QEMU_DEASSOCIATE);
	}
}

static void no_way_out_of_arrived_leaves_the_vm_stopped(void **state)
{
	(void)state;
	for (unsigned on = 0; on < QEMU_EVENTS; on++) {
		struct qemu_step step = qemu_story(QEMU_ARRIVED, (enum qemu_event)on);

		if (step.to != QEMU_ARRIVED && on != QEMU_RUNS && on != QEMU_ENDS)
			assert_true(step.what & QEMU_CONT);
	}
}

#define QMP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QMP_TEST(a_command_carries_its_name_as_id),
		QMP_TEST(a_command_carries_its_arguments),
		QMP_TEST(each_kind_of_line_is_told_apart),
		QMP_TEST(a_line_may_come_in_pieces),
		QMP_TEST(what_is_no_JSON_is_refused),
		QMP_TEST(values_of_other_types_are_nothing),
		QMP_TEST(a_line_without_an_end_is_refused),
		QMP_TEST(the_end_is_told),
		cmocka_unit_test(source_says_when_it_stops_and_ends_a_moment_after),
		cmocka_unit_test(cancelled_before_it_stops_nothing_changes),
		cmocka_unit_test(cancelled_after_it_stops_the_request_is_repeated_once),
		cmocka_unit_test(source_that_goes_on_after_all_associates),
		cmocka_unit_test(destination_goes_on_when_the_switch_has_answered),
		cmocka_unit_test(destination_goes_on_without_an_answer_too),
		cmocka_unit_test(destination_that_runs_at_once_associates_at_once),
		cmocka_unit_test(destination_whose_migration_fails_is_undone),
		cmocka_unit_test(a_pause_by_hand_changes_nothing),
		cmocka_unit_test(whatever_happens_the_end_of_QEMU_ends_the_association),
		cmocka_unit_test(no_way_out_of_arrived_leaves_the_vm_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
