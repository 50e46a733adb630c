/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's monitor (QMP): one JSON object a line, over a unix socket. Commands go out with
 * their name as id, which comes back with the answer. Knows nothing of migration.
 */
#ifndef COMPANION_QMP_H
#define COMPANION_QMP_H

#include <jansson.h>
#include <stddef.h>

#define QMP_LINE_MAX 65536

struct qmp {
	int fd;
	size_t len; /* octets in line[] that no message was made of yet */
	char line[QMP_LINE_MAX];
};

enum qmp_kind {
	QMP_OTHER = 0, /* nothing that we look at */
	QMP_GREETING,
	QMP_EVENT, /* name: the event's; status: data.status */
	QMP_RETURN, /* name: the command's; status: return.status */
	QMP_ERROR, /* name: the command's; status: what QEMU says of it */
};

/* Borrows from the JSON object, which qmp_msg_free releases. */
struct qmp_msg {
	enum qmp_kind kind;
	const char *name, *status; /* "" = none */
	json_t *whole;
};

/* Connected and not blocking. fd or -errno. */
int qmp_connect(const char *path);

/* arguments: as JSON, NULL for none. 0 or -errno. */
int qmp_send(const struct qmp *qmp, const char *command, const char *arguments);

/* Take in what is there: 0, -ECONNRESET at the end, -EMSGSIZE a line too long, -errno. */
int qmp_receive(struct qmp *qmp);

/* The next whole message: 1 and *ret_msg, 0 if none is there, -EBADMSG it is no JSON. */
int qmp_next(struct qmp *qmp, struct qmp_msg *ret_msg);
void qmp_msg_free(struct qmp_msg *msg);

#endif
