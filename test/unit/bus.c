/* SPDX-License-Identifier: GPL-2.0-only */
#include "bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "fake/host.h"
#include "wire/ecp.h"
#include "wire/text.h"

#define FIRST_VSI "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
#define SECOND_VSI "1b4e28ba-2fa1-11d2-883f-0016d3cca427"

static struct ports ports;
struct port *port;
struct marks *marks;
struct counters counters;
struct link_vsi seen;
unsigned n_seen, n_roles;
uint8_t pdu[HOST_PDU_MAX], stock[HOST_PDU_MAX];
size_t stock_len;

static void see(void *arg, const struct link_msg *msg)
{
	(void)arg;
	assert_int_equal(msg->type, LINK_VSI);
	seen = msg->u.vsi;
	n_seen++;
}

static void role(void *arg, struct port *changed)
{
	(void)arg;
	assert_ptr_equal(changed, port);
	n_roles++;
}

struct vdpdu vdpdu = { .counters = &counters, .see = see, .role = role };

void be(const char *mode)
{
	ports_clear(&ports);
	fake_host_evb_mode("p1", mode);
	fake_host_set("p1", "use", "yes");
	port = port_get(&ports, "p1");
	port->timed = true;
	n_roles = n_seen = 0;
}

int fresh(void **state)
{
	(void)state;
	fake_host_reset();
	memset(&counters, 0, sizeof(counters));
	vdpdu.marks = marks = marks_new();
	be("station");
	return 0;
}

int done(void **state)
{
	(void)state;
	marks_free(marks);
	ports_clear(&ports);
	return 0;
}

void mark(void)
{
	struct link_mark what = { 0 };

	assert_int_equal(vsi_id_parse(FIRST_VSI, &what.id), 0);
	assert_int_equal(marks_set(marks, host_now(), &what), 0);
	assert_int_equal(vsi_id_parse(SECOND_VSI, &what.id), 0);
	assert_int_equal(marks_set(marks, host_now(), &what), 0);
}

/* The VDPDU of a captured frame into pdu and stock. */
size_t captured(unsigned frame_number)
{
	uint8_t frame[2048];
	size_t len = capture_get("vdp22.pcap", frame_number, frame, sizeof(frame));
	struct ecp ecp;

	assert_int_equal(ecp_decode(frame, len, &ecp, NULL), 0);
	stock_len = rd_left(&ecp.payload);
	memset(stock, 0, sizeof(stock));
	rd_copy(&ecp.payload, stock, stock_len, "payload");
	memcpy(pdu, stock, sizeof(pdu));
	return stock_len;
}

bool in(unsigned frame_number)
{
	size_t len = captured(frame_number);
	bool ok = vdpdu_in(&vdpdu, host_now(), port, pdu, len);

	vdpdu_catch_up(&vdpdu, host_now());
	return ok;
}

/* Its length as it leaves. */
size_t out(unsigned frame_number)
{
	size_t len = captured(frame_number);

	vdpdu_out(&vdpdu, host_now(), port, pdu, &len);
	return len;
}

void assert_untouched(size_t len)
{
	assert_int_equal(len, stock_len);
	assert_memory_equal(pdu, stock, sizeof(pdu));
}

void assert_edited(size_t len, uint8_t status)
{
	/* Padding of a short frame belongs to the VDPDU as captured. */
	assert_true(len >= PDU_LEN + 2 && len <= stock_len + 2);
	assert_int_equal(pdu[STATUS_AT], status);
	stock[STATUS_AT] = status;
	assert_memory_equal(pdu, stock, sizeof(pdu));
}

void assert_seen(unsigned what, unsigned mode, unsigned status)
{
	assert_int_equal(n_seen, 1);
	n_seen = 0;
	assert_string_equal(seen.port, "p1");
	assert_int_equal(seen.what, what);
	assert_int_equal(seen.mode, mode);
	assert_int_equal(seen.status, status);
	assert_int_equal(seen.n_entries, 1);
	assert_int_equal(seen.entries[0].mac.b[0], 0x52);
}

void infer(void)
{
	fake_host_set("p1", "infer", "preassoc");
	port_read_settings(port);
}
