/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request is the command of that name (associate, …) run in a child with the words that
 * were given for the VSI. Knows nothing of what they mean; its exit status is the answer.
 */
#include "qemu_vsi.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "qemu_story.h"

static void start(struct qemu_vsi *vsi);
static int request(struct qemu_vsi *vsi, unsigned what);

void qemu_vsis_ask(struct qemu_vsis *vsis, unsigned what)
{
	for (unsigned i = 0; i < vsis->n; i++) {
		vsis->vsi[i].next = what;
		start(&vsis->vsi[i]);
	}
}

bool qemu_vsis_suspend(struct qemu_vsis *vsis)
{
	struct link_msg msgs[QEMU_VSIS_MAX] = { 0 };
	int fd;

	for (unsigned i = 0; i < vsis->n; i++) {
		msgs[i].type = LINK_SUSPEND;
		msgs[i].u.suspend.seq = i + 1;
		msgs[i].u.suspend.id = vsis->vsi[i].id;
	}
	fd = link_client_tell(msgs, vsis->n);
	if (vsis->told)
		close(vsis->told);
	vsis->told = fd > 0 ? fd : 0;
	return fd >= 0;
}

bool qemu_vsis_reap(struct qemu_vsis *vsis)
{
	bool none = true;

	for (unsigned i = 0; i < vsis->n; i++) {
		struct qemu_vsi *vsi = &vsis->vsi[i];
		int status;

		if (vsi->child && waitpid(vsi->child, &status, WNOHANG) == vsi->child) {
			int code = WIFEXITED(status) ? WEXITSTATUS(status)
						     : EXIT_NOT_THERE;

			if (code > vsis->status)
				vsis->status = code;
			vsi->child = 0;
			start(vsi);
		}
		none &= !vsi->child;
	}
	return none;
}

void qemu_vsis_stop(struct qemu_vsis *vsis)
{
	for (unsigned i = 0; i < vsis->n; i++)
		if (vsis->vsi[i].child)
			kill(vsis->vsi[i].child, SIGTERM);
}

/* Statics. */

/* What waits, if nothing is under way. */
static void start(struct qemu_vsi *vsi)
{
	if (vsi->child || !vsi->next)
		return;
	vsi->doing = vsi->next;
	vsi->next = 0;
	fflush(NULL);
	vsi->child = fork();
	if (vsi->child < 0) {
		perror("vdp-migrate: no child for a request");
		vsi->child = 0;
	} else if (!vsi->child) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		close_range(STDERR_FILENO + 1, ~0u, 0); /* QEMU's monitor */
		exit(request(vsi, vsi->doing));
	}
}

static int request(struct qemu_vsi *vsi, unsigned what)
{
	static char associate[] = "associate", preassociate[] = "preassociate",
		    deassociate[] = "deassociate", migrate[] = "--migrate";
	char *argv[QEMU_WORDS_MAX + 3];
	int argc = 1;

	memcpy(argv + argc, vsi->words, (size_t)vsi->n * sizeof(*argv));
	argc += vsi->n;
	if (what == QEMU_PREASSOCIATE || what == QEMU_ASSOCIATE_M)
		argv[argc++] = migrate;
	argv[argc] = NULL;
	optind = 0; /* getopt: from the start */
	switch (what) {
	case QEMU_PREASSOCIATE:
		argv[0] = preassociate;
		return command_preassociate(argc, argv);
	case QEMU_DEASSOCIATE:
		argv[0] = deassociate;
		return command_deassociate(argc, argv);
	default:
		argv[0] = associate;
		return command_associate(argc, argv);
	}
}
