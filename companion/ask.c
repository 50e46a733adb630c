/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One question to the engine, and what becomes of it said to a person. Knows nothing
 * of what is asked.
 */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void no_row(void *arg, bool head, const struct link_row *row);

int command_ask(const struct link_msg *question, const struct link_answer_ops *ops,
		void *arg)
{
	static const struct link_answer_ops none = { .row = no_row };
	struct link_done done;
	int fd = link_client_connect();
	int err = fd < 0 ? fd
			 : link_client_ask(fd, question, ops ? ops : &none, arg, &done);

	if (fd >= 0)
		close(fd);
	if (err)
		return command_not_there(err);
	if (*done.text)
		fprintf(stderr, "vdp-migrate: %s\n", done.text);
	if (!done.code)
		return EXIT_DONE;
	return done.code == ENOTCONN ? EXIT_NOT_THERE : EXIT_REFUSED;
}

int command_not_there(int err)
{
	fprintf(stderr, "vdp-migrate: %s\n",
		err == -ECONNREFUSED ? "engine not running (vdp-migrated)"
		: err == -EACCES     ? "the engine does not let you in: root, or a member "
				       "of group vdp-migrate"
		: err == -EPERM	     ? "the engine's name is held by another program"
		: err == -EAGAIN     ? "the engine does not answer"
		: err == -EPROTO     ? "engine and vdp-migrate are of different versions"
				     : strerror(-err));
	return EXIT_NOT_THERE;
}

static void no_row(void *arg, bool head, const struct link_row *row)
{
	(void)arg;
	(void)head;
	(void)row;
}
