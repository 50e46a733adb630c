/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a setting is set: by lldptool on a port, by the companion for all ports that
 * have none of their own. A value that is wrong, or may not be in force now, is
 * refused with the reason; one that is taken is stored and in force at once.
 *
 * guard=enforce may not be in force while something speaks against it: the engine
 * keeps the list of open cases, and has told its length before. enforce! accepts them.
 */
#ifndef MODULE_SET_H
#define MODULE_SET_H

#include "link.h"
#include "port.h"

struct set {
	struct ports *ports;
	struct link *link;	/* NULL: no memory for one */
	/* This port's settings have changed. */
	void (*changed)(void *arg, struct port *port);
	void *arg;
	char why[LINK_TEXT_MAX];	/* the last was refused, as it was logged */
};

/* May it be? port NULL: the group vdp_migrate. */
enum host_set_result set_test(struct set *set, const char *port, const char *name,
			      const char *value);
enum host_set_result set_value(struct set *set, const char *port, const char *name,
			       const char *value);

/* LINK_SET, and LINK_SHOW of the table "settings". False: another message. */
bool set_message(struct set *set, const struct link_msg *msg);

/* What the engine has told of open cases holds no longer. */
void set_forget_cases(struct ports *ports);

#endif
