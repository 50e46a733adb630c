/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the companion wants of the module, passed on by the engine: mark, unmark,
 * suspend, show marks. Each is answered on the link with the number of its question.
 */
#ifndef MODULE_REQUESTS_H
#define MODULE_REQUESTS_H

#include "link.h"
#include "marks.h"
#include "port.h"

/* Messages of other types are none of ours. */
void requests_message(struct link *link, struct marks *marks, struct ports *ports,
		      ms_t now, const struct link_msg *msg);

#endif
