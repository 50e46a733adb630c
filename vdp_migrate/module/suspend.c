/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is kept is the VDPDU: Manager ID TLV and the one association TLV, as they left.
 * Sent again it is a keep-alive to a bridge that looks no further than stock does, and
 * the answer to it, which the station's VDP22 has not asked for, means nothing there.
 */
#include "suspend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"

#define TLV_HEADER_LEN 2
#define MANAGER_TLV_LEN 18
#define SAID_STATUS_AT (MANAGER_TLV_LEN + TLV_HEADER_LEN)

static bool is_associated(const struct vsis_one *one);
static void say(const struct port *port, const struct vsis_one *one);

void suspend_note(struct vsis_one *one, const uint8_t *pdu,
		  const struct vdp22_assoc *assoc)
{
	const uint8_t *tlv = pdu + assoc->status_at - TLV_HEADER_LEN;
	uint16_t len = (uint16_t)(TLV_HEADER_LEN + ((tlv[0] & 1) << 8 | tlv[1]));
	uint16_t all = (uint16_t)(MANAGER_TLV_LEN + len);

	if (one->said_len != all) {
		free(one->said);
		one->said = malloc(all);
		one->said_len = one->said ? all : 0;
		if (!one->said)
			return;
	}
	memcpy(one->said, pdu, MANAGER_TLV_LEN);
	memcpy(one->said + MANAGER_TLV_LEN, tlv, len);
}

int suspend_ask(struct ports *ports, const struct vsi_id *id, char *ret_text, size_t size)
{
	int err = ENOENT;

	snprintf(ret_text, size, "no station port of this server has such a VSI");
	for (struct port *port = ports->first; port; port = port->next) {
		struct vsis_one *one = vsis_find(&port->vsis, id);

		if (!one || port->role != LINK_ROLE_STATION || !port->settings.use ||
		    !port->up || !err)
			continue;
		if (!vsis_confirmed(one) || (one->said && !is_associated(one)))
			err = EINVAL;
		else
			err = one->said ? 0 : EAGAIN;
		one->suspend = !err;
		snprintf(ret_text, size, "%s: %s", port->name,
			 err == EINVAL ? "this VSI is not associated"
			 : err ? "its request has passed unseen: wait for its next "
				 "keep-alive"
			       : "the bridge is told");
	}
	return err;
}

void suspend_turn(struct ports *ports, struct counters *counters)
{
	for (struct port *port = ports->first; port; port = port->next)
		for (struct vsis_one *one = port->vsis.first; one; one = one->next) {
			if (one->suspend && is_associated(one)) {
				counters_add(counters, COUNT_S_SENT, 1);
				say(port, one);
			}
			one->suspend = false;
		}
}

static bool is_associated(const struct vsis_one *one)
{
	return one->said && one->said[MANAGER_TLV_LEN] >> 1 == VDP22_ASSOC;
}

static void say(const struct port *port, const struct vsis_one *one)
{
	uint8_t pdu[HOST_PDU_MAX] = { 0 };

	memcpy(pdu, one->said, one->said_len);
	pdu[SAID_STATUS_AT] = VDP_STATUS_S;
	host_pdu_send(port->name, pdu, vdp22_end(pdu, one->said_len, sizeof(pdu)));
}
