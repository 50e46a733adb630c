/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of ours out of one interface: group queries, probes, the requests of a
 * help request. They pass neither the bridge's forwarding nor its snooping.
 */
#ifndef ENGINE_FRAME_OUT_H
#define ENGINE_FRAME_OUT_H

#include "vdp_migrate/types.h"

struct frame_out;

/* 0 or -errno. */
int frame_out_new(struct frame_out **ret_out);
void frame_out_free(struct frame_out *out);

/* A whole frame, its 802.1Q tag (if any) in the octets; never waits. 0 or -errno. */
int frame_out_send(struct frame_out *out, const char *interface, const uint8_t *frame,
		   size_t len);
/* The MAC address of an interface. False: there is none. */
bool frame_out_mac(struct frame_out *out, const char *interface, struct mac *ret_mac);

#endif
