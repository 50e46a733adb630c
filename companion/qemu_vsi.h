/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VSIs of one VM, and what is to be asked for them: each request is made by a child
 * of its own, for it may wait for the switch, and QEMU's events do not. That the VM has
 * stopped is told at once: each ms of it is a packet that goes where the VM is no more.
 */
#ifndef COMPANION_QEMU_VSI_H
#define COMPANION_QEMU_VSI_H

#include <stdbool.h>
#include <sys/types.h>

#include "vdp_migrate/types.h"

#define QEMU_VSIS_MAX 8
#define QEMU_WORDS_MAX 64

struct qemu_vsi {
	struct vsi_id id;
	int n; /* words of the association, argv[0] left free */
	char *words[QEMU_WORDS_MAX];
	pid_t child; /* 0 = none */
	unsigned doing, next; /* enum qemu_do, one each; 0 = none */
};

struct qemu_vsis {
	unsigned n;
	struct qemu_vsi vsi[QEMU_VSIS_MAX];
	int told; /* connection to the engine that was told last, 0 = none */
	int status; /* enum exit_code: the worst of the requests */
};

/* what: one of the four requests of enum qemu_do; for each VSI. It follows the request
 * under way; one that waits already is forgotten, it is out of date. */
void qemu_vsis_ask(struct qemu_vsis *vsis, unsigned what);

/* The VM has stopped, to go on elsewhere. False: there is no engine here to be told; a
 * migration is none the worse. */
bool qemu_vsis_suspend(struct qemu_vsis *vsis);

/* Children that have ended are seen to. True: none is left. */
bool qemu_vsis_reap(struct qemu_vsis *vsis);

/* End what is under way, for a while has passed. */
void qemu_vsis_stop(struct qemu_vsis *vsis);

#endif
