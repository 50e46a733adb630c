/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the guest of test/livemig: sends back each UDP packet that comes to port 5001, and,
 * to its sender, each that comes to a multicast group at port 5002. Joins the group once;
 * all that keeps it a member is the kernel's.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP "239.1.2.3"

static int open_port(unsigned short port)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons(port) };
	const int size = 4 << 20; /* for all that waits while the VM moves */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof(name)))
		perror("port");
	return fd;
}

static void send_back(int in, int out)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char b[2048];
	ssize_t n;

	while ((n = recvfrom(in, b, sizeof(b), 0, (struct sockaddr *)&from, &len)) >= 0)
		sendto(out, b, (size_t)n, 0, (const struct sockaddr *)&from, len);
}

int main(void)
{
	struct pollfd port[] = { { .fd = open_port(5001), .events = POLLIN },
				 { .fd = open_port(5002), .events = POLLIN } };
	struct ip_mreqn join = { .imr_ifindex = (int)if_nametoindex("eth0") };

	inet_aton(GROUP, &join.imr_multiaddr);
	while (setsockopt(port[1].fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)))
		sleep(1);
	printf("READY\n");
	fflush(stdout);
	while (poll(port, 2, -1) > 0)
		for (int i = 0; i < 2; i++)
			if (port[i].revents)
				send_back(port[i].fd, port[0].fd);
	return 1;
}
