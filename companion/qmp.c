/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QMP's lines, in and out. What comes in is QEMU's, and so in part the guest's: a line
 * has an end or is refused, and what is not as expected is nothing that we look at. QEMU,
 * docs/interop/qmp-spec.txt.
 */
#include "qmp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *text(const json_t *object, const char *key);
static void read_msg(json_t *whole, struct qmp_msg *ret_msg);

int qmp_connect(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, sizeof(name))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int qmp_send(const struct qmp *qmp, const char *command, const char *arguments)
{
	char out[512];
	int n = snprintf(out, sizeof(out), "{\"execute\":\"%s\",\"id\":\"%s\"%s%s}\r\n",
			 command, command, arguments ? ",\"arguments\":" : "",
			 arguments ? arguments : "");
	ssize_t sent;

	if (n < 0 || (size_t)n >= sizeof(out))
		return -EMSGSIZE;
	sent = send(qmp->fd, out, (size_t)n, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return sent == n ? 0 : -EIO;
}

int qmp_receive(struct qmp *qmp)
{
	ssize_t n;

	if (qmp->len == sizeof(qmp->line))
		return -EMSGSIZE;
	n = recv(qmp->fd, qmp->line + qmp->len, sizeof(qmp->line) - qmp->len, 0);
	if (n > 0)
		qmp->len += (size_t)n;
	else if (!n)
		return -ECONNRESET;
	else if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

int qmp_next(struct qmp *qmp, struct qmp_msg *ret_msg)
{
	const char *end = memchr(qmp->line, '\n', qmp->len);
	size_t size;
	json_t *whole;

	if (!end)
		return 0;
	size = (size_t)(end - qmp->line) + 1;
	whole = json_loadb(qmp->line, size, 0, NULL);
	qmp->len -= size;
	memmove(qmp->line, qmp->line + size, qmp->len);
	if (!whole)
		return -EBADMSG;
	read_msg(whole, ret_msg);
	return 1;
}

void qmp_msg_free(struct qmp_msg *msg)
{
	json_decref(msg->whole);
	msg->whole = NULL;
}

/* Statics. */

static void read_msg(json_t *whole, struct qmp_msg *ret_msg)
{
	struct qmp_msg msg = { .whole = whole, .name = text(whole, "id"), .status = "" };

	if (json_object_get(whole, "QMP")) {
		msg.kind = QMP_GREETING;
	} else if (json_object_get(whole, "event")) {
		msg.kind = QMP_EVENT;
		msg.name = text(whole, "event");
		msg.status = text(json_object_get(whole, "data"), "status");
	} else if (json_object_get(whole, "return")) {
		msg.kind = QMP_RETURN;
		msg.status = text(json_object_get(whole, "return"), "status");
	} else if (json_object_get(whole, "error")) {
		msg.kind = QMP_ERROR;
		msg.status = text(json_object_get(whole, "error"), "desc");
	}
	*ret_msg = msg;
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}
