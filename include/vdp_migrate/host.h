/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module needs of the program that it lives in, and what it is told.
 * attach/host.c implements the host on top of a stock lldpad; tests implement it
 * as a fake. The host knows nothing of VDP, the module nothing of lldpad's
 * memory. Everything happens in lldpad's one thread, and nothing may block.
 */
#ifndef VDP_MIGRATE_HOST_H
#define VDP_MIGRATE_HOST_H

#include <stdarg.h>

#include "vdp_migrate/types.h"

/* A VDPDU has at most this many octets (1514 less Ethernet and ECP headers, and
 * what stock lldpad's buffer holds). */
#define HOST_PDU_MAX 1500
/* So many octets behind one that has come in are zero, if there is room. */
#define HOST_PDU_ZERO 8

/* Timers of a port as EVB has negotiated them: exponents, unit 10 us
 * (IEEE 802.1Q D.2.13); all 0 until the first EVB TLV. */
struct host_evb {
	uint8_t retries, rte, rwd, rka;
	bool on;
};

/* Result of a setting's test or set. */
enum host_set_result {
	HOST_SET_OK = 0,
	HOST_SET_NO_SUCH_NAME,
	/* lldptool shows the last line that the module has logged in the call. */
	HOST_SET_BAD_VALUE,	/* the module has logged what it takes */
	HOST_SET_FAILED,	/* not stored, or not now; the module has logged why */
};

/* What VDP22 may be given of what comes in on a port. */
enum host_pace {
	HOST_PACE_STOCK = 0,	/* as it comes: what it has not read yet is lost */
	HOST_PACE_QUEUED,	/* one after the other */
	HOST_PACE_AT_ONCE,	/* … and without the 2 ms that it waits each time */
};

/* What the host calls. All strings and octets are borrowed for the call. */
struct host_events {
	/* Attached to a (new) generation of lldpad's modules: no port is up yet. */
	void (*attached)(void);
	/* lldpad drops all its VSIs: SIGHUP or end. No port_down comes: until it is
	 * told anew, no port is up. */
	void (*detached)(void);

	void (*port_up)(const char *port);
	void (*port_down)(const char *port);
	void (*evb)(const char *port, const struct host_evb *evb);

	/* A VDPDU has come in (ECP22 to VDP22), len octets in a private buffer of
	 * HOST_PDU_MAX octets; HOST_PDU_ZERO. ECP22 has acknowledged it by now. False:
	 * drop it. */
	bool (*pdu_in)(const char *port, uint8_t *pdu, size_t len);
	/* How fast may it be handed on? NULL: as stock does. And: pdu_in has passed it,
	 * but too many are waiting on this port: VDP22 will not see it. */
	enum host_pace (*pace)(const char *port);
	void (*pdu_lost)(const char *port);
	/* VDP22 sends a VDPDU: a private copy, *len may be changed up to
	 * HOST_PDU_MAX. False: VDP22 believes it sent, and nothing leaves. */
	bool (*pdu_out)(const char *port, uint8_t *pdu, size_t *len);
	/* VDP22 runs on this port from now on; ECP22 runs and has its timers. Each once
	 * after port_up. */
	void (*vdp_started)(const char *port);
	void (*ecp_started)(const char *port);
	/* May lldpad see this frame (of any ethertype), as its packet socket gives it?
	 * NULL: all. *ret_ethertype is set where the frame has one. */
	bool (*frame_ok)(const uint8_t *frame, size_t len, uint16_t *ret_ethertype);
	/* lldpad is about to take this frame (frame_ok has passed it). If it carries a
	 * VDPDU that ECP22 hands on, pdu_in follows before the next turn(). */
	void (*frame_in)(const char *port, const uint8_t *frame, size_t len);
	/* A frame was dropped below the bus (what would have overrun lldpad). */
	void (*frame_dropped)(const char *port, uint16_t ethertype, size_t len);

	/* lldpad is about to send a message to another process, by netlink. True: it is
	 * not sent. NULL: all are. */
	bool (*untold)(const void *message, size_t len);

	/* Once a second, and at the entry of each turn of lldpad's loop. */
	void (*tick)(ms_t now);
	void (*turn)(ms_t now);

	/* LLDP, nearest customer bridge: the value of our TLV (from its OUI on) as it
	 * goes out, its length, 0 for none; as the neighbour sends it; the neighbour no
	 * longer sends it (told again and again). */
	size_t (*tlv_out)(const char *port, uint8_t *ret_value, size_t size);
	void (*tlv_in)(const char *port, const uint8_t *value, size_t len);
	void (*tlv_gone)(const char *port);

	/* Settings by lldptool. test: may it be set so? set: store it and act.
	 * get: the value in force; *ret_value is static or the module's. */
	enum host_set_result (*setting_test)(const char *port, const char *name,
					     const char *value);
	enum host_set_result (*setting_set)(const char *port, const char *name,
					    const char *value);
	const char *(*setting_get)(const char *port, const char *name);
	/* The n-th setting's name, NULL at the end. */
	const char *(*setting_name)(unsigned n);
};

/* Called by attach/ once, before attached(): what the module wants to be told. */
const struct host_events *module_init(void);

/* What the module may call. */

/* A stored setting of this port (NULL: of the group vdp_migrate), NULL if there is
 * none. The string is lldpad's: copy it before the next change. */
const char *host_setting(const char *port, const char *name);
/* Store it in lldpad.conf by a new file, synced and renamed over the old; NULL: as
 * one that was never set. 0 or -errno (the old file and value stand). */
int host_setting_store(const char *port, const char *name, const char *value);
/* "bridge", "station" or NULL: the EVB mode that lldpad.conf gives the port. */
const char *host_evb_mode(const char *port);

/* Do ASICs forward what comes in on this port, past the kernel? Reads sysfs. */
bool host_offloaded(const char *port);

/* An LLDPDU with our TLV and all others leaves at lldpad's next tick. */
void host_lldp_changed(const char *port);
/* Hand ECP22 a VDPDU of our own. */
void host_pdu_send(const char *port, const uint8_t *pdu, size_t len);
/* Hand VDP22 a VDPDU that ECP22 has kept back, as if it had not (pdu_in is called).
 * From turn() only. */
void host_pdu_deliver(const char *port, const uint8_t *pdu, size_t len);

/* Watch a descriptor for reading in lldpad's loop; cb runs between two turns.
 * fd stays the module's. 0 or -errno. */
int host_watch(int fd, void (*cb)(void *arg), void *arg);
void host_unwatch(int fd);

/* Let the next turn() begin then, at the latest. From turn() only. */
void host_turn_at(ms_t at);

/* Each port that lldpad has up now. */
void host_each_port(void (*cb)(void *arg, const char *port), void *arg);

/* How long we have kept lldpad's loop: turns in which frames or the engine's messages
 * were dealt with, and what they have taken; of the turns that did another thing the
 * longest. */
#define HOST_HELD_BOUNDS 8
struct host_held {
	uint64_t turns, us, longest_us;
	unsigned bounds[HOST_HELD_BOUNDS];	/* in us; they ascend */
	uint64_t within[HOST_HELD_BOUNDS];	/* each alone */
	uint64_t attach_us, set_us;
};
const struct host_held *host_held(void);

ms_t host_now(void);
/* priority: LOG_ERR … LOG_DEBUG of syslog.h. */
void host_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
