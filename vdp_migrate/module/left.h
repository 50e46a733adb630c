/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VSIs that were ended at the wish of who had asked for them. Stock lldpad tells him, by
 * netlink, when the bridge ends an association; but also, as if the bridge had, when it
 * has answered to his own de-associate, if he has asked in the meantime how that goes.
 * libvirt does, and associates anew: where the bridge answers within a millisecond, its
 * interface is still there. The VSI is then kept alive for ever where nobody has it, and
 * the VM cannot come back: lldpad refuses its pre-associate. So nobody is told that.
 */
#ifndef MODULE_LEFT_H
#define MODULE_LEFT_H

#include "port.h"
#include "wire/vdp22.h"

#define LEFT_MAX 256	/* that leave at the same time */

struct left {
	unsigned at;
	struct left_one {
		char port[VM_IFNAME_MAX];	/* "" = free */
		struct vsi_id id;
	} ones[LEFT_MAX];
};

/* lldpad sends a request; known: what was known of its VSI before, or NULL. */
void left_see(struct left *left, const struct port *port, const struct vsis_one *known,
	      const struct vdp22_assoc *assoc);
/* lldpad is about to send this netlink message. True: nobody wants to hear it. */
bool left_untold(struct left *left, const void *message, size_t len);

#endif
