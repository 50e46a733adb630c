/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capability TLV of a port: what we say of ourselves by LLDP, and what the
 * neighbour says of itself.
 */
#ifndef MODULE_TLV_H
#define MODULE_TLV_H

#include "port.h"

/* The TLV's value as it goes out on this port; 0: none does. */
size_t tlv_say(const struct port *port, uint8_t *ret_value, size_t size);
/* Settings or role may have changed: if the TLV has, an LLDPDU leaves. */
void tlv_refresh(struct port *port);

/* The neighbour's; a wrong one is as none. True: it is news. */
bool tlv_hear(struct port *port, const uint8_t *value, size_t len);
bool tlv_gone(struct port *port);

#endif
