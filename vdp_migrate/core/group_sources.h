/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sources that a member of a group wants, or does not want: a few, each once. Of more
 * than that it is only known that there are more.
 */
#ifndef CORE_GROUP_SOURCES_H
#define CORE_GROUP_SOURCES_H

#include "wire/report.h"

#define GROUP_SOURCES_MAX 32

struct group_sources {
	uint8_t n;
	bool more;		/* some are not kept */
	struct addr *list;	/* owned */
};

/* Of a record: these and no others; these too; these no longer. The record's reader is at
 * its end afterwards. */
void group_sources_set(struct group_sources *sources, struct report_record *record);
void group_sources_add(struct group_sources *sources, struct report_record *record);
void group_sources_drop(struct group_sources *sources, struct report_record *record);
void group_sources_copy(struct group_sources *sources, const struct group_sources *from);
void group_sources_done(struct group_sources *sources);

#endif
