/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check: what is wrong on this machine, each finding with what cures it. Changes
 * nothing. Exit status: 0 nothing found, 1 findings, 3 wrong use.
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

int command_check(int argc, char **argv)
{
	bool quick = argc == 2 && !strcmp(argv[1], "--quick");
	struct check check = { .fd = -1 };

	if (argc > 1 + quick)
		return command_wrong_use(argv, "what is '%s'?", argv[argc - 1]);
	check_programs(&check);
	check_ports(&check);
	check_servers(&check, !quick);
	table_done(&check.ports);
	table_done(&check.vsis);
	table_done(&check.servers);
	table_done(&check.settings);
	if (check.fd >= 0)
		close(check.fd);
	if (!check.found)
		printf("nothing wrong found\n");
	return check.found ? EXIT_REFUSED : EXIT_DONE;
}

void check_found(struct check *check, const char *name, const char *cure,
		 const char *format, ...)
{
	va_list args;

	check->found++;
	printf("%s: ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n    cure: %s\n", cure);
}
