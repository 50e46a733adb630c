/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bridges' forwarding databases hold: which MAC is behind which port. Told as
 * it is and as it changes, kept nowhere here. Listens only while somebody wants to
 * know: every neighbour of the machine passes by on the same channel.
 */
#ifndef ENGINE_FDB_H
#define ENGINE_FDB_H

#include "core/cases.h"

struct fdb;

/* 0 or -errno. */
int fdb_new(struct fdb **ret_fdb);
void fdb_free(struct fdb *fdb);

/* 0 or -errno. From then on changes come by the descriptor, or no longer. */
int fdb_listen(struct fdb *fdb, bool on);

/* A MAC of a bridge port, learned or set by hand; what is permanent (the bridge's and
 * the ports' own) is not told. vlan 0: the bridge knows no VLANs. */
typedef void (*fdb_cb)(void *arg, uint32_t ifindex, uint16_t vlan, const struct mac *mac,
		       enum cases_fdb what);
/* All that there is now. 0 or -errno. */
int fdb_read(struct fdb *fdb, fdb_cb cb, void *arg);

/* Of the MACs behind this port those that have sent nothing for so long, in that VLAN (0
 * where the bridge filters none). 0 or -errno. */
typedef void (*fdb_quiet_cb)(void *arg, const struct mac *mac);
int fdb_quiet(struct fdb *fdb, uint32_t ifindex, uint16_t vlan, ms_t so_long,
	      fdb_quiet_cb cb, void *arg);

/* Watch the descriptor for reading. -ENOBUFS: some were lost, read all again. */
int fdb_fd(const struct fdb *fdb);
int fdb_dispatch(struct fdb *fdb, fdb_cb cb, void *arg);

#endif
