/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The companion's end of @vdp-migrate: one question, its answer.
 */
#ifndef COMPANION_LINK_CLIENT_H
#define COMPANION_LINK_CLIENT_H

#include "vdp_migrate/link.h"

struct link_answer_ops {
	/* LINK_HEAD or LINK_ROW; the fields are borrowed. */
	void (*row)(void *arg, bool head, const struct link_row *row);
};

/* Connect and say hello. fd, or -errno: -ECONNREFUSED engine not running,
 * -EPROTO another version, -EACCES not let in, -EPERM the name is held by another
 * than root. */
int link_client_connect(void);

/* The same, and from now on no wait for a word of the engine takes longer; another time
 * for that, not 0. */
int link_client_connect_within(unsigned ms);
int link_client_within(int fd, unsigned ms);

/* Hello and these messages in one breath, whose answers nobody waits for. fd, to be
 * closed when they may be forgotten, or -errno as above; -EAGAIN: it is busy. */
int link_client_tell(const struct link_msg *msgs, unsigned n);

/* Wait for the engine's words for as long as it takes. 0 or -errno. */
int link_client_patience(int fd);

/* Send the question and read up to LINK_DONE. 0 with *ret_done set, or -errno. */
int link_client_ask(int fd, const struct link_msg *question, const struct link_answer_ops *ops,
		    void *arg, struct link_done *ret_done);

#endif
