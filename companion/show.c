/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * show: what engine and module know, as tables for people or as JSON; the counters for
 * Prometheus, too.
 */
#include <getopt.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "prometheus.h"
#include "table.h"

static const char *const tables[] = { "bindings", "vsis",    "leases", "ports",
				      "cases",	  "settings", "servers", "groups",
				      "marks",	  "counters" };

enum shape { SHAPE_TABLE, SHAPE_LONG, SHAPE_JSON, SHAPE_PROMETHEUS };

static int parse_show(int argc, char **argv, struct link_show *ret_show,
		      enum shape *ret_shape);
static void take_row(void *arg, bool head, const struct link_row *row);

int command_show(int argc, char **argv)
{
	static const struct link_answer_ops ops = { .row = take_row };
	struct link_msg msg = { .type = LINK_SHOW };
	struct table rows = { 0 };
	enum shape shape = SHAPE_TABLE;
	int code = parse_show(argc, argv, &msg.u.show, &shape);

	if (!code)
		code = command_ask(&msg, &ops, &rows);
	if (code == EXIT_DONE && shape == SHAPE_JSON)
		json_print(&rows, stdout);
	else if (code == EXIT_DONE && shape == SHAPE_PROMETHEUS)
		prometheus_print(&rows, stdout);
	else if (code == EXIT_DONE)
		table_print(&rows, shape == SHAPE_LONG, stdout);
	table_done(&rows);
	return code;
}

static int parse_show(int argc, char **argv, struct link_show *ret_show,
		      enum shape *ret_shape)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, SHAPE_JSON },
		{ "long", no_argument, NULL, SHAPE_LONG },
		{ "prometheus", no_argument, NULL, SHAPE_PROMETHEUS },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help show'");
		/* --json --long is --json, which shows every column. */
		if ((enum shape)option > *ret_shape)
			*ret_shape = (enum shape)option;
	}
	if (optind + 1 != argc)
		return command_wrong_use(argv, "one table is wanted");
	if (*ret_shape == SHAPE_PROMETHEUS && strcmp(argv[optind], "counters") != 0)
		return command_wrong_use(argv, "--prometheus is for counters");
	*ret_show = (struct link_show){ .seq = 1 };
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (!strcmp(argv[optind], tables[i]))
			strcpy(ret_show->table, tables[i]);
	return *ret_show->table ? 0
				: command_wrong_use(argv, "no table '%s'", argv[optind]);
}

static void take_row(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	table_add(arg, row);
}
