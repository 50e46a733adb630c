/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lldpad, the engine, libvirt's daemons: do they run, are they of one version, does the
 * module sit in lldpad and have they what they need. By /proc and by saying hello.
 */
#include "check.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link_client.h"

#define MODULE "vdp_migrate.so"
#define USER "vdp-migrate"
#define STATE_DIR "/var/lib/vdp-migrate"
#define RESTART_LLDPAD "systemctl restart lldpad (VDP of its ports begins anew)"
#define RESTART_ENGINE "systemctl restart vdp-migrated (the guard stays in the kernel)"
#define WITHIN_MS 2000
#define TEXT_MAX (1 << 20)

static bool module_in_lldpad(struct check *check, char *text);
static void why_no_module(struct check *check, pid_t lldpad, char *text);
static void engine(struct check *check, bool module);
static void engine_hello(struct check *check);
static void engine_process(struct check *check);
static void state_dir(struct check *check);
static void ask_module(struct check *check);
static int show(struct check *check, const char *name, struct table *rows,
		struct link_done *ret_done);
static bool ask(struct check *check, const char *name, struct table *rows);
static void libvirt(struct check *check, char *text);
static uid_t user_of(pid_t pid);
static size_t of_process(pid_t pid, const char *file, char *to, size_t size);
static void add_row(void *arg, bool head, const struct link_row *row);

void check_programs(struct check *check)
{
	char *text = malloc(TEXT_MAX);

	if (!text)
		return;
	if (geteuid())
		check_found(check, "not-root", "sudo vdp-migrate check",
			    "not all can be seen: processes of others, the guard in the "
			    "kernel");
	engine(check, module_in_lldpad(check, text));
	libvirt(check, text);
	free(text);
}

static bool module_in_lldpad(struct check *check, char *text)
{
	pid_t lldpad = check->lldpad = check_process("lldpad", 0);
	const char *at;

	if (!lldpad) {
		check_found(check, "lldpad-not-running", "systemctl start lldpad",
			    "lldpad is not running: no VDP here");
		return false;
	}
	if (!of_process(lldpad, "maps", text, TEXT_MAX))
		return true; /* not root: said already */
	at = strstr(text, MODULE);
	if (!at) {
		why_no_module(check, lldpad, text);
		return false;
	}
	if (!strncmp(at + strlen(MODULE), " (deleted)", 10))
		check_found(
			check, "module-old", RESTART_LLDPAD,
			"lldpad (process %d) still has the module that was there before "
			"an upgrade",
			lldpad);
	return true;
}

static void why_no_module(struct check *check, pid_t lldpad, char *text)
{
	bool linked = strstr(text, "/ld-") || strstr(text, "libc.so");
	unsigned long secure[2] = { 0 };
	char path[64];
	FILE *auxv;

	if (!linked) {
		check_found(check, "module-not-loaded",
			    "take the distribution's lldpad, which is linked dynamically",
			    "lldpad (process %d) is a static binary: nothing can be "
			    "preloaded "
			    "into it",
			    lldpad);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/auxv", lldpad);
	auxv = fopen(path, "re");
	while (auxv && fread(secure, sizeof(secure), 1, auxv) == 1 && secure[0] != 23)
		secure[1] = 0; /* AT_SECURE is 23 */
	if (auxv)
		fclose(auxv);
	if (secure[0] == 23 && secure[1]) {
		check_found(
			check, "module-not-loaded",
			"take set-user-ID and capabilities from the file (setcap -r; the "
			"unit gives them), or let the SELinux transition keep its "
			"environment (noatsecure); restart lldpad",
			"lldpad (process %d) runs with more rights than who has started "
			"it: "
			"the linker ignores LD_PRELOAD",
			lldpad);
		return;
	}
	of_process(lldpad, "environ", text, TEXT_MAX);
	if (strstr(text, MODULE))
		check_found(
			check, "module-not-loaded",
			"look for 'ld.so' in lldpad's log: is the file there and "
			"readable; "
			"does SELinux or AppArmor refuse it (ausearch -m avc); restart "
			"lldpad",
			"lldpad (process %d) was told to load the module and has not",
			lldpad);
	else
		check_found(check, "module-not-loaded",
			    "see that lldpad.service.d has the drop-in vdp-migrate; "
			    "systemctl "
			    "daemon-reload; systemctl restart lldpad",
			    "lldpad (process %d) runs without the module", lldpad);
}

static void engine(struct check *check, bool module)
{
	const struct passwd *user = getpwnam(USER);
	bool has_module;

	check->engine_uid = user ? user->pw_uid : (uid_t)-1;
	if (!user)
		check_found(check, "no-user",
			    "useradd --system --user-group --no-create-home --home-dir / "
			    "--shell /usr/sbin/nologin " USER,
			    "there is no user " USER ", which the engine becomes");
	engine_hello(check);
	if (check->fd < 0)
		return;
	engine_process(check);
	has_module = ask(check, "ports", &check->ports);
	ask(check, "vsis", &check->vsis);
	ask(check, "servers", &check->servers);
	check->lldpad_silent = !has_module;
	if (has_module)
		ask_module(check);
	if (module && !has_module && check->fd >= 0)
		check_found(check, "versions",
			    "if the engine was exchanged or restarted just now, wait a "
			    "minute (the module asks it no sooner again) and check anew; "
			    "else " RESTART_LLDPAD ", on a server when it suits: VMs' "
			    "associations end with it",
			    "the module in lldpad and the engine do not speak with each "
			    "other: "
			    "they are of different versions, or lldpad is only starting, "
			    "or hangs "
			    "(its log says so)");
}

static void engine_hello(struct check *check)
{
	check->fd = link_client_connect_within(WITHIN_MS);
	switch (check->fd < 0 ? -check->fd : 0) {
	case 0:
		break;
	case ECONNREFUSED:
		check_found(check, "engine-not-running", "systemctl start vdp-migrated",
			    "the engine is not running: nothing is snooped, asked or "
			    "bound; the "
			    "guard stays as it is");
		break;
	case EPROTO:
		check_found(
			check, "versions", RESTART_ENGINE,
			"the engine that runs and vdp-migrate are of different versions");
		break;
	case EACCES:
		check_found(check, "not-let-in",
			    "usermod -aG " USER " USER, and log in again",
			    "the engine lets in root and members of group " USER
			    " alone");
		break;
	case EPERM:
		check_found(check, "engine-not-running",
			    "ss -xlp | grep vdp-migrate; end it; systemctl start "
			    "vdp-migrated",
			    "another program, not of root, holds the engine's socket");
		break;
	default:
		check_found(check, "engine-silent",
			    "systemctl restart vdp-migrated; in an emergency "
			    "'vdp-migrate guard "
			    "off --all'",
			    "the engine does not answer: %s", strerror(-check->fd));
	}
}

static void engine_process(struct check *check)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char path[64], exe[PATH_MAX];
	ssize_t n;

	if (getsockopt(check->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.pid <= 0)
		return;
	check->engine = peer.pid;
	check->engine_uid = user_of(peer.pid);
	snprintf(path, sizeof(path), "/proc/%d/exe", peer.pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n > 10 && !memcmp(exe + n - 10, " (deleted)", 10))
		check_found(check, "engine-old", RESTART_ENGINE,
			    "the engine that runs (process %d) is the one that was there "
			    "before "
			    "an upgrade",
			    peer.pid);
	if (!geteuid())
		state_dir(check);
}

/* Where it keeps its bindings. */
static void state_dir(struct check *check)
{
	char line[PATH_MAX], cure[PATH_MAX + 64], *dir = (char[]){ STATE_DIR }, *at;
	struct stat info;

	of_process(check->engine, "cmdline", line, sizeof(line));
	at = strstr(line, "\n--state");
	if (at && (at[8] == '\n' || at[8] == '=')) {
		dir = at + 9;
		dir[strcspn(dir, "\n")] = 0;
	}
	if (stat(dir, &info)) {
		check_found(check, "state-dir", RESTART_ENGINE ": it makes the directory",
			    "%s: %s: bindings do not outlive a restart", dir,
			    strerror(errno));
	} else if (info.st_uid != check->engine_uid || !(info.st_mode & S_IWUSR)) {
		snprintf(cure, sizeof(cure),
			 "chown -R " USER ": %s; chmod u+rwx %s; " RESTART_ENGINE, dir,
			 dir);
		check_found(check, "state-dir", cure,
			    "%s is not the engine's to write: bindings do not outlive a "
			    "restart",
			    dir);
	}
}

/* The engine passes this on to lldpad. */
static void ask_module(struct check *check)
{
	struct link_done done;

	if (check->fd < 0 || show(check, "settings", &check->settings, &done) != -EAGAIN)
		return;
	check->lldpad_silent = true;
	check_found(check, "lldpad-silent", RESTART_LLDPAD,
		    "lldpad does not answer, neither the engine nor anybody: it hangs");
	close(check->fd);
	check->fd = link_client_connect_within(WITHIN_MS);
}

static int show(struct check *check, const char *name, struct table *rows,
		struct link_done *ret_done)
{
	static const struct link_answer_ops ops = { .row = add_row };
	struct link_msg msg = { .type = LINK_SHOW, .u.show = { .seq = 1 } };

	strcpy(msg.u.show.table, name);
	return link_client_ask(check->fd, &msg, &ops, rows, ret_done);
}

/* True: and the module is there. */
static bool ask(struct check *check, const char *name, struct table *rows)
{
	struct link_done done = { 0 };
	int err;

	if (check->fd < 0)
		return false;
	err = show(check, name, rows, &done);
	if (err) {
		close(check->fd);
		check->fd = err;
		check_found(check, "engine-silent", RESTART_ENGINE,
			    "the engine does not answer: %s", strerror(-err));
	}
	return !err && !*done.text;
}

/*
 * libvirt keeps its socket's port ID, a number of 32 bits, in an int, takes a negative
 * one for an error, and sends no 802.1Qbg request in all its life. The number is its
 * process's and a time's, so half of all starts are like that.
 */
static void libvirt(struct check *check, char *text)
{
	static const char daemons[] = "libvirtd|virtqemud|virtnetworkd";
	char *rest = text, *line;

	check_read("/proc/net/netlink", text, TEXT_MAX);
	while ((line = strsep(&rest, "\n"))) {
		unsigned protocol, port;

		if (sscanf(line, "%*s %u %u", &protocol, &port) != 2 || protocol ||
		    !(port >> 31))
			continue;
		for (pid_t pid = 0; (pid = check_process(daemons, pid));)
			if ((port & 0x3fffff) == ((unsigned)pid & 0x3fffff))
				check_found(check, "libvirt-netlink",
					    "wait nine minutes and restart it (systemctl "
					    "restart "
					    "libvirtd): the number depends on the time",
					    "libvirt (process %d) has netlink port %u, "
					    "which it "
					    "takes for an error: each VM with a virtual "
					    "port of "
					    "type 802.1Qbg fails to start",
					    pid, port);
	}
}

static uid_t user_of(pid_t pid)
{
	char text[4096];
	const char *at;

	of_process(pid, "status", text, sizeof(text));
	at = strstr(text, "\nUid:");
	return at ? (uid_t)strtoul(at + 5, NULL, 10) : (uid_t)-1;
}

static size_t of_process(pid_t pid, const char *file, char *to, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return check_read(path, to, size);
}

static void add_row(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	(void)table_add(arg, row);
}
