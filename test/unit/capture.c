/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classic pcap: a file header of 24 octets, then frames, each behind 16 octets
 * (seconds, fraction, octets kept, octets on the wire), all in the byte order of
 * the machine that wrote it; the magic number tells which.
 */
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_HEADER_LEN 24
#define FRAME_HEADER_LEN 16
#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du
#define LINKTYPE_ETHERNET 1

static int slurp(const char *path, uint8_t **ret_file, size_t *ret_size);
static uint32_t u32(const struct capture *capture, size_t at);

int capture_open(struct capture *ret_capture, const char *path)
{
	struct capture c = { .at = FILE_HEADER_LEN };
	int err = slurp(path, &c.file, &c.size);
	uint32_t magic;

	if (err)
		return err;
	if (c.size < FILE_HEADER_LEN)
		goto bad;
	c.big_endian = c.file[0] == 0xa1;
	magic = u32(&c, 0);
	c.nanoseconds = magic == MAGIC_NANOSECONDS;
	if ((magic != MAGIC_MICROSECONDS && !c.nanoseconds) ||
	    u32(&c, 20) != LINKTYPE_ETHERNET)
		goto bad;
	*ret_capture = c;
	return 0;
bad:
	free(c.file);
	return -EBADMSG;
}

void capture_close(struct capture *capture)
{
	free(capture->file);
	capture->file = NULL;
	capture->size = 0;
}

int capture_next(struct capture *capture, struct capture_frame *ret_frame)
{
	size_t left = capture->size - capture->at, len;
	struct capture_frame frame;

	if (!left)
		return 0;
	if (left < FRAME_HEADER_LEN)
		return -EBADMSG;
	len = u32(capture, capture->at + 8);
	if (len > left - FRAME_HEADER_LEN)
		return -EBADMSG;
	frame.time = u32(capture, capture->at) +
		     u32(capture, capture->at + 4) / (capture->nanoseconds ? 1e9 : 1e6);
	frame.p = capture->file + capture->at + FRAME_HEADER_LEN;
	frame.len = len;
	capture->at += FRAME_HEADER_LEN + len;
	capture->number++;
	*ret_frame = frame;
	return 1;
}

size_t capture_get(const char *name, unsigned n, uint8_t *buf, size_t size)
{
	struct capture_frame frame;
	struct capture capture;
	char path[512];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s", TEST_CAPTURES, name);
	if (capture_open(&capture, path))
		return 0;
	while (capture_next(&capture, &frame) == 1)
		if (capture.number == n && frame.len <= size) {
			memcpy(buf, frame.p, frame.len);
			len = frame.len;
		}
	capture_close(&capture);
	return len;
}

static int slurp(const char *path, uint8_t **ret_file, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *file = NULL;
	long size = -1;

	if (!f)
		return -errno;
	if (!fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size >= 0 && !fseek(f, 0, SEEK_SET))
		file = malloc((size_t)size + 1);
	if (file && fread(file, 1, (size_t)size, f) != (size_t)size) {
		free(file);
		file = NULL;
	}
	fclose(f);
	if (!file)
		return -EIO;
	*ret_file = file;
	*ret_size = (size_t)size;
	return 0;
}

static uint32_t u32(const struct capture *capture, size_t at)
{
	const uint8_t *b = capture->file + at;

	if (capture->big_endian)
		return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
		       (uint32_t)b[2] << 8 | b[3];
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}
