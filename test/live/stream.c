/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * usage: stream ADDRESS GROUP MICROSECONDS
 *
 * Sends two streams of UDP packets that test/live/agent sends back, a packet every so
 * many microseconds each: to ADDRESS and to GROUP. Keeps when each was sent and when its
 * answers came. A line on its input is a question, a line of JSON its answer:
 *
 *   now          the number that the next packets will have
 *   report A B   of the packets A up to, not including, B, for each stream: how many were
 *                sent, never answered (lost), answered more than once (twice), and the
 *                longest time without an answer (gap, ms; to the report's time if none
 * came)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PACKETS (1 << 21)

struct packet {
	char magic[4];
	uint32_t stream, number;
	char pad[52];
};

struct seen {
	int64_t sent, heard; /* ns; 0 = not */
	uint32_t times;
};

static struct stream {
	const char *name;
	struct sockaddr_in to;
	struct seen *seen;
} streams[2] = { { .name = "unicast" }, { .name = "multicast" } };

static uint32_t next;
static int fd;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void send_all(void)
{
	if (next == PACKETS)
		return;
	for (uint32_t i = 0; i < 2; i++) {
		struct packet p = { .magic = "live", .stream = i, .number = next };

		streams[i].seen[next].sent = now_ns();
		sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&streams[i].to,
		       sizeof(streams[i].to));
	}
	next++;
}

static void receive(void)
{
	struct packet p;

	while (recv(fd, &p, sizeof(p), 0) == sizeof(p)) {
		struct seen *seen;

		if (memcmp(p.magic, "live", 4) || p.stream > 1 || p.number >= next)
			continue;
		seen = &streams[p.stream].seen[p.number];
		if (!seen->times++)
			seen->heard = now_ns();
	}
}

static int later(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(const struct stream *stream, uint32_t from, uint32_t to)
{
	uint32_t lost = 0, twice = 0, n = 0;
	int64_t *at = calloc(to - from + 2, sizeof(*at)), gap = 0;

	at[n++] = stream->seen[from].sent;
	for (uint32_t i = from; i < to; i++) {
		lost += !stream->seen[i].times;
		twice += stream->seen[i].times > 1;
		if (stream->seen[i].times)
			at[n++] = stream->seen[i].heard;
	}
	if (n == 1)
		at[n++] = now_ns();
	qsort(at, n, sizeof(*at), later);
	for (uint32_t i = 1; i < n; i++)
		gap = at[i] - at[i - 1] > gap ? at[i] - at[i - 1] : gap;
	if (lost && !stream->seen[to - 1].times && now_ns() - at[n - 1] > gap)
		gap = now_ns() - at[n - 1];
	printf("\"%s\": {\"sent\": %u, \"lost\": %u, \"twice\": %u, \"gap\": %.1f}",
	       stream->name, to - from, lost, twice, (double)gap / 1e6);
	free(at);
}

static int answer(void)
{
	char line[80];
	ssize_t n = read(0, line, sizeof(line) - 1);
	uint32_t from, to;

	if (n <= 0)
		return 0;
	line[n] = '\0';
	if (sscanf(line, "report %u %u", &from, &to) == 2 && from < to && to <= next) {
		printf("{");
		report(&streams[0], from, to);
		printf(", ");
		report(&streams[1], from, to);
		printf("}\n");
	} else {
		printf("{\"next\": %u}\n", next);
	}
	fflush(stdout);
	return 1;
}

int main(int argc, char **argv)
{
	const unsigned char ttl = 8;
	const int size = 4 << 20;
	struct itimerspec every = { .it_value = { .tv_nsec = 1 } };
	struct pollfd wait[3] = { { .events = POLLIN },
				  { .events = POLLIN },
				  { .events = POLLIN } };
	uint64_t ticks;

	if (argc != 4)
		return 2;
	for (int i = 0; i < 2; i++) {
		streams[i].to =
			(struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons((uint16_t)(5001 + i)) };
		inet_aton(argv[1 + i], &streams[i].to.sin_addr);
		streams[i].seen = calloc(PACKETS, sizeof(struct seen));
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	every.it_interval.tv_nsec = atol(argv[3]) * 1000;
	wait[2].fd = timerfd_create(CLOCK_MONOTONIC, 0);
	timerfd_settime(wait[2].fd, 0, &every, NULL);
	wait[1].fd = fd;
	for (;;) {
		if (poll(wait, 3, -1) < 0 && errno != EINTR)
			return 1;
		if (wait[2].revents &&
		    read(wait[2].fd, &ticks, sizeof(ticks)) == sizeof(ticks))
			while (ticks--)
				send_all();
		if (wait[1].revents)
			receive();
		if (wait[0].revents && !answer())
			return 0;
	}
}
