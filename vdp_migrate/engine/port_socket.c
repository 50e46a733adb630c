/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AF_PACKET, ETH_P_ALL, bound to no interface: the bridge's receive handler takes a
 * frame away before sockets of one protocol see it, and one descriptor serves any
 * number of ports. Outgoing frames are ignored, so that a frame is seen once, at
 * its port of entry (broadcasts also as coming in on the bridge).
 *
 * The filter is attached before the socket is bound, so that nothing else is ever
 * queued. The kernel has taken an 802.1Q tag off by then: offsets are those of
 * untagged frames, and the tag comes beside the octets (PACKET_AUXDATA).
 */
#include "port_socket.h"

#include <errno.h>
#include <net/ethernet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vdp_migrate/protocol.h"

/* Outlasts a kernel lock that somebody else holds for 0.7 s, and that on a busy machine:
 * the kernel takes twice this, for some 20,000 DHCP messages. */
#define RCVBUF (16 << 20)
#define FRAME_MAX 2048
#define BATCH 16
#define BATCHES_MAX 16
#define VID_MASK 0x0fff
#define ARP_ALONE (-1) /* in place of an ifindex: all interfaces, and that filter */
#define ETHERTYPE_LLDP 0x88cc

struct slot {
	struct sockaddr_ll from;
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	uint8_t frame[FRAME_MAX];
};

struct port_socket {
	int fd;
	struct port_socket_counts counts;
	struct slot slots[BATCH];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
};

static int open_on(int ifindex, struct port_socket **ret_socket);
static int prepare(int fd, int ifindex);
static int filter(int fd);
static int filter_local(int fd);
static int filter_arp(int fd);
static int attach(int fd, const struct sock_fprog *program);
static int set(int fd, int level, int option, int value);
static void arm(struct port_socket *socket, unsigned i);
static bool tag_of(struct msghdr *message, uint16_t *ret_vlan);

int port_socket_new(struct port_socket **ret_socket)
{
	return open_on(0, ret_socket);
}

int port_socket_new_local(uint32_t bridge_ifindex, struct port_socket **ret_socket)
{
	return open_on((int)bridge_ifindex, ret_socket);
}

int port_socket_new_arp(struct port_socket **ret_socket)
{
	return open_on(ARP_ALONE, ret_socket);
}

static int open_on(int ifindex, struct port_socket **ret_socket)
{
	struct port_socket *new = calloc(1, sizeof(*new));
	int r;

	if (!new)
		return -ENOMEM;
	/* Protocol 0: nothing comes in before bind(). */
	new->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = new->fd < 0 ? -errno : prepare(new->fd, ifindex);
	if (r < 0) {
		port_socket_free(new);
		return r;
	}
	*ret_socket = new;
	return 0;
}

void port_socket_free(struct port_socket *socket)
{
	if (!socket)
		return;
	if (socket->fd >= 0)
		close(socket->fd);
	free(socket);
}

int port_socket_fd(const struct port_socket *socket)
{
	return socket->fd;
}

void port_socket_dispatch(struct port_socket *socket, port_socket_cb cb, void *arg)
{
	for (unsigned batch = 0; batch < BATCHES_MAX; batch++) {
		int n;

		for (unsigned i = 0; i < BATCH; i++)
			arm(socket, i);
		n = recvmmsg(socket->fd, socket->messages, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		for (int i = 0; i < n; i++) {
			struct msghdr *message = &socket->messages[i].msg_hdr;
			const struct slot *slot = &socket->slots[i];
			uint16_t vlan;

			socket->counts.frames++;
			if (message->msg_flags & MSG_TRUNC || !tag_of(message, &vlan))
				socket->counts.odd++;
			else
				cb(arg, (uint32_t)slot->from.sll_ifindex, vlan,
				   slot->frame, socket->messages[i].msg_len);
		}
		/* -1 too where an interface went down (ENETDOWN): nothing to do. */
		if (n < BATCH)
			return;
	}
}

const struct port_socket_counts *port_socket_counts(struct port_socket *socket)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	/* Reading them sets them to zero. */
	if (!getsockopt(socket->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		socket->counts.lost += stats.tp_drops;
	return &socket->counts;
}

/* ifindex 0: all interfaces, what comes in. */
static int prepare(int fd, int ifindex)
{
	struct sockaddr_ll any = { .sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = ifindex > 0 ? ifindex : 0 };
	int r = ifindex > 0 ? filter_local(fd) : ifindex ? filter_arp(fd) : filter(fd);

	if (!r)
		r = set(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	if (!r && ifindex <= 0)
		r = set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (!r && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF) < 0)
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	if (!r && bind(fd, (const void *)&any, sizeof(any)) < 0)
		r = -errno;
	return r;
}

/* RARP; LLDP; IGMP; ICMPv6 behind a hop-by-hop header, which is MLD (RFC 3810 5); UDP
 * from or to port 67 or 68, not in a later fragment, but no DHCPLEASEQUERY and no answer
 * to one (RFC 4388: types 10 to 13), where option 53 is the first: each would wake us
 * twice just when its binding is due. */
static int filter(int fd)
{
	static struct sock_filter code[] = {
		/*  0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), /* ethertype */
		/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_REVARP, 24, 0),
		/*  2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_LLDP, 23, 0),
		/*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 5, 0),
		/*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 20),
		/*  5 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20), /* next header */
		/*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 0, 18),
		/*  7 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54), /* hop-by-hop: next */
		/*  8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 17, 16),
		/*  9 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23), /* protocol */
		/* 10 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP, 15, 0),
		/* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 13),
		/* 12 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), /* fragment offset */
		/* 13 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 11, 0),
		/* 14 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14), /* header length */
		/* 15 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 14), /* source port */
		/* 16 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 67, 4, 0),
		/* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 3, 0),
		/* 18 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16), /* destination port */
		/* 19 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 67, 1, 0),
		/* 20 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 4),
		/* 21 */ BPF_STMT(BPF_LD | BPF_W | BPF_IND, 14 + 8 + 239),
		/* 22 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x00ffffff),
		/* 23 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x35010a, 0, 2),
		/* 24 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0x35010d, 1, 0),
		/* 25 */ BPF_STMT(BPF_RET | BPF_K, 0),
		/* 26 */ BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };

	return attach(fd, &program);
}

/* Sent by this machine, UDP from port 67 to port 68, not in a later fragment; tagged
 * by a packet socket, too: then the tag is in the octets. */
#define FROM_SERVER(ip, drop, take) \
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (ip) + 9), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, (drop)), \
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (ip) + 6), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, (drop) - 2, 0), \
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, (ip)), \
	BPF_STMT(BPF_LD | BPF_W | BPF_IND, (ip)), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 67 << 16 | 68, (take), (drop) - 5)
static int filter_local(int fd)
{
	static struct sock_filter code[] = {
		/*  0 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
				  (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 20),
		/*  2 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		/*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 3, 0),
		/*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_VLAN, 0, 17),
		/*  5 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 16),
		/*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 7, 15),
		/*  7 */ FROM_SERVER(14, 13, 7),
		/* 14 */ FROM_SERVER(18, 6, 0),
		/* 21 */ BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		/* 22 */ BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };

	return attach(fd, &program);
}

/* ARP replies to nobody's address: what answers a probe (RFC 5227), and hardly anything
 * else. */
static int filter_arp(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), /* ethertype */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), /* operation */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38), /* target address */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };

	return attach(fd, &program);
}

static int attach(int fd, const struct sock_fprog *program)
{
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, sizeof(*program)) < 0
		       ? -errno
		       : 0;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static void arm(struct port_socket *socket, unsigned i)
{
	struct slot *slot = &socket->slots[i];

	socket->vectors[i] = (struct iovec){ slot->frame, sizeof(slot->frame) };
	socket->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &slot->from,
		.msg_namelen = sizeof(slot->from),
		.msg_iov = &socket->vectors[i],
		.msg_iovlen = 1,
		.msg_control = slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

/* False: a tag of another kind (802.1ad), whose VLANs are not ours. */
static bool tag_of(struct msghdr *message, uint16_t *ret_vlan)
{
	struct tpacket_auxdata aux;

	*ret_vlan = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return true;
		*ret_vlan = aux.tp_vlan_tci & VID_MASK;
		return !(aux.tp_status & TP_STATUS_VLAN_TPID_VALID) ||
		       aux.tp_vlan_tpid == ETHERTYPE_VLAN;
	}
	return true;
}
