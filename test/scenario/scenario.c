/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs migrations, and talks with DHCP servers, written as text, in virtual time.
 *
 *   # comment; a line that begins with blanks continues the one before
 *   vm A 52:54:00:00:00:01/0
 *   0.000 p2 preassoc M A                -> p2 expected, ask mac 10.0.0.2
 *   0.250                                -> ask mac 10.0.0.2
 *   0.260 10.0.0.2 active 10.0.0.7 3600  -> stage p2 10.0.0.7
 *   0.900
 *
 * What stands behind the arrow is all that happens at that time, in any order; a line
 * without one expects nothing, nor may anything happen between two lines. "N x WHAT"
 * is N times the same; of "log" a beginning is enough. What can be said and what can
 * happen: on_switch.c, on_client.c ("client" is the first line), on_station.c ("server"),
 * on_tap.c ("tap").
 *
 * Prints TAP, one test a script. With several scripts the last test is that together
 * they have used each row of core/migration's table that acts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/migration.h"
#include "script.h"

#define LINE_LEN 1024
#define ROWS_MAX 256
#define IDLE_MAX 10000 /* ticks without progress: a deadline that stays */

static bool used[ROWS_MAX];

const struct migration_row *__real_migration_step(enum migration_state state,
						  enum migration_event event,
						  unsigned facts);
const struct migration_row *__wrap_migration_step(enum migration_state state,
						  enum migration_event event,
						  unsigned facts);

/* Linked with --wrap: notes which rows the scripts use. */
const struct migration_row *__wrap_migration_step(enum migration_state state,
						  enum migration_event event,
						  unsigned facts)
{
	const struct migration_row *row = __real_migration_step(state, event, facts);
	unsigned n;
	const struct migration_row *rows = migration_rows(&n);

	if (row >= rows && row < rows + n && row - rows < ROWS_MAX)
		used[row - rows] = true;
	return row;
}

void script_happen(struct script *script, const char *format, ...)
{
	va_list args;

	if (script->n_happened == HAPPENED_MAX) {
		script_fail(script, "too much happens");
		return;
	}
	va_start(args, format);
	vsnprintf(script->happened[script->n_happened++], HAPPENED_LEN, format, args);
	va_end(args);
}

void script_fail(struct script *script, const char *format, ...)
{
	va_list args;

	script->failed = true;
	printf("# %s:%u: ", script->file, script->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\n");
	end = text + strlen(text);
	while (end > text && strchr(" \t\n", end[-1]))
		*--end = 0;
	return text;
}

static void print_happened(const struct script *script)
{
	for (unsigned i = 0; i < script->n_happened; i++)
		printf("%s%s", i ? ", " : "", script->happened[i]);
	puts(script->n_happened ? "" : "nothing");
}

/* Take away one that is like it. */
static bool take(struct script *script, const char *expected)
{
	size_t len = strncmp(expected, "log ", 4) ? HAPPENED_LEN : strlen(expected);

	for (unsigned i = 0; i < script->n_happened; i++) {
		if (strncmp(script->happened[i], expected, len))
			continue;
		script->n_happened--;
		memmove(script->happened[i], script->happened[i + 1],
			(script->n_happened - i) * sizeof(script->happened[0]));
		return true;
	}
	return false;
}

/* Hold what has happened against what is expected, "A, B, N x C". */
static void compare(struct script *script, const char *expected)
{
	static struct script rest;
	char copy[LINE_LEN], *next = copy;
	bool all = true;

	rest = *script;
	snprintf(copy, sizeof(copy), "%s", expected);
	for (char *one; (one = strsep(&next, ","));) {
		char *x;
		unsigned long times;

		one = trim(one);
		times = strtoul(one, &x, 10);
		if (!strncmp(x, " x ", 3))
			one = x + 3;
		else
			times = 1;
		while (*one && times--)
			all &= take(&rest, one);
	}
	if (!all || rest.n_happened) {
		script->failed = true;
		printf("# %s:%u: %lld.%03lld: expected %s\n#   got ", script->file,
		       script->line, (long long)script->now / 1000,
		       (long long)script->now % 1000, *expected ? expected : "nothing");
		print_happened(script);
	}
	script->n_happened = 0;
}

/* False: it does not end. */
static bool tick(struct script *script)
{
	for (unsigned i = 0; script->part->deadline(script->arg) <= script->now; i++) {
		if (i == IDLE_MAX) {
			script_fail(script, "the deadline stays");
			return false;
		}
		script->part->tick(script->arg, script->now);
	}
	script->part->look(script->arg);
	return true;
}

/* Let time pass; what happens on the way is not expected. */
static void advance(struct script *script, ms_t to)
{
	if (to < script->now)
		script_fail(script, "time goes backwards");
	while (script->part->deadline(script->arg) < to) {
		ms_t due = script->part->deadline(script->arg);

		if (due > script->now)
			script->now = due;
		if (!tick(script))
			break;
		if (script->n_happened)
			compare(script, "");
	}
	script->now = to;
	(void)tick(script);
}

static bool run_words(struct script *script, char **words, unsigned n)
{
	bool known;

	if (!n)
		return true;
	if (!strcmp(words[0], "vm"))
		return vm_define(script, words + 1, n - 1);
	if (!script->part)
		return false;
	known = script->part->line(script->arg, words, n);
	script->part->look(script->arg);
	return known;
}

static void begin_part(struct script *script, const struct part *part)
{
	script->part = part;
	script->arg = part->begin(script);
}

static void run_line(struct script *script, char *line)
{
	char *arrow = strstr(line, "->"), *words[WORDS_MAX], *end;
	const char *expected = "";
	unsigned n = 0, first = 0;
	double at;

	if (arrow) {
		*arrow = 0;
		expected = trim(arrow + 2);
	}
	for (char *word; n < WORDS_MAX && (word = strsep(&line, " \t\n"));)
		if (*word)
			words[n++] = word;
	if (n == 1 && !strcmp(words[0], "client") && !script->part) {
		begin_part(script, &client_part);
		return;
	}
	if (n == 1 && !strcmp(words[0], "server") && !script->part) {
		begin_part(script, &station_part);
		return;
	}
	if (n == 1 && !strcmp(words[0], "tap") && !script->part) {
		begin_part(script, &tap_part);
		return;
	}
	if (!script->part && n && strcmp(words[0], "vm"))
		begin_part(script, &switch_part);
	at = n ? strtod(words[0], &end) : 0;
	if (n && end != words[0] && !*end) {
		advance(script, (ms_t)(at * 1000 + 0.5));
		first = 1;
	}
	if (!run_words(script, words + first, n - first))
		script_fail(script, "not understood");
	if (script->part)
		(void)tick(script);
	compare(script, expected);
}

static bool run_file(const char *file)
{
	static struct script script;
	char line[LINE_LEN] = "", more[LINE_LEN];
	unsigned line_number = 0;
	FILE *f = fopen(file, "r");
	const char *name = strrchr(file, '/');

	script = (struct script){.file = name ? name + 1 : file};
	if (!f) {
		script_fail(&script, "cannot be opened");
		return false;
	}
	for (bool left = true; left;) {
		left = fgets(more, sizeof(more), f);
		line_number++;
		if (left && (more[0] == '#' || more[0] == '\n'))
			continue;
		if (left && (more[0] == ' ' || more[0] == '\t')) {
			strncat(line, more, sizeof(line) - strlen(line) - 1);
			continue;
		}
		if (*line)
			run_line(&script, line);
		script.line = line_number;
		snprintf(line, sizeof(line), "%s", left ? more : "");
	}
	fclose(f);
	if (script.part)
		script.part->end(script.arg);
	else
		script_fail(&script, "nothing is done here");
	return !script.failed;
}

static bool all_used(void)
{
	unsigned n;
	const struct migration_row *rows = migration_rows(&n);
	bool all = true;

	for (unsigned i = 0; i < n; i++) {
		if (rows[i].ignored || used[i])
			continue;
		all = false;
		printf("# no script has: %s, %s, facts %u\n",
		       migration_state_text(rows[i].from),
		       migration_event_text(rows[i].on), rows[i].when);
	}
	return all;
}

int main(int argc, char **argv)
{
	bool coverage = argc > 2, ok = true;

	printf("1..%d\n", argc - 1 + coverage);
	for (int i = 1; i < argc; i++) {
		bool passed = run_file(argv[i]);
		const char *name = strrchr(argv[i], '/');

		printf("%s %d - %s\n", passed ? "ok" : "not ok", i,
		       name ? name + 1 : argv[i]);
		ok &= passed;
	}
	if (coverage) {
		bool all = all_used();

		printf("%s %d - each acting row of the migration table is used\n",
		       all ? "ok" : "not ok", argc);
		ok &= all;
	}
	return ok && argc > 1 ? 0 : 1;
}
