/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leasequery: ask DHCP servers by hand. With the engine running through it, its socket
 * on giaddr:67 would get the answers; without it by a socket of our own. Exit status:
 * 0 a lease is active, 1 there is none, 2 no answer, 3 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "core/keys.h"
#include "lq_direct.h"
#include "table.h"
#include "wire/text.h"

#define TIMEOUT_MS 6000 /* all tries of the client */
#define TIMEOUT_MAX_S 60

struct asking {
	struct link_ask ask;
	unsigned timeout_ms;
	bool json;
	int fd;			/* the engine */
	struct timespec end;
	struct table row;	/* the head, and the row that comes in */
	struct lq_replies replies;
};

static const char *const keys[] = {
	[LQ_BY_MAC] = "mac", [LQ_BY_IP] = "ip", [LQ_BY_CLIENT_ID] = "client-id",
	[LQ_BY_REMOTE_ID] = "remote-id",
};

static int parse(int argc, char **argv, struct asking *asking);
static int parse_key(char **argv, const char *key, const char *value,
		     struct link_ask *ask);
static int parse_remote_id(const char *value, struct client_id *ret_id);
static int parse_option(int option, char *value, struct asking *asking);
static int parse_servers(char *value, struct link_ask *ask);
static int through_engine(char **argv, struct asking *asking);
static int directly(char **argv, struct asking *asking);
static void take_row(void *arg, bool head, const struct link_row *row);
static void wait_until_end(const struct asking *asking);

int command_leasequery(int argc, char **argv)
{
	static const int codes[] = { [LQ_SILENT] = 2, [LQ_UNASSIGNED] = 1, [LQ_UNKNOWN] = 1,
				     [LQ_ACTIVE] = 0 };
	struct asking asking = { .timeout_ms = TIMEOUT_MS };
	int code = parse(argc, argv, &asking);

	if (code)
		return code;
	asking.fd = link_client_connect();
	if (asking.fd >= 0)
		code = through_engine(argv, &asking);
	else if (asking.fd == -ECONNREFUSED)
		code = directly(argv, &asking);
	else
		code = command_not_there(asking.fd);
	if (code)
		return code;
	if (asking.json)
		(void)lq_replies_json(&asking.replies, stdout);
	else
		lq_replies_print(&asking.replies, stdout);
	return codes[lq_replies_outcome(&asking.replies)];
}

/* Arguments. */

static int parse(int argc, char **argv, struct asking *asking)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' },
		{ "giaddr", required_argument, NULL, 'g' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	asking->ask.seq = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help leasequery'");
		if (parse_option(option, optarg, asking))
			return command_wrong_use(
				argv, "'%s' is no %s", optarg,
				option == 's'	? "list of up to 8 IPv4 addresses"
				: option == 'g' ? "IPv4 address"
						: "time in seconds, up to 60");
	}
	if (optind + 2 != argc)
		return command_wrong_use(argv, "a key and its value are wanted");
	return parse_key(argv, argv[optind], argv[optind + 1], &asking->ask);
}

static int parse_key(char **argv, const char *key, const char *value,
		     struct link_ask *ask)
{
	unsigned n = sizeof(keys) / sizeof(*keys), i = 0;
	int err = 0;

	while (i < n && strcmp(keys[i], key))
		i++;
	if (i == n)
		return command_wrong_use(argv, "no key '%s'", key);
	ask->key = (uint8_t)i;
	switch ((enum lq_key)i) {
	case LQ_BY_MAC:
		err = mac_parse(value, &ask->mac) || mac_is_zero(&ask->mac);
		break;
	case LQ_BY_IP:
		err = addr_parse(value, &ask->ip) || ask->ip.family != ADDR_IPV4 ||
		      addr_is_any(&ask->ip);
		break;
	case LQ_BY_CLIENT_ID:
		err = client_id_parse(value, &ask->id) || !ask->id.len;
		break;
	case LQ_BY_REMOTE_ID:
		err = parse_remote_id(value, &ask->id);
		break;
	}
	return err ? command_wrong_use(argv, "'%s' is no %s", value, keys[i]) : 0;
}

/* "text:…" as it stands; a VSI instance ID: its 16 octets; else hex digits. */
static int parse_remote_id(const char *value, struct client_id *ret_id)
{
	struct vsi_id vsi;
	size_t len;

	if (!strncmp(value, "text:", 5)) {
		len = strlen(value + 5);
		if (!len || len > 253)
			return -EINVAL;
		ret_id->len = (uint8_t)len;
		memcpy(ret_id->b, value + 5, len);
		return 0;
	}
	if (!vsi_id_parse(value, &vsi) && vsi.format != VSI_ID_MAC) {
		ret_id->len = sizeof(vsi.b);
		memcpy(ret_id->b, vsi.b, sizeof(vsi.b));
		return 0;
	}
	return client_id_parse(value, ret_id) || !ret_id->len || ret_id->len > 253 ? -EINVAL : 0;
}

static int parse_option(int option, char *value, struct asking *asking)
{
	char *end;
	double seconds;

	switch (option) {
	case 's':
		return parse_servers(value, &asking->ask);
	case 'g':
		return addr_parse(value, &asking->ask.giaddr) ||
		       asking->ask.giaddr.family != ADDR_IPV4 ||
		       addr_is_any(&asking->ask.giaddr);
	case 't':
		seconds = strtod(value, &end);
		if (*end || end == value || !(seconds > 0 && seconds <= TIMEOUT_MAX_S))
			return -EINVAL;
		asking->timeout_ms = (unsigned)(seconds * 1000);
		return 0;
	default:
		asking->json = true;
		return 0;
	}
}

static int parse_servers(char *value, struct link_ask *ask)
{
	char text[256];
	char *rest = text, *one;

	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	ask->n_servers = 0;
	while ((one = strsep(&rest, ","))) {
		struct addr addr;

		if (ask->n_servers == LINK_SERVERS_MAX || addr_parse(one, &addr) ||
		    addr.family != ADDR_IPV4 || addr_is_any(&addr))
			return -EINVAL;
		ask->servers[ask->n_servers++] = addr;
	}
	return 0;
}

/* The two ways. 0, or an exit code with what is wrong said. */

static int through_engine(char **argv, struct asking *asking)
{
	static const struct link_answer_ops ops = { .row = take_row };
	struct link_msg msg = { .type = LINK_ASK, .u.ask = asking->ask };
	struct link_done done = { .code = 0 };
	int err;

	clock_gettime(CLOCK_MONOTONIC, &asking->end);
	asking->end.tv_sec += asking->timeout_ms / 1000;
	asking->end.tv_nsec += asking->timeout_ms % 1000 * 1000000;
	wait_until_end(asking);
	err = link_client_ask(asking->fd, &msg, &ops, asking, &done);
	close(asking->fd);
	table_done(&asking->row);
	/* Whoever has answered by then has. */
	if (err == -EAGAIN)
		return 0;
	if (err)
		return command_not_there(err);
	if (done.code)
		return command_wrong_use(argv, "%s", done.text);
	return 0;
}

static int directly(char **argv, struct asking *asking)
{
	const struct link_ask *ask = &asking->ask;
	struct lq_question question = {
		.key = (enum lq_key)ask->key, .mac = ask->mac, .ip = ask->ip, .id = ask->id,
		.giaddr = ask->giaddr, .n_servers = ask->n_servers,
	};
	const char *why = NULL;
	int err;

	if (!ask->n_servers)
		return command_wrong_use(argv, "the engine is not running: say --server");
	memcpy(question.servers, ask->servers, sizeof(ask->servers));
	err = lq_direct(&question, asking->timeout_ms, &asking->replies, &why);
	if (!err)
		return 0;
	if (err == -EADDRINUSE || err == -EADDRNOTAVAIL || err == -EINVAL)
		return command_wrong_use(argv, "%s (%s)", why, strerror(-err));
	fprintf(stderr, "vdp-migrate: %s: %s\n", why, strerror(-err));
	return EXIT_NOT_THERE;
}

static void take_row(void *arg, bool head, const struct link_row *row)
{
	struct asking *asking = arg;
	struct lq_answer answer = { .last_s = LQ_NO_TIME };
	const struct table *t = &asking->row;
	char *also, *one;
	char text[LQ_ADDRS_MAX * ADDR_TEXT_MAX];

	if (!head)
		table_drop_rows(&asking->row);
	if (table_add(&asking->row, row) || head)
		return;
	answer.outcome = keys_outcome_parse(table_field(t, 1, "type"));
	(void)addr_parse(table_field(t, 1, "from"), &answer.server);
	if (!addr_parse(table_field(t, 1, "address"), &answer.addrs[0]))
		answer.n_addrs = 1;
	(void)mac_parse(table_field(t, 1, "mac"), &answer.mac);
	(void)client_id_parse(table_field(t, 1, "client-id"), &answer.client_id);
	(void)addr_parse(table_field(t, 1, "server-id"), &answer.server_id);
	answer.lease_s = LQ_FOREVER;
	if (*table_field(t, 1, "lease"))
		answer.lease_s = (uint32_t)strtoul(table_field(t, 1, "lease"), NULL, 10);
	if (*table_field(t, 1, "last"))
		answer.last_s = (uint32_t)strtoul(table_field(t, 1, "last"), NULL, 10);
	snprintf(text, sizeof(text), "%s", table_field(t, 1, "also"));
	for (also = text; *text && answer.n_addrs < LQ_ADDRS_MAX && (one = strsep(&also, " "));)
		if (!addr_parse(one, &answer.addrs[answer.n_addrs]))
			answer.n_addrs++;
	lq_replies_add(&asking->replies, &answer);
	wait_until_end(asking);
}

/* For the next word of the engine. */
static void wait_until_end(const struct asking *asking)
{
	struct timespec now;
	struct timeval wait = { .tv_usec = 1000 };
	long long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (asking->end.tv_sec - now.tv_sec) * 1000000LL +
	       (asking->end.tv_nsec - now.tv_nsec) / 1000;
	if (left > wait.tv_usec)
		wait = (struct timeval){ left / 1000000, left % 1000000 };
	(void)setsockopt(asking->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}
