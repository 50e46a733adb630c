/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays a server: associates VSIs at a switch port, one after the other, and says
 * when each step was taken.
 *
 *   inject hello STATION IF SWITCH IF
 *   inject closed|open STATION IF SWITCH IF FIRST COUNT STATUS GAP-us
 *
 * STATION and SWITCH are network namespaces; the two interfaces are the ends of one
 * link. `hello` sends one LLDPDU with the EVB TLV, without which a stock bridge has no
 * timers. closed: the next request leaves GAP after the response; open: GAP after the
 * request before it. STATUS is the status octet of the requests (16: the M-bit); with
 * the M-bit the binding is waited for as well. Bridge's ECPDUs are acknowledged.
 *
 * One line for each VSI: number, time of the request at the switch port (ns), and
 * after it, in ns, the ECP acknowledgement, the VDP response, the binding; -1 where
 * there was none. Times of frames are the kernel's, all at the switch port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "frames.h"

#define COUNT_MAX 65536
#define STATUS_M 0x10
/* So long is waited for what is missing: for one VSI, and at the end of all. */
#define LOST_NS 100000000LL
#define END_NS 1000000000LL
/* The kernel begins to stamp frames a while after the first socket wants it. */
#define SETTLE_NS 20000000LL
/* After a request we sleep so long: a server would not run on the switch's CPUs. The
 * bridge repeats its response where it is not acknowledged 2.56 ms later. */
#define QUIET_NS 1500000LL

struct times {
	int64_t request, ack, response, bound;	/* CLOCK_REALTIME, 0: not seen */
};

struct inject {
	bool open;
	uint32_t first, count;
	uint8_t status;
	int64_t gap;

	int out, tap, events;
	uint8_t mac[6];

	uint32_t sent;		/* so many requests; the last one's is sent - 1 */
	int64_t next_at;	/* CLOCK_MONOTONIC */
	int64_t last_at;
	uint32_t complete;
	unsigned odd;		/* refused, de-associated */
	struct times *times;
};

static void open_sockets(struct inject *inject, char **argv);
static void enter(const char *space);
static int packet_socket(const char *ifname, bool tap);
static void run(struct inject *inject);
static void send_request(struct inject *inject);
static void read_tap(struct inject *inject);
static void take(struct inject *inject, const struct frame *frame, bool outgoing,
		 int64_t at);
static void bound(void *arg, uint32_t vsi, int64_t at);
static void answered(struct inject *inject, struct times *times, int64_t *which,
		     int64_t at);
static bool is_complete(const struct inject *inject, const struct times *times);
static void print(const struct inject *inject);
static uint16_t sequence_of(uint32_t vsi);
static int64_t now(void);
static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

int main(int argc, char **argv)
{
	struct inject inject = { .events = -1 };
	uint8_t frame[FRAME_SIZE];
	bool hello = argc == 6 && !strcmp(argv[1], "hello");

	if (!hello && argc != 10)
		die("usage: see the head of inject.c");
	if (!hello) {
		inject.open = !strcmp(argv[1], "open");
		inject.first = (uint32_t)strtoul(argv[6], NULL, 10);
		inject.count = (uint32_t)strtoul(argv[7], NULL, 10);
		inject.status = (uint8_t)strtoul(argv[8], NULL, 10);
		inject.gap = strtoll(argv[9], NULL, 10) * 1000;
		if (!inject.count || inject.count > COUNT_MAX)
			die("COUNT is 1 to %d", COUNT_MAX);
	}
	open_sockets(&inject, argv);
	if (hello)
		return send(inject.out, frame, frame_hello(frame, inject.mac), 0) < 0;
	inject.times = calloc(inject.count, sizeof(*inject.times));
	if (!inject.times)
		die("no memory");
	prctl(PR_SET_TIMERSLACK, 1000);
	run(&inject);
	print(&inject);
	free(inject.times);
	return EXIT_SUCCESS;
}

static void open_sockets(struct inject *inject, char **argv)
{
	struct ifreq request = { 0 };

	enter(argv[2]);
	inject->out = packet_socket(argv[3], false);
	strncpy(request.ifr_name, argv[3], IFNAMSIZ - 1);
	if (ioctl(inject->out, SIOCGIFHWADDR, &request))
		die("%s: %s", argv[3], strerror(errno));
	memcpy(inject->mac, request.ifr_hwaddr.sa_data, sizeof(inject->mac));
	enter(argv[4]);
	inject->tap = packet_socket(argv[5], true);
	if (inject->status & STATUS_M) {
		inject->events = event_open();
		if (inject->events < 0)
			die("nf_tables events: %s", strerror(-inject->events));
	}
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

/* A tap sees what comes in and what goes out, ECP alone, with the kernel's times. */
static int packet_socket(const char *ifname, bool tap)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ECP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = tap ? htons(0x0003) : 0,
				  .sll_ifindex = (int)if_nametoindex(ifname) };
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || !at.sll_ifindex ||
	    (tap && (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				sizeof(program)) ||
		     setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))) ||
	    bind(fd, (const void *)&at, sizeof(at)))
		die("packet socket on %s: %s", ifname, strerror(errno));
	return fd;
}

static void run(struct inject *inject)
{
	struct pollfd fds[] = { { .fd = inject->events, .events = POLLIN },
				{ .fd = inject->tap, .events = POLLIN } };

	inject->next_at = now() + SETTLE_NS;
	while (inject->complete < inject->count) {
		bool all = inject->sent == inject->count;
		int64_t until = all ? inject->last_at + END_NS : inject->next_at, wait;
		bool quiet = now() < inject->last_at + QUIET_NS;
		struct timespec time;

		if (now() >= until) {
			if (all)
				return;
			send_request(inject);
			continue;
		}
		if (quiet && inject->last_at + QUIET_NS < until)
			until = inject->last_at + QUIET_NS;
		wait = until > now() ? until - now() : 0;
		time = (struct timespec){ wait / 1000000000, wait % 1000000000 };
		if (ppoll(fds, quiet ? 1 : 2, &time, NULL) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[0].revents && event_dispatch(inject->events, bound, inject))
			die("nf_tables events were lost");
		if (!quiet)
			read_tap(inject);
	}
}

static void send_request(struct inject *inject)
{
	uint32_t vsi = inject->first + inject->sent;
	uint8_t frame[FRAME_SIZE];
	size_t len = frame_assoc(frame, inject->mac, sequence_of(vsi), inject->status, vsi);

	if (send(inject->out, frame, len, 0) < 0)
		die("send: %s", strerror(errno));
	inject->sent++;
	inject->last_at = now();
	/* Closed: the response, or else this. */
	inject->next_at = inject->open ? inject->next_at + inject->gap
				       : inject->last_at + LOST_NS;
}

static void read_tap(struct inject *inject)
{
	for (;;) {
		uint8_t octets[2048], control[256];
		struct sockaddr_ll from;
		struct iovec vector = { octets, sizeof(octets) };
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from),
					  .msg_iov = &vector, .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t len = recvmsg(inject->tap, &message, MSG_DONTWAIT);
		const struct cmsghdr *c;
		struct timespec at = { 0 };
		struct frame frame;

		if (len < 0)
			return;
		for (c = CMSG_FIRSTHDR(&message); c;
		     c = CMSG_NXTHDR(&message, (struct cmsghdr *)(uintptr_t)c))
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
				memcpy(&at, CMSG_DATA(c), sizeof(at));
		frame = frame_read(octets, (size_t)len);
		take(inject, &frame, from.sll_pkttype == PACKET_OUTGOING,
		     at.tv_sec * 1000000000LL + at.tv_nsec);
	}
}

static void take(struct inject *inject, const struct frame *frame, bool outgoing,
		 int64_t at)
{
	uint32_t i = frame->vsi - inject->first;
	uint8_t ack[FRAME_SIZE];

	if (outgoing && frame->wants_ack &&
	    send(inject->out, ack, frame_ack(ack, inject->mac, frame->sequence), 0) < 0)
		die("send: %s", strerror(errno));
	if (frame->kind == FRAME_REFUSED || frame->kind == FRAME_DEASSOC)
		inject->odd++;
	if (outgoing && frame->kind == FRAME_ACK) {
		struct times *last = inject->sent ? &inject->times[inject->sent - 1] : NULL;

		if (last && sequence_of(inject->first + inject->sent - 1) == frame->sequence)
			answered(inject, last, &last->ack, at);
	} else if (frame->kind == FRAME_REQUEST && !outgoing && i < inject->sent) {
		answered(inject, &inject->times[i], &inject->times[i].request, at);
	} else if (frame->kind == FRAME_RESPONSE && outgoing && i < inject->sent) {
		answered(inject, &inject->times[i], &inject->times[i].response, at);
		if (!inject->open && i == inject->sent - 1)
			inject->next_at = now() + inject->gap;
	}
}

static void bound(void *arg, uint32_t vsi, int64_t at)
{
	struct inject *inject = arg;
	/* The MAC has three octets of the number, and a fourth that is 0. */
	uint32_t i = vsi - inject->first;

	if (i < inject->sent)
		answered(inject, &inject->times[i], &inject->times[i].bound, at);
}

/* The first time counts. */
static void answered(struct inject *inject, struct times *times, int64_t *which,
		     int64_t at)
{
	if (*which)
		return;
	*which = at;
	inject->complete += is_complete(inject, times);
}

static bool is_complete(const struct inject *inject, const struct times *times)
{
	return times->request && times->ack && times->response &&
	       (times->bound || !(inject->status & STATUS_M));
}

static void print(const struct inject *inject)
{
	for (uint32_t i = 0; i < inject->count; i++) {
		const struct times *t = &inject->times[i];

		printf("%" PRIu32 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
		       inject->first + i, t->request,
		       t->ack ? t->ack - t->request : -1,
		       t->response ? t->response - t->request : -1,
		       t->bound ? t->bound - t->request : -1);
	}
	if (inject->odd)
		fprintf(stderr, "inject: %u VSIs refused or de-associated\n", inject->odd);
}

/* A number that the bridge has seen last would be taken for a retransmission. */
static uint16_t sequence_of(uint32_t vsi)
{
	return (uint16_t)(vsi % 65535 + 1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "inject: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(EXIT_FAILURE);
}
