/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's sockets and its sandbox alone, for test_edges.py: a command a line on
 * standard input, its answer lines on standard output, "ok" or "error" behind them.
 *   vlans NAME   port NAME   name IFINDEX   address IFINDEX   changes (waits for some)
 *   send GIADDR SERVER TEXT   receive (waits for one)   port67   counts
 *   frames N (waits for N)
 *   put PORT VLAN GROUP   drop PORT VLAN GROUP   move PORT VLAN MAC   router PORT on|off
 *   back PORT VLAN MAC PORT|-   mac BRIDGE MAC (the port that has it)
 * Its argument is the state directory. Or: edge_driver sandbox USER COMMAND…;
 * edge_driver may UID GID.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/bridge_db.h"
#include "engine/bridge_set.h"
#include "engine/log.h"
#include "engine/lq_socket.h"
#include "engine/port_socket.h"
#include "engine/router_ports.h"
#include "engine/sandbox.h"
#include "wire/text.h"

#define WAIT_MS 5000

static struct bridge_db *db;
static struct lq_socket *lq;
static struct port_socket *ports;
static struct bridge_set *set;
static struct router_ports *routers;
static unsigned told;

static void changed(void *arg, const char *name)
{
	(void)arg;
	printf("%s\n", name);
	told++;
}

static void message(void *arg, const struct addr *giaddr, const struct addr *server,
		    uint16_t sport, const uint8_t *msg, size_t len)
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

	(void)arg;
	(void)sport;
	printf("%s %s %.*s\n", addr_text(giaddr, a), addr_text(server, b), (int)len,
	       (const char *)msg);
	told++;
}

static void frame(void *arg, uint32_t ifindex, bool out, uint16_t vlan,
		  const uint8_t *octets, size_t len)
{
	(void)arg;
	(void)out;
	printf("%u %u ", ifindex, vlan);
	for (size_t i = 0; i < len; i++)
		printf("%02x", octets[i]);
	printf("\n");
	told++;
}

/* Dispatch until n have been told or nothing comes any more. */
static int await(int fd, unsigned n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (told = 0; told < n;) {
		if (poll(&p, 1, WAIT_MS) <= 0)
			return -110;
		if (fd == bridge_db_fd(db))
			bridge_db_dispatch(db, changed, NULL);
		else if (fd == lq_socket_fd(lq))
			lq_socket_dispatch(lq, message, NULL);
		else
			port_socket_dispatch(ports, frame, NULL);
	}
	return 0;
}

static int show_port(const char *name)
{
	struct bridge_db_port port;

	if (!bridge_db_port(db, name, &port))
		return -2;
	printf("%u %u %s %u %s\n", port.ifindex, port.port_ifindex, port.port_name,
	       port.bridge_ifindex, port.bridge_name);
	return 0;
}

static int show_vlans(const char *name)
{
	struct bridge_db_port port;
	bool placed = bridge_db_port(db, name, &port);

	printf("%s %s", port.port_name, port.offloaded ? "offloaded" : "ours");
	if (placed && port.vlans)
		printf(" pvid %u%s own %u", port.pvid, port.pvid_tagged ? " tagged" : "",
		       bridge_db_own_vlan(db, port.bridge_ifindex));
	printf("\n");
	return 0;
}

static int show_name(const char *ifindex)
{
	char name[VM_IFNAME_MAX];

	if (!bridge_db_name(db, (uint32_t)atoi(ifindex), name))
		return -2;
	printf("%s\n", name);
	return 0;
}

static int show_address(const char *ifindex)
{
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	if (!bridge_db_address(db, (uint32_t)atoi(ifindex), &addr))
		return -2;
	printf("%s\n", addr_text(&addr, text));
	return 0;
}

static int send_message(char **word)
{
	struct addr giaddr, server;

	if (addr_parse(word[1], &giaddr) < 0 || addr_parse(word[2], &server) < 0)
		return -22;
	return lq_socket_send(lq, &giaddr, &server, (const uint8_t *)word[3],
			      strlen(word[3]));
}

static int show_counts(void)
{
	const struct lq_socket_counts *c = lq_socket_counts(lq);
	const struct port_socket_counts *p = port_socket_counts(ports);

	printf("%lu %lu %lu %lu %lu\n", c->sent, c->send_errors, c->received,
	       c->other_port, c->too_long);
	printf("%lu %lu %lu\n", p->frames, p->odd, p->lost);
	return 0;
}

static int change(const char *verb, char **word)
{
	struct bridge_db_port port, to = { 0 };
	struct addr group;
	struct mac mac;
	int err;
	uint16_t vlan = (uint16_t)atoi(word[2]);

	if (!strcmp(verb, "router") && !strcmp(word[2], "off"))
		return router_ports_off(routers, word[1]);
	if (!bridge_db_port(db, word[1], &port))
		return -19;
	if (!strcmp(verb, "router"))
		return router_ports_on(routers, port.port_ifindex, word[1]);
	if (!strcmp(verb, "move"))
		return mac_parse(word[3], &mac) < 0
			       ? -22
			       : bridge_set_mac(set, port.port_ifindex, vlan, &mac);
	if (!strcmp(verb, "back")) {
		char *name = word[3], *text = strsep(&name, " ");

		if (mac_parse(text, &mac) < 0 || !name ||
		    (strcmp(name, "-") && !bridge_db_port(db, name, &to)))
			return -22;
		return bridge_set_mac_back(set, port.port_ifindex, to.port_ifindex, vlan,
					   &mac);
	}
	err = addr_parse(word[3], &group) < 0
		      ? -22
		      : bridge_set_group(set, port.bridge_ifindex, port.port_ifindex, vlan,
					 &group, !strcmp(verb, "put"));
	bridge_set_flushed(set);
	return err;
}

static int show_mac(char **word)
{
	char name[VM_IFNAME_MAX];
	struct mac mac;

	if (mac_parse(word[2], &mac) < 0 ||
	    !bridge_db_port_of_mac(db, (uint32_t)atoi(word[1]), &mac, name))
		return -2;
	printf("%s\n", name);
	return 0;
}

static int run(char **word)
{
	const char *verb = word[0];

	if (!strcmp(verb, "port"))
		return show_port(word[1]);
	if (!strcmp(verb, "vlans"))
		return show_vlans(word[1]);
	if (!strcmp(verb, "name"))
		return show_name(word[1]);
	if (!strcmp(verb, "address"))
		return show_address(word[1]);
	if (!strcmp(verb, "changes"))
		return await(bridge_db_fd(db), 1);
	if (!strcmp(verb, "send"))
		return send_message(word);
	if (!strcmp(verb, "receive"))
		return await(lq_socket_fd(lq), 1);
	if (!strcmp(verb, "port67"))
		return lq_socket_port67_free(lq);
	if (!strcmp(verb, "put") || !strcmp(verb, "drop") || !strcmp(verb, "move") ||
	    !strcmp(verb, "back") || !strcmp(verb, "router"))
		return change(verb, word);
	if (!strcmp(verb, "mac"))
		return show_mac(word);
	if (!strcmp(verb, "counts"))
		return show_counts();
	return strcmp(verb, "frames")
		       ? -38
		       : await(port_socket_fd(ports), (unsigned)atoi(word[1]));
}

static int sandbox(char **argv)
{
	char error[256] = "";

	if (sandbox_enter(argv[0], error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc > 3 && !strcmp(argv[1], "sandbox"))
		return sandbox(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "may"))
		return !sandbox_may_control((uid_t)atoi(argv[2]), (gid_t)atoi(argv[3]));
	if (bridge_db_new(&db) < 0 || lq_socket_new(&lq) < 0 ||
	    port_socket_new(&ports) < 0 || bridge_set_new(&set) < 0)
		return 1;
	log_open(true);
	routers = router_ports_new(set, argc > 1 ? argv[1] : "/nonexistent");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	printf("ok 0\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char empty[] = "", *word[4] = { empty, empty, empty, empty },
		     *rest = line;
		int r;

		for (int i = 0; i < 4 && rest; i++)
			word[i] = strsep(&rest, i < 3 ? " \n" : "\n");
		r = run(word);
		printf("%s %d %s\n", r < 0 ? "error" : "ok", r,
		       r < 0 ? strerror(-r) : "");
		fflush(stdout);
	}
	router_ports_free(routers);
	bridge_set_free(set);
	bridge_db_free(db);
	lq_socket_free(lq);
	port_socket_free(ports);
	return 0;
}
