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
static int suspend(const struct vsi_id *id);

void qemu_vsis_ask(struct qemu_vsis *vsis, unsigned what)
{
	for (unsigned i = 0; i < vsis->n; i++) {
		struct qemu_vsi *vsi = &vsis->vsi[i];

		/* It is said, or there is nobody to hear it. */
		if (vsi->child && vsi->doing == QEMU_SUSPEND)
			kill(vsi->child, SIGKILL);
		vsi->next = what;
		start(vsi);
	}
}

bool qemu_vsis_reap(struct qemu_vsis *vsis)
{
	bool none = true;

	for (unsigned i = 0; i < vsis->n; i++) {
		struct qemu_vsi *vsi = &vsis->vsi[i];
		int status;

		if (vsi->child && waitpid(vsi->child, &status, WNOHANG) == vsi->child) {
			int code = WIFEXITED(status)		? WEXITSTATUS(status)
				   : vsi->doing == QEMU_SUSPEND ? EXIT_DONE
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

	if (what == QEMU_SUSPEND)
		return suspend(&vsi->id);
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

/* Without our engine or module here there is no S-bit: a migration is none the worse. */
static int suspend(const struct vsi_id *id)
{
	struct link_msg msg = { .type = LINK_SUSPEND };

	msg.u.suspend.seq = 1;
	msg.u.suspend.id = *id;
	if (freopen("/dev/null", "w", stderr))
		command_ask(&msg, NULL, NULL);
	return EXIT_DONE;
}
