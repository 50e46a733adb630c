/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check: what is wrong on this machine, each finding with what cures it. Changes
 * nothing. Exit status: 0 nothing found, 1 findings, 3 wrong use.
 *
 * An lldpad that has only just been started knows neither roles nor neighbours yet, and
 * a new engine not the module: what may be no more than that is looked at again until it
 * has had its time.
 */
#include "check.h"

#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define STARTING_MS 8000
#define CLEAN_MS 3000 /* before that nobody knows that all is well */
#define LINKING_MS 3000 /* the module looks for a new engine once in a second */
#define AGAIN_MS 200

static void look(struct check *check, bool ask);
static bool may_pass(const struct check *check);
static bool is_younger(pid_t pid, long ms);
static void begin_anew(struct check *check);
static void print_json(const struct check *check);

int command_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool quick = false, json = false;
	struct check check = { .fd = -1 };
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help check'");
		quick |= option == 'q';
		json |= option == 'j';
	}
	if (optind < argc)
		return command_wrong_use(argv, "what is '%s'?", argv[optind]);
	look(&check, !quick);
	if (json)
		print_json(&check);
	for (unsigned i = 0; !json && i < check.found; i++)
		printf("%s: %s\n    cure: %s\n", check.findings[i].name,
		       check.findings[i].what, check.findings[i].cure);
	if (!json && !check.found)
		printf("nothing wrong found\n");
	code = check.found ? EXIT_REFUSED : EXIT_DONE;
	begin_anew(&check);
	return code;
}

void check_found(struct check *check, const char *name, const char *cure,
		 const char *format, ...)
{
	struct finding *grown = realloc(check->findings,
					(check->found + 1) * sizeof(*grown));
	va_list args;
	int n;

	if (!grown)
		abort();
	check->findings = grown;
	grown += check->found++;
	*grown = (struct finding){ .name = name, .cure = strdup(cure) };
	va_start(args, format);
	n = vasprintf(&grown->what, format, args);
	va_end(args);
	if (n < 0 || !grown->cure)
		abort();
}

/* Statics. */

static void look(struct check *check, bool ask)
{
	for (;;) {
		check_programs(check);
		check_ports(check);
		check_vsis(check);
		if (!may_pass(check))
			break;
		(void)poll(NULL, 0, AGAIN_MS);
		begin_anew(check);
	}
	check_servers(check, ask);
}

static bool may_pass(const struct check *check)
{
	static const struct {
		const char *name;
		long lldpad_ms, engine_ms;
	} of_a_start[] = {
		{ "versions", STARTING_MS, LINKING_MS },
		{ "evb-mode", STARTING_MS, 0 },
		{ "neighbour-silent", STARTING_MS, 0 },
		{ "neighbour-mode", STARTING_MS, 0 },
		{ "no-ports", CLEAN_MS, 0 },
	};

	if (!check->found)
		return is_younger(check->lldpad, CLEAN_MS);
	for (unsigned i = 0; i < check->found; i++)
		for (size_t k = 0; k < sizeof(of_a_start) / sizeof(*of_a_start); k++)
			if (!strcmp(check->findings[i].name, of_a_start[k].name) &&
			    (is_younger(check->lldpad, of_a_start[k].lldpad_ms) ||
			     is_younger(check->engine, of_a_start[k].engine_ms)))
				return true;
	return false;
}

static bool is_younger(pid_t pid, long ms)
{
	long age = pid ? check_age_ms(pid) : -1;

	return age >= 0 && age < ms;
}

static void begin_anew(struct check *check)
{
	table_done(&check->ports);
	table_done(&check->vsis);
	table_done(&check->servers);
	table_done(&check->settings);
	if (check->fd >= 0)
		close(check->fd);
	for (unsigned i = 0; i < check->found; i++) {
		free(check->findings[i].what);
		free(check->findings[i].cure);
	}
	free(check->findings);
	*check = (struct check){ .fd = -1 };
}

static void print_json(const struct check *check)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < check->found; i++) {
		const struct finding *f = &check->findings[i];

		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s}", "finding", f->name, "what",
				       f->what, "cure", f->cure));
	}
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(all);
}
