/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bus hook: each VDPDU that passes between ECP22 and VDP22 on a port of ours
 * is checked (coming in), marked (going out) and reported. IEEE 802.1Q clause 41.
 *
 * Look-ups, copies and flags only: no system call, no waiting.
 */
#ifndef MODULE_VDPDU_H
#define MODULE_VDPDU_H

#include "counters.h"
#include "marks.h"
#include "port.h"

struct vdpdu {
	const struct marks *marks;
	struct counters *counters;
	/* An association TLV seen, as LINK_VSI. Borrowed for the call. */
	void (*see)(void *arg, const struct link_msg *msg);
	/* The wire has shown another role of this port. */
	void (*role)(void *arg, struct port *port);
	void *arg;
	struct link_msg msg;	/* kept here: it is large */
};

/* A VDPDU has come in: len octets in a buffer of HOST_PDU_MAX, zero behind. False:
 * stock lldpad must not see it. */
bool vdpdu_in(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu, size_t len);

/* lldpad sends a VDPDU: a private copy; *len may grow. False: it must not leave. Stock's
 * bridge de-associates each VSI right after its answer while it has no EVB timers yet
 * (the keep-alive time-out is then 30 us), for up to 30 s after its start. */
bool vdpdu_out(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
	       size_t *len);

#endif
