/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads classic pcap files (either byte order, micro- or nanoseconds), whole, for
 * tests and replay. Knows nothing of what the frames hold.
 */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef TEST_CAPTURES
#define TEST_CAPTURES "test/captures"
#endif

struct capture {
	uint8_t *file;
	size_t size, at;
	bool big_endian, nanoseconds;
	unsigned number;	/* of the frame read last, from 1 */
};

struct capture_frame {
	const uint8_t *p;	/* borrows from the capture */
	size_t len;
	double time;		/* s */
};

/* 0 or -errno; -EBADMSG: not a classic pcap of Ethernet frames. */
int capture_open(struct capture *ret_capture, const char *path);
void capture_close(struct capture *capture);

/* 1: a frame; 0: the end; -EBADMSG: the file is cut. */
int capture_next(struct capture *capture, struct capture_frame *ret_frame);

/* For tests: frame number n (from 1) of a file in TEST_CAPTURES, copied into buf;
 * its length, 0 if there is none. */
size_t capture_get(const char *name, unsigned n, uint8_t *buf, size_t size);

#endif
