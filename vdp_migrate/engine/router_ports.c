/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file: the boot's ID, then a line a port: interface index, value before, name. It
 * is written before the kernel is told, as a new file renamed over the old one, and not
 * synced: it has to outlive this process, not the machine. An interface of another boot,
 * or of another name under that index, is not the one that was meant.
 */
#include "router_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX 40
#define PATH_LEN 512

struct router_port {
	uint32_t ifindex;
	uint8_t before;
	unsigned n;		/* so many want it */
	char name[VM_IFNAME_MAX];
	struct router_port *next;
};

struct router_ports {
	struct bridge_set *set;
	char path[PATH_LEN], boot[BOOT_MAX];
	bool complained;
	struct router_port *first;
};

static void put_back_left(struct router_ports *ports);
static int put_back(struct router_ports *ports, const struct router_port *port);
static struct router_port **find(struct router_ports *ports, const char *name);
static void save(struct router_ports *ports);
static int write_file(const struct router_ports *ports);
static void read_boot(char boot[BOOT_MAX]);

struct router_ports *router_ports_new(struct bridge_set *set, const char *dir)
{
	struct router_ports *ports = calloc(1, sizeof(*ports));

	if (!ports)
		return NULL;
	ports->set = set;
	snprintf(ports->path, sizeof(ports->path), "%s/" ROUTER_PORTS_FILE, dir);
	read_boot(ports->boot);
	put_back_left(ports);
	return ports;
}

void router_ports_free(struct router_ports *ports)
{
	while (ports && ports->first)
		(void)router_ports_off(ports, ports->first->name);
	free(ports);
}

int router_ports_on(struct router_ports *ports, uint32_t ifindex, const char *name)
{
	struct router_port *port;
	uint8_t before;
	int err;

	port = *find(ports, name);
	if (port && port->ifindex == ifindex) {
		port->n++;
		return 0;
	}
	if (port) { /* another of the same name */
		port->n = 1;
		(void)router_ports_off(ports, name);
	}
	err = bridge_set_router_now(ports->set, ifindex, &before);
	if (err)
		return err;
	port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->ifindex = ifindex;
	port->before = before;
	port->n = 1;
	memcpy(port->name, name, strnlen(name, sizeof(port->name) - 1));
	port->next = ports->first;
	ports->first = port;
	save(ports);
	err = bridge_set_router(ports->set, ifindex, BRIDGE_SET_ROUTER_ALWAYS);
	if (!err)
		return 0;
	ports->first = port->next;
	free(port);
	save(ports);
	return err;
}

int router_ports_off(struct router_ports *ports, const char *name)
{
	struct router_port **at = find(ports, name), *port = *at;
	int err;

	if (!port || --port->n)
		return 0;
	err = put_back(ports, port);
	*at = port->next;
	free(port);
	save(ports);
	return err;
}

/* Of an engine that had no time to. */
static void put_back_left(struct router_ports *ports)
{
	FILE *file = fopen(ports->path, "re");
	struct router_port left = { 0 };
	char line[128], name[IF_NAMESIZE];
	bool this_boot;

	if (!file)
		return;
	this_boot = fgets(line, sizeof(line), file) && ports->boot[0] &&
		    !strncmp(line, ports->boot, strlen(ports->boot));
	while (this_boot && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%u %hhu %15s", &left.ifindex, &left.before,
			   left.name) != 3 ||
		    !if_indextoname(left.ifindex, name) || strcmp(name, left.name) ||
		    put_back(ports, &left))
			continue;
		log_line(LOG_NOTICE,
			 "%s: no multicast router port any more, as an engine "
			 "before had left it",
			 name);
	}
	fclose(file);
	(void)unlink(ports->path);
}

/* Somebody else's word, if it is the later one, stands. */
static int put_back(struct router_ports *ports, const struct router_port *port)
{
	uint8_t now;
	int err = bridge_set_router_now(ports->set, port->ifindex, &now);

	if (!err && now == BRIDGE_SET_ROUTER_ALWAYS && port->before != now)
		err = bridge_set_router(ports->set, port->ifindex, port->before);
	return err == -ENODEV ? 0 : err;
}

static struct router_port **find(struct router_ports *ports, const char *name)
{
	struct router_port **at = &ports->first;

	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static void save(struct router_ports *ports)
{
	int err = 0;

	if (!ports->first)
		(void)unlink(ports->path);
	else
		err = write_file(ports);
	if (err && !ports->complained)
		log_line(LOG_WARNING,
			 "%s: %s: if the engine is killed, multicast router "
			 "ports stay",
			 ports->path, strerror(-err));
	ports->complained = err;
}

static int write_file(const struct router_ports *ports)
{
	char temporary[PATH_LEN + 8];
	FILE *file;
	int fd, err = 0;

	snprintf(temporary, sizeof(temporary), "%s.new", ports->path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return -errno;
	fprintf(file, "%s\n", ports->boot);
	for (const struct router_port *port = ports->first; port; port = port->next)
		fprintf(file, "%u %u %s\n", port->ifindex, port->before, port->name);
	if (ferror(file))
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	if (!err && rename(temporary, ports->path))
		err = -errno;
	return err;
}

static void read_boot(char boot[BOOT_MAX])
{
	FILE *file = fopen(BOOT_FILE, "re");

	boot[0] = '\0';
	if (!file)
		return;
	if (!fgets(boot, BOOT_MAX, file))
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	fclose(file);
}
