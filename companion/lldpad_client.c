/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lldpad's client socket: abstract, datagrams, one for each network namespace. A
 * request is answered at once by what lldpad itself thinks of it; what the switch says
 * comes as an event, to every client that is attached and among the events of other
 * VSIs. Events are kept for nobody: attach first, ask then.
 */
#include "lldpad_client.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "wire/text.h"

#define NAME "/com/intel/lldpad"
#define RESPONSE_MS 3000 /* for lldpad itself */
#define LOOK_MS 500 /* see whether there is an answer without an event */
#define AGAIN_MS 100 /* an earlier request for the VSI is under way */
#define FOUND_MAX 8

static int connect_to(void);
static int ask(struct lldpad_client *client, const struct wr *question,
	       struct lldpad_msg *ret_response);
static int receive(struct lldpad_client *client, ms_t until, struct lldpad_msg *ret_msg);
static ssize_t receive_from_root(struct lldpad_client *client);
static int find_in(struct lldpad_client *client, uint8_t mode, const uint8_t uuid[16],
		   struct lldpad_vsi *ret_vsis, unsigned max);
static enum verdict send_request(struct lldpad_client *client, struct lldpad_vsi *vsi);
static enum verdict refused_by_lldpad(struct lldpad_client *client,
				      struct lldpad_vsi *vsi);
static bool take_vlans(struct lldpad_vsi *vsi, const struct lldpad_vsi *known);
static enum verdict wait_for_switch(struct lldpad_client *client, struct lldpad_vsi *vsi);
static bool is_about(struct lldpad_client *client, struct lldpad_msg *event);
static enum verdict judge(struct lldpad_client *client, struct lldpad_vsi *vsi);
static int refused_and_kept(struct lldpad_client *client, const struct lldpad_vsi *vsi);
static ms_t now_ms(void);

int lldpad_client_open(struct lldpad_client *client, const char *port,
		       unsigned timeout_ms)
{
	struct wr attach = wr_new(client->b, sizeof(client->b));
	struct lldpad_msg response;
	int err;

	client->port = port;
	client->end = now_ms() + timeout_ms;
	client->asked = NULL;
	client->reported = false;
	client->fd = connect_to();
	if (client->fd < 0)
		return client->fd;
	lldpad_msg_attach(&attach);
	err = ask(client, &attach, &response);
	if (!err && response.status)
		err = response.status == LLDPAD_NO_ACCESS ? -EACCES : -EPROTO;
	if (!err)
		return 0;
	close(client->fd);
	return err;
}

void lldpad_client_close(struct lldpad_client *client)
{
	struct wr detach = wr_new(client->b, sizeof(client->b));
	struct lldpad_msg response;

	client->asked = NULL;
	lldpad_msg_detach(&detach);
	(void)ask(client, &detach, &response);
	close(client->fd);
}

int lldpad_client_find(struct lldpad_client *client, const uint8_t uuid[16],
		       struct lldpad_vsi *ret_vsis, unsigned max)
{
	unsigned n = 0;

	for (uint8_t mode = VDP22_PRE; mode <= VDP22_ASSOC; mode++) {
		int found = find_in(client, mode, uuid, ret_vsis + n, max - n);

		if (found < 0)
			return found;
		n += (unsigned)found;
	}
	return (int)n;
}

enum verdict lldpad_client_request(struct lldpad_client *client, struct lldpad_vsi *vsi)
{
	enum verdict verdict = send_request(client, vsi);

	/* Another request for it waits for its own answer. */
	while (verdict == VERDICT_STATUS && client->status == LLDPAD_BUSY) {
		if (now_ms() >= client->end)
			return VERDICT_LATE;
		(void)poll(NULL, 0, AGAIN_MS);
		verdict = send_request(client, vsi);
	}
	return verdict == VERDICT_ACCEPTED ? wait_for_switch(client, vsi) : verdict;
}

/* The socket. */

static int connect_to(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct sockaddr any = { .sa_family = AF_UNIX };
	/* lldpad may be stopped, and its queue full. */
	const struct timeval wait = { .tv_sec = RESPONSE_MS / 1000 };
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NAME));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int one = 1, err;

	if (fd < 0)
		return -errno;
	memcpy(to.sun_path + 1, NAME, strlen(NAME));
	/* A name of our own from the kernel: lldpad answers to it. */
	if (!setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) &&
	    !bind(fd, &any, sizeof(any.sa_family)) && !connect(fd, (void *)&to, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* An event of the VSI that is waited for may come before the response. */
static int ask(struct lldpad_client *client, const struct wr *question,
	       struct lldpad_msg *ret_response)
{
	struct lldpad_msg msg = { .kind = LLDPAD_OTHER };
	ms_t until = now_ms() + RESPONSE_MS;
	int err;

	if (!wr_ok(question))
		return -EMSGSIZE;
	if (send(client->fd, question->p, question->at, MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	do {
		err = receive(client, until, &msg);
		if (!err && is_about(client, &msg))
			client->reported = true;
	} while (!err && msg.kind != LLDPAD_RESPONSE);
	*ret_response = msg;
	return err;
}

/* -ETIMEDOUT: nothing until then. */
static int receive(struct lldpad_client *client, ms_t until, struct lldpad_msg *ret_msg)
{
	for (;;) {
		struct pollfd readable = { .fd = client->fd, .events = POLLIN };
		ms_t left = until - now_ms();
		ssize_t n;

		n = poll(&readable, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return -ETIMEDOUT;
		n = n < 0 ? 0 : receive_from_root(client);
		if (n < 0)
			return (int)n;
		if (n && !lldpad_msg_decode(client->b, (size_t)n, ret_msg, NULL))
			return 0;
	}
}

static ssize_t receive_from_root(struct lldpad_client *client)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
	struct iovec to = { client->b, sizeof(client->b) };
	struct msghdr msg = {
		.msg_iov = &to,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(client->fd, &msg, 0);
	struct cmsghdr *head = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	struct ucred from;

	if (n < 0)
		return -errno;
	if (!head || head->cmsg_type != SCM_CREDENTIALS)
		return -EPERM;
	memcpy(&from, CMSG_DATA(head), sizeof(from));
	return from.uid ? -EPERM : n;
}

/* What lldpad holds. */

static int find_in(struct lldpad_client *client, uint8_t mode, const uint8_t uuid[16],
		   struct lldpad_vsi *ret_vsis, unsigned max)
{
	uint8_t b[LLDPAD_MSG_MAX];
	struct wr question = wr_new(b, sizeof(b));
	struct lldpad_msg response;
	struct lldpad_vsi vsi;
	unsigned n = 0;
	int err;

	lldpad_msg_find(&question, client->port, mode, uuid);
	err = ask(client, &question, &response);
	if (err)
		return err;
	client->status = response.status;
	if (response.status)
		return -EPROTO;
	while (n < max && (err = lldpad_msg_vsi(&response.vsis, &vsi)) > 0)
		if (vsi.mode == mode && !memcmp(vsi.uuid, uuid, sizeof(vsi.uuid)))
			ret_vsis[n++] = vsi;
	return err < 0 ? err : (int)n;
}

/* The request. VERDICT_ACCEPTED: by lldpad. */
static enum verdict send_request(struct lldpad_client *client, struct lldpad_vsi *vsi)
{
	uint8_t b[LLDPAD_MSG_MAX];

	for (unsigned tries = 0; tries < 2; tries++) {
		struct wr question = wr_new(b, sizeof(b));
		struct lldpad_msg response;
		enum verdict verdict;

		client->asked = vsi;
		client->reported = false;
		lldpad_msg_request(&question, client->port, vsi);
		client->err = ask(client, &question, &response);
		if (client->err)
			return VERDICT_ERROR;
		client->status = response.status;
		/* What is told before the response is of the past, but for this. */
		if (client->reported && client->report.answer & LLDPAD_NOT_SENT)
			return VERDICT_NOT_SENT;
		client->reported = false;
		if (!response.status)
			return VERDICT_ACCEPTED;
		if (response.status != LLDPAD_BAD_PARAMETERS)
			return VERDICT_STATUS;
		verdict = refused_by_lldpad(client, vsi);
		if (verdict != VERDICT_ACCEPTED)
			return verdict;
	}
	return VERDICT_OTHER_FILTER;
}

/* lldpad has one word for all that does not fit. VERDICT_ACCEPTED: it may fit now. */
static enum verdict refused_by_lldpad(struct lldpad_client *client,
				      struct lldpad_vsi *vsi)
{
	struct lldpad_vsi known[FOUND_MAX];
	int n = lldpad_client_find(client, vsi->uuid, known, FOUND_MAX);

	client->err = n < 0 ? n : 0;
	client->status = LLDPAD_BAD_PARAMETERS;
	for (int i = 0; i < n; i++) {
		if (!lldpad_vsi_same(&known[i], vsi))
			continue;
		if (known[i].mode > vsi->mode)
			return VERDICT_ASSOCIATED;
		if (vsi->mode == VDP22_DEASSOC)
			return VERDICT_MANAGER_CUT;
		return take_vlans(vsi, &known[i]) ? VERDICT_ACCEPTED
						  : VERDICT_OTHER_FILTER;
	}
	if (n < 0)
		return VERDICT_ERROR;
	return vsi->mode == VDP22_DEASSOC ? VERDICT_UNKNOWN : VERDICT_STATUS;
}

/* The switch has chosen VLANs for entries that left it to it (IEEE 802.1Q 41.2.9), and
 * lldpad knows the VSI by these now. */
static bool take_vlans(struct lldpad_vsi *vsi, const struct lldpad_vsi *known)
{
	bool taken = false;

	if (vsi->n != known->n)
		return false;
	for (unsigned i = 0; i < vsi->n; i++) {
		struct vsi_entry *entry = &vsi->entry[i];

		if (!mac_equal(&entry->mac, &known->entry[i].mac) ||
		    (entry->vlan && entry->vlan != known->entry[i].vlan))
			return false;
		taken |= entry->vlan != known->entry[i].vlan;
	}
	for (unsigned i = 0; taken && i < vsi->n; i++)
		vsi->entry[i] = known->entry[i];
	return taken;
}

/* The outcome. */

static enum verdict wait_for_switch(struct lldpad_client *client, struct lldpad_vsi *vsi)
{
	while (!client->reported) {
		ms_t now = now_ms();
		ms_t look = now + LOOK_MS < client->end ? now + LOOK_MS : client->end;
		struct lldpad_msg msg;
		int kept;

		client->err = receive(client, look, &msg);
		if (!client->err) {
			client->reported = is_about(client, &msg);
			continue;
		}
		if (client->err != -ETIMEDOUT)
			return VERDICT_ERROR;
		kept = refused_and_kept(client, vsi);
		if (kept > 0)
			return VERDICT_REFUSED;
		if (client->reported)
			break;
		client->err = kept == -ECONNREFUSED ? -ECONNRESET : kept;
		if (client->err == -ECONNRESET)
			return VERDICT_ERROR;
		if (now_ms() >= client->end)
			return kept == -ETIMEDOUT ? VERDICT_ERROR : VERDICT_LATE;
	}
	return judge(client, vsi);
}

static bool is_about(struct lldpad_client *client, struct lldpad_msg *event)
{
	struct lldpad_vsi report;

	if (!client->asked || event->kind != LLDPAD_EVENT)
		return false;
	while (lldpad_msg_vsi(&event->vsis, &report) > 0) {
		if (!lldpad_vsi_same(&report, client->asked))
			continue;
		client->report = report;
		return true;
	}
	return false;
}

static enum verdict judge(struct lldpad_client *client, struct lldpad_vsi *vsi)
{
	const struct lldpad_vsi *report = &client->report;

	client->answer = report->answer;
	if (report->answer & LLDPAD_NOT_SENT)
		return VERDICT_NOT_SENT;
	if (report->answer & LLDPAD_NO_RESPONSE)
		return VERDICT_SILENT;
	if (report->answer & LLDPAD_ANSWER_OF_SWITCH)
		return VERDICT_REFUSED;
	if (report->mode != vsi->mode)
		return VERDICT_ENDED;
	/* A VSI in VLAN 0 fits each VLAN that is asked for, and stays in its own. */
	for (unsigned i = 0; i < vsi->n && i < report->n; i++) {
		if (vsi->entry[i].vlan && vsi->entry[i].vlan != report->entry[i].vlan)
			return VERDICT_OTHER_FILTER;
		vsi->entry[i] = report->entry[i];
	}
	return VERDICT_ACCEPTED;
}

/* A refusal after which the VSI stays as it was (the response's Keep bit) makes no
 * event in lldpad; its status octet can be read: 1, it is one; 0, or -errno: no lldpad
 * there to be asked. */
static int refused_and_kept(struct lldpad_client *client, const struct lldpad_vsi *vsi)
{
	bool ends = vsi->mode == VDP22_DEASSOC;
	struct lldpad_vsi known[FOUND_MAX];
	int n = find_in(client, ends ? VDP22_ASSOC : vsi->mode, vsi->uuid, known,
			FOUND_MAX);

	for (int i = 0; !ends && i < n; i++) {
		uint16_t octet = known[i].answer & LLDPAD_ANSWER_OF_SWITCH;

		if (client->reported || !lldpad_vsi_same(&known[i], vsi) || !octet ||
		    octet == LLDPAD_ANSWER_NONE)
			continue;
		client->answer = octet;
		return 1;
	}
	return n < 0 ? n : 0;
}

static ms_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
