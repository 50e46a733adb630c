/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See tree.h. Stock lldpad rewrites its file in place; we write a new one beside
 * it and rename, so a crash or a full disk leaves the old one whole.
 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vdp_migrate/protocol.h"

#define SECTION "nearest_customer_bridge"
#define COMMON "common"		/* lldpad: what holds for all ports of a section */
#define OUR_GROUP "vdp_migrate"
#define EVB22_TLV "tlvid0080c20d"
#define DEPTH_MAX 3

/* The groups down to a setting. */
struct path {
	unsigned n;
	const char *group[DEPTH_MAX];
	char tlv[16];
};

static config_t *tree;
static char *file;

static void make_path(struct path *path, const char *port);
static config_setting_t *find(const char *const *group, unsigned n, const char *name);
static int store(const struct path *path, const char *name, const char *value);
static int take_out(const struct path *path, const char *name);
static config_setting_t *make_groups(const struct path *path,
				     config_setting_t **ret_parent,
				     const char **ret_made);
static int write_file(void);
static int write_new(const char *path, const struct stat *old);
static void sync_directory(char *path);

void tree_at(config_t *config)
{
	tree = config;
}

void tree_file(const char *name)
{
	char *copy = name ? strdup(name) : NULL;

	if (!copy)
		return;
	free(file);
	file = copy;
}

const char *tree_get(const char *port, const char *name)
{
	struct path path;
	config_setting_t *setting;

	make_path(&path, port);
	setting = find(path.group, path.n, name);
	return setting ? config_setting_get_string(setting) : NULL;
}

int tree_set(const char *port, const char *name, const char *value)
{
	struct path path;

	if (!tree || !file)
		return -ENODEV;
	make_path(&path, port);
	return value ? store(&path, name, value) : take_out(&path, name);
}

const char *tree_evb_mode(const char *port)
{
	const char *const own[] = { SECTION, port, EVB22_TLV };
	const char *const all[] = { SECTION, COMMON, EVB22_TLV };
	config_setting_t *enable = find(own, 3, "enableTx");
	config_setting_t *mode = find(own, 3, "evbmode");
	const char *text;

	if (!mode)
		mode = find(all, 3, "evbmode");
	if (!enable)
		enable = find(all, 3, "enableTx");
	text = mode ? config_setting_get_string(mode) : NULL;
	if (text)
		/* What stock does not know it takes for a station. */
		return strcasecmp(text, "bridge") ? "station" : "bridge";
	return enable && config_setting_get_bool(enable) ? "station" : NULL;
}

static void make_path(struct path *path, const char *port)
{
	memset(path, 0, sizeof(*path));
	if (!port) {
		path->group[path->n++] = OUR_GROUP;
		return;
	}
	snprintf(path->tlv, sizeof(path->tlv), "tlvid%08x", VDP_MIGRATE_TLVID);
	path->group[path->n++] = SECTION;
	path->group[path->n++] = port;
	path->group[path->n++] = path->tlv;
}

static config_setting_t *find(const char *const *group, unsigned n, const char *name)
{
	config_setting_t *at = tree ? config_root_setting(tree) : NULL;

	for (unsigned i = 0; at && i < n; i++) {
		at = config_setting_get_member(at, group[i]);
		if (at && !config_setting_is_group(at))
			return NULL;
	}
	return at ? config_setting_get_member(at, name) : NULL;
}

static int store(const struct path *path, const char *name, const char *value)
{
	config_setting_t *setting = find(path->group, path->n, name);
	config_setting_t *group, *parent = NULL;
	const char *made = NULL, *text;
	char *old = NULL;
	int r;

	if (setting) {
		text = config_setting_get_string(setting);
		if (!text)
			return -EINVAL;		/* somebody's, and no string */
		old = strdup(text);
		if (!old)
			return -ENOMEM;
	} else {
		group = make_groups(path, &parent, &made);
		if (group)
			setting = config_setting_add(group, name, CONFIG_TYPE_STRING);
		if (group && !made) {
			parent = group;
			made = name;
		}
	}
	if (!setting)
		r = -EINVAL;		/* a name that libconfig does not allow */
	else if (!config_setting_set_string(setting, value))
		r = -ENOMEM;
	else
		r = write_file();
	if (r && old)
		config_setting_set_string(setting, old);
	else if (r && made)
		config_setting_remove(parent, made);
	free(old);
	return r;
}

/* Put back, it stands at the end of its group: nobody counts them. */
static int take_out(const struct path *path, const char *name)
{
	config_setting_t *setting = find(path->group, path->n, name), *group;
	const char *text = setting ? config_setting_get_string(setting) : NULL;
	char *old;
	int r;

	if (!setting)
		return 0;
	old = text ? strdup(text) : NULL;
	if (!old)
		return text ? -ENOMEM : -EINVAL;	/* somebody's, and no string */
	group = config_setting_parent(setting);
	config_setting_remove(group, name);
	r = write_file();
	if (r) {
		setting = config_setting_add(group, name, CONFIG_TYPE_STRING);
		if (setting)
			config_setting_set_string(setting, old);
	}
	free(old);
	return r;
}

/* The innermost group of the path. Where groups had to be made, *ret_parent and
 * *ret_made name the outermost of them. */
static config_setting_t *make_groups(const struct path *path,
				     config_setting_t **ret_parent,
				     const char **ret_made)
{
	config_setting_t *at = config_root_setting(tree), *next;

	for (unsigned i = 0; i < path->n; i++, at = next) {
		next = config_setting_get_member(at, path->group[i]);
		if (next && config_setting_is_group(next))
			continue;
		next = config_setting_add(at, path->group[i], CONFIG_TYPE_GROUP);
		if (!next)
			return NULL;
		if (!*ret_made) {
			*ret_parent = at;
			*ret_made = path->group[i];
		}
	}
	return at;
}

static int write_file(void)
{
	char path[PATH_MAX], new[PATH_MAX + 16];
	struct stat old;
	int r;

	/* Through a symbolic link: the link itself must stay. */
	if (!realpath(file, path) || stat(path, &old) < 0)
		return -errno;
	snprintf(new, sizeof(new), "%s.vdp_migrate", path);
	r = write_new(new, &old);
	if (!r && rename(new, path) < 0)
		r = -errno;
	if (r)
		unlink(new);
	else
		sync_directory(path);
	return r;
}

static int write_new(const char *path, const struct stat *old)
{
	FILE *out;
	int fd, r = 0;

	unlink(path);		/* left over from a crash */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fchown(fd, old->st_uid, old->st_gid) < 0 ||
	    fchmod(fd, old->st_mode & 07777) < 0)
		r = -errno;
	out = fdopen(fd, "w");
	if (!out) {
		r = -errno;
		close(fd);
		return r;
	}
	if (!r)
		config_write(tree, out);
	errno = EIO;		/* what ferror() does not say */
	if (!r && (ferror(out) || fflush(out) || fsync(fd) < 0))
		r = -errno;
	if (fclose(out) && !r)
		r = -errno;
	return r;
}

/* The new file stands already; that its name survives a power cut is a wish. */
static void sync_directory(char *path)
{
	char *slash = strrchr(path, '/');
	int fd;

	if (!slash)
		return;
	slash[slash == path] = '\0';
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}
