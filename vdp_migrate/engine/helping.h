/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the switch's help requests share: helping.c (asking), helping_take.c
 * (what comes back), helping_kept.c (which there are). */
#ifndef ENGINE_HELPING_H
#define ENGINE_HELPING_H

#include "bridge_private.h"
#include "core/hash.h"

struct helping_key {
	struct vsi_id id;
	uint8_t pad;
	uint16_t port;
};
_Static_assert(sizeof(struct helping_key) == 20, "a hash key has no padding");

/* The xids of one time that the station is asked: so many from a multiple of it on. */
#define HELPING_XIDS 64u
_Static_assert(LINK_HELP_ENTRIES_MAX <= HELPING_XIDS, "an xid for each entry");

struct helping_xids {
	uint32_t first;
	bool used;
	struct helping *of;
	UT_hash_handle hh;	/* by first */
};

struct helping {
	struct helping_key key;
	char member[VM_IFNAME_MAX];	/* whom the module asks; "": nobody now */
	struct addr giaddr;
	bool apart;		/* giaddr is in no subnet of this machine's */
	ms_t began;
	ms_t ends;		/* the first of its entries; then, not open, its memory */
	ms_t say_at;		/* MS_NEVER: all is said */
	unsigned tries;
	bool open;
	unsigned n;
	struct wanted {
		struct vsi_entry entry;	/* VLAN as in the bridge */
		bool said;
		bool gone;		/* from the VSI's filter info */
		uint32_t xid, xid_before;
		ms_t ends;
	} wanted[LINK_HELP_ENTRIES_MAX];
	unsigned last_xids;
	struct helping_xids xids[2];	/* of the last time, and the one before */
	struct helping *before, *next;	/* all that are open, or that are not */
	UT_hash_handle hh;	/* by key */
};

/* helping.c: the request for one entry is over; then settle: is there more to wait for? */
void helping_over(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum vsi_help how, const char *why);
/* Nothing is left to be asked: the attempt ends, and what waits has its turn. */
void helping_settle(struct bridge *b, struct vsi *vsi, struct helping *h);

/* helping_kept.c: by port and VSI; NULL. */
struct helping *helping_find(const struct bridge *b, uint16_t port,
			     const struct vsi_id *id);
/* Found or made new, not open. NULL: no memory. */
struct helping *helping_get(struct bridge *b, const struct vsi *vsi);
/* It is open now; or not any more, and remembered for a while. */
void helping_open(struct bridge *b, struct helping *h);
void helping_close(struct bridge *b, struct helping *h);
/* Those that need not be remembered any more go; when it is to be called next. */
ms_t helping_fade(struct bridge *b);
/* New xids for all its entries: the first. */
uint32_t helping_new_xids(struct bridge *b, struct helping *h);
/* Whose xid this is, or was the time before; NULL. */
struct helping *helping_of_xid(const struct bridge *b, uint32_t xid);

#endif
