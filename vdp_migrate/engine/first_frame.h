/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first frame to a MAC address that comes in at an interface: a switch has begun to
 * send there what is for a VM. Told once; what has come by then can go on elsewhere.
 */
#ifndef ENGINE_FIRST_FRAME_H
#define ENGINE_FIRST_FRAME_H

#include <ev.h>

#include "frame_out.h"
#include "vdp_migrate/types.h"

struct first_frames;

/* Where to untagged frames go that came before the call; NULL: nowhere. It may call
 * first_frames_hear() and _quiet(). */
typedef const char *(*first_frame_cb)(void *arg, const char *interface,
				      const struct mac *mac);

/* All is borrowed. NULL: no memory. */
struct first_frames *first_frames_new(struct ev_loop *loop, struct frame_out *out,
				      first_frame_cb cb, void *arg);
void first_frames_free(struct first_frames *frames);

/* 0 (also if it is heard already) or -errno; -ENOSPC: too many. */
int first_frames_hear(struct first_frames *frames, const char *interface,
		      const struct mac *mac);
void first_frames_quiet(struct first_frames *frames, const char *interface,
			const struct mac *mac);

#endif
