/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the server's help requests share: station_help.c (asked, sent, seen),
 * station_know.c (what is known of a VM, and whether that is enough).
 */
#ifndef ENGINE_STATION_HELP_H
#define ENGINE_STATION_HELP_H

#include <string.h>

#include "station_private.h"

struct help_port {
	char name[VM_IFNAME_MAX];
	uint8_t role;		/* enum link_role */
};

struct vsi_key {
	struct vsi_id id;
	char port[VM_IFNAME_MAX];
};
_Static_assert(sizeof(struct vsi_key) == 33, "a hash key has no padding");

struct help_vsi {
	struct vsi_key key;
	ms_t since;		/* first announced here */
	unsigned n;
	struct vsi_entry *entries;	/* owned */
	UT_hash_handle hh;
};

struct help_request {
	struct vsi_key key;
	struct vsi_entry entry;
	bool heard;
	uint32_t xid;
	struct addr giaddr;
	bool apart;
	struct help_known lease;
	enum help_verdict verdict;
	enum station_help_state state;
	bool failed;		/* the last could not be sent; logged */
	unsigned sent;
	ms_t first, last;	/* asked for: in a row, secs counts from here; and last */
	struct help_request *after;
};

struct station_help {
	bool told;		/* which ports the module has */
	unsigned n_ports, n_requests;
	struct help_port *ports;
	struct help_vsi *vsis;
	struct help_request *requests;
	struct station_leases *leases;
	struct station_help_counts counts;
	ms_t warned_since;
	unsigned warned;
};

static inline struct vsi_key station_key(const struct vsi_id *id, const char *port)
{
	struct vsi_key key = { .id = *id };

	memcpy(key.port, port, strnlen(port, sizeof(key.port) - 1));
	return key;
}

static inline bool station_key_equal(const struct vsi_key *a, const struct vsi_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* station_help.c: enum link_role of a port of the module's, or of the bond that it is a
 * slave of, or of a VLAN of one of these; -1: none of them. */
int station_help_role(struct station *station, const char *name);

/* station_know.c: HELP_REQUEST, and what to ask for; or why not. */
enum help_verdict station_know_decide(struct station *station, const struct link_help *help,
				      const struct vsi_entry *entry,
				      struct help_known *ret_lease);
/* A VSI is announced here; it is not, or not any more; its VM has left. */
void station_know_vsi(struct station *station, const struct vsi_key *key,
		      const struct link_vsi *seen);
void station_know_forget(struct station_help *help, const struct vsi_key *key);
void station_know_left(struct station *station, const struct vsi_key *key);
void station_know_done(struct station_help *help);

#endif
