/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Responses of our bridge that wait until the engine says that the VSI's bindings are in
 * the kernel (LINK_READY): the VM resumes at the response, and loses nothing then. Only
 * the first response to a transition with M waits, never a keep-alive's, and not beyond
 * its deadline: a station begins its keep-alive period at the response, the bridge its
 * time-out before it (IEEE 802.1Q 41.5.5).
 */
#ifndef MODULE_HOLD_H
#define MODULE_HOLD_H

#include "counters.h"
#include "port.h"

struct held;

/* Zeroed but for counters and left: nothing is held, nobody is there to say LINK_READY. */
struct hold {
	struct counters *counters;
	/* A response leaves only now (of a VSI that is still known). */
	void (*left)(void *arg, const char *port, const uint8_t *pdu, size_t len);
	void *arg;
	bool answered_for;	/* the engine is there */
	unsigned n;
	struct held *first, *last;	/* the earliest deadline first */
};

/* VDP22 answers this VSI, of which nothing has been noted yet: how long may the response
 * wait (0: it must not)? */
ms_t hold_time(const struct hold *hold, const struct port *port,
	       const struct vsis_one *one, uint8_t mode, uint8_t status);
/* Keep it. False: no memory. */
bool hold_keep(struct hold *hold, ms_t until, const struct port *port,
	       struct vsis_one *one, const uint8_t *pdu, size_t len);

/* An organizationally specific TLV to the response of this VSI that is held. False: it has
 * no room, or none is held. */
bool hold_add_org(struct vsis_one *one, const uint8_t *value, size_t len);

/* The engine has said it. */
void hold_ready(struct hold *hold, struct vsis_one *one);
/* Another answer of this VSI is about to leave: the one that is held goes first. */
void hold_overtaken(struct vsis_one *one);

/* At each turn: what can wait no longer; all, where nobody is there any more. */
void hold_turn(struct hold *hold, ms_t now);
/* Of this port (NULL: of all): send them; or do not, since the port goes. */
void hold_release(struct hold *hold, const char *port);
void hold_drop(struct hold *hold, const char *port);

#endif
