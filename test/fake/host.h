/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host (host.h) without lldpad: settings in memory, log lines kept, a clock that
 * the test turns, descriptors polled when the test says so.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "vdp_migrate/host.h"

/* Everything empty, the clock at 0. */
void fake_host_reset(void);

/* port NULL: the group; value NULL: no such setting. */
void fake_host_set(const char *port, const char *name, const char *value);
void fake_host_evb_mode(const char *port, const char *mode);
/* From now on nothing can be stored, for this reason (-errno; 0: it can). */
void fake_host_refuse_store(int error);

void fake_host_advance(ms_t ms);

/* ASICs forward what comes in on this port (NULL: on none). */
void fake_host_offload(const char *port);
/* How often host_lldp_changed() has been called for this port since it was asked. */
unsigned fake_host_lldp_changes(const char *port);
/* The VDPDU last given to host_pdu_send() (delivered: to host_pdu_deliver()) since this
 * was asked: its length, 0 for none. */
size_t fake_host_pdu(bool delivered, char ret_port[VM_IFNAME_MAX],
		     uint8_t ret_pdu[HOST_PDU_MAX]);

/* What host_held() says from now on. */
void fake_host_hold(const struct host_held *held);

/* The time last given to host_turn_at() since this was asked, 0: none. */
ms_t fake_host_turn_at(void);

/* Call back for each watched descriptor that is readable, until none is. */
void fake_host_poll(void);
bool fake_host_watches(int fd);

/* How many log lines contain this text ("": all). */
unsigned fake_host_logged(const char *part);
/* The last line; "" for none. */
const char *fake_host_last_log(void);

#endif
