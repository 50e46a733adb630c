/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client of lldpad: one association asked for, its outcome. Works with any lldpad
 * that has VDP of IEEE 802.1Q. Blocks, but not beyond the time given.
 */
#ifndef COMPANION_LLDPAD_CLIENT_H
#define COMPANION_LLDPAD_CLIENT_H

#include "lldpad_msg.h"

enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_REFUSED,	/* by the switch: client.answer */
	VERDICT_ENDED,		/* by the switch, without a reason */
	VERDICT_SILENT,		/* lldpad has waited for an answer in vain */
	VERDICT_LATE,		/* no answer in the time given; lldpad goes on waiting */
	VERDICT_NOT_SENT,	/* lldpad could not send it */
	VERDICT_UNKNOWN,	/* a de-associate of what there is not */
	VERDICT_ASSOCIATED,	/* a pre-associate of what is associated */
	VERDICT_OTHER_FILTER,	/* the VSI is there with other MACs or VLANs */
	VERDICT_MANAGER_CUT,	/* a de-associate by the manager ID as lldpad shows it: cut */
	VERDICT_STATUS,		/* lldpad takes no such request: client.status */
	VERDICT_ERROR,		/* client.err; -ETIMEDOUT: lldpad does not answer */
};

struct lldpad_client {
	int fd;
	const char *port;
	ms_t end;		/* monotonic */
	uint16_t answer;	/* struct lldpad_vsi */
	uint8_t status;		/* enum lldpad_status */
	int err;		/* -errno */
	const struct lldpad_vsi *asked;	/* whose events count, NULL: none's */
	bool reported;
	struct lldpad_vsi report;	/* the last event of it that came in between */
	uint8_t b[LLDPAD_MSG_MAX];
};

/* 0 or -errno; -ECONNREFUSED: lldpad is not running, -EPERM: what answers by its name
 * is not root's, -EACCES: it lets nobody but root in. */
int lldpad_client_open(struct lldpad_client *client, const char *port,
		       unsigned timeout_ms);
void lldpad_client_close(struct lldpad_client *client);

/* VSIs with this UUID on the port, at most max; their number or -errno (-EPROTO:
 * client->status). */
int lldpad_client_find(struct lldpad_client *client, const uint8_t uuid[16],
		       struct lldpad_vsi *ret_vsis, unsigned max);

/* Ask for vsi->mode and wait for the outcome. On the way the switch's VLANs take the
 * place of those that were left to it (0). */
enum verdict lldpad_client_request(struct lldpad_client *client, struct lldpad_vsi *vsi);

#endif
