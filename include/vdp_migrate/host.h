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
	HOST_SET_FAILED,	/* could not be stored; the module has logged why */
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
	 * HOST_PDU_MAX octets, zero behind len. False: drop it. */
	bool (*pdu_in)(const char *port, uint8_t *pdu, size_t len);
	/* VDP22 sends a VDPDU: a private copy, *len may be changed up to
	 * HOST_PDU_MAX. */
	void (*pdu_out)(const char *port, uint8_t *pdu, size_t *len);
	/* May lldpad see this frame (of any ethertype), as its packet socket gives it?
	 * NULL: all. *ret_ethertype is set where the frame has one. */
	bool (*frame_ok)(const uint8_t *frame, size_t len, uint16_t *ret_ethertype);
	/* A frame was dropped below the bus (what would have overrun lldpad). */
	void (*frame_dropped)(const char *port, uint16_t ethertype, size_t len);

	/* Once a second, and at the entry of each turn of lldpad's loop. */
	void (*tick)(ms_t now);
	void (*turn)(ms_t now);

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
/* Store it in lldpad.conf by a new file, synced and renamed over the old.
 * 0 or -errno (the old file and value stand). */
int host_setting_store(const char *port, const char *name, const char *value);
/* "bridge", "station" or NULL: the EVB mode that lldpad.conf gives the port. */
const char *host_evb_mode(const char *port);

/* Watch a descriptor for reading in lldpad's loop; cb runs between two turns.
 * fd stays the module's. 0 or -errno. */
int host_watch(int fd, void (*cb)(void *arg), void *arg);
void host_unwatch(int fd);

/* Each port that lldpad has up now. */
void host_each_port(void (*cb)(void *arg, const char *port), void *arg);

ms_t host_now(void);
/* priority: LOG_ERR … LOG_DEBUG of syslog.h. */
void host_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
