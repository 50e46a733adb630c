/* SPDX-License-Identifier: GPL-2.0-only */
/* The sources of a member of a group: group_sources.h. */
#include "group_sources.h"

#include <stdlib.h>

#include "wire/text.h"

static void add(struct group_sources *sources, const struct addr *source);

void group_sources_set(struct group_sources *s, struct report_record *record)
{
	s->n = 0;
	s->more = false;
	group_sources_add(s, record);
}

void group_sources_add(struct group_sources *s, struct report_record *record)
{
	for (unsigned i = 0; i < record->n_sources; i++) {
		const struct addr source = report_source(record);

		add(s, &source);
	}
}

void group_sources_drop(struct group_sources *s, struct report_record *record)
{
	for (unsigned i = 0; i < record->n_sources; i++) {
		const struct addr source = report_source(record);
		unsigned at = 0;

		while (at < s->n && !addr_equal(&s->list[at], &source))
			at++;
		if (at < s->n)
			s->list[at] = s->list[--s->n];
	}
}

void group_sources_copy(struct group_sources *s, const struct group_sources *from)
{
	s->n = 0;
	for (unsigned i = 0; i < from->n; i++)
		add(s, &from->list[i]);
	s->more |= from->more;
}

void group_sources_done(struct group_sources *s)
{
	free(s->list);
	*s = (struct group_sources){ 0 };
}

/* No memory: as one too many. */
static void add(struct group_sources *s, const struct addr *source)
{
	for (unsigned i = 0; i < s->n; i++)
		if (addr_equal(&s->list[i], source))
			return;
	if (!s->list)
		s->list = calloc(GROUP_SOURCES_MAX, sizeof(*s->list));
	if (!s->list || s->n == GROUP_SOURCES_MAX)
		s->more = true;
	else
		s->list[s->n++] = *source;
}
