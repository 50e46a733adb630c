/* SPDX-License-Identifier: GPL-2.0-only */
/* What "lldptool help" says of us. The settings are those of module/settings.c. */
#ifndef LLDPTOOL_EXT_HELP_H
#define LLDPTOOL_EXT_HELP_H

#include <stdio.h>

/* In the list of TLV identifiers. */
void help_line(FILE *out);
/* Each setting: name, what it is for, what it takes, default. */
void help_settings(FILE *out);

#endif
