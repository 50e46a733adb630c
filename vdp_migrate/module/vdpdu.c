/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks with wire/vdp22, marks with marks.c, remembers in vsis.c. Which VSI is
 * a migration is not decided here: the engine does that.
 *
 * Only a VDPDU whose status octet we have changed gets an End TLV: all others
 * leave bit for bit as stock sends them.
 */
#include "vdpdu.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

/* Stock's ECP22 refuses to send 1494 octets or more. */
#define OUT_MAX 1493

static bool is_untimely(const struct port *port, const struct vdp22 *decoded);
static bool mark(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
		 struct vdp22_assoc *assoc);
static uint8_t what_came_in(const struct port *port, const struct vdp22_assoc *assoc);
static uint8_t what_goes_out(const struct port *port, const struct vdp22_assoc *assoc);
static void see(struct vdpdu *vdpdu, ms_t now, struct port *port,
		const struct vdp22_assoc *assoc, uint8_t what);
static void log_bad(struct port *port, ms_t now, enum limit_reason reason,
		    const char *what, const struct rd_error *error);

bool vdpdu_in(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu, size_t len)
{
	struct rd_error error;
	struct vdp22 decoded;
	unsigned i;

	counters_add(vdpdu->counters, COUNT_CHECKED, 1);
	if (vdp22_decode(pdu, len, &decoded, &error)) {
		counters_add(vdpdu->counters, COUNT_DROPPED, 1);
		log_bad(port, now, LIMIT_BAD_VDPDU, "VDPDU dropped", &error);
		return false;
	}
	/* Stock reads on to the next type 0, whatever the length. */
	if (!decoded.has_end)
		(void)vdp22_end(pdu, len, HOST_PDU_MAX);
	for (i = 0; i < decoded.n; i++) {
		const struct vdp22_assoc *assoc = &decoded.assoc[i];

		if (port_note_role(port, false, assoc->mode, assoc->status))
			vdpdu->role(vdpdu->arg, port);
		see(vdpdu, now, port, assoc, what_came_in(port, assoc));
	}
	return true;
}

bool vdpdu_out(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
	       size_t *len)
{
	struct rd_error error;
	struct vdp22 decoded;
	bool changed = false;
	unsigned i, kept_back;

	if (vdp22_decode(pdu, *len, &decoded, &error)) {
		counters_add(vdpdu->counters, COUNT_UNREADABLE, 1);
		log_bad(port, now, LIMIT_BAD_OUTPUT, "lldpad sends an odd VDPDU", &error);
		return true;
	}
	if (is_untimely(port, &decoded)) {
		counters_add(vdpdu->counters, COUNT_HELD_BACK, 1);
		if (limit_pass(&port->limit[LIMIT_HELD_BACK], now, &kept_back))
			host_log(LOG_INFO, "%s: lldpad has no EVB timers yet: its "
				 "de-associates are held back", port->name);
		return false;
	}
	for (i = 0; i < decoded.n; i++) {
		struct vdp22_assoc *assoc = &decoded.assoc[i];
		uint8_t what;

		if (port_note_role(port, true, assoc->mode, assoc->status))
			vdpdu->role(vdpdu->arg, port);
		what = what_goes_out(port, assoc);
		if (what == LINK_VSI_REQUEST)
			changed |= mark(vdpdu, now, port, pdu, assoc);
		see(vdpdu, now, port, assoc, what);
	}
	if (changed && !decoded.has_end)
		*len = vdp22_end(pdu, *len, OUT_MAX);
	return true;
}

/* All that it says are de-associates for want of timers: these are no time-outs. */
static bool is_untimely(const struct port *port, const struct vdp22 *decoded)
{
	unsigned i;

	if (port->role != LINK_ROLE_BRIDGE)
		return false;
	for (i = 0; i < decoded->n; i++) {
		const struct vdp22_assoc *assoc = &decoded->assoc[i];
		const struct vsis_one *one = vsis_find(&port->vsis, &assoc->id);

		if (assoc->mode != VDP22_DEASSOC || assoc->status & VDP_STATUS_ACK ||
		    (port->timed && !(one && one->untimed)))
			return false;
	}
	return decoded->n;
}

/* True: the VDPDU was changed. */
static bool mark(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
		 struct vdp22_assoc *assoc)
{
	uint8_t status;

	if (!marks_has(vdpdu->marks, now, &assoc->id))
		return false;
	status = marks_status(vsis_find(&port->vsis, &assoc->id), assoc->mode,
			      assoc->status);
	if (status == assoc->status)
		return false;
	counters_add(vdpdu->counters, status & VDP_STATUS_M ? COUNT_M_SET
							    : COUNT_M_CLEARED, 1);
	pdu[assoc->status_at] = assoc->status = status;
	return true;
}

/* 0: nothing that stock lldpad would take. */
static uint8_t what_came_in(const struct port *port, const struct vdp22_assoc *assoc)
{
	bool ack = assoc->status & VDP_STATUS_ACK;

	if (port->role == LINK_ROLE_BRIDGE)
		return ack ? 0 : LINK_VSI_REQUEST;
	if (ack)
		return LINK_VSI_RESPONSE;
	return assoc->mode == VDP22_DEASSOC ? LINK_VSI_TIMEOUT : 0;
}

static uint8_t what_goes_out(const struct port *port, const struct vdp22_assoc *assoc)
{
	if (port->role == LINK_ROLE_STATION)
		return LINK_VSI_REQUEST;
	return assoc->status & VDP_STATUS_ACK ? LINK_VSI_RESPONSE : LINK_VSI_TIMEOUT;
}

static void see(struct vdpdu *vdpdu, ms_t now, struct port *port,
		const struct vdp22_assoc *assoc, uint8_t what)
{
	struct link_vsi *seen = &vdpdu->msg.u.vsi;
	struct vsis_one *one;
	unsigned i, kept_back;

	if (!what)
		return;
	vdpdu->msg.type = LINK_VSI;
	memcpy(seen->port, port->name, sizeof(seen->port));
	seen->what = what;
	seen->mode = assoc->mode;
	seen->status = assoc->status;
	seen->id = assoc->id;
	seen->n_entries = assoc->n_entries;
	for (i = 0; i < assoc->n_entries && i < VSI_ENTRIES_MAX; i++)
		seen->entries[i] = vdp22_entry(assoc, i);

	if (vsis_see(&port->vsis, seen)) {
		counters_add(vdpdu->counters, COUNT_VSIS_NOT_KEPT, 1);
		if (limit_pass(&port->limit[LIMIT_VSIS_FULL], now, &kept_back))
			host_log(LOG_WARNING, "%s: more than %d VSIs: some will be "
				 "unknown to an engine that starts", port->name,
				 VSIS_MAX);
	}
	one = vsis_find(&port->vsis, &assoc->id);
	if (one && what == LINK_VSI_RESPONSE)
		one->untimed = !port->timed;
	if (one && what == LINK_VSI_REQUEST && port->role == LINK_ROLE_STATION &&
	    assoc->mode == VDP22_ASSOC && !vsis_confirmed(one))
		one->marked = marks_has(vdpdu->marks, now, &assoc->id);
	vdpdu->see(vdpdu->arg, &vdpdu->msg);
}

static void log_bad(struct port *port, ms_t now, enum limit_reason reason,
		    const char *what, const struct rd_error *error)
{
	unsigned kept_back;

	if (!limit_pass(&port->limit[reason], now, &kept_back))
		return;
	if (kept_back)
		host_log(LOG_WARNING, "%s: %s: bad %s at octet %zu (and %u before it)",
			 port->name, what, error->what, error->at, kept_back);
	else
		host_log(LOG_WARNING, "%s: %s: bad %s at octet %zu", port->name, what,
			 error->what, error->at);
}
