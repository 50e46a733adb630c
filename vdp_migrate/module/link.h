/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's socket, as the module sees it: connect, say, hear, replay. Knows
 * when and how a datagram leaves, not what it says.
 *
 * Nothing here waits. In a bus hook a message is only put into a buffer, which
 * leaves as one datagram at the next turn of lldpad's loop: a send in the hook
 * would delay ECP's acknowledgement. What does not get through is counted, and a
 * replay of all that the module knows makes up for it.
 */
#ifndef MODULE_LINK_H
#define MODULE_LINK_H

#include "counters.h"
#include "wire/linkmsg.h"

struct link_ops {
	/* Put the next part of the replay into an empty datagram; restart: from the
	 * beginning. True: that was the last part. */
	bool (*replay)(void *arg, struct wr *datagram, bool restart);
	/* The engine says something. May answer by link_put() and link_flush(). */
	void (*message)(void *arg, const struct link_msg *msg);
};

struct link;

/* name: of the abstract socket. NULL: no memory. */
struct link *link_new(const char *name, const struct link_ops *ops, void *arg,
		      struct counters *counters);
void link_free(struct link *link);

/* From now on it may connect: lldpad is attached to. */
void link_enable(struct link *link);
bool link_connected(const struct link *link);

/* Collect a message; no system call. Without a connection it is dropped: a replay
 * comes first then. */
void link_put(struct link *link, const struct link_msg *msg);
void link_put_row(struct link *link, uint8_t type, uint32_t seq,
		  const char *const *fields, unsigned n);
/* Room left in the datagram that is being collected. */
size_t link_room(const struct link *link);

/* Send what is collected, now. False: it was lost. */
bool link_flush(struct link *link);

/* At each turn of lldpad's loop: send, go on with a replay. */
void link_turn(struct link *link, ms_t now);
/* Once a second: the same, and connect. */
void link_tick(struct link *link, ms_t now);

#endif
