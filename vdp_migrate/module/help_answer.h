/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Station port: help TLVs in the VDPDUs that the switch sends. One is handed on to the
 * engine if
 *  - the port's setting assist is help or auto;
 *  - the VSI is this port's, and marked as migrating in;
 *  - it still is: its association is not confirmed yet, or carried the M-bit for the sake
 *    of the mark and was confirmed not longer than HELP_YOUNG_MS ago;
 *  - each MAC address in it is one of the VSI's own filter info, which has some (or, of a
 *    VSI without any, there is none in it);
 *  - its xid is another than that of the last one handed on for the VSI (a switch repeats
 *    it in each answer), and neither VSI nor port have had too many.
 * The VLAN IDs that the engine gets are the filter info's, whatever the TLV says. All
 * others are counted, and logged with their reason.
 */
#ifndef MODULE_HELP_ANSWER_H
#define MODULE_HELP_ANSWER_H

#include "counters.h"
#include "marks.h"
#include "port.h"
#include "wire/orgtlv_help.h"
#include "wire/vdp22.h"

#define HELP_YOUNG_MS (10 * 60 * 1000)
/* Of a VSI, with different xids: a few in a burst, then one each 5 s; of a port. */
#define HELP_VSI_BURST 4
#define HELP_VSI_EVERY_MS 5000
#define HELP_PORT_BURST 128
#define HELP_PORT_EVERY_MS 20

struct help_answer {
	const struct marks *marks;
	struct counters *counters;
	/* Handed on, as LINK_HELP_ASKED. Borrowed for the call. */
	void (*asked)(void *arg, const struct link_msg *msg);
	void *arg;
	struct link_msg msg;	/* kept here, as what was decoded: they are large */
	struct orgtlv_help help;
};

/* A VDPDU has come in on a station port, and its association TLVs have been seen. Stock
 * passes over a TLV that it does not know, so it may stay in. True: the VDPDU says
 * nothing to VDP22; one that is handed on needlessly could cost it the one before. */
bool help_answer_hear(struct help_answer *answer, ms_t now, struct port *port,
		      const uint8_t *pdu, const struct vdp22 *decoded);

/* The engine has begun anew: a repetition is news to it. */
void help_answer_forget(struct ports *ports);

#endif
