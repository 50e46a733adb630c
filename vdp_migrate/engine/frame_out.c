/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One AF_PACKET socket of protocol 0 (nothing is ever queued on it) for all interfaces.
 * Packet sockets that ignore what goes out, as port_socket's, do not see these frames.
 */
#include "frame_out.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct frame_out {
	int fd;
};

static void name_it(const char *interface, struct ifreq *ret_request);

int frame_out_new(struct frame_out **ret_out)
{
	struct frame_out *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (new->fd < 0) {
		int err = -errno;

		free(new);
		return err;
	}
	*ret_out = new;
	return 0;
}

void frame_out_free(struct frame_out *out)
{
	if (!out)
		return;
	close(out->fd);
	free(out);
}

int frame_out_send(struct frame_out *out, const char *interface, const uint8_t *frame,
		   size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	struct ifreq request;

	name_it(interface, &request);
	if (ioctl(out->fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	to.sll_ifindex = request.ifr_ifindex;
	if (sendto(out->fd, frame, len, MSG_DONTWAIT, (const void *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

bool frame_out_mac(struct frame_out *out, const char *interface, struct mac *ret_mac)
{
	struct ifreq request;

	name_it(interface, &request);
	if (ioctl(out->fd, SIOCGIFHWADDR, &request) < 0)
		return false;
	memcpy(ret_mac->b, request.ifr_hwaddr.sa_data, sizeof(ret_mac->b));
	return true;
}

static void name_it(const char *interface, struct ifreq *ret_request)
{
	*ret_request = (struct ifreq){ 0 };
	strncpy(ret_request->ifr_name, interface, sizeof(ret_request->ifr_name) - 1);
}
