/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE STORY, server side; see station.h. Here: the marks, which the module keeps and the
 * engine has a copy of, and who is told of what.
 */
#include "station_help.h"

#include <stdlib.h>

static void drop(struct station *s, struct station_mark *mark);

struct station *station_new(const struct bridge_io *io, void *arg)
{
	struct station *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct station){ .io = io, .arg = arg, .help = station_help_new() };
	if (s->help)
		return s;
	free(s);
	return NULL;
}

void station_free(struct station *s)
{
	if (!s)
		return;
	while (s->marks)
		drop(s, s->marks);
	station_help_free(s->help);
	station_tap_forget_ports(s);
	station_lost_free(s);
	free(s);
}

void station_port(struct station *s, ms_t now, const struct link_port *port)
{
	s->now = now;
	station_help_port(s, port);
	station_tap_port(s, port);
	station_direct_port(s, port);
	station_lost_port(s, port);
}

void station_vsi(struct station *s, ms_t now, const struct link_vsi *seen)
{
	s->now = now;
	station_help_vsi(s, seen);
	station_tap_vsi(s, seen);
	station_lost_vsi(s, seen);
}

void station_forgotten(struct station *s, ms_t now, const char *port)
{
	s->now = now;
	station_help_forgotten(s, port);
	station_tap_forgotten(s, port);
	station_lost_forgotten(s, port);
}

void station_mark(struct station *s, ms_t now, const struct link_mark *what)
{
	struct station_mark *mark = station_mark_of(s, &what->id);

	s->now = now;
	if (!mark) {
		mark = calloc(1, sizeof(*mark));
		if (!mark)
			return;
		mark->what.id = what->id;
		mark->tap.close_at = MS_NEVER;
		HASH_ADD(hh, s->marks, what.id, sizeof(mark->what.id), mark);
		if (!mark->hh.tbl) {
			free(mark);
			return;
		}
	}
	mark->what = *what;
	mark->spent = false;
	mark->expires = now + (ms_t)what->ttl_s * 1000;
	station_tap_marked(s, mark);
}

void station_unmark(struct station *s, ms_t now, const struct vsi_id *id)
{
	struct station_mark *mark = station_mark_of(s, id);

	s->now = now;
	if (mark)
		drop(s, mark);
}

void station_module_gone(struct station *s, ms_t now)
{
	s->now = now;
	station_help_forgotten(s, "");
	while (s->marks)
		drop(s, s->marks);
	station_tap_forget_ports(s);
	station_lost_module_gone(s);
}

void station_replayed(struct station *s, ms_t now)
{
	s->now = now;
	s->help->told = true;
}

void station_links_changed(struct station *s, ms_t now)
{
	s->now = now;
	station_help_links_changed(s);
	station_tap_links_changed(s);
}

void station_frame(struct station *s, ms_t now, const char *port,
		   const struct inet_frame *frame)
{
	s->now = now;
	station_help_frame(s, port, frame);
	station_tap_frame(s, port, frame);
}

ms_t station_deadline(const struct station *s)
{
	ms_t first = station_help_deadline(s), taps = station_tap_deadline(s);

	if (taps < first)
		first = taps;

	for (const struct station_mark *mark = s->marks; mark; mark = mark->hh.next)
		if (mark->expires < first)
			first = mark->expires;
	return first;
}

void station_tick(struct station *s, ms_t now)
{
	s->now = now;
	station_help_tick(s);
	for (struct station_mark *mark = s->marks, *next; mark; mark = next) {
		next = mark->hh.next;
		if (mark->expires <= now)
			drop(s, mark);
	}
	station_tap_tick(s);
}

struct station_mark *station_mark_of(const struct station *s, const struct vsi_id *id)
{
	struct station_mark *mark;

	HASH_FIND(hh, s->marks, id, sizeof(*id), mark);
	return mark;
}

/* Statics. */

static void drop(struct station *s, struct station_mark *mark)
{
	station_tap_unmarked(s, mark);
	HASH_DEL(s->marks, mark);
	free(mark);
}
