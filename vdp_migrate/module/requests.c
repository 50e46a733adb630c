/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions and answers as text. Called while the link reads, never from a bus
 * hook: an answer of many rows may be sent at once.
 */
#include "requests.h"
#include "suspend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vdp_migrate/host.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define ROW_MAX 1200		/* octets of a row: the client-id is most of it */

static void mark(struct link *link, struct marks *marks, ms_t now,
		 const struct link_mark *wanted);
static void unmark(struct link *link, struct marks *marks, ms_t now,
		   const struct link_mark *wanted);
static void suspend(struct link *link, struct ports *ports,
		    const struct link_suspend *asked);
static void tell(struct link *link, uint8_t type, const struct link_mark *mark);
static void show(struct link *link, const struct marks *marks, const struct ports *ports,
		 ms_t now, const struct link_show *show);
static void put_row(struct link *link, const struct ports *ports, ms_t now, uint32_t seq,
		    const struct mark *one);
static const char *state_text(const struct ports *ports, const struct vsi_id *id);
static void done(struct link *link, uint32_t seq, int error, const char *text);

void requests_message(struct link *link, struct marks *marks, struct ports *ports,
		      ms_t now, const struct link_msg *msg)
{
	switch (msg->type) {
	case LINK_MARK:
		mark(link, marks, now, &msg->u.mark);
		break;
	case LINK_UNMARK:
		unmark(link, marks, now, &msg->u.mark);
		break;
	case LINK_SUSPEND:
		suspend(link, ports, &msg->u.suspend);
		break;
	case LINK_SHOW:
		show(link, marks, ports, now, &msg->u.show);
		break;
	}
}

static void mark(struct link *link, struct marks *marks, ms_t now,
		 const struct link_mark *wanted)
{
	int rc = marks_set(marks, now, wanted);

	if (rc == -EINVAL)
		done(link, wanted->seq, -rc, "a mark lives at most 86400 s");
	else if (rc == -ENOSPC)
		done(link, wanted->seq, -rc, "no more than 4096 marks");
	else
		done(link, wanted->seq, -rc, rc ? "no memory in lldpad" : "marked");
	if (!rc)
		tell(link, LINK_MARK, wanted);
}

static void unmark(struct link *link, struct marks *marks, ms_t now,
		   const struct link_mark *wanted)
{
	int rc = marks_unset(marks, now, &wanted->id);

	done(link, wanted->seq, -rc, rc ? "this VSI is not marked" : "unmarked");
	if (!rc)
		tell(link, LINK_UNMARK, wanted);
}

static void suspend(struct link *link, struct ports *ports,
		    const struct link_suspend *asked)
{
	char text[LINK_TEXT_MAX];
	int error = suspend_ask(ports, &asked->id, text, sizeof(text));

	done(link, asked->seq, error, text);
}

/* The engine's copy. */
static void tell(struct link *link, uint8_t type, const struct link_mark *mark)
{
	struct link_msg msg = { .type = type, .u.mark = *mark };

	msg.u.mark.seq = 0;
	if (!msg.u.mark.ttl_s)
		msg.u.mark.ttl_s = MARKS_TTL_MAX_S;
	link_put(link, &msg);
	link_flush(link);
}

static void show(struct link *link, const struct marks *marks, const struct ports *ports,
		 ms_t now, const struct link_show *asked)
{
	static const char *const head[] = { "vsi:s", "mac:s", "address:s", "client_id:s",
					    "expires_in:d", "state:s", "server:s",
					    "tap:s+" };
	const struct mark *one;

	if (strncmp(asked->table, "marks", sizeof(asked->table))) {
		done(link, asked->seq, ENOENT, "no such table in the module");
		return;
	}
	link_put_row(link, LINK_HEAD, asked->seq, head, sizeof(head) / sizeof(head[0]));
	for (one = marks_first(marks); one; one = one->next) {
		if (now >= one->expires)
			continue;
		if (link_room(link) < ROW_MAX && !link_flush(link)) {
			done(link, asked->seq, ENOBUFS, "the engine does not read");
			return;
		}
		put_row(link, ports, now, asked->seq, one);
	}
	done(link, asked->seq, 0, "");
}

static void put_row(struct link *link, const struct ports *ports, ms_t now, uint32_t seq,
		    const struct mark *one)
{
	char id[VSI_ID_TEXT_MAX], mac[MAC_TEXT_MAX], ip[ADDR_TEXT_MAX];
	char client_id[CLIENT_ID_TEXT_MAX], expires[24], server[ADDR_TEXT_MAX];
	const struct link_mark *what = &one->what;
	const char *const fields[] = {
		vsi_id_text(&what->id, id),
		mac_is_zero(&what->mac) ? "" : mac_text(&what->mac, mac),
		what->ip.family ? addr_text(&what->ip, ip) : "",
		what->client_id.len	? client_id_text(&what->client_id, client_id)
		: what->no_client_id ? "none"
				     : "",
		expires,
		state_text(ports, &what->id),
		what->server.family ? addr_text(&what->server, server) : "",
		what->tap,
	};

	snprintf(expires, sizeof(expires), "%lld",
		 (long long)(one->expires - now + 999) / 1000);
	link_put_row(link, LINK_ROW, seq, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Of the station port where it has come farthest. */
static const char *state_text(const struct ports *ports, const struct vsi_id *id)
{
	const struct vsis_one *best = NULL, *one;
	const struct port *port;

	for (port = ports->first; port; port = port->next) {
		if (port->role != LINK_ROLE_STATION)
			continue;
		one = vsis_find(&port->vsis, id);
		if (one && (!best || one->mode > best->mode))
			best = one;
	}
	return marks_state_text(best);
}

static void done(struct link *link, uint32_t seq, int error, const char *text)
{
	struct link_msg msg = {
		.type = LINK_DONE,
		.u.done = { .seq = seq, .code = error },
	};

	snprintf(msg.u.done.text, sizeof(msg.u.done.text), "%s", text);
	link_put(link, &msg);
	link_flush(link);
}
