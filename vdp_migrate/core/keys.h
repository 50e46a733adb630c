/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By what a DHCP server is asked for a VM: its MAC, its client-id, the remote-id that
 * its VSI instance ID is (RFC 6148). And which of two replies is the better one
 * (RFC 4388 6.4). Pure.
 */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include "vdp_migrate/leasequery.h"

/* What is known of whom we ask for. */
struct keys_known {
	const struct vsi_id *vsi;
	struct mac mac;		/* zero: not known */
	bool only_mac;		/* an answer for another MAC is none */
	const struct client_id *client_id;	/* NULL: the client has sent none */
	bool remote_id_text;	/* the VSI instance ID as text, else its 16 octets */
};

/* Key and whom it must mean into the question. False: this key is passed over, what it
 * needs is not known (a client-id is never guessed). */
bool keys_fill(enum lq_key key, const struct keys_known *known,
	       struct lq_question *question);

/* Is a the better answer? ACTIVE before UNASSIGNED before UNKNOWN; of two ACTIVE the
 * one whose server has heard the client last (option 91; none is worst). */
bool keys_better(const struct lq_answer *a, const struct lq_answer *b);

/* "LEASEACTIVE", …, "none"; back: LQ_SILENT for what is none of them. */
const char *keys_outcome_text(enum lq_outcome outcome);
enum lq_outcome keys_outcome_parse(const char *text);

#endif
