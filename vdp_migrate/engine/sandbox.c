/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libcap-ng changes the user and keeps the capabilities over it; ambient ones are
 * set by prctl (Linux 4.3), which needs them permitted and inheritable. A spawned
 * nft has them by that, and by no_new_privs no set-user-ID program gives it more.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define GROUPS_MAX 256

static const unsigned int kept[] = { CAP_NET_RAW, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE };
#define N_KEPT (sizeof(kept) / sizeof(kept[0]))

static int become(const char *user, char *ret_error, size_t error_size);
static int check_kept(char *ret_error, size_t error_size);
static void select_kept(void);
static int raise_ambient(void);
static bool is_member(const char *user, gid_t primary, gid_t group);

int sandbox_enter(const char *user, char *ret_error, size_t error_size)
{
	int r;

	capng_get_caps_process();
	r = check_kept(ret_error, error_size);
	if (!r && geteuid() == 0) {
		r = become(user, ret_error, error_size);
	} else if (!r) {
		select_kept();
		/* The bounding set stays: to change it is not ours without root. */
		if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
			snprintf(ret_error, error_size, "cannot give up capabilities");
			r = -EPERM;
		}
	}
	if (r < 0)
		return r;
	r = raise_ambient();
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r < 0)
		snprintf(ret_error, error_size, "cannot keep capabilities: %s",
			 strerror(-r));
	return r;
}

bool sandbox_may_control(uid_t uid, gid_t gid)
{
	const struct group *group;
	const struct passwd *user;
	gid_t wanted;

	if (uid == 0 || uid == geteuid())
		return true;
	group = getgrnam(SANDBOX_GROUP);
	if (!group)
		return false;
	wanted = group->gr_gid;
	if (gid == wanted)
		return true;
	user = getpwuid(uid);
	return user && is_member(user->pw_name, user->pw_gid, wanted);
}

static int become(const char *user, char *ret_error, size_t error_size)
{
	const struct passwd *entry;
	int r;

	errno = 0;
	entry = getpwnam(user);
	if (!entry) {
		snprintf(ret_error, error_size,
			 "no user %s: create it with useradd --system --user-group "
			 "--no-create-home --home-dir / --shell /usr/sbin/nologin %s",
			 user, user);
		return errno ? -errno : -ENOENT;
	}
	if (entry->pw_uid == 0) {
		snprintf(ret_error, error_size, "user %s is root: take another one",
			 user);
		return -EINVAL;
	}
	select_kept();
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
		snprintf(ret_error, error_size,
			 "cannot bound capabilities (no CAP_SETPCAP)");
		return -EPERM;
	}
	r = capng_change_id((int)entry->pw_uid, (int)entry->pw_gid, CAPNG_DROP_SUPP_GRP);
	if (r) {
		snprintf(ret_error, error_size, "cannot become user %s (step %d): %s",
			 user, -r, errno ? strerror(errno) : "not permitted");
		return -EPERM;
	}
	return 0;
}

static int check_kept(char *ret_error, size_t error_size)
{
	for (size_t i = 0; i < N_KEPT; i++) {
		if (capng_have_capability(CAPNG_PERMITTED, kept[i]))
			continue;
		snprintf(ret_error, error_size,
			 "no capability %s: start it as root, or as user %s by a unit "
			 "with "
			 "AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN "
			 "CAP_NET_BIND_SERVICE",
			 capng_capability_to_name(kept[i]), SANDBOX_USER);
		return -EPERM;
	}
	return 0;
}

static void select_kept(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < N_KEPT; i++)
		capng_update(CAPNG_ADD,
			     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE |
				     CAPNG_BOUNDING_SET,
			     kept[i]);
}

static int raise_ambient(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (size_t i = 0; i < N_KEPT; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) < 0)
			return -errno;
	return 0;
}

static bool is_member(const char *user, gid_t primary, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;

	if (getgrouplist(user, primary, groups, &n) < 0)
		n = GROUPS_MAX; /* in more groups than these: read what fits */
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}
