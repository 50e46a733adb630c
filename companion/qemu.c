/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qemu: follows one QEMU by its monitor, and has its VM's association go along with its
 * migration. The way in, the words, the loop; what is to be done says qemu_story, how a
 * request is made qemu_vsi.
 *
 * A migration's progress is known by MIGRATION events, which QEMU sends if its capability
 * "events" is set. The capability pause-before-switchover is left to the one who starts
 * the migration: with it the S-bit has time to be acted upon, without it it is sent at
 * the same event, STOP.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "qemu_story.h"
#include "qemu_vsi.h"
#include "qmp.h"
#include "wire/text.h"

#define ANSWER_MS 2000
#define RETURN_MS 1500
#define LAST_REQUESTS_MS 10000
#define GREETING_MS 3000

enum role { ROLE_AUTO, ROLE_SOURCE, ROLE_DESTINATION };

struct follower {
	const char *path;
	enum role role;
	int answer_ms;
	struct qmp qmp;
	struct qemu_vsis vsis;
	enum qemu_state state;
	bool begun; /* the VM's state is known */
	char was[16]; /* runstate, before the migration's is known */
	bool asked; /* the last answers are still to come */
	int64_t clock; /* monotonic ms; 0 = not set */
	int status;
	bool over;
};

static int read_words(int argc, char **argv, struct follower *f);
static int own_word(char **argv, int *at, struct follower *f);
static int vsi_word(char **argv, int at, struct qemu_vsis *vsis);
static int check_vsis(char **argv, struct qemu_vsis *vsis);
static int follow(struct follower *f);
static void turn(struct follower *f, int signals);
static void late(struct follower *f);
static void hear(struct follower *f);
static void take(struct follower *f, const struct qmp_msg *msg);
static void take_answer(struct follower *f, const struct qmp_msg *msg);
static void take_event(struct follower *f, const struct qmp_msg *msg);
static void begin(struct follower *f, const char *migration);
static void happen(struct follower *f, enum qemu_event event);
static void take_migration(struct follower *f, const char *status);
static void finish(struct follower *f, int signals);
static int64_t now_ms(void);

int command_qemu(int argc, char **argv)
{
	static struct follower f; /* large */
	int err = read_words(argc, argv, &f);

	if (err)
		return err;
	setvbuf(stdout, NULL, _IOLBF, 0);
	f.qmp.fd = qmp_connect(f.path);
	if (f.qmp.fd < 0) {
		fprintf(stderr, "vdp-migrate: %s: no QEMU there: %s\n", f.path,
			strerror(-f.qmp.fd));
		return EXIT_NOT_THERE;
	}
	return follow(&f);
}

/* Words. */

static int read_words(int argc, char **argv, struct follower *f)
{
	f->answer_ms = ANSWER_MS;
	for (int i = 1; i < argc; i++) {
		int err = own_word(argv, &i, f);

		if (err < 0)
			err = vsi_word(argv, i, &f->vsis);
		if (err)
			return err;
	}
	if (!f->path)
		return command_wrong_use(argv, "--qmp is wanted");
	return check_vsis(argv, &f->vsis);
}

/* 0, -ENOENT: it is a word of the association, else EXIT_WRONG_USE. */
static int own_word(char **argv, int *at, struct follower *f)
{
	static const char *const names[] = { "--qmp", "--role", "--timeout" };
	static const char *const roles[] = { "auto", "source", "destination" };
	const char *value = NULL;
	size_t which, len = 0;
	char *end;
	long seconds;

	for (which = 0; which < 3; which++) {
		len = strlen(names[which]);
		if (!strncmp(argv[*at], names[which], len) && strchr("=", argv[*at][len]))
			break;
	}
	if (which == 3)
		return -ENOENT;
	value = argv[*at][len] ? argv[*at] + len + 1 : argv[++*at];
	if (!value)
		return command_wrong_use(argv, "%s wants a value", names[which]);
	if (which == 0) {
		f->path = value;
		return 0;
	}
	if (which == 2) {
		seconds = strtol(value, &end, 10);
		if (*end || end == value || seconds < 1 || seconds > 60)
			return command_wrong_use(
				argv, "'%s' is no time of 1 to 60 seconds", value);
		f->answer_ms = (int)seconds * 1000;
		return 0;
	}
	for (unsigned role = 0; role < 3; role++)
		if (!strcmp(value, roles[role])) {
			f->role = (enum role)role;
			return 0;
		}
	return command_wrong_use(argv, "'%s' is no role", value);
}

/* Each -i begins a VSI. */
static int vsi_word(char **argv, int at, struct qemu_vsis *vsis)
{
	struct qemu_vsi *vsi;

	if (!strncmp(argv[at], "-i", 2) || !strncmp(argv[at], "--port", 6)) {
		if (vsis->n == QEMU_VSIS_MAX)
			return command_wrong_use(argv, "more than %d VSIs",
						 QEMU_VSIS_MAX);
		vsis->n++;
	}
	if (!vsis->n)
		return command_wrong_use(argv, "'%s' before -i", argv[at]);
	vsi = &vsis->vsi[vsis->n - 1];
	if (vsi->n == QEMU_WORDS_MAX)
		return command_wrong_use(argv, "too many words");
	vsi->words[vsi->n++] = argv[at];
	return 0;
}

static int check_vsis(char **argv, struct qemu_vsis *vsis)
{
	static const char name[] = "--instanceid";

	if (!vsis->n)
		return command_wrong_use(argv, "-i is wanted");
	for (unsigned i = 0; i < vsis->n; i++) {
		struct qemu_vsi *vsi = &vsis->vsi[i];
		const char *id = NULL;

		for (int k = 0; k < vsi->n; k++) {
			size_t len = sizeof(name) - 1;

			if (strncmp(vsi->words[k], name, len))
				continue;
			if (vsi->words[k][len] == '=')
				id = vsi->words[k] + len + 1;
			else if (!vsi->words[k][len] && k + 1 < vsi->n)
				id = vsi->words[k + 1];
		}
		if (!id)
			return command_wrong_use(argv, "--instanceid is wanted");
		if (vsi_id_parse(id, &vsi->id))
			return command_wrong_use(argv, "'%s' is no VSI instance ID", id);
	}
	return 0;
}

/* The loop. */

static int follow(struct follower *f)
{
	sigset_t set;
	int signals;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* nobody to read what we say: the VM still goes on */
	f->clock = now_ms() + GREETING_MS;
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0) {
		fprintf(stderr, "vdp-migrate: %s\n", strerror(errno));
		return EXIT_NOT_THERE;
	}
	while (!f->over)
		turn(f, signals);
	if (f->state == QEMU_ARRIVED)
		happen(f, QEMU_LATE);
	finish(f, signals);
	return f->status > f->vsis.status ? f->status : f->vsis.status;
}

static void turn(struct follower *f, int signals)
{
	struct pollfd wait[] = { { .fd = f->qmp.fd, .events = POLLIN },
				 { .fd = signals, .events = POLLIN } };
	int64_t left = f->clock ? f->clock - now_ms() : -1;
	struct signalfd_siginfo info;

	poll(wait, 2, f->clock && left < 0 ? 0 : (int)left);
	while (read(signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			f->over = true; /* the VM goes on, and its association */
	if (!f->over && wait[0].revents)
		hear(f);
	if (qemu_vsis_reap(&f->vsis) && f->asked) {
		f->asked = false;
		happen(f, QEMU_ANSWERED);
	}
	/* The words are no association's; the first request has shown it. */
	f->over |= f->vsis.status == EXIT_WRONG_USE;
	if (f->clock && now_ms() >= f->clock) {
		f->clock = 0;
		late(f);
	}
}

/* QEMU may be busy with its start: nothing ends for that. */
static void late(struct follower *f)
{
	if (f->begun)
		happen(f, QEMU_LATE);
	else
		fprintf(stderr,
			"vdp-migrate: %s: QEMU does not answer yet; a monitor takes one "
			"client, has it another?\n",
			f->path);
}

static void hear(struct follower *f)
{
	int err = qmp_receive(&f->qmp);
	struct qmp_msg msg;
	int r;

	while (!f->over && (r = qmp_next(&f->qmp, &msg))) {
		if (r < 0) {
			err = r;
			break;
		}
		take(f, &msg);
		qmp_msg_free(&msg);
	}
	if (!err || f->over)
		return;
	f->over = true;
	if (err != -ECONNRESET) {
		fprintf(stderr, "vdp-migrate: %s: %s%s\n", f->path,
			err == -EBADMSG	   ? "no QMP there"
			: err == -EMSGSIZE ? "no QMP there: a line without an end"
					   : strerror(-err),
			f->begun ? "; the VM's association stays as it is" : "");
		f->status = EXIT_NOT_THERE;
	} else if (!f->begun) {
		fprintf(stderr, "vdp-migrate: %s: closed before a word on the VM\n",
			f->path);
		f->status = EXIT_NOT_THERE;
	} else {
		happen(f, QEMU_ENDS);
	}
}

static void take(struct follower *f, const struct qmp_msg *msg)
{
	static const char events[] =
		"{\"capabilities\":[{\"capability\":\"events\",\"state\":true}]}";

	switch (msg->kind) {
	case QMP_GREETING:
		qmp_send(&f->qmp, "qmp_capabilities", NULL);
		qmp_send(&f->qmp, "migrate-set-capabilities", events);
		qmp_send(&f->qmp, "query-status", NULL);
		qmp_send(&f->qmp, "query-migrate", NULL);
		break;
	case QMP_RETURN:
		take_answer(f, msg);
		break;
	case QMP_ERROR:
		fprintf(stderr, "vdp-migrate: QEMU refuses %s: %s\n", msg->name,
			msg->status);
		f->status = EXIT_REFUSED;
		f->over |= !f->begun;
		break;
	case QMP_EVENT:
		take_event(f, msg);
		break;
	default:
		break;
	}
}

static void take_answer(struct follower *f, const struct qmp_msg *msg)
{
	if (!strcmp(msg->name, "query-status"))
		snprintf(f->was, sizeof(f->was), "%s", msg->status);
	else if (!strcmp(msg->name, "query-migrate") && !f->begun)
		begin(f, msg->status);
}

/* What happens before its state is known is in the answers that tell it. */
static void take_event(struct follower *f, const struct qmp_msg *msg)
{
	if (!f->begun)
		return;
	if (!strcmp(msg->name, "STOP"))
		happen(f, QEMU_STOPS);
	else if (!strcmp(msg->name, "RESUME"))
		happen(f, QEMU_RUNS);
	else if (!strcmp(msg->name, "MIGRATION"))
		take_migration(f, msg->status);
}

/* migration: the status of one under way or over, "" without. */
static void begin(struct follower *f, const char *migration)
{
	bool waits = !strcmp(f->was, "inmigrate");
	bool arrived = f->role == ROLE_DESTINATION && !strcmp(f->was, "paused") &&
		       !strcmp(migration, "completed");

	if ((f->role == ROLE_DESTINATION && !waits && !arrived) ||
	    (f->role == ROLE_SOURCE && waits)) {
		fprintf(stderr, "vdp-migrate: QEMU %s for a migration\n",
			waits ? "waits" : "does not wait");
		f->status = EXIT_REFUSED;
		f->over = true;
		return;
	}
	f->begun = true;
	f->clock = 0;
	if (waits || arrived) {
		f->state = QEMU_WAITING;
		if (waits)
			printf("VM waits for its migration: pre-associate\n");
		if (waits)
			qemu_vsis_ask(&f->vsis, QEMU_PREASSOCIATE);
		/* It may have arrived between the two answers; what failed may yet be
		 * tried again. */
		if (!strcmp(migration, "completed"))
			take_migration(f, migration);
	} else if (!strcmp(f->was, "postmigrate")) {
		f->state = QEMU_STOPPED;
		happen(f, QEMU_COPIED);
	} else {
		printf("VM is here: associate\n");
		f->state = QEMU_HERE;
		qemu_vsis_ask(&f->vsis, QEMU_ASSOCIATE);
		if (*migration && strcmp(migration, "completed"))
			take_migration(f, migration);
		if (!strcmp(f->was, "finish-migrate"))
			happen(f, QEMU_STOPS);
	}
}

/* qapi/migration.json, MigrationStatus. */
static void take_migration(struct follower *f, const char *status)
{
	/* At the destination post-copy: what is not there yet comes when it is wanted. */
	if (!strcmp(status, "completed") ||
	    (!strcmp(status, "postcopy-active") && f->state == QEMU_WAITING))
		happen(f, QEMU_COPIED);
	else if (!strcmp(status, "failed") || !strcmp(status, "cancelled"))
		happen(f, QEMU_FAILED);
	else if (!strcmp(status, "setup") || !strcmp(status, "active"))
		happen(f, QEMU_COPIES);
}

static void happen(struct follower *f, enum qemu_event event)
{
	static const struct {
		unsigned what;
		const char *text;
	} requests[] = {
		{ QEMU_PREASSOCIATE, ": pre-associate" },
		{ QEMU_ASSOCIATE_M, ": associate" },
		{ QEMU_ASSOCIATE, ": associate" },
		{ QEMU_DEASSOCIATE, ": de-associate" },
	};
	struct qemu_step step = qemu_story(f->state, event);
	const char *request = "";

	if (step.to != f->state)
		f->clock = 0;
	f->state = step.to;
	/* Before anything is said: the VM waits, or its packets go where it is no
	 * more. */
	if (step.what & QEMU_CONT)
		qmp_send(&f->qmp, "cont", NULL);
	if (step.what & QEMU_SUSPEND)
		request = qemu_vsis_suspend(&f->vsis) ? ": suspended"
						      : ": no engine to tell";
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (step.what & requests[i].what) {
			request = requests[i].text;
			qemu_vsis_ask(&f->vsis, requests[i].what);
			f->asked = true;
		}
	if (step.what & QEMU_ANSWER_CLOCK)
		f->clock = now_ms() + f->answer_ms;
	if (step.what & QEMU_RETURN_CLOCK)
		f->clock = now_ms() + RETURN_MS;
	if (step.say)
		printf("VM %s%s\n", step.say, request);
}

/* The last requests are made, within reason. */
static void finish(struct follower *f, int signals)
{
	int64_t end = now_ms() + LAST_REQUESTS_MS;
	struct pollfd wait = { .fd = signals, .events = POLLIN };
	struct signalfd_siginfo info;

	close(f->qmp.fd);
	while (!qemu_vsis_reap(&f->vsis)) {
		int64_t left = end - now_ms();

		if (left <= 0) {
			qemu_vsis_stop(&f->vsis);
			break;
		}
		poll(&wait, 1, (int)left);
		while (read(signals, &info, sizeof(info)) > 0)
			;
	}
	close(signals);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
