/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AF_PACKET, ETH_P_ALL, bound to no interface: the bridge's receive handler takes a
 * frame away before sockets of one protocol see it, and one descriptor serves any
 * number of ports. Outgoing frames are ignored, so that a frame is seen once, at
 * its port of entry (broadcasts also as coming in on the bridge).
 *
 * The filter is attached before the socket is bound, so that nothing else is ever
 * queued. The kernel has taken an 802.1Q tag off by then: offsets are those of
 * untagged frames, and the tag comes beside the octets (PACKET_AUXDATA). Not so where a
 * frame goes out: a VM's own tag is in the octets there.
 */
#include "port_socket.h"

#include <errno.h>
#include <net/ethernet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
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
/* In place of an ifindex: all interfaces, and that filter. */
#define PROBED (-1)
#define DHCP_BOTH_WAYS (-2)
#define ND_ADVERTISEMENT 136
#define ETHERTYPE_LLDP 0x88cc
#define ETHERTYPE_8021AD 0x88a8

struct slot {
	struct sockaddr_ll from;
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
				CMSG_SPACE(sizeof(uint32_t))];
	struct virtio_net_hdr segments;
	uint8_t frame[FRAME_MAX];
};

struct port_socket {
	int fd;
	size_t head; /* octets before each frame: PACKET_VNET_HDR */
	uint32_t n_lost; /* by SO_RXQ_OVFL, which tells where in the row */
	struct port_socket_counts counts;
	struct slot slots[BATCH];
	struct iovec vectors[BATCH][2];
	struct mmsghdr messages[BATCH];
};

static int open_on(int ifindex, struct port_socket **ret_socket);
static int prepare(int fd, int ifindex);
static int filter(int fd);
static int filter_local(int fd);
static int filter_probed(int fd);
static int filter_dhcp(int fd);
static int attach(int fd, const struct sock_fprog *program);
static int set(int fd, int level, int option, int value);
static void arm(struct port_socket *socket, unsigned i);
static void take(struct port_socket *socket, unsigned i, port_socket_cb cb, void *arg);
static void take_control(struct msghdr *message, struct tpacket_auxdata *ret_aux,
			 uint32_t *ret_n_lost);
static bool tag_of(const struct tpacket_auxdata *aux, uint16_t *ret_vlan);

int port_socket_new(struct port_socket **ret_socket)
{
	return open_on(0, ret_socket);
}

int port_socket_new_local(uint32_t bridge_ifindex, struct port_socket **ret_socket)
{
	return open_on((int)bridge_ifindex, ret_socket);
}

int port_socket_new_dhcp(struct port_socket **ret_socket)
{
	return open_on(DHCP_BOTH_WAYS, ret_socket);
}

int port_socket_new_probed(struct port_socket **ret_socket)
{
	return open_on(PROBED, ret_socket);
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
	if (ifindex == DHCP_BOTH_WAYS)
		new->head = sizeof(struct virtio_net_hdr);
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
		for (int i = 0; i < n; i++)
			take(socket, (unsigned)i, cb, arg);
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
	int r = ifindex > 0		    ? filter_local(fd)
		: ifindex == DHCP_BOTH_WAYS ? filter_dhcp(fd)
		: ifindex		    ? filter_probed(fd)
					    : filter(fd);

	if (!r)
		r = set(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	if (!r && ifindex == DHCP_BOTH_WAYS)
		r = set(fd, SOL_PACKET, PACKET_VNET_HDR, 1) < 0 ||
				    set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) < 0
			    ? -errno
			    : 0;
	else if (!r && ifindex <= 0)
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

/* UDP to port 67 or 68, not in a later fragment, with up to two tags in the octets; with
 * more tags all: nobody knows what a switch makes of it. */
#define TO_DHCP(ip, drop, take) \
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (ip) + 9), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, (drop)), \
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (ip) + 6), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, (drop) - 2, 0), \
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, (ip)), \
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, (ip) + 2), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 67, (take), 0), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, (take) - 1, (drop) - 6)
#define TAGGED(yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_VLAN, (yes) + 1, 0), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_8021AD, (yes), (no))
static int filter_dhcp(int fd)
{
	static struct sock_filter code[] = {
		/*  0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 10, 0),
		/*  2 */ TAGGED(0, 33),
		/*  4 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 16),
		/*  5 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 14, 0),
		/*  6 */ TAGGED(0, 29),
		/*  8 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		/*  9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 18, 0),
		/* 10 */ TAGGED(24, 25),
		/* 12 */ TO_DHCP(14, 23, 17),
		/* 20 */ TO_DHCP(18, 15, 9),
		/* 28 */ TO_DHCP(22, 7, 1),
		/* 36 */ BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		/* 37 */ BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
					    .filter = code };

	return attach(fd, &program);
}

/* ARP replies to nobody's address, what answers a probe (RFC 5227) and hardly anything
 * else; Neighbor Advertisements behind no other header. */
static int filter_probed(int fd)
{
	static struct sock_filter code[] = {
		/*  0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), /* ethertype */
		/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 5, 0),
		/*  2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 9),
		/*  3 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), /* operation */
		/*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 7),
		/*  5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38), /* target address */
		/*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 5),
		/*  7 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20), /* next header */
		/*  8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		/*  9 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54), /* ICMPv6 type */
		/* 10 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_ADVERTISEMENT, 0, 1),
		/* 11 */ BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		/* 12 */ BPF_STMT(BPF_RET | BPF_K, 0),
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

	socket->vectors[i][0] = (struct iovec){ &slot->segments, socket->head };
	socket->vectors[i][1] = (struct iovec){ slot->frame, sizeof(slot->frame) };
	socket->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &slot->from,
		.msg_namelen = sizeof(slot->from),
		.msg_iov = socket->vectors[i],
		.msg_iovlen = 2,
		.msg_control = slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

static void take(struct port_socket *socket, unsigned i, port_socket_cb cb, void *arg)
{
	struct msghdr *message = &socket->messages[i].msg_hdr;
	const struct slot *slot = &socket->slots[i];
	bool out = slot->from.sll_pkttype == PACKET_OUTGOING;
	size_t len = socket->messages[i].msg_len;
	struct tpacket_auxdata aux = { 0 };
	uint32_t n_lost = socket->n_lost;
	uint16_t vlan = 0;
	bool known;

	take_control(message, &aux, &n_lost);
	known = len >= socket->head && !(message->msg_flags & MSG_TRUNC) &&
		aux.tp_len <= len - socket->head && tag_of(&aux, &vlan);
	socket->counts.frames++;
	socket->counts.odd += !known;
	if (n_lost != socket->n_lost)
		cb(arg, 0, true, 0, NULL, 0);
	socket->n_lost = n_lost;
	if (known && socket->head && slot->segments.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		known = false;
	else if (!known && !socket->head)
		return;
	cb(arg, (uint32_t)slot->from.sll_ifindex, out, vlan, slot->frame,
	   known ? len - socket->head : 0);
}

static void take_control(struct msghdr *message, struct tpacket_auxdata *ret_aux,
			 uint32_t *ret_n_lost)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(ret_aux, CMSG_DATA(c), sizeof(*ret_aux));
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(ret_n_lost, CMSG_DATA(c), sizeof(*ret_n_lost));
}

/* False: a tag of another kind (802.1ad), whose VLANs are not ours. */
static bool tag_of(const struct tpacket_auxdata *aux, uint16_t *ret_vlan)
{
	if (!(aux->tp_status & TP_STATUS_VLAN_VALID))
		return true;
	*ret_vlan = aux->tp_vlan_tci & VID_MASK;
	return !(aux->tp_status & TP_STATUS_VLAN_TPID_VALID) ||
	       aux->tp_vlan_tpid == ETHERTYPE_VLAN;
}
