/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where our log lines go: beside lldpad's own. The lines themselves come by
 * host_log().
 */
#ifndef ATTACH_LOG_H
#define ATTACH_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/* Log lines carry the time, as lldpad's own do unless it is told not to (-t). */
void log_stamp(bool on);

void log_line(int priority, const char *format, va_list args);

/* The text of the last line since log_forget(), whatever its priority; "". */
void log_forget(void);
const char *log_last(void);

#endif
