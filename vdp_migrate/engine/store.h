/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bindings on disk (SQLite), for the next start. Kernel first and store after:
 * what is kept or forgotten is collected, and goes to a thread of its own once the
 * guard's commit is done: the engine's loop never waits for a disk.
 *
 * A store that cannot be used stops nothing. What cannot be written is kept and tried
 * again; a file that is no store of ours is moved aside. Each is one log line that
 * names the file and the reason.
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "core/binding.h"

#define STORE_FILE "bindings.db"

/* Both clocks at one moment, and which boot the monotonic one is of. */
struct store_times {
	ms_t mono, wall;
	char boot[40];
};

struct store_ops {
	/* NULL: the machine's. Called by the store's thread too. */
	void (*times)(struct store_times *ret_times);
	/* Called by the store's thread too; priority as in syslog.h. */
	void (*log)(int priority, const char *text);
	/* By the store's thread: store_written() may say something new. May be NULL. */
	void (*progress)(void *arg);
};

/* A binding with the names that outlive a start: it is kept by its port's (none: ""),
 * the bridge's is for those who read the store. host.bridge and port mean nothing here.
 */
struct store_record {
	char bridge[VM_IFNAME_MAX], port[VM_IFNAME_MAX];
	struct binding binding;
	const struct client_id *client_id; /* NULL: not known; borrowed */
};

struct store;

/* Before privileges are given up: make the directory, and it and the store in it the
 * user's. 0 or -errno, ret_error says what failed. */
int store_prepare(const char *dir, const char *user, char *ret_error, size_t error_size);

/* Open or begin the store below dir; what is wrong is logged. NULL: there is none now.
 * ops and arg are borrowed. */
struct store *store_open(const char *dir, const struct store_ops *ops, void *arg);
/* Each binding that was kept; lease_end is of the monotonic clock and may have passed.
 * To be called once, at first. True: all that the store had; false: it was begun anew,
 * or some of it could not be read (logged): what is in force should be kept again. */
bool store_load(struct store *store,
		void (*cb)(void *arg, const struct store_record *record), void *arg);
/* Writes what waits, then ends. NULL may be closed. */
void store_close(struct store *store);

/* Collect a change; the last one of a key counts. */
void store_keep(struct store *store, const struct store_record *record);
void store_forget(struct store *store, const struct store_record *record);
/* The kernel has what was collected: it may be written. Returns its number. */
uint64_t store_commit(struct store *store);
/* 1: on disk up to this number. 0: not yet. -errno: the last attempt failed. */
int store_written(struct store *store, uint64_t number);

#endif
