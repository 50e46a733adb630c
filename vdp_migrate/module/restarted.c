/* SPDX-License-Identifier: GPL-2.0-only */
/* See restarted.h. */
#include "restarted.h"

#include <stdio.h>
#include <syslog.h>

void restarted_hand_on(struct ports *ports, struct counters *counters)
{
	char before[40] = "";
	struct port *port;
	const uint8_t *pdu;
	unsigned kept_back;
	size_t len;

	for (port = ports->first; port; port = port->next) {
		pdu = sequence_kept_back(&port->sequence, &len);
		if (!pdu)
			continue;
		counters_add(counters, COUNT_KEPT_BACK, 1);
		before[0] = '\0';
		if (limit_pass(&port->limit[LIMIT_RESTARTED], host_now(), &kept_back)) {
			if (kept_back)
				snprintf(before, sizeof(before), " (and %u before it)",
					 kept_back);
			host_log(LOG_INFO, "%s: the peer has started anew: its request, "
				 "taken for a repetition, is handed on%s", port->name,
				 before);
		}
		host_pdu_deliver(port->name, pdu, len);
	}
}
