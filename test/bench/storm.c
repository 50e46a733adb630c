/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays the servers behind many ports of a switch at once: a rack that is evacuated.
 *
 *   storm STATION SWITCH FIRST COUNT STATUS PACE TLVS COPIES LINGER-ms IF...
 *
 * STATION and SWITCH are network namespaces ("-": no SWITCH), the interfaces are
 * STATION's ends of links between them. Behind each interface COUNT VSIs associate, with
 * STATUS as status octet (16: the M-bit; then bindings are waited for as well). PACE:
 * "stock" as stock lldpad's station, the next ECPDU when the last is acknowledged and
 * 2.56 ms old; "closed" when it has its answer; or so many us after it; "hello": nothing
 * but one LLDPDU with the EVB TLV on each, without which a stock bridge has no timers.
 * TLVS VSIs in each ECPDU, which is sent COPIES times. The bridge's ECPDUs are
 * acknowledged. It ends when all have their answers, or LINGER after the last thing that
 * was seen.
 *
 * One line for each VSI: number, time of its request (ns), and after it, in ns, the ECP
 * acknowledgement, the first VDP response, the binding (-1: none), how many
 * different response ECPDUs there were, and repetitions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

#define PORTS_MAX 64
#define FRAME_MAX 1514
#define STATUS_M 0x10
#define TIMER_NS 2560000LL	/* ECP's, of stock's default exponent */
#define RESEND_NS 10000000LL	/* no acknowledgement: give up on it */
#define AT_ASSOC 36
#define ASSOC_LEN 35
#define AT_NUMBER 20		/* in an association TLV: the end of the VSI ID */
#define AT_MAC_NUMBER 29	/* … and of its MAC */

enum pace { STOCK, CLOSED, GAP };

struct vsi {
	int64_t request, ack, response, bound;	/* CLOCK_REALTIME, 0: not seen */
	unsigned answers, repeated;
	uint16_t last;		/* ECP number of the last response */
};

struct port {
	int fd;
	uint8_t mac[6];
	uint32_t first, sent;
	uint16_t sequence;
	int64_t sent_at;	/* CLOCK_MONOTONIC */
	bool acked;
};

struct storm {
	enum pace pace;
	int64_t gap;
	uint32_t first, count, total;
	uint8_t status;
	unsigned tlvs, copies, n_ports;
	int64_t linger, last_seen;
	int events;
	struct port ports[PORTS_MAX];
	struct vsi *vsis;
};

static void open_all(struct storm *storm, char **argv);
static void enter(const char *space);
static void open_port(struct port *port, const char *ifname);
static int say_hello(const struct storm *storm);
static void run(struct storm *storm);
static int64_t turn(struct storm *storm, struct port *port);
static int64_t when(const struct storm *storm, const struct port *port);
static void send_next(struct storm *storm, struct port *port);
static void read_port(struct storm *storm, struct port *port);
static void take(struct storm *storm, struct port *port, const struct frame *frame);
static void bound(void *arg, uint32_t number, int64_t at);
static bool complete(const struct storm *storm);
static void print(const struct storm *storm);
static void put_number(uint8_t *at, uint32_t n);
static int64_t now(clockid_t clock);
static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

int main(int argc, char **argv)
{
	static struct storm storm = { .events = -1 };

	if (argc < 11 || argc > 10 + PORTS_MAX)
		die("usage: see the head of storm.c");
	storm.first = (uint32_t)strtoul(argv[3], NULL, 10);
	storm.count = (uint32_t)strtoul(argv[4], NULL, 10);
	storm.status = (uint8_t)strtoul(argv[5], NULL, 10);
	storm.pace = !strcmp(argv[6], "stock") ? STOCK
		     : !strcmp(argv[6], "closed") ? CLOSED : GAP;
	storm.gap = strtoll(argv[6], NULL, 10) * 1000;
	storm.tlvs = (unsigned)strtoul(argv[7], NULL, 10);
	storm.copies = (unsigned)strtoul(argv[8], NULL, 10);
	storm.linger = strtoll(argv[9], NULL, 10) * 1000000;
	storm.n_ports = (unsigned)argc - 10;
	storm.total = storm.count * storm.n_ports;
	if (!storm.total || !storm.tlvs || storm.tlvs > 40 || !storm.copies)
		die("usage: see the head of storm.c");
	storm.vsis = calloc(storm.total, sizeof(*storm.vsis));
	if (!storm.vsis)
		die("no memory");
	open_all(&storm, argv);
	if (!strcmp(argv[6], "hello"))
		return say_hello(&storm);
	prctl(PR_SET_TIMERSLACK, 1000);
	run(&storm);
	print(&storm);
	free(storm.vsis);
	return EXIT_SUCCESS;
}

static void open_all(struct storm *storm, char **argv)
{
	enter(argv[1]);
	for (unsigned i = 0; i < storm->n_ports; i++) {
		open_port(&storm->ports[i], argv[10 + i]);
		storm->ports[i].first = i * storm->count;
		/* A number that the bridge has seen last would be a repetition. */
		storm->ports[i].sequence = (uint16_t)(storm->first % 60000 + i);
		storm->ports[i].acked = true;
	}
	if (!(storm->status & STATUS_M) || !strcmp(argv[2], "-"))
		return;
	enter(argv[2]);
	storm->events = event_open();
	if (storm->events < 0)
		die("nf_tables events: %s", strerror(-storm->events));
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

static void open_port(struct port *port, const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETHERTYPE_ECP),
				  .sll_ifindex = (int)if_nametoindex(ifname) };
	struct packet_mreq group = { .mr_ifindex = at.sll_ifindex,
				     .mr_type = PACKET_MR_PROMISC };
	struct ifreq request = { 0 };
	int size = 4 << 20;

	port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
	if (port->fd < 0 || !at.sll_ifindex ||
	    setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(port->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group,
		       sizeof(group)) ||
	    bind(port->fd, (const void *)&at, sizeof(at)) ||
	    ioctl(port->fd, SIOCGIFHWADDR, &request))
		die("packet socket on %s: %s", ifname, strerror(errno));
	memcpy(port->mac, request.ifr_hwaddr.sa_data, sizeof(port->mac));
}

static int say_hello(const struct storm *storm)
{
	uint8_t frame[FRAME_SIZE];

	for (unsigned i = 0; i < storm->n_ports; i++) {
		const struct port *port = &storm->ports[i];

		if (send(port->fd, frame, frame_hello(frame, port->mac), 0) < 0)
			die("send: %s", strerror(errno));
	}
	return EXIT_SUCCESS;
}

static void run(struct storm *storm)
{
	struct pollfd fds[PORTS_MAX + 1];
	unsigned n = storm->n_ports;

	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = storm->ports[i].fd, .events = POLLIN };
	fds[n] = (struct pollfd){ .fd = storm->events, .events = POLLIN };
	storm->last_seen = now(CLOCK_MONOTONIC);
	while (!complete(storm)) {
		int64_t until = storm->last_seen + storm->linger, wait;
		struct timespec time;

		if (now(CLOCK_MONOTONIC) >= until)
			return;
		for (unsigned i = 0; i < n; i++) {
			int64_t at = turn(storm, &storm->ports[i]);

			if (at < until)
				until = at;
		}
		wait = until - now(CLOCK_MONOTONIC);
		if (wait < 0)
			wait = 0;
		time = (struct timespec){ wait / 1000000000, wait % 1000000000 };
		if (ppoll(fds, n + 1, &time, NULL) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[n].revents && event_dispatch(storm->events, bound, storm))
			die("nf_tables events were lost");
		for (unsigned i = 0; i < n; i++)
			if (fds[i].revents)
				read_port(storm, &storm->ports[i]);
	}
}

/* Send what is due; when the next is. */
static int64_t turn(struct storm *storm, struct port *port)
{
	/* Not all at once: answers are to be seen in between. */
	for (unsigned i = 0; i < 64 && port->sent < storm->count; i++) {
		int64_t at = when(storm, port);

		if (at > now(CLOCK_MONOTONIC))
			return at;
		send_next(storm, port);
	}
	return port->sent < storm->count ? now(CLOCK_MONOTONIC) : INT64_MAX;
}

static int64_t when(const struct storm *storm, const struct port *port)
{
	const struct vsi *last;

	if (!port->sent)
		return 0;
	last = &storm->vsis[port->first + port->sent - 1];
	switch (storm->pace) {
	case STOCK:
		return port->sent_at + (port->acked ? TIMER_NS : RESEND_NS);
	case CLOSED:
		return last->response ? 0 : port->sent_at + storm->linger / 2;
	case GAP:
		break;
	}
	return port->sent_at + storm->gap;
}

static void send_next(struct storm *storm, struct port *port)
{
	uint8_t frame[FRAME_MAX] = { 0 }, first[FRAME_SIZE];
	uint32_t at = port->first + port->sent;
	unsigned n = storm->tlvs;
	size_t len;

	if (n > storm->count - port->sent)
		n = storm->count - port->sent;
	len = frame_assoc(first, port->mac, ++port->sequence, storm->status,
			  storm->first + at);
	memcpy(frame, first, len);
	for (unsigned i = 1; i < n; i++) {
		memcpy(frame + len, first + AT_ASSOC, ASSOC_LEN);
		put_number(frame + len + AT_NUMBER, storm->first + at + i);
		put_number(frame + len + AT_MAC_NUMBER, storm->first + at + i);
		len += ASSOC_LEN;
	}
	len += 2;	/* End TLV */
	for (unsigned i = 0; i < n; i++)
		storm->vsis[at + i].request = now(CLOCK_REALTIME);
	for (unsigned i = 0; i < storm->copies; i++)
		if (send(port->fd, frame, len, 0) < 0)
			die("send: %s", strerror(errno));
	port->sent += n;
	port->acked = false;
	port->sent_at = storm->last_seen = now(CLOCK_MONOTONIC);
}

static void read_port(struct storm *storm, struct port *port)
{
	uint8_t octets[2048];
	struct sockaddr_ll from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	while ((len = recvfrom(port->fd, octets, sizeof(octets), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_len)) >= 0) {
		struct frame frame = frame_read(octets, (size_t)len);

		if (from.sll_pkttype != PACKET_OUTGOING)
			take(storm, port, &frame);
	}
}

static void take(struct storm *storm, struct port *port, const struct frame *frame)
{
	uint32_t i = frame->vsi - storm->first;
	uint8_t ack[FRAME_SIZE];
	struct vsi *vsi;

	if (frame->wants_ack &&
	    send(port->fd, ack, frame_ack(ack, port->mac, frame->sequence), 0) < 0)
		die("send: %s", strerror(errno));
	if (frame->kind == FRAME_ACK && frame->sequence == port->sequence) {
		if (!port->acked)
			storm->last_seen = now(CLOCK_MONOTONIC);
		port->acked = true;
		vsi = port->sent ? &storm->vsis[port->first + port->sent - 1] : NULL;
		if (vsi && !vsi->ack)
			vsi->ack = now(CLOCK_REALTIME);
	}
	if (frame->kind != FRAME_RESPONSE || i >= storm->total)
		return;
	vsi = &storm->vsis[i];
	if (!vsi->answers || vsi->last != frame->sequence)
		vsi->answers++;
	else
		vsi->repeated++;
	vsi->last = frame->sequence;
	if (vsi->response)
		return;
	vsi->response = now(CLOCK_REALTIME);
	storm->last_seen = now(CLOCK_MONOTONIC);
}

static void bound(void *arg, uint32_t number, int64_t at)
{
	struct storm *storm = arg;
	uint32_t i = number - storm->first;

	if (i >= storm->total || storm->vsis[i].bound)
		return;
	storm->vsis[i].bound = at;
	storm->last_seen = now(CLOCK_MONOTONIC);
}

static bool complete(const struct storm *storm)
{
	for (uint32_t i = 0; i < storm->total; i++) {
		const struct vsi *vsi = &storm->vsis[i];

		if (!vsi->response || (!vsi->bound && storm->events >= 0))
			return false;
	}
	return true;
}

static void print(const struct storm *storm)
{
	for (uint32_t i = 0; i < storm->total; i++) {
		const struct vsi *v = &storm->vsis[i];

		printf("%" PRIu32 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		       " %u %u\n",
		       storm->first + i, v->request, v->ack ? v->ack - v->request : -1,
		       v->response ? v->response - v->request : -1,
		       v->bound ? v->bound - v->request : -1, v->answers,
		       v->repeated);
	}
}

static void put_number(uint8_t *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> (24 - 8 * i));
}

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "storm: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(EXIT_FAILURE);
}
