/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's log: one line an event, to syslog or (-d) to stderr.
 */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include <syslog.h>

#include "vdp_migrate/types.h"

/* to_stderr: everything, debug too, goes to stderr. */
void log_open(bool to_stderr);
/* From now on errors go to one place alone. */
void log_started(void);
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "p1 vsi fa9b…8f8f: text"; port and vsi may be NULL. */
void log_about(int priority, const char *port, const struct vsi_id *vsi, const char *text);

#endif
