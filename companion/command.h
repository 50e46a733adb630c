/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands share. A command is a row of the table in main.c and a function
 * in a file of its own; argv[0] is the command's name.
 */
#ifndef COMPANION_COMMAND_H
#define COMPANION_COMMAND_H

#include "link_client.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_NOT_THERE = 2,	/* engine, module, lldpad, port */
	EXIT_WRONG_USE = 3,
	EXIT_NO_ANSWER = 4,	/* of the switch */
};

struct command {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);	/* enum exit_code */
};

int command_mark(int argc, char **argv);
int command_unmark(int argc, char **argv);
int command_suspend(int argc, char **argv);
int command_set(int argc, char **argv);
int command_show(int argc, char **argv);
int command_bind(int argc, char **argv);
int command_unbind(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_leasequery(int argc, char **argv);
int command_associate(int argc, char **argv);
int command_preassociate(int argc, char **argv);
int command_deassociate(int argc, char **argv);
int command_qemu(int argc, char **argv);
int command_hook(int argc, char **argv);
int command_install_hook(int argc, char **argv);
int command_agent(int argc, char **argv);
int command_guard(int argc, char **argv);
int command_check(int argc, char **argv);
int command_setup(int argc, char **argv);

/* main.c: say what is wrong and the usage of the command argv[0]; EXIT_WRONG_USE. */
int command_wrong_use(char **argv, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ask.c: ask the engine, say on stderr what comes of it; enum exit_code. Rows of the
 * answer go to ops (NULL: none are expected). */
int command_ask(const struct link_msg *question, const struct link_answer_ops *ops,
		void *arg);
/* What an -errno of link_client means to a person; EXIT_NOT_THERE. */
int command_not_there(int err);

#endif
