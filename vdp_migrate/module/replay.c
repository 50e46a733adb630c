/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of a replay: all ports and all marks before the first VSI, so that the
 * engine knows the port of each, and which are expected. A VSI is told as it was last
 * accepted; a request that has no answer yet is told as the request that it is, its
 * answer comes live.
 */
#include "replay.h"

#include <string.h>

enum stage { BEGIN, PORTS, MARKS, VSIS, COUNTERS, END, OVER };

static bool put_ports(struct replay *replay, struct ports *ports, struct wr *datagram);
static bool put_vsis(struct replay *replay, const struct ports *ports,
		     struct wr *datagram);
static bool put_vsis_of(struct replay *replay, const struct port *port,
			struct wr *datagram);
static bool put_vsi(const struct port *port, const struct vsis_one *one,
		    struct wr *datagram);
static bool put_marks(struct replay *replay, const struct marks *marks, ms_t now,
		      struct wr *datagram);
static bool put_counters(struct replay *replay, struct counters *counters,
			 struct wr *datagram);

void replay_start(struct replay *replay)
{
	*replay = (struct replay){ .stage = BEGIN };
}

bool replay_fill(struct replay *replay, struct ports *ports, const struct marks *marks,
		 ms_t now, struct counters *counters, struct wr *datagram)
{
	const struct link_msg begin = { .type = LINK_REPLAY };
	const struct link_msg end = { .type = LINK_REPLAY_END };
	bool done = true;

	for (; replay->stage < OVER && done; replay->stage += done) {
		switch ((enum stage)replay->stage) {
		case BEGIN:
			done = linkmsg_put(datagram, &begin);
			break;
		case PORTS:
			done = put_ports(replay, ports, datagram);
			break;
		case MARKS:
			done = put_marks(replay, marks, now, datagram);
			break;
		case VSIS:
			done = put_vsis(replay, ports, datagram);
			break;
		case COUNTERS:
			done = put_counters(replay, counters, datagram);
			break;
		case END:
			done = linkmsg_put(datagram, &end);
			break;
		case OVER:
			break;
		}
	}
	return replay->stage == OVER;
}

static bool put_ports(struct replay *replay, struct ports *ports, struct wr *datagram)
{
	struct link_msg msg = { .type = LINK_PORT };
	struct port *port;

	/* Ports with use=no too: the engine may know them from before. */
	while ((port = port_after(ports, replay->port))) {
		port_describe(port, &msg.u.port);
		if (!linkmsg_put(datagram, &msg))
			return false;
		port->told = port->settings.use;
		replay->port = port->serial;
	}
	replay->port = 0;
	return true;
}

static bool put_vsis(struct replay *replay, const struct ports *ports,
		     struct wr *datagram)
{
	const struct port *port;

	while ((port = port_after(ports, replay->port))) {
		if (port->settings.use && !put_vsis_of(replay, port, datagram))
			return false;
		replay->port = port->serial;
		replay->vsi = 0;
	}
	return true;
}

static bool put_vsis_of(struct replay *replay, const struct port *port,
			struct wr *datagram)
{
	const struct vsis_one *one = vsis_after(&port->vsis, replay->vsi);

	for (; one; one = one->next) {
		if (!put_vsi(port, one, datagram))
			return false;
		replay->vsi = one->serial;
	}
	return true;
}

static bool put_vsi(const struct port *port, const struct vsis_one *one,
		    struct wr *datagram)
{
	struct link_msg msg = { .type = LINK_VSI };
	struct link_vsi *said = &msg.u.vsi;
	size_t before = datagram->at;

	memcpy(said->port, port->name, sizeof(said->port));
	said->id = one->id;
	said->n_entries = one->n_entries;
	if (one->n_entries)
		memcpy(said->entries, one->entries,
		       one->n_entries * sizeof(said->entries[0]));
	if (one->mode) {
		said->what = LINK_VSI_REPLAYED;
		said->mode = one->mode;
		said->status = one->status;
		if (!linkmsg_put(datagram, &msg))
			return false;
	}
	if (one->asked && one->asked != one->mode) {
		said->what = LINK_VSI_REQUEST;
		said->mode = one->asked;
		said->status = one->asked_status;
		if (!linkmsg_put(datagram, &msg)) {
			/* Both or none: the place to go on is the VSI. */
			datagram->at = before;
			return false;
		}
	}
	return true;
}

static bool put_marks(struct replay *replay, const struct marks *marks, ms_t now,
		      struct wr *datagram)
{
	struct link_msg msg = { .type = LINK_MARK };
	const struct mark *mark;

	while ((mark = marks_after(marks, replay->mark))) {
		if (marks_describe(mark, now, &msg.u.mark) && !linkmsg_put(datagram, &msg))
			return false;
		replay->mark = mark->serial;
	}
	return true;
}

static bool put_counters(struct replay *replay, struct counters *counters,
			 struct wr *datagram)
{
	struct link_msg msg = { .type = LINK_COUNTER };
	unsigned next = replay->counter;

	while (counters_next(counters, true, &next, &msg.u.counter)) {
		if (!linkmsg_put(datagram, &msg))
			return false;
		replay->counter = next;
	}
	return true;
}
