/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * So many migrations are known at once: how long until each VM's binding is in the kernel?
 *
 *   known all|one SWITCH PORT GIADDR SERVER FIRST COUNT [COMMAND...]
 *
 * SWITCH is a network namespace. Without COMMAND the engine there is told, as lldpad's
 * module would: COUNT associates with M on PORT (lldpad itself does not run). The port's
 * settings are the defaults, but for guard=enforce, groups=off, hold=0 (there is no answer
 * that could be held) and max-rate=0: with its default of 100 a thousand on one port take
 * ten seconds, which is what it is for. With COMMAND that one is: it says "ready", and
 * then reads lines "FIRST COUNT". all: together; one: the next when the one before is
 * bound. VSI number n has a MAC that ends in n.
 *
 * One line for each VSI: its number, and the ns from when it was told until nf_tables has
 * told that its element is in the set b4u; -1: not within ten seconds after the last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "vdp_migrate/protocol.h"
#include "wire/linkmsg.h"
#include "wire/vdp22.h"

#define COUNT_MAX 65536
#define LOST_MS 10000

static struct {
	struct link_port port;
	uint32_t first, count, bound;
	int events, engine, command;	/* -1: not this one */
	pid_t child;
	int64_t told_at, *at;
} known = { .engine = -1, .command = -1 };

static void enter(const char *space);
static void set_port(char **argv);
static void start_command(char **argv);
static void connect_engine(void);
static void tell(uint32_t first, uint32_t count, uint8_t mode);
static void tell_engine(uint32_t first, uint32_t count, uint8_t mode);
static void put(struct wr *w, const struct link_msg *msg);
static void flush(struct wr *w);
static void wait_until(uint32_t bound);
static void take(void *arg, uint32_t vsi, int64_t at);
static void drain(int fd);
static int64_t now(void);
static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

int main(int argc, char **argv)
{
	bool one;

	if (argc < 8)
		die("usage: see the head of known.c");
	one = !strcmp(argv[1], "one");
	signal(SIGPIPE, SIG_IGN);
	enter(argv[2]);
	set_port(argv);
	known.first = (uint32_t)strtoul(argv[6], NULL, 10);
	known.count = (uint32_t)strtoul(argv[7], NULL, 10);
	if (!known.count || known.count > COUNT_MAX)
		die("COUNT is 1 to %d", COUNT_MAX);
	known.at = calloc(known.count, sizeof(*known.at));
	known.events = event_open();
	if (!known.at || known.events < 0)
		die("no memory, or no nf_tables events");
	if (argc > 8)
		start_command(argv + 8);
	else
		connect_engine();
	for (uint32_t i = 0; i < known.count; i += one ? 1 : known.count) {
		uint32_t n = one ? 1 : known.count;

		tell(known.first + i, n, VDP22_ASSOC);
		wait_until(i + n);
	}
	for (uint32_t i = 0; i < known.count; i++)
		printf("%" PRIu32 " %" PRId64 "\n", known.first + i,
		       known.at[i] ? known.at[i] : -1);
	if (known.engine >= 0)
		tell(known.first, known.count, VDP22_DEASSOC);
	if (known.child)
		kill(known.child, SIGTERM), waitpid(known.child, NULL, 0);
	free(known.at);
	return EXIT_SUCCESS;
}

static void enter(const char *space)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", space);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void set_port(char **argv)
{
	struct link_vlan_addr giaddr = { LINK_VLAN_ANY, { ADDR_IPV4, { 0 } } };
	struct link_vlan_addr server = giaddr;

	if (inet_pton(AF_INET, argv[4], giaddr.addr.b) != 1 ||
	    inet_pton(AF_INET, argv[5], server.addr.b) != 1)
		die("GIADDR and SERVER are addresses");
	known.port = (struct link_port){
		.role = LINK_ROLE_BRIDGE, .up = true, .assist = LINK_ASSIST_LEASEQUERY,
		.guard = LINK_GUARD_ENFORCE, .guard_anyway = true, .keepalive_ms = 60000,
		.conflict = LINK_CONFLICT_VERIFY, .hold_ms = 0, .max_rate = 0,
		.n_servers = 1, .servers = { server }, .n_giaddrs = 1, .giaddrs = { giaddr },
	};
	memcpy(known.port.name, argv[3], strnlen(argv[3], VM_IFNAME_MAX - 1));
}

static void start_command(char **argv)
{
	int in[2], out[2];
	char ready[64];

	if (pipe(in) || pipe(out))
		die("pipe: %s", strerror(errno));
	known.child = fork();
	if (known.child < 0)
		die("fork: %s", strerror(errno));
	if (!known.child) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	if (read(out[0], ready, sizeof(ready)) <= 0)
		die("%s is not ready", argv[0]);
	known.command = in[1];
}

static void connect_engine(void)
{
	static uint8_t room[LINK_DATAGRAM_MAX];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct wr w = wr_new(room, sizeof(room));
	struct link_msg msg = { .type = LINK_HELLO };
	struct pollfd fd;

	memcpy(at.sun_path + 1, "vdp-migrate", 11);
	known.engine = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (connect(known.engine, (void *)&at, offsetof(struct sockaddr_un, sun_path) + 12))
		die("the engine: %s", strerror(errno));
	msg.u.hello.who = LINK_MODULE;
	msg.u.hello.pid = (uint32_t)getpid();
	put(&w, &msg);
	msg.type = LINK_REPLAY;
	put(&w, &msg);
	msg.type = LINK_PORT;
	msg.u.port = known.port;
	put(&w, &msg);
	msg.type = LINK_REPLAY_END;
	put(&w, &msg);
	flush(&w);
	fd = (struct pollfd){ .fd = known.engine, .events = POLLIN };
	if (poll(&fd, 1, 5000) != 1)
		die("the engine says nothing");
	/* Its guard's mode has been set by the time that it has slept once. */
	usleep(20000);
}

static void tell(uint32_t first, uint32_t count, uint8_t mode)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%" PRIu32 " %" PRIu32 "\n", first, count);

	known.told_at = now();
	if (known.engine >= 0)
		tell_engine(first, count, mode);
	else if (write(known.command, line, (size_t)len) != len)
		die("the command is gone");
}

static void tell_engine(uint32_t first, uint32_t count, uint8_t mode)
{
	static uint8_t room[LINK_DATAGRAM_MAX];
	struct wr w = wr_new(room, sizeof(room));
	struct link_msg msg = { .type = LINK_VSI };
	struct link_vsi *vsi = &msg.u.vsi;

	vsi->what = LINK_VSI_REQUEST;
	vsi->mode = mode;
	vsi->status = VDP_STATUS_M;
	vsi->id.format = VSI_ID_UUID;
	vsi->n_entries = 1;
	memcpy(vsi->port, known.port.name, sizeof(vsi->port));
	for (uint32_t n = first; n < first + count; n++) {
		const uint8_t mac[6] = { 0x52, 0x54, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
					 (uint8_t)(n >> 8), (uint8_t)n };

		memcpy(vsi->entries[0].mac.b, mac, sizeof(mac));
		memcpy(vsi->id.b + 10, mac, sizeof(mac));
		put(&w, &msg);
	}
	flush(&w);
}

static void put(struct wr *w, const struct link_msg *msg)
{
	if (linkmsg_put(w, msg))
		return;
	flush(w);
	if (!linkmsg_put(w, msg))
		die("a message does not fit");
}

static void flush(struct wr *w)
{
	if (w->at && send(known.engine, w->p, w->at, 0) < 0)
		die("the engine is gone");
	*w = wr_new(w->p, w->size);
}

static void wait_until(uint32_t bound)
{
	struct pollfd fds[] = { { .fd = known.events, .events = POLLIN },
				{ .fd = known.engine, .events = POLLIN } };

	while (known.bound < bound && poll(fds, 2, LOST_MS) > 0) {
		if (fds[0].revents && event_dispatch(known.events, take, NULL))
			die("nf_tables events were lost");
		if (fds[1].revents)
			drain(known.engine);
	}
}

static void take(void *arg, uint32_t vsi, int64_t at)
{
	uint32_t i = vsi - known.first;

	(void)arg;
	if (i >= known.count || known.at[i])
		return;
	known.at[i] = at - known.told_at;
	known.bound++;
}

static void drain(int fd)
{
	uint8_t room[LINK_DATAGRAM_MAX];

	while (recv(fd, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "known: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(EXIT_FAILURE);
}
