/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bus hook on one port, p1, of the fake host, and what it reported: for the tests of
 * module/vdpdu. VDPDUs are those of two stock lldpads (captures/vdp22.pcap), by number.
 */
#ifndef TEST_BUS_H
#define TEST_BUS_H

#include "module/vdpdu.h"
#include "vdp_migrate/host.h"

/* Numbers of the frames. */
enum {
	PRE = 1, PRE_OK = 3, ASSOC = 5, ASSOC_OK = 7, KEEPALIVE = 9, KEEPALIVE_OK = 11,
	DEASSOC = 13, DEASSOC_OK = 15, PRE_M = 17, ASSOC_M = 21, ASSOC_M_OK = 23,
	KEEPALIVE_M = 25, BRIDGE_DEASSOC = 29,
};

#define STATUS_AT 20
#define PDU_LEN 53

extern struct port *port;
extern struct marks *marks;
extern struct counters counters;
extern struct vdpdu vdpdu;

/* What was reported last, and how often; how often the port's role changed. */
extern struct link_vsi seen;
extern unsigned n_seen, n_roles;

/* What the hook got and left, and what stock lldpad had made. */
extern uint8_t pdu[HOST_PDU_MAX], stock[HOST_PDU_MAX];
extern size_t stock_len;

/* For cmocka: a port of a station, and its end. */
int fresh(void **state);
int done(void **state);

/* The port anew, in this EVB mode ("station", "bridge"). */
void be(const char *mode);

/* Both VSIs of the capture are marked. */
void mark(void);
void infer(void);

/* The VDPDU of a captured frame into pdu and stock; its length. */
size_t captured(unsigned frame_number);

/* The frame comes in: whether lldpad gets it. */
bool in(unsigned frame_number);

/* The frame leaves: its length then. */
size_t out(unsigned frame_number);

void assert_untouched(size_t len);
void assert_edited(size_t len, uint8_t status);

/* One was reported since the last time, and this one. */
void assert_seen(unsigned what, unsigned mode, unsigned status);

#endif
