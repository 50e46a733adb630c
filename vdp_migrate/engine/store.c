/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store's two sides. The loop's: changes are collected by key, and at a commit
 * handed over. The thread's: it takes all that has been handed over and writes it in
 * one transaction; what could not be written goes back behind what is newer. So the
 * memory that waits is bounded by the number of bindings, however long the disk takes.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/hash.h"
#include "store_db.h"

#define RETRY_S 5
#define GATHER_MS 10
#define CLOCK_S 60 /* how often a wall clock that was set is looked for */

struct key {
	char port[VM_IFNAME_MAX];
	struct addr ip;
	struct mac mac;
	uint16_t vlan;
};

struct change {
	struct key key;
	struct store_change what;
	UT_hash_handle hh;
	struct client_id id[]; /* what.record.client_id, if any; not whole */
};

struct store {
	const struct store_ops *ops;
	void *arg;
	int dir;
	struct store_db *db;
	struct change *collected; /* the loop's alone */
	uint64_t n_committed; /* the loop's alone */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct change *queue;
	uint64_t handed_over, written;
	int error; /* of the last attempt */
	bool ending, last_attempt;
};

static int make_users(int dir, const char *name, const struct passwd *user);
static void times_of(const struct store *store, struct store_times *ret_times);
static void times_now(struct store_times *ret_times);
static bool start(struct store *store);
static void collect(struct change **changes, const struct store_record *record,
		    bool forget);
static struct change *find(struct change *changes, const struct key *key);
static void add(struct change **changes, struct change *change);
static void discard(struct change **changes);
static void *write_all(void *arg);
static bool wait_for_work(struct store *store, struct change **ret_work,
			  uint64_t *ret_number);
static bool wait_once(struct store *store);
static int write_work(struct store *store, struct change *work);
static void give_back(struct store *store, struct change **work);
static void say(struct store *store, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int store_prepare(const char *dir, const char *user, char *ret_error, size_t error_size)
{
	static const char *const files[] = { STORE_FILE, STORE_FILE "-wal",
					     STORE_FILE "-shm" };
	const struct passwd *entry = getpwnam(user);
	struct stat is;
	int err = 0, fd;

	if (geteuid() || !entry)
		return 0; /* who has no such user hears of it elsewhere */
	/* It is; and where root may not override that, it need not look inside. */
	if (!stat(dir, &is) && is.st_uid == entry->pw_uid && access(dir, R_OK | X_OK))
		return 0;
	if (mkdir(dir, 0750) && errno != EEXIST)
		err = -errno;
	fd = err ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && fd < 0)
		err = -errno;
	/* The directory last: root may have no right to override it. */
	for (size_t i = 0; !err && i < sizeof(files) / sizeof(*files); i++)
		err = make_users(fd, files[i], entry);
	if (!err && fchown(fd, entry->pw_uid, entry->pw_gid))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		snprintf(ret_error, error_size,
			 "store %s: cannot be given to user %s: %s", dir, user,
			 strerror(-err));
	return err;
}

struct store *store_open(const char *dir, const struct store_ops *ops, void *arg)
{
	struct store *store = calloc(1, sizeof(*store));
	pthread_condattr_t monotonic;
	char why[800];
	bool fresh;
	int err;

	if (!store)
		return NULL;
	store->ops = ops;
	store->arg = arg;
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	store->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir < 0 || flock(store->dir, LOCK_EX | LOCK_NB)) {
		say(store, LOG_ERR, "store %s: %s; bindings are in the kernel only", dir,
		    errno == EWOULDBLOCK ? "another engine uses it (see --state)"
					 : strerror(errno));
		store_close(store);
		return NULL;
	}
	err = store_db_open(&store->db, dir, &fresh, why, sizeof(why));
	if (err)
		say(store, LOG_ERR, "store %s; bindings are in the kernel only", why);
	else if (fresh)
		say(store, LOG_ERR, "store %s", why);
	if (!err)
		return store;
	store_close(store);
	return NULL;
}

bool store_load(struct store *store,
		void (*cb)(void *arg, const struct store_record *record), void *arg)
{
	struct store_times times;
	char why[800] = "";
	unsigned bad;
	int err;

	times_of(store, &times);
	err = store_db_load(store->db, &times, cb, arg, &bad, why, sizeof(why));
	if (err)
		say(store, LOG_ERR, "store %s", why);
	else if (bad)
		say(store, LOG_WARNING,
		    "store " STORE_FILE ": %u rows say no binding; left out", bad);
	if (!start(store))
		say(store, LOG_ERR,
		    "store: no thread to write it; bindings are in the kernel "
		    "only");
	return !err && !bad;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->has_thread) {
		store_commit(store);
		pthread_mutex_lock(&store->lock);
		store->ending = true;
		pthread_cond_signal(&store->wake);
		pthread_mutex_unlock(&store->lock);
		pthread_join(store->thread, NULL);
	}
	discard(&store->collected);
	discard(&store->queue);
	store_db_close(store->db);
	if (store->dir >= 0)
		close(store->dir);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

void store_keep(struct store *store, const struct store_record *record)
{
	collect(&store->collected, record, false);
}

void store_forget(struct store *store, const struct store_record *record)
{
	collect(&store->collected, record, true);
}

uint64_t store_commit(struct store *store)
{
	struct change *change, *next;

	if (!store->collected)
		return store->n_committed;
	pthread_mutex_lock(&store->lock);
	HASH_ITER(hh, store->collected, change, next) {
		HASH_DEL(store->collected, change);
		add(&store->queue, change);
	}
	store->handed_over = ++store->n_committed;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	return store->n_committed;
}

int store_written(struct store *store, uint64_t number)
{
	int written;

	pthread_mutex_lock(&store->lock);
	written = store->written >= number ? 1 : store->error;
	pthread_mutex_unlock(&store->lock);
	return written;
}

/* Statics. */

/* A file of root's that is no second name of another becomes the user's. */
static int make_users(int dir, const char *name, const struct passwd *user)
{
	struct stat is;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!fstat(fd, &is) && S_ISREG(is.st_mode) && is.st_nlink == 1 &&
	    is.st_uid != user->pw_uid &&
	    fchownat(fd, "", user->pw_uid, user->pw_gid, AT_EMPTY_PATH))
		err = -errno;
	close(fd);
	return err;
}

static void times_of(const struct store *store, struct store_times *ret_times)
{
	if (store->ops->times)
		store->ops->times(ret_times);
	else
		times_now(ret_times);
}

static char boot_id[40];

static void read_boot_id(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, boot_id, sizeof(boot_id) - 1) < 0)
		boot_id[0] = 0;
	boot_id[strcspn(boot_id, "\n")] = 0;
	close(fd);
}

static void times_now(struct store_times *ret_times)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct timespec mono, wall;

	pthread_once(&once, read_boot_id);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	*ret_times = (struct store_times){
		.mono = (ms_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
		.wall = (ms_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
	};
	memcpy(ret_times->boot, boot_id, sizeof(ret_times->boot));
	/* Not known: as after a boot. */
	if (!boot_id[0])
		snprintf(ret_times->boot, sizeof(ret_times->boot), "?%lld",
			 (long long)ret_times->mono);
}

/* No signal is the thread's. */
static bool start(struct store *store)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	store->has_thread = !pthread_create(&store->thread, NULL, write_all, store);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return store->has_thread;
}

static void collect(struct change **changes, const struct store_record *record,
		    bool forget)
{
	const struct binding *binding = &record->binding;
	size_t id_size = record->client_id ? 1u + record->client_id->len : 0;
	struct change *change = calloc(1, sizeof(*change) + id_size);

	if (!change)
		return;
	change->what = (struct store_change){ .record = *record, .forget = forget };
	if (id_size) {
		memcpy(change->id, record->client_id, id_size);
		change->what.record.client_id = change->id;
	}
	/* From calloc: zero in padding, and behind the name. */
	memcpy(change->key.port, record->port,
	       strnlen(record->port, sizeof(record->port)));
	change->key.vlan = binding->host.vlan;
	change->key.mac = binding->host.mac;
	change->key.ip = binding->ip;
	add(changes, change);
}

static struct change *find(struct change *changes, const struct key *key)
{
	struct change *found;

	HASH_FIND(hh, changes, key, sizeof(*key), found);
	return found;
}

/* In place of an older one. */
static void add(struct change **changes, struct change *change)
{
	struct change *older = find(*changes, &change->key);

	if (older) {
		HASH_DEL(*changes, older);
		free(older);
	}
	HASH_ADD(hh, *changes, key, sizeof(change->key), change);
	if (!change->hh.tbl)
		free(change);
}

static void discard(struct change **changes)
{
	struct change *change, *next;

	HASH_ITER(hh, *changes, change, next) {
		HASH_DEL(*changes, change);
		free(change);
	}
}

/* Statics: the thread. */

static void *write_all(void *arg)
{
	struct store *store = arg;
	const struct sched_param none = { 0 };
	struct change *work = NULL;
	uint64_t number = 0;
	int last = 0;

	/* When the disk is ready it does not push those aside (the loop, the DHCP server)
	 * who work on what a VM waits for. */
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
	/* The first transaction, empty or not, says which boot this is. */
	do {
		int err = write_work(store, work);

		if (err && !last)
			say(store, LOG_ERR,
			    "store %s; not written, tried again every %d s",
			    store_db_why(store->db), RETRY_S);
		else if (!err && last)
			say(store, LOG_NOTICE, "store: written again");
		last = err;
		pthread_mutex_lock(&store->lock);
		if (err)
			give_back(store, &work);
		else
			store->written = number;
		store->error = err;
		pthread_mutex_unlock(&store->lock);
		discard(&work);
		if (store->ops->progress)
			store->ops->progress(store->arg);
	} while (wait_for_work(store, &work, &number));
	return NULL;
}

/* All that has been handed over, or nothing where the clock was set. False: the end,
 * after one more attempt. */
static bool wait_for_work(struct store *store, struct change **ret_work,
			  uint64_t *ret_number)
{
	bool goes_on;

	pthread_mutex_lock(&store->lock);
	while (!store->ending && !wait_once(store))
		;
	goes_on = !store->ending || (store->queue && !store->last_attempt);
	store->last_attempt = store->ending;
	*ret_work = goes_on ? store->queue : NULL;
	if (goes_on)
		store->queue = NULL;
	*ret_number = store->handed_over;
	pthread_mutex_unlock(&store->lock);
	return goes_on;
}

/* Is there something to do? */
static bool wait_once(struct store *store)
{
	/* So long more is waited for: a storm is a few transactions, and no disk and CPU is
	 * taken from it just while it is dealt with. */
	const struct timespec gather = { .tv_nsec = GATHER_MS * 1000000 };
	struct store_times times;
	struct timespec until;
	bool wait;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += store->error ? RETRY_S : CLOCK_S;
	while (!store->ending && (store->error || !store->queue) && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&store->wake, &store->lock, &until);
	wait = !r && !store->ending;
	/* Not with the lock: the loop is never to wait for this. */
	pthread_mutex_unlock(&store->lock);
	if (wait)
		nanosleep(&gather, NULL);
	times_of(store, &times);
	pthread_mutex_lock(&store->lock);
	return store->queue || store->error || store_db_clock_set(store->db, &times);
}

static int write_work(struct store *store, struct change *work)
{
	struct store_times times;
	int err;

	times_of(store, &times);
	err = store_db_begin(store->db, &times);
	for (struct change *i = work; !err && i; i = i->hh.next)
		err = store_db_write(store->db, &i->what);
	if (!err)
		err = store_db_end(store->db, &times);
	if (err)
		store_db_undo(store->db);
	return err;
}

/* What is newer stays. */
static void give_back(struct store *store, struct change **work)
{
	struct change *change, *next;

	HASH_ITER(hh, *work, change, next) {
		HASH_DEL(*work, change);
		if (find(store->queue, &change->key))
			free(change);
		else
			add(&store->queue, change);
	}
}

static void say(struct store *store, int priority, const char *format, ...)
{
	char text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	store->ops->log(priority, text);
}
