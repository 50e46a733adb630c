/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks with wire/vdp22, marks with marks.c, remembers in vsis.c. Which VSI is
 * a migration is not decided here: the engine does that.
 *
 * Only a VDPDU whose status octet we have changed, or that carries a help TLV, gets an
 * End TLV: all others leave bit for bit as stock sends them.
 */
#include "vdpdu.h"
#include "suspend.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "help_ask.h"
#include "left.h"
#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

/* Stock's ECP22 refuses to send 1494 octets or more. */
#define OUT_MAX 1493

static void see_all(struct vdpdu *vdpdu, ms_t now, struct port *port,
		    const struct vdp22 *decoded);
static bool is_untimely(const struct port *port, const struct vdp22 *decoded);
static bool mark(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
		 struct vdp22_assoc *assoc);
static void ride(struct vdpdu *vdpdu, struct port *port, const struct vdp22_assoc *assoc,
		 uint8_t *pdu, size_t *len);
static bool is_inferred(const struct port *port, const struct vsis_one *known,
			const struct vdp22_assoc *assoc);
static uint8_t what_came_in(const struct port *port, const struct vdp22_assoc *assoc);
static uint8_t what_goes_out(const struct port *port, const struct vdp22_assoc *assoc);
static void note(struct vdpdu *vdpdu, ms_t now, struct port *port,
		 const struct vdp22_assoc *assoc, uint8_t what);
static void describe(struct vdpdu *vdpdu, const struct port *port,
		     const struct vdp22_assoc *assoc, uint8_t what);
static void keep_request(const struct port *port, const uint8_t *pdu,
			 const struct vdp22_assoc *assoc);
static void log_bad(struct port *port, ms_t now, enum limit_reason reason,
		    const char *what, const struct rd_error *error);

bool vdpdu_in(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu, size_t len)
{
	size_t end = len + HOST_PDU_ZERO;
	struct rd_error error;
	struct vdp22 decoded;

	counters_add(vdpdu->counters, COUNT_CHECKED, 1);
	if (vdp22_decode(pdu, len, &decoded, &error)) {
		counters_add(vdpdu->counters, COUNT_DROPPED, 1);
		log_bad(port, now, LIMIT_BAD_VDPDU, "VDPDU dropped", &error);
		return false;
	}
	/* Stock reads on to the next type 0, whatever the length. */
	if (!decoded.has_end)
		(void)vdp22_end(pdu, len, end < HOST_PDU_MAX ? end : HOST_PDU_MAX);
	/* What it asks for is judged by all that came before it, this VDPDU included. */
	if (decoded.n_orgs && port->role == LINK_ROLE_STATION) {
		vdpdu_catch_up(vdpdu, now);
		see_all(vdpdu, now, port, &decoded);
		return !help_answer_hear(&vdpdu->answer, now, port, pdu, &decoded);
	}
	if (vdpdu->n_unseen == VDPDU_UNSEEN_MAX ||
	    len > sizeof(vdpdu->octets) - vdpdu->used)
		vdpdu_catch_up(vdpdu, now);
	memcpy(vdpdu->octets + vdpdu->used, pdu, len);
	vdpdu->unseen[vdpdu->n_unseen++] =
		(struct vdpdu_unseen){ port, vdpdu->used, len };
	vdpdu->used += len;
	return true;
}

void vdpdu_catch_up(struct vdpdu *vdpdu, ms_t now)
{
	struct rd_error error;
	struct vdp22 decoded;

	for (unsigned i = 0; i < vdpdu->n_unseen; i++) {
		const struct vdpdu_unseen *unseen = &vdpdu->unseen[i];

		/* It has been decoded once. */
		if (!vdp22_decode(vdpdu->octets + unseen->at, unseen->len, &decoded,
				  &error))
			see_all(vdpdu, now, unseen->port, &decoded);
	}
	vdpdu->n_unseen = 0;
	vdpdu->used = 0;
}

void vdpdu_left(struct vdpdu *vdpdu, const struct port *port, const uint8_t *pdu,
		size_t len)
{
	struct rd_error error;
	struct vdp22 decoded;

	if (vdp22_decode(pdu, len, &decoded, &error) || decoded.n != 1)
		return;
	describe(vdpdu, port, &decoded.assoc[0], LINK_VSI_RESPONSE);
	vdpdu->see(vdpdu->arg, &vdpdu->msg);
}

void vdpdu_lost(struct vdpdu *vdpdu, ms_t now, struct port *port)
{
	unsigned kept_back;

	counters_add(vdpdu->counters, COUNT_QUEUE_FULL, 1);
	if (!limit_pass(&port->limit[LIMIT_QUEUE], now, &kept_back))
		return;
	if (kept_back)
		host_log(LOG_WARNING, "%s: a VDPDU is lost: too many wait for lldpad (and "
			 "%u before it)", port->name, kept_back);
	else
		host_log(LOG_WARNING, "%s: a VDPDU is lost: too many wait for lldpad",
			 port->name);
}

bool vdpdu_out(struct vdpdu *vdpdu, ms_t now, struct port *port, uint8_t *pdu,
	       size_t *len)
{
	struct rd_error error;
	struct vdp22 decoded;
	bool changed = false;
	unsigned i, kept_back;
	ms_t wait = 0;

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
		struct vsis_one *one = vsis_find(&port->vsis, &assoc->id);
		uint8_t what;

		if (port_note_role(port, true, assoc->mode, assoc->status))
			vdpdu->role(vdpdu->arg, port);
		if (one && one->held)
			hold_overtaken(one);
		if (vdpdu->hold && decoded.n == 1)
			wait = hold_time(vdpdu->hold, port, one, assoc->mode,
					 assoc->status);
		what = what_goes_out(port, assoc);
		if (what == LINK_VSI_REQUEST && vdpdu->left)
			left_see(vdpdu->left, port, one, assoc);
		if (what == LINK_VSI_REQUEST)
			changed |= mark(vdpdu, now, port, pdu, assoc);
		note(vdpdu, now, port, assoc, what);
		if (what == LINK_VSI_RESPONSE && port->vsis.n_helps)
			ride(vdpdu, port, assoc, pdu, len);
		if (wait && hold_keep(vdpdu->hold, now + wait, port, one, pdu, *len))
			return false;
		vdpdu->see(vdpdu->arg, &vdpdu->msg);
		if (what == LINK_VSI_REQUEST)
			keep_request(port, pdu, assoc);
	}
	if (changed && !decoded.has_end)
		*len = vdp22_end(pdu, *len, OUT_MAX);
	return true;
}

static void see_all(struct vdpdu *vdpdu, ms_t now, struct port *port,
		    const struct vdp22 *decoded)
{
	for (unsigned i = 0; i < decoded->n; i++) {
		const struct vdp22_assoc *assoc = &decoded->assoc[i];
		uint8_t what;

		if (port_note_role(port, false, assoc->mode, assoc->status))
			vdpdu->role(vdpdu->arg, port);
		what = what_came_in(port, assoc);
		if (!what)
			continue;
		note(vdpdu, now, port, assoc, what);
		vdpdu->see(vdpdu->arg, &vdpdu->msg);
	}
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
	const struct vsis_one *known = vsis_find(&port->vsis, &assoc->id);
	uint8_t status;

	if (!marks_has(vdpdu->marks, now, &assoc->id) && !is_inferred(port, known, assoc))
		return false;
	status = marks_status(known, assoc->mode, assoc->status);
	if (status == assoc->status)
		return false;
	counters_add(vdpdu->counters, status & VDP_STATUS_M ? COUNT_M_SET
							    : COUNT_M_CLEARED, 1);
	pdu[assoc->status_at] = assoc->status = status;
	return true;
}

/* Not with a refusal: what it says may be all that the station listens for. */
static void ride(struct vdpdu *vdpdu, struct port *port, const struct vdp22_assoc *assoc,
		 uint8_t *pdu, size_t *len)
{
	struct vsis_one *one = vsis_find(&port->vsis, &assoc->id);

	if (one && !(assoc->status & VDP_STATUS_ERROR))
		help_ask_ride(vdpdu->counters, port, one, pdu, len, OUT_MAX);
}

/* libvirt pre-associates when a VM migrates in, and cannot say so: its requests come
 * without a hint. Who gives one (vdptool) knows better. The associate follows the
 * pre-associate that got M; a VM that is started is associated at once. */
static bool is_inferred(const struct port *port, const struct vsis_one *known,
			const struct vdp22_assoc *assoc)
{
	if (!port->settings.infer || assoc->status & (VDP_STATUS_M | VDP_STATUS_S) ||
	    vsis_confirmed(known))
		return false;
	if (assoc->mode == VDP22_ASSOC)
		return known && (known->asked ? known->asked_status : known->status) &
				VDP_STATUS_M;
	return assoc->mode == VDP22_PRE || assoc->mode == VDP22_PRE_RR;
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

/* For suspend.c. */
static void keep_request(const struct port *port, const uint8_t *pdu,
			 const struct vdp22_assoc *assoc)
{
	struct vsis_one *one = vsis_find(&port->vsis, &assoc->id);

	if (one)
		suspend_note(one, pdu, assoc);
}

static void describe(struct vdpdu *vdpdu, const struct port *port,
		     const struct vdp22_assoc *assoc, uint8_t what)
{
	struct link_vsi *seen = &vdpdu->msg.u.vsi;
	unsigned i;

	vdpdu->msg.type = LINK_VSI;
	memcpy(seen->port, port->name, sizeof(seen->port));
	seen->what = what;
	seen->mode = assoc->mode;
	seen->status = assoc->status;
	seen->id = assoc->id;
	seen->n_entries = assoc->n_entries;
	for (i = 0; i < assoc->n_entries && i < VSI_ENTRIES_MAX; i++)
		seen->entries[i] = vdp22_entry(assoc, i);
}

/* vdpdu->msg says it afterwards. */
static void note(struct vdpdu *vdpdu, ms_t now, struct port *port,
		 const struct vdp22_assoc *assoc, uint8_t what)
{
	struct link_vsi *seen = &vdpdu->msg.u.vsi;
	struct vsis_one *one;
	bool confirmed;
	unsigned kept_back;

	one = vsis_find(&port->vsis, &assoc->id);
	confirmed = vsis_confirmed(one);
	if (one && port->role == LINK_ROLE_STATION &&
	    (what == LINK_VSI_TIMEOUT || assoc->mode == VDP22_DEASSOC))
		marks_left(vdpdu->marks, &assoc->id);
	describe(vdpdu, port, assoc, what);
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
	if (vsis_confirmed(one) && !confirmed)
		one->confirmed_at = now;
	if (one && what == LINK_VSI_REQUEST && port->role == LINK_ROLE_STATION &&
	    assoc->mode == VDP22_ASSOC && !vsis_confirmed(one))
		one->marked = marks_has(vdpdu->marks, now, &assoc->id);
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
