/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent: a program of its own, since it alone needs libvirt's library.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define AGENT "vdp-migrate-agent"

static void beside_ourselves(char ret_path[PATH_MAX]);

int command_agent(int argc, char **argv)
{
	char path[PATH_MAX];

	(void)argc;
	argv[0] = (char[]){ AGENT };
	/* A build that is not installed has it in one place with us. */
	beside_ourselves(path);
	execv(path, argv);
	if (errno == ENOENT)
		execv(PKGLIBEXECDIR "/" AGENT, argv);
	if (errno == ENOENT)
		fprintf(stderr, "vdp-migrate: %s is not there: it is built where "
			"libvirt's headers are (libvirt-dev)\n", PKGLIBEXECDIR "/" AGENT);
	else
		fprintf(stderr, "vdp-migrate: %s: %s\n", AGENT, strerror(errno));
	return EXIT_NOT_THERE;
}

static void beside_ourselves(char ret_path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret_path, PATH_MAX - sizeof(AGENT) - 1);
	char *slash;

	ret_path[n > 0 ? n : 0] = 0;
	slash = strrchr(ret_path, '/');
	strcpy(slash ? slash + 1 : ret_path, AGENT);
}
