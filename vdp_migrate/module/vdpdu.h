/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bus hook: each VDPDU that passes between ECP22 and VDP22 on a port of ours
 * is checked (coming in), marked (going out) and reported. IEEE 802.1Q clause 41.
 * Help TLVs (doc/wire-format) go in and come out here too: help_ask.c, help_answer.c.
 *
 * Look-ups, copies and flags only: no system call, no waiting. What comes in is only
 * checked at first, for VDP22 waits for it: the rest is done afterwards.
 */
#ifndef MODULE_VDPDU_H
#define MODULE_VDPDU_H

#include "counters.h"
#include "help_answer.h"
#include "hold.h"
#include "marks.h"
#include "port.h"

#define VDPDU_UNSEEN_MAX 32

struct vdpdu {
	struct marks *marks;
	struct counters *counters;
	struct hold *hold;	/* NULL: no response waits */
	struct left *left;	/* NULL: not noted */
	/* An association TLV seen, as LINK_VSI. Borrowed for the call. */
	void (*see)(void *arg, const struct link_msg *msg);
	/* The wire has shown another role of this port. */
	void (*role)(void *arg, struct port *port);
	void *arg;
	struct link_msg msg;	/* kept here: it is large */
	struct help_answer answer;
	/* What has come in since vdpdu_catch_up(). */
	unsigned n_unseen;
	size_t used;
	struct vdpdu_unseen {
		struct port *port;
		size_t at, len;
	} unseen[VDPDU_UNSEEN_MAX];
	uint8_t octets[4 * HOST_PDU_MAX];
};

/* A VDPDU has come in: len octets in a buffer of HOST_PDU_MAX, HOST_PDU_ZERO. False:
 * stock lldpad must not see it. */
bool vdpdu_in(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu, size_t len);
/* Report what came in. At the next turn, and before anything that depends on it. */
void vdpdu_catch_up(struct vdpdu *vdpdu, ms_t now);

/* A response that waited (hold.h) leaves: the engine is told of it now. */
void vdpdu_left(struct vdpdu *vdpdu, const struct port *port, const uint8_t *pdu,
		size_t len);

/* One that came in is lost: VDP22 has not kept up. */
void vdpdu_lost(struct vdpdu *vdpdu, ms_t now, struct port *port);

/* lldpad sends a VDPDU: a private copy; *len may grow. False: it must not leave. Stock's
 * bridge de-associates each VSI right after its answer while it has no EVB timers yet
 * (the keep-alive time-out is then 30 us), for up to 30 s after its start. Or not yet:
 * hold.h. */
bool vdpdu_out(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
	       size_t *len);

#endif
