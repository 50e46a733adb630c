/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came of a request for an association, in words and as an exit code.
 */
#ifndef COMPANION_VERDICT_H
#define COMPANION_VERDICT_H

#include "lldpad_client.h"

/* Acceptance to stdout, all else to stderr; enum exit_code. asked: before, vsi: after the
 * request. */
int verdict_say(const struct lldpad_client *client, enum verdict verdict,
		const struct lldpad_vsi *asked, const struct lldpad_vsi *vsi);

#endif
