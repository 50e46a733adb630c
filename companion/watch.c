/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch: what happens at the switch, as it happens, a line or a JSON object each.
 * Ends with Ctrl-C, or with the engine.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json.h"
#include "table.h"

struct watching {
	bool json;
	struct table table;	/* head and the row at hand */
};

static int watch(struct watching *w);
static void take_event(void *arg, bool head, const struct link_row *row);
static void print_line(const struct table *event, FILE *to);
static void print_field(const char *before, const char *field, FILE *to);
static void print_vsi(const char *id, FILE *to);

int command_watch(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct watching w = { .json = false };
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help watch'");
		w.json = true;
	}
	if (optind != argc)
		return command_wrong_use(argv, "what is '%s'?", argv[optind]);
	code = watch(&w);
	table_done(&w.table);
	return code;
}

/* Every line is out by then. */
static void on_interrupt(int number)
{
	(void)number;
	_exit(EXIT_DONE);
}

static int watch(struct watching *w)
{
	static const struct link_answer_ops ops = { .row = take_event };
	const struct link_msg msg = { .type = LINK_WATCH, .u.show = { .seq = 1 } };
	struct link_done done;
	int fd = link_client_connect();
	int err = fd < 0 ? fd : link_client_patience(fd);

	signal(SIGINT, on_interrupt);
	if (!err)
		err = link_client_ask(fd, &msg, &ops, w, &done);
	if (fd >= 0)
		close(fd);
	if (err == -ECONNRESET && w->table.rows) {
		fprintf(stderr, "vdp-migrate: the engine has ended\n");
		return EXIT_NOT_THERE;
	}
	if (err)
		return command_not_there(err);
	fprintf(stderr, "vdp-migrate: %s\n", done.text);
	return EXIT_REFUSED;
}

static void take_event(void *arg, bool head, const struct link_row *row)
{
	struct watching *w = arg;

	table_drop_rows(&w->table);
	if (table_add(&w->table, row))
		return;
	if (head) {
		fprintf(stderr, "vdp-migrate: watching; Ctrl-C ends\n");
		return;
	}
	if (w->json) {
		json_print_row(&w->table, 1, stdout);
		putchar('\n');
	} else {
		print_line(&w->table, stdout);
	}
	fflush(stdout);
}

/* 12:04:31.123 p2 binding 10.0.0.7 52:54:00:00:00:07 vlan 10 staged -> active (accepted) */
static void print_line(const struct table *event, FILE *to)
{
	const char *vlan = table_field(event, 1, "vlan");
	const char *from = table_field(event, 1, "from");
	const char *why = table_field(event, 1, "why");
	char buf[TABLE_TEXT_MAX];

	fputs(table_text('t', table_field(event, 1, "time"), buf), to);
	print_field(" ", table_field(event, 1, "port"), to);
	print_field(" ", table_field(event, 1, "what"), to);
	print_field(" ", table_field(event, 1, "address"), to);
	if (!strcmp(table_field(event, 1, "what"), "vsi"))
		print_vsi(table_field(event, 1, "vsi"), to);
	else
		print_field(" ", table_field(event, 1, "mac"), to);
	if (strcmp(vlan, "0"))
		print_field(" vlan ", vlan, to);
	print_field(" ", from, to);
	print_field(*from ? " -> " : " ", table_field(event, 1, "to"), to);
	print_field(" (", why, to);
	fputs(*why ? ")\n" : "\n", to);
}

static void print_field(const char *before, const char *field, FILE *to)
{
	if (!*field)
		return;
	fputs(before, to);
	for (; *field; field++) {
		unsigned char c = (unsigned char)*field;

		fputc(c < ' ' || c == 0x7f ? '?' : c, to);
	}
}

/* As in the log: fa9b…8f8f. */
static void print_vsi(const char *id, FILE *to)
{
	size_t len = strlen(id);

	if (len > 12)
		fprintf(to, " %.4s\xe2\x80\xa6%s", id, id + len - 4);
	else
		print_field(" ", id, to);
}
