/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP frames: what is written is read back, checksums are right, nothing overruns. */
#include "wire/udp4.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "wire/inet.h"
#include "wire/text.h"

static const struct udp4 head = {
	.dst = { { 255, 255, 255, 255, 255, 255 } },
	.src = { { 2, 0, 0, 0, 0, 1 } },
	.saddr = { ADDR_IPV4, { 0 } },
	.daddr = { ADDR_IPV4, { 255, 255, 255, 255 } },
	.sport = 68, .dport = 67,
};
static uint8_t frame[1600], payload[1500];

/* RFC 768: over pseudo header, header and data, with the checksum in it. */
static uint16_t sum_of(const struct udp4 *h, size_t at, size_t len)
{
	uint32_t sum = 17 + (uint32_t)(len - at);

	for (unsigned i = 0; i < 4; i += 2)
		sum += (uint32_t)(h->saddr.b[i] << 8 | h->saddr.b[i + 1]) +
		       (uint32_t)(h->daddr.b[i] << 8 | h->daddr.b[i + 1]);
	return inet_checksum(frame + at, len - at, sum);
}

static void a_frame_reads_back_as_written(void **state)
{
	struct udp4 h = head;
	struct inet_frame f;

	(void)state;
	for (unsigned tagged = 0; tagged < 2; tagged++) {
		h.vlan = tagged ? 20 : 0;
		for (size_t len = 0; len < 5; len++) {
			size_t n = udp4_frame(frame, sizeof(frame), &h,
					      (const uint8_t *)"abcd", len);

			assert_int_equal(n, 42 + 4 * tagged + len);
			assert_int_equal(inet_decode(frame, n, &f, NULL), 0);
			assert_true(f.udp);
			assert_int_equal(f.vlan, h.vlan);
			assert_int_equal(f.sport, 68);
			assert_int_equal(f.dport, 67);
			assert_true(mac_equal(&f.src, &h.src) && mac_equal(&f.dst, &h.dst));
			assert_true(addr_equal(&f.saddr, &h.saddr));
			assert_true(addr_equal(&f.daddr, &h.daddr));
			assert_int_equal(rd_left(&f.payload), len);
			assert_memory_equal(f.payload.p, "abcd", len);
			assert_int_equal(sum_of(&h, n - len - 8, n), 0);
		}
	}
}

static void a_checksum_of_zero_is_written_as_all_ones(void **state)
{
	struct udp4 h = head;
	uint8_t two[2] = { 0 };
	size_t n = udp4_frame(frame, sizeof(frame), &h, two, 2);
	uint16_t sum = (uint16_t)(frame[n - 4] << 8 | frame[n - 3]);

	(void)state;
	/* The two octets that make the sum all ones. */
	two[0] = (uint8_t)(sum >> 8);
	two[1] = (uint8_t)sum;
	n = udp4_frame(frame, sizeof(frame), &h, two, 2);
	assert_int_equal(frame[n - 4], 0xff);
	assert_int_equal(frame[n - 3], 0xff);
}

static void what_does_not_fit_is_not_written(void **state)
{
	(void)state;
	for (size_t size = 0; size < 42 + 100; size++)
		assert_int_equal(udp4_frame(frame, size, &head, payload, 100), 0);
	assert_int_equal(udp4_frame(frame, sizeof(frame), &head, payload, 1472), 1514);
	assert_int_equal(udp4_frame(frame, sizeof(frame), &head, payload, 1473), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_reads_back_as_written),
		cmocka_unit_test(a_checksum_of_zero_is_written_as_all_ones),
		cmocka_unit_test(what_does_not_fit_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
