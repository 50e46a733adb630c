/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdp-migrate-agent: `vdp-migrate agent`. Two threads: libvirt's events are heard here,
 * so that nothing that libvirt does makes a suspended VM wait; the passes over all
 * domains, which may wait for libvirt, are made by the other. An event of a domain has a
 * pass made at once.
 */
#include <errno.h>
#include <getopt.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "agent_domain.h"
#include "link_client.h"
#include "wire/text.h"

#define INTERVAL_MAX_S 3600
#define RETRY_S 5
#define SUSPEND_MS 200

/* The VSIs of a domain, as the last pass has found them. */
struct vsis_of {
	char uuid[VIR_UUID_STRING_BUFLEN];
	unsigned n;
	struct vsi_id ids[DOMAIN_NICS_MAX];
};

struct agent {
	const char *uri;
	int interval_s;
	bool gone;			/* the events' own */
	pthread_mutex_t lock;
	/* Of both threads. */
	pthread_cond_t wanted;
	bool pass_wanted;
	virConnectPtr connection;	/* NULL: none */
	unsigned n_vsis;
	struct vsis_of *vsis;
	/* The pass's own. */
	struct seen_macs ours;
	bool said_no_engine, said_failed;
};

static int parse(int argc, char **argv, struct agent *agent);
static int usage(void);
static void quiet(void *arg, virErrorPtr error);
static virConnectPtr connect_to(struct agent *agent, bool *said);
static void follow(struct agent *agent, virConnectPtr connection);
static void set_connection(struct agent *agent, virConnectPtr connection);
static void on_closed(virConnectPtr connection, int reason, void *arg);
static int on_event(virConnectPtr connection, virDomainPtr domain, int event, int detail,
		    void *arg);
static void on_time(int timer, void *arg);
static void want_pass(struct agent *agent);
static void suspend(struct agent *agent, virDomainPtr domain);
static void no_row(void *arg, bool head, const struct link_row *row);
static void *passes(void *arg);
static void pass(struct agent *agent, virConnectPtr connection);
static bool ask_leases(struct agent *agent, struct seen_leases *ret_seen);
static void take_row(void *arg, bool head, const struct link_row *row);
static bool treat(struct agent *agent, virDomainPtr domain,
		  const struct seen_leases *seen, struct vsis_of *ret_vsis,
		  struct seen_macs *here);
static void update(struct agent *agent, virDomainPtr domain, const struct domain *known,
		   const struct seen_leases *seen);
static void note_vsis(struct agent *agent, struct vsis_of *vsis, unsigned n);

int main(int argc, char **argv)
{
	struct agent agent = { .uri = "qemu:///system", .interval_s = 5 };
	bool said = false;
	pthread_t thread;
	int err = parse(argc, argv, &agent);

	if (err)
		return err;
	openlog("vdp-migrate-agent", LOG_PID | (isatty(2) ? LOG_PERROR : 0), LOG_DAEMON);
	virSetErrorFunc(NULL, quiet);
	pthread_mutex_init(&agent.lock, NULL);
	pthread_cond_init(&agent.wanted, NULL);
	if (virInitialize() || virEventRegisterDefaultImpl() ||
	    virEventAddTimeout(agent.interval_s * 1000, on_time, &agent, NULL) < 0 ||
	    pthread_create(&thread, NULL, passes, &agent)) {
		fprintf(stderr, "vdp-migrate-agent: libvirt's library does not start\n");
		return 2;
	}
	for (;;) {
		virConnectPtr connection = connect_to(&agent, &said);

		if (connection)
			follow(&agent, connection);
		else
			sleep(RETRY_S);
	}
}

/* Statics. */

static int parse(int argc, char **argv, struct agent *agent)
{
	static const struct option options[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "interval", required_argument, NULL, 'i' },
		{ 0 },
	};
	char *end;
	long interval;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			agent->uri = optarg;
			break;
		case 'i':
			interval = strtol(optarg, &end, 10);
			if (*end || interval < 1 || interval > INTERVAL_MAX_S)
				return usage();
			agent->interval_s = (int)interval;
			break;
		default:
			return usage();
		}
	}
	return optind == argc ? 0 : usage();
}

static int usage(void)
{
	fprintf(stderr,
		"usage: vdp-migrate agent [--connect URI] [--interval SECONDS]\n");
	return 3;
}

/* What counts is logged with what it was about. */
static void quiet(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static virConnectPtr connect_to(struct agent *agent, bool *said)
{
	virConnectPtr connection = virConnectOpen(agent->uri);

	if (!connection) {
		if (!*said)
			syslog(LOG_WARNING, "libvirt (%s): %s; tried again every %d s",
			       agent->uri, virGetLastErrorMessage(), RETRY_S);
		*said = true;
		return NULL;
	}
	*said = false;
	syslog(LOG_INFO, "follows libvirt (%s)", agent->uri);
	return connection;
}

/* Until the connection ends. */
static void follow(struct agent *agent, virConnectPtr connection)
{
	int events;

	agent->gone = false;
	set_connection(agent, connection);
	/* In-process drivers have neither. */
	(void)virConnectSetKeepAlive(connection, 5, 3);
	(void)virConnectRegisterCloseCallback(connection, on_closed, agent, NULL);
	events = virConnectDomainEventRegisterAny(
		connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
		VIR_DOMAIN_EVENT_CALLBACK(on_event), agent, NULL);
	if (events < 0)
		syslog(LOG_WARNING, "no events of libvirt: %s", virGetLastErrorMessage());
	want_pass(agent);
	while (!agent->gone && virEventRunDefaultImpl() == 0)
		;
	syslog(LOG_WARNING, "libvirt (%s) has gone", agent->uri);
	if (events >= 0)
		(void)virConnectDomainEventDeregisterAny(connection, events);
	(void)virConnectUnregisterCloseCallback(connection, on_closed);
	set_connection(agent, NULL);
	virConnectClose(connection);
}

static void set_connection(struct agent *agent, virConnectPtr connection)
{
	pthread_mutex_lock(&agent->lock);
	agent->connection = connection;
	pthread_mutex_unlock(&agent->lock);
}

static void on_closed(virConnectPtr connection, int reason, void *arg)
{
	struct agent *agent = arg;

	(void)connection;
	(void)reason;
	agent->gone = true;
}

static int on_event(virConnectPtr connection, virDomainPtr domain, int event, int detail,
		    void *arg)
{
	struct agent *agent = arg;

	(void)connection;
	if (event == VIR_DOMAIN_EVENT_SUSPENDED &&
	    (detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED ||
	     detail == VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY))
		suspend(agent, domain);
	else
		want_pass(agent);
	return 0;
}

static void on_time(int timer, void *arg)
{
	(void)timer;
	want_pass(arg);
}

static void want_pass(struct agent *agent)
{
	pthread_mutex_lock(&agent->lock);
	agent->pass_wanted = true;
	pthread_cond_signal(&agent->wanted);
	pthread_mutex_unlock(&agent->lock);
}

/* It has stopped here, to go on elsewhere: its switch is told. */
static void suspend(struct agent *agent, virDomainPtr domain)
{
	static const struct link_answer_ops none = { .row = no_row };
	struct vsis_of found = { .n = 0 };
	struct link_done done = { .code = 0 };
	char uuid[VIR_UUID_STRING_BUFLEN];
	int fd, err = 0;

	if (virDomainGetUUIDString(domain, uuid))
		return;
	pthread_mutex_lock(&agent->lock);
	for (unsigned i = 0; i < agent->n_vsis; i++)
		if (!strcmp(agent->vsis[i].uuid, uuid))
			found = agent->vsis[i];
	pthread_mutex_unlock(&agent->lock);
	if (!found.n)
		return;
	fd = link_client_connect_within(SUSPEND_MS);
	if (fd < 0)
		err = fd;
	for (unsigned i = 0; !err && i < found.n; i++) {
		struct link_msg msg = { .type = LINK_SUSPEND };

		msg.u.suspend.seq = i + 1;
		msg.u.suspend.id = found.ids[i];
		err = link_client_ask(fd, &msg, &none, NULL, &done);
	}
	if (fd >= 0)
		close(fd);
	if (err)
		syslog(LOG_WARNING, "%s has stopped to go on elsewhere; not told: %s",
		       virDomainGetName(domain), strerror(-err));
}

static void no_row(void *arg, bool head, const struct link_row *row)
{
	(void)arg;
	(void)head;
	(void)row;
}

static void *passes(void *arg)
{
	struct agent *agent = arg;
	virConnectPtr connection;

	for (;;) {
		pthread_mutex_lock(&agent->lock);
		while (!agent->pass_wanted)
			pthread_cond_wait(&agent->wanted, &agent->lock);
		agent->pass_wanted = false;
		connection = agent->connection;
		if (connection)
			virConnectRef(connection);
		pthread_mutex_unlock(&agent->lock);
		if (!connection)
			continue;
		pass(agent, connection);
		virConnectClose(connection);
	}
	return NULL;
}

static void pass(struct agent *agent, virConnectPtr connection)
{
	struct seen_leases seen = { 0 };
	bool engine = ask_leases(agent, &seen);
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(connection, &domains,
					 VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	struct vsis_of *vsis = calloc(n > 0 ? (size_t)n : 1, sizeof(*vsis));
	struct seen_macs here = { 0 };
	bool whole = vsis && n >= 0;

	for (int i = 0; i < n; i++) {
		if (vsis && !treat(agent, domains[i], engine ? &seen : NULL, &vsis[i],
				   &here))
			whole = false;
		virDomainFree(domains[i]);
	}
	free(domains);
	seen_leases_free(&seen);
	/* One that has left may come back with a lease that is not ours. */
	if (whole)
		seen_macs_keep(&agent->ours, &here);
	seen_macs_clear(&here);
	if (vsis && n >= 0)
		note_vsis(agent, vsis, (unsigned)n);
	else
		free(vsis);
}

/* An engine that has been away has forgotten: what we have put into metadata stays. */
static bool ask_leases(struct agent *agent, struct seen_leases *ret_seen)
{
	static const struct link_answer_ops ops = { .row = take_row };
	struct link_msg msg = { .type = LINK_SHOW };
	struct link_done done = { .code = 0 };
	struct table rows = { 0 };
	int fd = link_client_connect();
	int err = fd < 0 ? fd : 0;

	msg.u.show = (struct link_show){ .seq = 1, .table = "leases" };
	if (!err)
		err = link_client_ask(fd, &msg, &ops, &rows, &done);
	if (!err)
		err = -done.code;
	if (!err)
		err = seen_leases_read(&rows, (int64_t)time(NULL), ret_seen);
	if (fd >= 0)
		close(fd);
	table_done(&rows);
	if (err) {
		if (!agent->said_no_engine)
			syslog(LOG_WARNING, "no leases from the engine: %s",
			       *done.text ? done.text : strerror(-err));
		seen_macs_clear(&agent->ours);
	}
	agent->said_no_engine = err;
	return !err;
}

static void take_row(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	(void)table_add(arg, row);
}

/* seen NULL: not known. Its MACs are added to here; false: it cannot be read. */
static bool treat(struct agent *agent, virDomainPtr domain,
		  const struct seen_leases *seen, struct vsis_of *ret_vsis,
		  struct seen_macs *here)
{
	struct domain *known = calloc(1, sizeof(*known));
	char why[DOMAIN_WHY_MAX];

	if (!known || agent_domain_read(domain, known, why)) {
		free(known);
		return false;
	}
	(void)virDomainGetUUIDString(domain, ret_vsis->uuid);
	for (unsigned i = 0; i < known->n_nics; i++) {
		seen_macs_add(here, &known->nics[i].mac);
		if (known->nics[i].named)
			ret_vsis->ids[ret_vsis->n++] = known->nics[i].id;
	}
	if (seen)
		update(agent, domain, known, seen);
	free(known);
	return true;
}

static void update(struct agent *agent, virDomainPtr domain, const struct domain *known,
		   const struct seen_leases *seen)
{
	const char *name = virDomainGetName(domain);
	const int64_t now = (int64_t)time(NULL);

	switch (agent_domain_update(domain, known, seen, &agent->ours, now)) {
	case AGENT_WRITTEN:
		syslog(LOG_INFO, "%s: leases in its metadata brought up to date", name);
		agent->said_failed = false;
		break;
	case AGENT_FAILED:
		if (!agent->said_failed)
			syslog(LOG_WARNING, "%s: leases not written into its metadata: "
			       "%s", name, virGetLastErrorMessage());
		agent->said_failed = true;
		break;
	case AGENT_BUSY:
	case AGENT_NOTHING:
		break;
	}
}

static void note_vsis(struct agent *agent, struct vsis_of *vsis, unsigned n)
{
	struct vsis_of *before;

	pthread_mutex_lock(&agent->lock);
	before = agent->vsis;
	agent->vsis = vsis;
	agent->n_vsis = n;
	pthread_mutex_unlock(&agent->lock);
	free(before);
}
