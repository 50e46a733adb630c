/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our module in lldptool's list: the name vdp-migrate, its line in the help, the
 * capability TLV printed. One list, one module; without it lldptool runs as stock.
 */
#ifndef LLDPTOOL_EXT_EXTEND_H
#define LLDPTOOL_EXT_EXTEND_H

/* lldptool begins to read a command. The first time: find its list and join it, or say
 * on stderr, in one line, why not. */
void extend_command(void);

#endif
