/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard: the emergency way out. One transaction in the kernel opens every port; the
 * engine, should it run, sees that it was by hand. Exit status: 0 done, 1 refused.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "kernel_guard.h"

static int show(void);
static int off(void);
static int on(void);
static void list(const struct kernel_guard *guard);
static int failed(const struct kernel_guard *guard);
static bool engine_runs(void);

int command_guard(int argc, char **argv)
{
	if (argc == 1)
		return show();
	if (argc == 3 && !strcmp(argv[1], "off") && !strcmp(argv[2], "--all"))
		return off();
	if (argc == 2 && !strcmp(argv[1], "on"))
		return on();
	return command_wrong_use(
		argv, "%s",
		argc == 2 && !strcmp(argv[1], "off")
			? "every port: off --all; one: lldptool -T -i "
			  "PORT -g ncb -V 0x02564d01 guard=off"
			: "off --all, or on, or nothing to see the state");
}

static int show(void)
{
	struct kernel_guard guard;

	if (kernel_guard_read(&guard))
		return failed(&guard);
	if (guard.opened)
		printf("opened by hand on every port; 'vdp-migrate guard on' takes that "
		       "back\n");
	else if (!guard.there)
		printf("not in the kernel: no port is guarded\n");
	else if (!guard.n)
		printf("in the kernel, and no port is guarded\n");
	list(&guard);
	return EXIT_DONE;
}

static int off(void)
{
	struct kernel_guard before, after;

	/* To say what was done; that it cannot be read stops nothing. */
	(void)kernel_guard_read(&before);
	if (kernel_guard_open(&after))
		return failed(&after);
	printf("every port is open, and stays so until 'vdp-migrate guard on' or a "
	       "restart of "
	       "the machine\n");
	if (before.opened)
		printf("(it was opened before)\n");
	if (before.n)
		printf("until now the guard was in force here:\n");
	list(&before);
	return EXIT_DONE;
}

static int on(void)
{
	struct kernel_guard guard;

	if (kernel_guard_read(&guard))
		return failed(&guard);
	if (!guard.opened) {
		printf("it was not opened by hand: nothing to take back\n");
		return EXIT_DONE;
	}
	if (kernel_guard_shut(&guard))
		return failed(&guard);
	printf(engine_runs()
		       ? "the guard is in force again as it is set ('vdp-migrate show "
			 "ports')\n"
		       : "no longer held open; the guard comes back when vdp-migrated "
			 "and lldpad run\n");
	return EXIT_DONE;
}

static void list(const struct kernel_guard *guard)
{
	for (unsigned i = 0; i < guard->n; i++)
		printf("  %-15s %s\n", guard->port[i].name,
		       guard->port[i].enforce ? "enforce" : "monitor");
}

static int failed(const struct kernel_guard *guard)
{
	fprintf(stderr, "vdp-migrate: nft: %s%s\n",
		*guard->error ? guard->error : "failed without a word",
		geteuid() ? "; this needs root" : "");
	return EXIT_REFUSED;
}

static bool engine_runs(void)
{
	int fd = link_client_connect_within(1000);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
