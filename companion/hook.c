/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook: what libvirt's qemu hook runs (install-hook), GUEST OPERATION SUB-OPERATION EXTRA
 * and the domain on stdin. `migrate begin` runs on the server that the VM comes to,
 * before its pre-associate: the VSIs are marked. stopped, release: the marks go.
 *
 * A hook that fails or prints breaks the migration, one that waits delays it: this one
 * always succeeds, prints nothing, and is gone before 200 ms are over whatever hangs.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "domain_xml.h"
#include "wire/text.h"

#define DEADLINE_MS 150
#define END_MS 175		/* syslog hangs, or the machine */
#define LEASE_LEFT_MIN_S 60	/* less is no help, and would end the mark too soon */
#define MARK_MAX_S 86400

struct hook {
	ms_t deadline;
	const char *guest;
	bool bridge;
	bool mark;		/* else: take the marks away */
	int fd;			/* to the engine; -1: not yet */
	bool gave_up;
};

static bool parse(struct hook *hook, int argc, char **argv);
static void end(int number);
static void end_in_time(void);
static int read_domain(struct hook *hook, struct domain *ret_domain);
static ssize_t read_all(struct hook *hook, char *buf, size_t size);
static void treat(struct hook *hook, const struct domain *domain,
		  const struct domain_nic *nic);
static struct link_msg mark_of(const struct domain *domain, const struct domain_nic *nic);
static void take_lease(struct link_mark *mark, const struct domain_lease *lease);
static int ask(struct hook *hook, const struct link_msg *msg, struct link_done *ret_done);
static void say(const struct hook *hook, const struct link_msg *msg, int err,
		const struct link_done *done);
static const char *error_text(int err);
static void no_row(void *arg, bool head, const struct link_row *row);
static unsigned left_ms(const struct hook *hook);
static ms_t now_ms(void);

int command_hook(int argc, char **argv)
{
	struct hook hook = { .deadline = now_ms() + DEADLINE_MS, .fd = -1 };
	struct domain *domain;

	end_in_time();
	openlog("vdp-migrate", LOG_PID, LOG_DAEMON);
	if (!parse(&hook, argc, argv))
		return EXIT_DONE;
	domain = calloc(1, sizeof(*domain));
	if (domain && !read_domain(&hook, domain))
		for (unsigned i = 0; i < domain->n_nics && !hook.gave_up; i++)
			treat(&hook, domain, &domain->nics[i]);
	free(domain);
	if (hook.fd >= 0)
		close(hook.fd);
	return EXIT_DONE;
}

/* Statics. */

/* False: nothing is to be done. A guest's name may look like an option. */
static bool parse(struct hook *hook, int argc, char **argv)
{
	int at = 1;

	if (at < argc && !strcmp(argv[at], "--bridge")) {
		hook->bridge = true;
		at++;
	}
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	if (argc - at < 3) {
		syslog(LOG_WARNING, "hook: called with %d arguments, libvirt gives 4",
		       argc - at);
		return false;
	}
	hook->guest = argv[at];
	hook->mark = !strcmp(argv[at + 1], "migrate") && !strcmp(argv[at + 2], "begin");
	return hook->mark || !strcmp(argv[at + 1], "stopped") ||
	       !strcmp(argv[at + 1], "release");
}

static void end(int number)
{
	(void)number;
	_exit(EXIT_DONE);
}

static void end_in_time(void)
{
	const struct itimerval timer = { .it_value.tv_usec = END_MS * 1000 };
	const struct sigaction action = { .sa_handler = end };
	sigset_t alarm_alone;

	sigemptyset(&alarm_alone);
	sigaddset(&alarm_alone, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_alone, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int read_domain(struct hook *hook, struct domain *ret_domain)
{
	char why[DOMAIN_WHY_MAX] = "no memory";
	char *xml = malloc(DOMAIN_XML_MAX + 1);
	ssize_t n = xml ? read_all(hook, xml, DOMAIN_XML_MAX + 1) : -ENOMEM;
	int err = n < 0 ? (int)n : domain_xml_read(xml, (size_t)n, ret_domain, why);

	free(xml);
	if (n == -ETIMEDOUT)
		snprintf(why, sizeof(why), "it does not come to an end");
	else if (n < 0)
		snprintf(why, sizeof(why), "%s", strerror(-err));
	if (err)
		syslog(LOG_WARNING, "%s: the domain cannot be read: %s: its VSIs are not "
		       "%s", hook->guest, why, hook->mark ? "marked" : "unmarked");
	else if (ret_domain->bad)
		syslog(LOG_WARNING, "%s: %u elements of the domain say nothing usable "
		       "(interface, lease or vsi): left out", hook->guest,
		       ret_domain->bad);
	return err;
}

/* What does not fit is read too: who writes it might take a closed pipe amiss. */
static ssize_t read_all(struct hook *hook, char *buf, size_t size)
{
	char beyond[4096];
	size_t at = 0;

	for (;;) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		size_t room = at < size ? size - at : sizeof(beyond);
		ssize_t n = poll(&in, 1, (int)left_ms(hook));

		if (!n)
			return at < size ? -ETIMEDOUT : (ssize_t)at;
		if (n > 0)
			n = read(STDIN_FILENO, at < size ? buf + at : beyond, room);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return (ssize_t)at;
		if (n > 0 && at < size)
			at += (size_t)n;
	}
}

static void treat(struct hook *hook, const struct domain *domain,
		  const struct domain_nic *nic)
{
	struct link_msg msg = mark_of(domain, nic);
	struct link_done done = { 0 };
	char mac[MAC_TEXT_MAX];

	if (!nic->qbg && !(hook->bridge && (nic->named || nic->bridge)))
		return;
	if (!nic->named) {
		if (hook->mark)
			syslog(LOG_WARNING, "%s: interface %s names no VSI: not marked",
			       hook->guest, mac_text(&nic->mac, mac));
		return;
	}
	if (!hook->mark) {
		msg.type = LINK_UNMARK;
		msg.u.mark = (struct link_mark){ .seq = 1, .id = nic->id };
	}
	say(hook, &msg, ask(hook, &msg, &done), &done);
}

static struct link_msg mark_of(const struct domain *domain, const struct domain_nic *nic)
{
	const struct domain_lease *lease = domain_lease_of(domain, &nic->mac);
	struct link_msg msg = { .type = LINK_MARK };
	struct link_mark *mark = &msg.u.mark;

	mark->seq = 1;
	mark->id = nic->id;
	mark->mac = nic->mac;
	/* One that libvirt has made up may be another's here. */
	if (!domain_dev_is_made(nic->dev))
		memcpy(mark->tap, nic->dev, sizeof(mark->tap));
	if (lease)
		take_lease(mark, lease);
	return msg;
}

/* The address may be another's once the lease is over: the mark ends with it. */
static void take_lease(struct link_mark *mark, const struct domain_lease *lease)
{
	int64_t left = MARK_MAX_S;

	if (lease->expires != DOMAIN_NEVER)
		left = lease->expires - (int64_t)time(NULL);
	if (left < LEASE_LEFT_MIN_S)
		return;
	mark->ip = lease->ip;
	mark->server = lease->server;
	mark->client_id = lease->client_id;
	mark->no_client_id = lease->no_client_id;
	mark->ttl_s = (uint32_t)(left < MARK_MAX_S ? left : MARK_MAX_S);
}

static int ask(struct hook *hook, const struct link_msg *msg, struct link_done *ret_done)
{
	static const struct link_answer_ops none = { .row = no_row };
	unsigned left = left_ms(hook);
	int err = -EAGAIN;

	if (left && hook->fd < 0) {
		hook->fd = link_client_connect_within(left);
		err = hook->fd < 0 ? hook->fd : 0;
		left = left_ms(hook);
	} else if (left) {
		err = link_client_within(hook->fd, left);
	}
	if (!err && !left)
		err = -EAGAIN;
	if (!err)
		err = link_client_ask(hook->fd, msg, &none, NULL, ret_done);
	hook->gave_up = err;
	return err;
}

static void say(const struct hook *hook, const struct link_msg *msg, int err,
		const struct link_done *done)
{
	char id[VSI_ID_TEXT_MAX], ip[ADDR_TEXT_MAX];
	const struct link_mark *mark = &msg->u.mark;

	vsi_id_text(&mark->id, id);
	if (msg->type == LINK_UNMARK && !err && (!done->code || done->code == ENOENT))
		return;
	if (err || done->code)
		syslog(LOG_WARNING, "%s: VSI %s %s: %s", hook->guest, id,
		       hook->mark ? "not marked as migrating in" : "not unmarked",
		       err ? error_text(err) : done->text);
	else if (mark->ip.family)
		syslog(LOG_INFO, "%s: VSI %s marked as migrating in, its address is %s",
		       hook->guest, id, addr_text(&mark->ip, ip));
	else
		syslog(LOG_INFO, "%s: VSI %s marked as migrating in", hook->guest, id);
}

static const char *error_text(int err)
{
	switch (err) {
	case -ECONNREFUSED:
		return "engine not running (vdp-migrated)";
	case -EAGAIN:
		return "engine or module do not answer in time";
	case -EPROTO:
		return "engine and vdp-migrate are of different versions";
	case -EACCES:
		return "the engine does not let us in";
	case -EPERM:
		return "the engine's name is held by another program";
	default:
		return strerror(-err);
	}
}

static void no_row(void *arg, bool head, const struct link_row *row)
{
	(void)arg;
	(void)head;
	(void)row;
}

static unsigned left_ms(const struct hook *hook)
{
	ms_t now = now_ms();

	return now < hook->deadline ? (unsigned)(hook->deadline - now) : 0;
}

static ms_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ms_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
