/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks for the commands that make an association: where the module is in lldpad it
 * sets the M-bit, and takes it off the keep-alives once the association is confirmed.
 */
#ifndef COMPANION_MARKING_H
#define COMPANION_MARKING_H

#include "vdp_migrate/link.h"

enum marking {
	MARKING_NONE,	/* no engine, no module, or not taken */
	MARKING_SET,
	MARKING_WAS,	/* marked before: left as it was */
};

/* tap: the VM's interface here, NULL: not known. ret_why: for MARKING_NONE what is not
 * there, LINK_TEXT_MAX octets. */
enum marking marking_set(const struct vsi_id *id, const struct mac *mac, const char *tap,
			 char *ret_why);
/* No word where there is no mark, module or engine. */
void marking_unset(const struct vsi_id *id);

#endif
