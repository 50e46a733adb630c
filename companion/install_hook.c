/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * install-hook: libvirt's qemu hook, a script of ours in qemu.d, beside those of others.
 * Knows what libvirt asks of a hook: it runs what is executable in there; a hook that
 * fails breaks the operation, and what it prints at `migrate` takes the domain's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

#define HOOKS "/etc/libvirt/hooks"
#define HOOK HOOKS "/qemu.d/vdp-migrate"
#define OURS "#!/bin/sh\n# vdp-migrate: put here by 'vdp-migrate install-hook'"
#define SCRIPT_MAX (2 * PATH_MAX + 1024)

enum found { FOUND_NONE, FOUND_SAME, FOUND_OLDER, FOUND_FOREIGN, FOUND_ERROR };

struct install {
	const char *root;	/* "" = this system */
	bool bridge, remove;
	char path[PATH_MAX];
};

static int parse(int argc, char **argv, struct install *ret_install);
static int install_hook(const struct install *install);
static int remove_hook(const struct install *install);
static int foreign(const struct install *install);
static int failed(const char *what, const char *path);
static enum found look(const char *path, const char *script);
static void write_script(const struct install *install, char script[SCRIPT_MAX]);
static int make_directories(const struct install *install);
static int put(const struct install *install, const char *script);

int command_install_hook(int argc, char **argv)
{
	struct install install = { .root = "" };
	int err = parse(argc, argv, &install);
	int len;

	if (err)
		return err;
	len = snprintf(install.path, sizeof(install.path), "%s" HOOK, install.root);
	if (len < 0 || (size_t)len >= sizeof(install.path))
		return command_wrong_use(argv, "the directory's name is too long");
	return install.remove ? remove_hook(&install) : install_hook(&install);
}

/* Statics. */

static int parse(int argc, char **argv, struct install *ret_install)
{
	static const struct option options[] = {
		{ "bridge", no_argument, NULL, 'b' },
		{ "remove", no_argument, NULL, 'd' },
		{ "root", required_argument, NULL, 'r' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			ret_install->bridge = true;
			break;
		case 'd':
			ret_install->remove = true;
			break;
		case 'r':
			ret_install->root = optarg;
			break;
		default:
			return command_wrong_use(argv, "see 'vdp-migrate help %s'",
						 argv[0]);
		}
	}
	if (optind != argc)
		return command_wrong_use(argv, "'%s' is not understood", argv[optind]);
	if (ret_install->remove && ret_install->bridge)
		return command_wrong_use(argv, "--bridge says nothing with --remove");
	return 0;
}

static int install_hook(const struct install *install)
{
	char script[SCRIPT_MAX];
	enum found found;

	write_script(install, script);
	found = look(install->path, script);
	switch (found) {
	case FOUND_SAME:
		printf("%s is there already: nothing to do\n", install->path);
		return EXIT_DONE;
	case FOUND_FOREIGN:
		return foreign(install);
	case FOUND_ERROR:
		return failed("read", install->path);
	case FOUND_NONE:
	case FOUND_OLDER:
		break;
	}
	if (make_directories(install))
		return failed("make the directory of", install->path);
	if (put(install, script))
		return failed("write", install->path);
	printf("%s %s: interfaces of type 802.1Qbg%s\n", install->path,
	       found == FOUND_NONE ? "installed" : "brought up to date",
	       install->bridge ? ", and those whose VSI is named" : "");
	if (!*install->root && found == FOUND_NONE)
		printf("libvirt looks for hooks when it starts or reloads: if it had none "
		       "for QEMU,\nreload libvirtd (or virtqemud); running VMs stay.\n");
	return EXIT_DONE;
}

static int remove_hook(const struct install *install)
{
	switch (look(install->path, "")) {
	case FOUND_NONE:
		printf("%s is not there: nothing to do\n", install->path);
		return EXIT_DONE;
	case FOUND_FOREIGN:
		return foreign(install);
	case FOUND_ERROR:
		return failed("read", install->path);
	case FOUND_SAME:
	case FOUND_OLDER:
		break;
	}
	if (unlink(install->path))
		return failed("remove", install->path);
	printf("%s removed\n", install->path);
	return EXIT_DONE;
}

static int foreign(const struct install *install)
{
	fprintf(stderr, "vdp-migrate: %s is not ours: left as it is\n", install->path);
	return EXIT_REFUSED;
}

static int failed(const char *what, const char *path)
{
	fprintf(stderr, "vdp-migrate: cannot %s %s: %s\n", what, path, strerror(errno));
	return EXIT_REFUSED;
}

/* What stands there; FOUND_ERROR with errno. */
static enum found look(const char *path, const char *script)
{
	char there[SCRIPT_MAX] = "";
	struct stat st;
	enum found found;
	ssize_t n;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT || errno == ENOTDIR ? FOUND_NONE : FOUND_ERROR;
	if (!S_ISREG(st.st_mode))
		return FOUND_FOREIGN;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return FOUND_ERROR;
	n = read(fd, there, sizeof(there) - 1);
	if (n < 0)
		found = FOUND_ERROR;
	else if (strncmp(there, OURS, strlen(OURS)))
		found = FOUND_FOREIGN;
	else if (!strcmp(there, script) && (st.st_mode & 07777) == 0755)
		found = FOUND_SAME;
	else
		found = FOUND_OLDER;
	close(fd);
	return found;
}

/* Not by exec: were the command gone or broken, the script would fail, and with it the
 * migration. Below another root the command is where it is installed. */
static void write_script(const struct install *install, char script[SCRIPT_MAX])
{
	char self[PATH_MAX] = BINDIR "/vdp-migrate";

	if (!*install->root) {
		ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

		if (n > 0)
			self[n] = 0;
		if (strchr(self, '\''))
			strcpy(self, BINDIR "/vdp-migrate");
	}
	snprintf(script, SCRIPT_MAX,
		 OURS ", which also takes it out\n"
		 "# (--remove). Marks the VMs that migrate in to this server.\n"
		 "case $2 in migrate|stopped|release) ;; *) exit 0 ;; esac\n"
		 "[ -x '%s' ] && '%s' hook%s -- \"$@\" >/dev/null 2>&1\n"
		 "exit 0\n", self, self, install->bridge ? " --bridge" : "");
}

/* All above the script; libvirt brings its own down to HOOKS. */
static int make_directories(const struct install *install)
{
	char path[PATH_MAX];

	strcpy(path, install->path);
	for (char *at = path + strlen(install->root) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return 0;
}

/* Whole or not at all; under its first name, beside qemu.d, libvirt never runs it. */
static int put(const struct install *install, const char *script)
{
	size_t len = strlen(script);
	char draft[PATH_MAX];
	int fd, err = 0;

	if ((size_t)snprintf(draft, sizeof(draft), "%s" HOOKS "/.vdp-migrate.XXXXXX",
			     install->root) >= sizeof(draft))
		return errno = ENAMETOOLONG, -errno;
	fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, script, len) != (ssize_t)len || fchmod(fd, 0755) || fsync(fd))
		err = -(errno ? errno : EIO);
	/* libvirt may run it at once: not while it is open for writing. */
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(draft, install->path))
		err = -errno;
	if (err) {
		unlink(draft);
		errno = -err;
	}
	return err;
}
