/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our settings in lldpad's own configuration tree, which lldpad reads from
 * lldpad.conf, and the writing of that file. A port's settings are strings in
 * nearest_customer_bridge.PORT.tlvid02564d01, those for all ports in the top-level
 * group vdp_migrate. What a setting means is the module's.
 */
#ifndef ATTACH_TREE_H
#define ATTACH_TREE_H

struct config_t;

/* lldpad's tree lives at config (NULL: there is none now), its file is called so. */
void tree_at(struct config_t *config);
void tree_file(const char *name);

/* NULL: not set. The string is the tree's. port NULL: for all ports. */
const char *tree_get(const char *port, const char *name);

/* value NULL: take it out. 0 or -errno: then file and tree are as before. Waits for
 * the disk. */
int tree_set(const char *port, const char *name, const char *value);

/* "bridge", "station", or NULL: no EVB configured. */
const char *tree_evb_mode(const char *port);

#endif
