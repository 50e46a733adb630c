/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What check reads of /proc, /sys and rtnetlink. Only processes of its own network
 * namespace count: the others have an lldpad and an engine of their own.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINK_MAX_OCTETS 16384 /* of the answer to RTM_GETLINK */

static bool here(pid_t pid);
static bool named(const char *names, const char *name);
static const struct rtattr *find(const struct rtattr *in, size_t len,
				 unsigned short type);
static const struct rtattr *bridge_attr(const char *bridge, void *answer, size_t size,
					unsigned short type, bool *ret_known);
static ssize_t ask_link(unsigned index, void *to, size_t size);

size_t check_read(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	while (fd >= 0 && at < size - 1 && (n = read(fd, to + at, size - 1 - at)) > 0)
		at += (size_t)n;
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < at; i++)
		if (!to[i])
			to[i] = '\n';
	to[at] = 0;
	return at;
}

pid_t check_process(const char *names, pid_t last)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	pid_t best = 0;

	while (dir && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char path[64], comm[64];

		if (pid <= last || (best && pid > best))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm[0] = 0;
		check_read(path, comm, sizeof(comm));
		comm[strcspn(comm, "\n")] = 0;
		if (named(names, comm) && here(pid))
			best = pid;
	}
	if (dir)
		closedir(dir);
	return best;
}

/* Field 22 of stat is its start, in clock ticks since boot; names may hold blanks. */
long check_age_ms(pid_t pid)
{
	unsigned long long start = 0;
	char path[64], text[1024];
	struct timespec now;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	check_read(path, text, sizeof(text));
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%llu", &start) != 1 || clock_gettime(CLOCK_BOOTTIME, &now))
		return -1;
	return (long)(now.tv_sec * 1000 + now.tv_nsec / 1000000) -
	       (long)(start * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

bool check_bridge_of(const char *port, char ret_bridge[VM_IFNAME_MAX])
{
	char path[80], to[256];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/bridge", port);
	n = readlink(path, to, sizeof(to) - 1);
	if (n <= 0) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/master/brport/bridge",
			 port);
		n = readlink(path, to, sizeof(to) - 1);
	}
	if (n <= 0)
		return false;
	to[n] = 0;
	name = strrchr(to, '/');
	name = name ? name + 1 : to;
	if (strlen(name) >= VM_IFNAME_MAX)
		return false;
	strcpy(ret_bridge, name);
	return true;
}

long check_bridge_value(const char *bridge, const char *name)
{
	char path[96], text[32], *end;
	long value;

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge/%s", bridge, name);
	if (!check_read(path, text, sizeof(text)))
		return -1;
	value = strtol(text, &end, 10);
	return end == text ? -1 : value;
}

/* The kernel says who the querier is (Linux 5.16), or nothing if it knows none. */
bool check_bridge_has_querier(const char *bridge)
{
	_Alignas(struct nlmsghdr) uint8_t b[LINK_MAX_OCTETS];
	bool known;
	const struct rtattr *a =
		bridge_attr(bridge, b, sizeof(b), IFLA_BR_MCAST_QUERIER_STATE, &known);

	/* Not to be read: nothing to complain of. */
	return !known ||
	       (a && find(RTA_DATA(a), RTA_PAYLOAD(a), BRIDGE_QUERIER_IP_ADDRESS));
}

bool check_bridge_snoops_each_vlan(const char *bridge)
{
	_Alignas(struct nlmsghdr) uint8_t b[LINK_MAX_OCTETS];
	struct br_boolopt_multi options = { 0 };
	bool known;
	const struct rtattr *a =
		bridge_attr(bridge, b, sizeof(b), IFLA_BR_MULTI_BOOLOPT, &known);

	if (a && RTA_PAYLOAD(a) >= sizeof(options))
		memcpy(&options, RTA_DATA(a), sizeof(options));
	return options.optval >> BR_BOOLOPT_MCAST_VLAN_SNOOPING & 1;
}

static bool here(pid_t pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat("/proc/self/ns/net", &own))
		return false;
	/* Who is not root sees that of his own processes alone. */
	if (stat(path, &its))
		return errno == EACCES;
	return own.st_ino == its.st_ino && own.st_dev == its.st_dev;
}

static bool named(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = names; len && *p; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == len && !strncmp(p, name, len))
			return true;
	return false;
}

static const struct rtattr *find(const struct rtattr *in, size_t len, unsigned short type)
{
	unsigned left = (unsigned)len;

	for (; RTA_OK(in, left); in = RTA_NEXT(in, left))
		if ((in->rta_type & NLA_TYPE_MASK) == type)
			return in;
	return NULL;
}

/* Of the bridge itself; NULL: it has none such, or is not to be read. */
static const struct rtattr *bridge_attr(const char *bridge, void *answer, size_t size,
					unsigned short type, bool *ret_known)
{
	ssize_t n = ask_link(if_nametoindex(bridge), answer, size);
	const struct nlmsghdr *head = answer;
	const struct rtattr *a;
	size_t skip = NLMSG_SPACE(sizeof(struct ifinfomsg));

	*ret_known = n >= (ssize_t)skip && head->nlmsg_type == RTM_NEWLINK;
	if (!*ret_known)
		return NULL;
	a = find((const void *)((const char *)answer + skip), (size_t)n - skip,
		 IFLA_LINKINFO);
	a = a ? find(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_INFO_DATA) : NULL;
	return a ? find(RTA_DATA(a), RTA_PAYLOAD(a), type) : NULL;
}

static ssize_t ask_link(unsigned index, void *to, size_t size)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} question = {
		.head = { .nlmsg_len = sizeof(question),
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = (int)index },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;

	if (fd >= 0 && index && send(fd, &question, sizeof(question), 0) > 0)
		n = recv(fd, to, size, 0);
	if (fd >= 0)
		close(fd);
	return n;
}
