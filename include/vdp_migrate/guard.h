/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guard backend does: IP source guard, ARP inspection and rogue server
 * guard on the ports of a bridge. The binding table is the truth, the guard its
 * mirror in the kernel. Changes are collected by put/renew/drop/announce/mode
 * and take effect together at commit().
 */
#ifndef VDP_MIGRATE_GUARD_H
#define VDP_MIGRATE_GUARD_H

#include "vdp_migrate/link.h"
#include "vdp_migrate/types.h"

/* What may send from where. timeout_ms: how long the kernel keeps it if nobody
 * comes back to it, MS_NEVER = for ever. */
struct guard_element {
	char port[VM_IFNAME_MAX];
	uint16_t vlan;		/* as on the wire, 0 = untagged */
	struct mac mac;
	struct addr ip;
	ms_t timeout_ms;
};

struct guard;

struct guard_ops {
	const char *name;
	/* Set up the rules; elements that are in the kernel already stay, and at no
	 * moment is the guard empty. 0 or -errno, *ret_error says what failed. */
	int (*open)(struct guard **ret_guard, char *ret_error, size_t error_size);
	void (*close)(struct guard *guard);	/* rules and elements stay */

	/* Each queues a change: 0 or -ENOMEM. */
	int (*put)(struct guard *guard, const struct guard_element *element);
	int (*renew)(struct guard *guard, const struct guard_element *element);
	int (*drop)(struct guard *guard, const struct guard_element *element);
	/* The MACs of announced VSIs: their RARP may pass. */
	int (*announce)(struct guard *guard, const char *port, const struct mac *mac);
	int (*renounce)(struct guard *guard, const char *port, const struct mac *mac);
	int (*mode)(struct guard *guard, const char *port, enum link_guard mode);

	/* Make all that is queued true in the kernel: additions first, then
	 * removals; what is gone already is no error. 0 or -errno: then everything
	 * is reinstalled by the next recover(). */
	int (*commit)(struct guard *guard);

	/* Descriptor to watch for reading; dispatch says 1 if somebody else has
	 * taken the guard's rules or elements away (then: recover, put all, commit), 2 if
	 * it was only said that every port is open by hand, else 0. */
	int (*fd)(const struct guard *guard);
	int (*dispatch)(struct guard *guard);
	int (*recover)(struct guard *guard);

	/* Opened by hand (vdp-migrate guard off --all): the kernel itself says so, until
	 * that is taken back. 1, 0, -ENOENT: nothing of the guard is there (any more); or
	 * -errno. hold_open: say it in the kernel again, 0 or -errno. */
	int (*opened)(struct guard *guard);
	int (*hold_open)(struct guard *guard);

	/* What the kernel holds now. 0 or -errno. */
	int (*list)(struct guard *guard,
		    void (*cb)(void *arg, const struct guard_element *element), void *arg);
	int (*list_modes)(struct guard *guard,
			  void (*cb)(void *arg, const char *port, enum link_guard mode),
			  void *arg);
	/* Frames that the guard dropped (or, in monitor, would have): by port and
	 * ethertype. */
	int (*counts)(struct guard *guard,
		      void (*cb)(void *arg, const char *port, uint16_t ethertype,
				 uint64_t packets),
		      void *arg);
};

#endif
