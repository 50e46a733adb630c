/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See log.h. Stock lldpad writes to its standard output, and as a daemon (-d) to
 * syslog with /dev/null behind the standard descriptors; it gives its level (-V) to
 * setlogmask() in both cases. We write to standard error, which is not buffered.
 */
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "vdp_migrate: "

static bool stamp = true;
static char last[512];

static bool has_stderr(void);
static void to_stderr(void);

void log_stamp(bool on)
{
	stamp = on;
}

void log_line(int priority, const char *format, va_list args)
{
	vsnprintf(last, sizeof(last), format, args);
	if (!(setlogmask(0) & LOG_MASK(LOG_PRI(priority))))
		return;
	if (has_stderr())
		to_stderr();
	else
		syslog(priority, PREFIX "%s", last);
}

void log_forget(void)
{
	last[0] = '\0';
}

const char *log_last(void)
{
	return last;
}

static bool has_stderr(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		return false;
	return !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3);	/* /dev/null */
}

/* One write() a line, so that it is not torn. */
static void to_stderr(void)
{
	char line[sizeof(last) + 64], clock[32] = "";
	struct timeval now;
	struct tm tm;
	int len;

	if (stamp && !gettimeofday(&now, NULL) && localtime_r(&now.tv_sec, &tm))
		snprintf(clock, sizeof(clock), "%02d:%02d:%02d.%06ld ", tm.tm_hour,
			 tm.tm_min, tm.tm_sec, (long)now.tv_usec);
	len = snprintf(line, sizeof(line), "%s" PREFIX "%s\n", clock, last);
	if (len > 0 && write(STDERR_FILENO, line, strlen(line)) < 0)
		return;		/* nowhere to tell it */
}
