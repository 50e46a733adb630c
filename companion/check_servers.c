/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way to the DHCP servers: giaddr, the address that they are asked from and answer
 * to, and whether each of them answers a leasequery (RFC 4388) at all. They are asked
 * for a MAC address that nobody has: any answer will do.
 */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_client.h"
#include "vdp_migrate/leasequery.h"
#include "wire/text.h"

#define ANSWER_MS 15000
#define UDP_TEXT (256 * 1024)

static bool asks(const struct check *check, unsigned row);
static bool is_asked(const struct check *check, const char *server);
static void giaddr(struct check *check, unsigned row, bool held);
static void given(struct check *check, const char *port, char *list, bool held);
static bool own(const char *address, const char *interface, bool *ret_on_lo);
static bool port_67_is_held(const struct check *check);
static bool is_held(const struct check *check, const char *table);
static void servers(struct check *check, bool asking);
static void silent(struct check *check, const char *server);
static void take(void *arg, bool head, const struct link_row *row);

#define PORT(name) table_field(&check->ports, row, name)

void check_servers(struct check *check, bool ask)
{
	unsigned before = check->found;
	bool held = port_67_is_held(check);

	for (unsigned row = 1; row < check->ports.rows; row++)
		if (asks(check, row))
			giaddr(check, row, held);
	/* Without a giaddr they cannot answer. */
	if (check->found == before)
		servers(check, ask);
}

static bool asks(const struct check *check, unsigned row)
{
	return !strcmp(PORT("use"), "yes") && !strcmp(PORT("role"), "bridge") &&
	       (!strcmp(PORT("assist"), "auto") || !strcmp(PORT("assist"), "leasequery"));
}

/* By a port, not by a person's leasequery alone. There it is ADDRESS or VLAN:ADDRESS. */
static bool is_asked(const struct check *check, const char *server)
{
	for (unsigned row = 1; row < check->ports.rows; row++) {
		char list[512], *rest = list, *one;

		snprintf(list, sizeof(list), "%s", asks(check, row) ? PORT("servers") : "");
		while ((one = strsep(&rest, ",")))
			if (!strcmp(one, server) ||
			    (strchr(one, ':') && !strcmp(strchr(one, ':') + 1, server)))
				return true;
	}
	return false;
}

static void giaddr(struct check *check, unsigned row, bool held)
{
	char bridge[VM_IFNAME_MAX], list[512];
	const char *port = PORT("port");
	bool on_lo;

	if (!*PORT("servers")) {
		if (!strcmp(PORT("assist"), "leasequery"))
			check_found(
				check, "no-servers",
				"vdp-migrate set servers=ADDRESS (or lldptool, one port)",
				"%s: assist=leasequery, and no DHCP server is set", port);
		return;
	}
	snprintf(list, sizeof(list), "%s", PORT("giaddr"));
	if (*list)
		given(check, port, list, held);
	else if (held)
		check_found(check, "no-giaddr",
			    "ip addr add ADDRESS/32 dev lo, routed to this switch by the "
			    "servers; "
			    "vdp-migrate set giaddr=ADDRESS",
			    "%s: none is set, and another program on this machine (a "
			    "DHCP relay or "
			    "server) holds UDP port 67: no leasequery can be sent",
			    port);
	else if (check_bridge_of(port, bridge) && !own(NULL, bridge, &on_lo))
		check_found(check, "no-giaddr",
			    "ip addr add ADDRESS/PREFIX dev BRIDGE, or vdp-migrate set "
			    "giaddr=ADDRESS",
			    "%s: none is set, and bridge %s has no IPv4 address: no "
			    "leasequery can "
			    "be sent",
			    port, bridge);
}

/* ADDRESS or VLAN:ADDRESS, with commas. */
static void given(struct check *check, const char *port, char *list, bool held)
{
	char *one;

	while ((one = strsep(&list, ","))) {
		bool on_lo = false;
		char *colon = strchr(one, ':');

		if (colon && !strchr(colon + 1, ':'))
			one = colon + 1;
		if (strchr(one, ':'))
			continue; /* of IPv6 */
		if (!own(one, NULL, &on_lo))
			check_found(
				check, "giaddr-not-ours",
				"ip addr add ADDRESS/32 dev lo, or set another giaddr",
				"%s: giaddr %s is no address of this machine", port, one);
		else if (held && !on_lo)
			check_found(check, "giaddr-of-relay",
				    "ip addr add ADDRESS/32 dev lo, routed to this "
				    "switch by the "
				    "servers; giaddr=ADDRESS",
				    "%s: giaddr %s is one that a DHCP relay or server on "
				    "this machine "
				    "needs (it holds UDP port 67): the answers meant for "
				    "it would "
				    "come to the engine",
				    port, one);
	}
}

/* An address, or any of the interface's. */
static bool own(const char *address, const char *interface, bool *ret_on_lo)
{
	struct ifaddrs *all = NULL;
	bool found = false;
	struct in_addr wanted = { 0 };

	if (getifaddrs(&all) || (address && inet_pton(AF_INET, address, &wanted) != 1))
		return true;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		struct sockaddr_in in;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&in, i->ifa_addr, sizeof(in));
		found = address ? in.sin_addr.s_addr == wanted.s_addr
				: !strcmp(i->ifa_name, interface);
		*ret_on_lo = found && i->ifa_flags & IFF_LOOPBACK;
	}
	freeifaddrs(all);
	return found;
}

/* By another than the engine; a socket of IPv6 may take IPv4 as well. */
static bool port_67_is_held(const struct check *check)
{
	return is_held(check, "/proc/net/udp") || is_held(check, "/proc/net/udp6");
}

static bool is_held(const struct check *check, const char *table)
{
	char *text = malloc(UDP_TEXT), *rest = text, *line;
	bool held = false;

	if (!text)
		return false;
	check_read(table, text, UDP_TEXT);
	while ((line = strsep(&rest, "\n"))) {
		unsigned port, uid;

		if (sscanf(line, " %*u: %*x:%x %*x:%*x %*x %*x:%*x %*x:%*x %*x %u", &port,
			   &uid) == 2 &&
		    port == 67 && uid != check->engine_uid)
			held = true;
	}
	free(text);
	return held;
}

static void servers(struct check *check, bool asking)
{
	static const struct link_answer_ops ops = { .row = take };
	struct link_msg msg = { .type = LINK_ASK,
				.u.ask = { .seq = 2,
					   .key = LQ_BY_MAC,
					   .mac = { { 2, 0, 0, 0x56, 0x4d, 1 } } } };
	struct table answers = { 0 };
	struct link_done done = { 0 };
	int err;

	for (unsigned row = 1; row < check->servers.rows; row++) {
		const char *server = table_field(&check->servers, row, "server");

		if (!is_asked(check, server))
			continue;
		if (!asking &&
		    !strcmp(table_field(&check->servers, row, "state"), "silent"))
			silent(check, server);
		if (msg.u.ask.n_servers < LINK_SERVERS_MAX &&
		    !addr_parse(server, &msg.u.ask.servers[msg.u.ask.n_servers]))
			msg.u.ask.n_servers++;
	}
	if (!asking || check->fd < 0 || !msg.u.ask.n_servers ||
	    link_client_within(check->fd, ANSWER_MS))
		return;
	err = link_client_ask(check->fd, &msg, &ops, &answers, &done);
	if (err || done.code)
		check_found(check, "no-leasequery",
			    done.code == EBUSY ? "when those have ended, say it again"
					       : "see the engine's log (journalctl -u "
						 "vdp-migrated)",
			    "no DHCP server can be asked: %s",
			    err ? strerror(-err) : done.text);
	for (unsigned i = 0; !err && !done.code && i < msg.u.ask.n_servers; i++) {
		char server[ADDR_TEXT_MAX];
		bool answered = false;

		addr_text(&msg.u.ask.servers[i], server);
		for (unsigned row = 1; row < answers.rows; row++)
			answered |= !strcmp(table_field(&answers, row, "from"), server);
		if (!answered)
			silent(check, server);
	}
	table_done(&answers);
}

static void silent(struct check *check, const char *server)
{
	check_found(check, "server-silent",
		    "see that it runs, allows leasequery (ISC dhcpd: 'allow "
		    "leasequery;') and has a "
		    "route to giaddr, and that no filter drops UDP port 67; one "
		    "that cannot: assist=help",
		    "DHCP server %s does not answer leasequeries: it denies them, or is "
		    "not to be "
		    "reached",
		    server);
}

static void take(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	(void)table_add(arg, row);
}
