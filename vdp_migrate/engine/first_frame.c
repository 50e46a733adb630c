/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet socket for each interface where a VM was ever awaited, with a filter that
 * passes nothing but frames to those that are. It is never closed while the engine
 * runs: that would wait until the kernel has no reader left, and everybody with it.
 * Such a socket sees a frame before the bridge does. What came before the callback was
 * called the bridge may have dropped, and is sent on; what came later it has forwarded:
 * the kernel's time stamps tell them apart.
 */
#include "first_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/text.h"

#define MACS_MAX 60 /* of an interface: the filter's jumps reach no further */
#define FRAME_MAX 9216
#define BATCH 512

struct ear {
	struct first_frames *of;
	struct ear *next;
	char interface[VM_IFNAME_MAX];
	int ifindex, fd;
	ev_io readable;
	unsigned n;
	struct mac macs[MACS_MAX];
};

struct first_frames {
	struct ev_loop *loop;
	struct frame_out *out;
	first_frame_cb cb;
	void *arg;
	struct ear *ears;
};

struct came {
	struct mac to;
	size_t len;
	int64_t at; /* ns since 1970 */
	bool whole; /* as it was on the wire: untagged, of a size */
	uint8_t b[FRAME_MAX];
};

/* Told just now. */
struct turned {
	struct mac mac;
	int64_t at;
	const char *to;
};

static struct ear **link_of(struct ear *ear);
static int index_now(const struct ear *ear);
static struct ear *ear_on(struct first_frames *frames, const char *interface);
static int ear_new(struct first_frames *frames, const char *interface,
		   struct ear **ret_ear);
static int open_on(struct ear *ear);
static unsigned index_of(const struct ear *ear, const struct mac *mac);
static int filter(const struct ear *ear);
static void heard(struct ev_loop *loop, ev_io *watcher, int events);
static void send_on(const struct ear *ear, const struct came *came,
		    const struct turned *turned, unsigned n);
static bool next_frame(int fd, struct came *ret_came);
static void end(struct ear *ear);
static int64_t now_ns(void);

struct first_frames *first_frames_new(struct ev_loop *loop, struct frame_out *out,
				      first_frame_cb cb, void *arg)
{
	struct first_frames *new = calloc(1, sizeof(*new));

	if (new)
		*new = (struct first_frames){
			.loop = loop, .out = out, .cb = cb, .arg = arg,
		};
	return new;
}

void first_frames_free(struct first_frames *frames)
{
	while (frames && frames->ears) {
		struct ear *first = frames->ears;

		frames->ears = first->next;
		end(first);
	}
	free(frames);
}

int first_frames_hear(struct first_frames *frames, const char *interface,
		      const struct mac *mac)
{
	struct ear *ear = ear_on(frames, interface);
	int err;

	if (ear && index_now(ear) != ear->ifindex) { /* another one of that name */
		*link_of(ear) = ear->next;
		end(ear);
		ear = NULL;
	}
	err = ear ? 0 : ear_new(frames, interface, &ear);
	if (err || index_of(ear, mac) < ear->n)
		return err;
	if (ear->n == MACS_MAX)
		return -ENOSPC;
	ear->macs[ear->n++] = *mac;
	err = filter(ear);
	ear->n -= err != 0;
	return err;
}

void first_frames_quiet(struct first_frames *frames, const char *interface,
			const struct mac *mac)
{
	struct ear *ear = ear_on(frames, interface);
	unsigned i = ear ? index_of(ear, mac) : 0;

	if (!ear || i == ear->n)
		return;
	ear->macs[i] = ear->macs[--ear->n];
	(void)filter(ear);
}

/* Statics. */

static struct ear **link_of(struct ear *ear)
{
	struct ear **at = &ear->of->ears;

	while (*at != ear)
		at = &(*at)->next;
	return at;
}

/* 0: there is none. */
static int index_now(const struct ear *ear)
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, ear->interface, sizeof(request.ifr_name) - 1);
	return ioctl(ear->fd, SIOCGIFINDEX, &request) ? 0 : request.ifr_ifindex;
}

static struct ear *ear_on(struct first_frames *frames, const char *interface)
{
	struct ear *ear = frames->ears;

	while (ear && strcmp(ear->interface, interface))
		ear = ear->next;
	return ear;
}

static int ear_new(struct first_frames *frames, const char *interface,
		   struct ear **ret_ear)
{
	struct ear *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->of = frames;
	strncpy(new->interface, interface, sizeof(new->interface) - 1);
	err = open_on(new);
	if (err) {
		free(new);
		return err;
	}
	ev_io_init(&new->readable, heard, new->fd, EV_READ);
	ev_set_priority(&new->readable, EV_MAXPRI);
	new->readable.data = new;
	ev_io_start(frames->loop, &new->readable);
	new->next = frames->ears;
	*ret_ear = frames->ears = new;
	return 0;
}

static int open_on(struct ear *ear)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, err = 0;

	/* Protocol 0: nothing comes in before bind(). */
	ear->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (ear->fd < 0)
		return -errno;
	ear->ifindex = to.sll_ifindex = index_now(ear);
	if (!ear->ifindex ||
	    setsockopt(ear->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(ear->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
	    setsockopt(ear->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
		err = -errno;
	err = err ? err : filter(ear);
	if (!err && bind(ear->fd, (const void *)&to, sizeof(to)))
		err = -errno;
	if (err)
		close(ear->fd);
	return err;
}

static unsigned index_of(const struct ear *ear, const struct mac *mac)
{
	unsigned i = 0;

	while (i < ear->n && !mac_equal(&ear->macs[i], mac))
		i++;
	return i;
}

/* Those of its MACs, and none without any. Each is looked for in turn; who is found jumps
 * to the end. */
static int filter(const struct ear *ear)
{
	struct sock_filter code[4 * MACS_MAX + 2];
	unsigned short at = 0, all = (unsigned short)(4 * ear->n + 2);
	const struct sock_fprog program = { .len = all, .filter = code };

	for (unsigned i = 0; i < ear->n; i++) {
		const uint8_t *b = ear->macs[i].b;
		uint32_t high = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
				(uint32_t)b[2] << 8 | b[3];

		code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high,
							  0, 2);
		code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4);
		code[at] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)b[4] << 8 | b[5],
			(uint8_t)(all - 2 - at), 0);
		at++;
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[at] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FRAME_MAX);
	return setsockopt(ear->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program))
		       ? -errno
		       : 0;
}

static void heard(struct ev_loop *loop, ev_io *watcher, int events)
{
	static struct came came; /* large */
	struct ear *ear = watcher->data;
	struct first_frames *frames = ear->of;
	struct turned turned[MACS_MAX];
	unsigned n = 0;

	(void)loop;
	(void)events;
	for (unsigned k = 0; k < BATCH && next_frame(ear->fd, &came); k++) {
		if (index_of(ear, &came.to) < ear->n && n < MACS_MAX) {
			first_frames_quiet(frames, ear->interface, &came.to);
			turned[n] = (struct turned){ .mac = came.to, .at = now_ns() };
			turned[n].to = frames->cb(frames->arg, ear->interface, &came.to);
			n++;
		}
		send_on(ear, &came, turned, n);
	}
}

static void send_on(const struct ear *ear, const struct came *came,
		    const struct turned *turned, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (mac_equal(&turned[i].mac, &came->to) && turned[i].to && came->whole &&
		    came->at <= turned[i].at)
			(void)frame_out_send(ear->of->out, turned[i].to, came->b,
					     came->len);
}

/* False: there is none. */
static bool next_frame(int fd, struct came *ret_came)
{
	uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
			CMSG_SPACE(sizeof(struct timespec))] __attribute__((aligned(8)));
	struct iovec to = { ret_came->b, sizeof(ret_came->b) };
	struct msghdr msg = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct tpacket_auxdata aux = { 0 };
	struct timespec at = { 0 };

	if (n < ETH_HLEN)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
	memcpy(ret_came->to.b, ret_came->b, sizeof(ret_came->to.b));
	ret_came->len = (size_t)n;
	ret_came->at = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
	ret_came->whole = !(msg.msg_flags & MSG_TRUNC) &&
			  !(aux.tp_status & TP_STATUS_VLAN_VALID);
	return true;
}

static void end(struct ear *ear)
{
	ev_io_stop(ear->of->loop, &ear->readable);
	close(ear->fd);
	free(ear);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
