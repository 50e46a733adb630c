/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The floor: what the product's main path would cost without the product. One process,
 * one loop: sniffs ECP on a port; for each VDP association request with the M-bit asks
 * a DHCP server by DHCPLEASEQUERY (RFC 4388); puts the answer into the nf_tables set
 * b4u of table bridge vdp_migrate. Queries and transactions are octets made once, in
 * which a few fields are filled in. It keeps no table, repeats no query, checks little,
 * and is no example.
 *
 *   sidecar PORT GIADDR SERVER [WINDOW]
 *
 * With WINDOW it sniffs nothing: lines "FIRST COUNT" say which VSIs are to be bound (their
 * MACs end in the number), and so many queries are out at once.
 *
 * At SIGTERM it prints what it has done: VSI number and time (CLOCK_REALTIME, ns) at
 * which the transaction was committed.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"

#define DONE_MAX 65536
#define ASKED_MAX 65536		/* xid: number of the question */
#define DHCP_PORT 67
#define LEASEQUERY 10
#define LEASEACTIVE 13
#define AT_XID 4
#define AT_CIADDR 12
#define AT_CHADDR 28
#define AT_OPTIONS 240
#define AT_STATUS 38		/* of the one association TLV, see frames.c */
#define AT_MAC 63
#define STATUS_M 0x10
#define NETFILTER(what) (NFNL_SUBSYS_NFTABLES << 8 | (what))

/* A transaction as it goes to the kernel, in host byte order where netlink is. */
struct transaction {
	struct nlmsghdr begin;
	struct nfgenmsg begin_head;
	struct nlmsghdr add;
	struct nfgenmsg head;
	struct nlattr table;
	char table_name[12];
	struct nlattr set;
	char set_name[4];
	struct nlattr list, element, key, value;
	char port[16];
	uint8_t mac[8], ip[4];
	struct nlattr timeout;
	uint8_t timeout_ms[8];
	struct nlmsghdr end;
	struct nfgenmsg end_head;
} __attribute__((packed));

static struct {
	int frames, server, kernel, signals;
	uint8_t query[300];
	uint32_t asked;
	uint32_t window, out, next, last;	/* of the VSIs that are known */
	uint8_t macs[ASKED_MAX][6];
	struct transaction transaction;
	uint32_t n;
	struct {
		uint32_t vsi;
		int64_t at;
	} done[DONE_MAX];
} side;

static void open_all(const char *port, struct in_addr giaddr, struct in_addr server);
static int packet_socket(const char *port);
static int server_socket(struct in_addr giaddr, struct in_addr server);
static int kernel_socket(void);
static int signal_socket(void);
static void make_query(struct in_addr giaddr);
static void make_transaction(const char *port);
static void read_known(void);
static void ask_known(void);
static void ask(void);
static void query(const uint8_t *mac);
static void answer(void);
static uint32_t lease_time(const uint8_t *message, size_t len);
static void commit(const uint8_t *mac, const uint8_t *ip, uint32_t seconds);
static void print(void);
static void die(const char *what) __attribute__((noreturn));

int main(int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), *fds[3];
	struct in_addr giaddr, server;

	if (argc < 4 || !inet_aton(argv[2], &giaddr) || !inet_aton(argv[3], &server)) {
		fprintf(stderr, "usage: sidecar PORT GIADDR SERVER\n");
		return EXIT_FAILURE;
	}
	side.window = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
	open_all(argv[1], giaddr, server);
	fds[0] = &side.frames;
	fds[1] = &side.server;
	fds[2] = &side.signals;
	for (int i = 0; i < 3; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = *fds[i] };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, *fds[i], &event))
			die("epoll");
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[3];
		int n = epoll_wait(epoll, events, 3, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == side.signals) {
				print();
				return EXIT_SUCCESS;
			}
			if (events[i].data.fd != side.frames)
				answer();
			else if (side.window)
				read_known();
			else
				ask();
		}
	}
}

static void open_all(const char *port, struct in_addr giaddr, struct in_addr server)
{
	side.signals = signal_socket();
	side.frames = side.window ? STDIN_FILENO : packet_socket(port);
	side.server = server_socket(giaddr, server);
	side.kernel = kernel_socket();
	make_query(giaddr);
	make_transaction(port);
}

static int packet_socket(const char *port)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETHERTYPE_ECP),
				  .sll_ifindex = (int)if_nametoindex(port) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	if (fd < 0 || !at.sll_ifindex || bind(fd, (const void *)&at, sizeof(at)))
		die(port);
	return fd;
}

static int server_socket(struct in_addr giaddr, struct in_addr server)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(DHCP_PORT),
				   .sin_addr = giaddr };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(DHCP_PORT),
				    .sin_addr = server };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const void *)&own, sizeof(own)) ||
	    connect(fd, (const void *)&peer, sizeof(peer)))
		die("UDP socket");
	return fd;
}

static int kernel_socket(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd < 0 || bind(fd, (const void *)&any, sizeof(any)))
		die("netlink socket");
	return fd;
}

static int signal_socket(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

static void make_query(struct in_addr giaddr)
{
	static const uint8_t options[] = {
		0x63, 0x82, 0x53, 0x63, 53, 1, LEASEQUERY, 55, 1, 51, 255,
	};

	side.query[0] = 1;
	side.query[1] = 1;
	side.query[2] = 6;
	memcpy(side.query + 24, &giaddr, 4);
	memcpy(side.query + AT_OPTIONS - 4, options, sizeof(options));
}

#define BEHIND(member) (sizeof(struct transaction) - offsetof(struct transaction, member))
#define UP_TO_END(member) (uint16_t)(BEHIND(member) - BEHIND(end))
#define NESTED(type) ((type) | NLA_F_NESTED)

static void make_transaction(const char *port)
{
	struct transaction *t = &side.transaction;

	*t = (struct transaction){
		.begin = { 20, NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 1, 0 },
		.begin_head = { .res_id = htons(NFNL_SUBSYS_NFTABLES) },
		.add = { UP_TO_END(add), NETFILTER(NFT_MSG_NEWSETELEM),
			 NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 2, 0 },
		.head = { .nfgen_family = 7 /* NFPROTO_BRIDGE */ },
		.table = { 16, NFTA_SET_ELEM_LIST_TABLE },
		.table_name = "vdp_migrate",
		.set = { 8, NFTA_SET_ELEM_LIST_SET },
		.set_name = "b4u",
		.list = { UP_TO_END(list), NESTED(NFTA_SET_ELEM_LIST_ELEMENTS) },
		.element = { UP_TO_END(element), NESTED(NFTA_LIST_ELEM) },
		.key = { 4 + 4 + 28, NESTED(NFTA_SET_ELEM_KEY) },
		.value = { 4 + 28, NFTA_DATA_VALUE },
		.timeout = { 12, NFTA_SET_ELEM_TIMEOUT },
		.end = { 20, NFNL_MSG_BATCH_END, NLM_F_REQUEST, 3, 0 },
		.end_head = { .res_id = htons(NFNL_SUBSYS_NFTABLES) },
	};
	memcpy(t->port, port, strnlen(port, sizeof(t->port) - 1));
}

static void read_known(void)
{
	char line[64];
	ssize_t len = read(side.frames, line, sizeof(line) - 1);
	uint32_t first, count;

	if (len <= 0)
		exit(EXIT_SUCCESS);
	line[len] = 0;
	if (sscanf(line, "%" SCNu32 " %" SCNu32, &first, &count) != 2)
		return;
	side.next = first;
	side.last = first + count;
	ask_known();
}

static void ask_known(void)
{
	for (; side.next < side.last && side.out < side.window; side.next++, side.out++) {
		const uint8_t mac[6] = { 0x52, 0x54, (uint8_t)(side.next >> 24),
					 (uint8_t)(side.next >> 16),
					 (uint8_t)(side.next >> 8), (uint8_t)side.next };

		query(mac);
	}
}

static void query(const uint8_t *mac)
{
	uint32_t xid = htonl(side.asked);

	memcpy(side.query + AT_XID, &xid, sizeof(xid));
	memcpy(side.query + AT_CHADDR, mac, 6);
	memcpy(side.macs[side.asked++], mac, 6);
	if (send(side.server, side.query, sizeof(side.query), 0) < 0)
		perror("sidecar: query");
}

static void ask(void)
{
	uint8_t frame[2048];
	ssize_t len;

	while ((len = recv(side.frames, frame, sizeof(frame), 0)) >= 0) {
		struct frame read = frame_read(frame, (size_t)len);

		if (read.kind != FRAME_REQUEST || !(frame[AT_STATUS] & STATUS_M) ||
		    len < AT_MAC + 6 || side.asked == ASKED_MAX)
			continue;
		query(frame + AT_MAC);
	}
}

static void answer(void)
{
	uint8_t message[1500];
	ssize_t len;

	while ((len = recv(side.server, message, sizeof(message), 0)) >= 0) {
		uint32_t xid, seconds;

		if (len < AT_OPTIONS + 3 || message[AT_OPTIONS] != 53 ||
		    message[AT_OPTIONS + 2] != LEASEACTIVE)
			continue;
		memcpy(&xid, message + AT_XID, sizeof(xid));
		xid = ntohl(xid);
		seconds = lease_time(message, (size_t)len);
		if (xid < side.asked && seconds &&
		    !memcmp(side.macs[xid], message + AT_CHADDR, 6))
			commit(side.macs[xid], message + AT_CIADDR, seconds);
		side.out -= side.out > 0;
	}
	ask_known();
}

/* Option 51, RFC 2132 9.2; 0: none. */
static uint32_t lease_time(const uint8_t *message, size_t len)
{
	size_t at = AT_OPTIONS;

	while (at + 6 <= len && message[at] != 255) {
		if (message[at] == 51)
			return (uint32_t)message[at + 2] << 24 |
			       (uint32_t)message[at + 3] << 16 |
			       (uint32_t)message[at + 4] << 8 | message[at + 5];
		at += message[at] ? 2u + message[at + 1] : 1;
	}
	return 0;
}

static void commit(const uint8_t *mac, const uint8_t *ip, uint32_t seconds)
{
	struct transaction *t = &side.transaction;
	uint64_t ms = htobe64((uint64_t)seconds * 1000);
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t rest[512];
	} ack;
	struct timespec now;

	memcpy(t->mac, mac, 6);
	memcpy(t->ip, ip, 4);
	memcpy(t->timeout_ms, &ms, sizeof(ms));
	if (send(side.kernel, t, sizeof(*t), 0) < 0)
		die("transaction");
	clock_gettime(CLOCK_REALTIME, &now);
	if (recv(side.kernel, &ack, sizeof(ack), 0) < (ssize_t)sizeof(ack.head) ||
	    ack.error.error) {
		errno = -ack.error.error;
		die("transaction refused");
	}
	if (side.n == DONE_MAX)
		return;
	side.done[side.n].vsi = (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
	side.done[side.n++].at = now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void print(void)
{
	for (uint32_t i = 0; i < side.n; i++)
		printf("%" PRIu32 " %" PRId64 "\n", side.done[i].vsi, side.done[i].at);
}

static void die(const char *what)
{
	fprintf(stderr, "sidecar: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}
