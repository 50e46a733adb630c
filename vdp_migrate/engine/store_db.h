/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store's file: opened, checked, read once, written a transaction at a time. One
 * thread at a time. Every failure says the file and the reason.
 */
#ifndef ENGINE_STORE_DB_H
#define ENGINE_STORE_DB_H

#include "store.h"

#define STORE_VERSION 1

struct store_change {
	struct store_record record;
	bool forget;
};

struct store_db;

/* 0, or -errno. *ret_fresh: a file that was none of ours has been moved aside, ret_why
 * says which and why. */
int store_db_open(struct store_db **ret_db, const char *dir, bool *ret_fresh,
		  char *ret_why, size_t why_size);
void store_db_close(struct store_db *db);
/* Each row; rows that say nothing are left out and counted. -EUCLEAN: the file is
 * corrupt, has been moved aside, and a fresh one begun. */
int store_db_load(struct store_db *db, const struct store_times *times,
		  void (*cb)(void *arg, const struct store_record *record), void *arg,
		  unsigned *ret_bad, char *ret_why, size_t why_size);
/* One transaction: begin, the changes, end (or, after a failure, undo). */
int store_db_begin(struct store_db *db, const struct store_times *times);
int store_db_write(struct store_db *db, const struct store_change *change);
int store_db_end(struct store_db *db, const struct store_times *times);
void store_db_undo(struct store_db *db);
/* Has the wall clock been set since the last transaction? */
bool store_db_clock_set(const struct store_db *db, const struct store_times *times);
/* Why the last call failed. */
const char *store_db_why(const struct store_db *db);

#endif
