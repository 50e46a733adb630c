/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's log. Knows how a line names its port and VSI, and nothing of what
 * it says.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

static bool log_to_stderr = true;
/* Who starts it by hand shall see why it does not start. */
static bool starting = true;

void log_open(bool to_stderr)
{
	log_to_stderr = to_stderr;
	if (!to_stderr)
		openlog("vdp-migrated", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_started(void)
{
	starting = false;
}

void log_line(int priority, const char *format, ...)
{
	char line[512];
	va_list args;

	if (priority == LOG_DEBUG && !log_to_stderr)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (log_to_stderr || (starting && priority <= LOG_ERR))
		fprintf(stderr, "vdp-migrated: %s%s\n", priority == LOG_DEBUG ? "debug: " : "",
			line);
	if (!log_to_stderr)
		syslog(priority, "%s", line);
}

void log_about(int priority, const char *port, const struct vsi_id *vsi, const char *text)
{
	char id[VSI_ID_TEXT_MAX] = "";
	size_t len;

	if (priority == LOG_DEBUG && !log_to_stderr)
		return;

	if (vsi && vsi->format) {
		vsi_id_text(vsi, id);
		len = strlen(id);
		if (len > 12) {	/* fa9b…8f8f */
			memmove(id + 7, id + len - 4, 5);
			memcpy(id + 4, "\xe2\x80\xa6", 3);
		}
	}
	log_line(priority, "%s%s%s%s%s", port ? port : "", *id ? " vsi " : "", id,
		 port || *id ? ": " : "", text);
}
