/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two calls that we stand in for, and the way in. lldptool calls getopt_long() for
 * each command, typed or interactive, after it has made its modules: there it gets
 * ours. clif_request() carries its command to lldpad and the answer back. In a program
 * that is not lldptool both are plain pass-throughs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "attach/preload.h"
#include "extend.h"

#define EXPORT __attribute__((visibility("default")))
/* The next object's symbol of this name, looked up once. */
#define REAL(name)                                                                \
	static __typeof__(name) *real;                                            \
	if (!real)                                                                \
		*(void **)&real = dlsym(RTLD_NEXT, #name)

/* lldpad/clif.h: struct clif is opaque. */
struct clif;
int clif_request(struct clif *clif, const char *cmd, size_t cmd_len, char *reply,
		 size_t *reply_len, void (*msg_cb)(char *msg, size_t len));

/* Where a question of our own goes. */
struct asked {
	__typeof__(clif_request) *request;
	struct clif *clif;
	void (*msg_cb)(char *msg, size_t len);
};

static bool enabled;

static int ask(void *arg, const char *cmd, size_t len, char *reply, size_t *reply_len);

__attribute__((constructor)) static void interpose_init(void)
{
	if (strcmp(program_invocation_short_name, "lldptool") != 0)
		return;
	enabled = true;
	preload_leave();
}

EXPORT int getopt_long(int argc, char *const *argv, const char *letters,
		       const struct option *options, int *index)
{
	static bool begun;

	REAL(getopt_long);
	/* A new command: the interactive mode sets optind to 0. */
	if (enabled && (!begun || optind == 0))
		extend_command();
	begun = true;
	return real(argc, argv, letters, options, index);
}

EXPORT int clif_request(struct clif *clif, const char *cmd, size_t cmd_len, char *reply,
			size_t *reply_len, void (*msg_cb)(char *msg, size_t len))
{
	struct asked asked = { NULL, clif, msg_cb };
	const size_t room = *reply_len;
	char text[ANSWER_TEXT_MAX];
	int r;

	REAL(clif_request);
	r = real(clif, cmd, cmd_len, reply, reply_len, msg_cb);
	if (r || !enabled)
		return r;
	/* lldptool prints a refusal from the 26th octet on, however short it is. */
	if (*reply_len < room)
		memset(reply + *reply_len, 0, room - *reply_len);
	asked.request = real;
	if (answer_explain(cmd, cmd_len, reply, *reply_len, ask, &asked, text))
		fprintf(stderr, "vdp-migrate: %s\n", text);
	return 0;
}

static int ask(void *arg, const char *cmd, size_t len, char *reply, size_t *reply_len)
{
	struct asked *asked = arg;

	return asked->request(asked->clif, cmd, len, reply, reply_len, asked->msg_cb);
}
