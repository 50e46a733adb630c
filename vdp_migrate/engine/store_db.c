/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store's file: an SQLite database in WAL mode, its schema's number in
 * user_version. Every transaction is synced (synchronous=FULL): a static binding that
 * was reported as kept outlives a power cut.
 *
 * Time. A lease end is kept as wall clock, and beside them the boot and the distance
 * between wall and monotonic clock that all of them were written with. Loaded in the
 * same boot the wall clock plays no part, however it was set meanwhile. After a boot it
 * tells how long the machine was away; where it reads less than at the last write it
 * was reset, and no time counts as passed: what had ended stays so, nothing else ends.
 * A clock that is set while we run moves the kept lease ends with it.
 */
#include "store_db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_row.h"

#define STR_(x) #x
#define STR(x) STR_(x)

#define BUSY_MS 1000 /* an operator's sqlite3 holds it */
#define CLOCK_SET_MS 2000 /* less is a clock being disciplined */

struct store_db {
	sqlite3 *sql;
	sqlite3_stmt *keep, *forget;
	bool ready; /* its tables are there */
	ms_t offset; /* wall - monotonic, of all lease ends in the file */
	ms_t shift; /* to be added to them by the next transaction */
	ms_t new_offset, new_shift; /* of the transaction that runs */
	char path[256], why[800];
};

struct meta {
	char boot[40];
	ms_t offset, written;
};

static const char schema[] =
	"CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,"
	" clock_offset INTEGER NOT NULL, written INTEGER NOT NULL);"
	"CREATE TABLE binding (port TEXT NOT NULL, vlan INTEGER NOT NULL,"
	" mac TEXT NOT NULL, ip TEXT NOT NULL, bridge TEXT NOT NULL,"
	" state TEXT NOT NULL, origin TEXT NOT NULL, vsi TEXT, server TEXT,"
	" client_id TEXT, lease INTEGER, lease_end INTEGER,"
	" PRIMARY KEY (port, vlan, mac, ip)) WITHOUT ROWID;"
	"PRAGMA user_version = " STR(STORE_VERSION) ";";

static int open_file(struct store_db *db);
static int open_fresh(struct store_db *db);
static int check(struct store_db *db);
static void tune(struct store_db *db);
static bool is_corrupt(int code);
static int move_aside(struct store_db *db, const char *suffix, const char *reason);
static int read_meta(struct store_db *db, struct meta *ret_meta);
static int read_rows(struct store_db *db,
		     void (*cb)(void *arg, const struct store_record *record), void *arg,
		     unsigned *ret_bad);
static void row_of(sqlite3_stmt *statement, struct store_row *ret_row);
static int prepare(struct store_db *db);
static void bind_text(sqlite3_stmt *statement, int at, const char *text);
static int number(struct store_db *db, const char *query, int64_t *ret_value);
static int run(struct store_db *db, const char *statements);
static int step(struct store_db *db, sqlite3_stmt *statement);
static int fail(struct store_db *db, int code);
static void close_file(struct store_db *db);

int store_db_open(struct store_db **ret_db, const char *dir, bool *ret_fresh,
		  char *ret_why, size_t why_size)
{
	struct store_db *db = calloc(1, sizeof(*db));
	int err = db ? 0 : -ENOMEM;

	*ret_fresh = false;
	if (db && snprintf(db->path, sizeof(db->path), "%s/" STORE_FILE, dir) >=
			  (int)sizeof(db->path) - 32)
		err = -ENAMETOOLONG;
	if (!err)
		err = open_file(db);
	if (!err)
		err = check(db);
	if (err == -EUCLEAN) {
		*ret_fresh = true;
		snprintf(ret_why, why_size, "%s", db->why);
		err = open_fresh(db);
	}
	if (!err) {
		*ret_db = db;
		return 0;
	}
	snprintf(ret_why, why_size, "%s", db && *db->why ? db->why : strerror(-err));
	store_db_close(db);
	return err;
}

void store_db_close(struct store_db *db)
{
	if (!db)
		return;
	close_file(db);
	free(db);
}

int store_db_load(struct store_db *db, const struct store_times *times,
		  void (*cb)(void *arg, const struct store_record *record), void *arg,
		  unsigned *ret_bad, char *ret_why, size_t why_size)
{
	struct meta meta = { .offset = times->wall - times->mono,
			     .written = times->wall };
	int err = 0;

	*ret_bad = 0;
	if (db->ready)
		err = read_meta(db, &meta);
	db->offset = meta.offset;
	if (strcmp(meta.boot, times->boot)) {
		db->offset = times->wall - times->mono;
		db->shift = times->wall < meta.written ? times->wall - meta.written : 0;
	}
	if (!err && db->ready)
		err = read_rows(db, cb, arg, ret_bad);
	if (db->sql) /* those pages are not read again */
		sqlite3_db_release_memory(db->sql);
	if (err)
		snprintf(ret_why, why_size, "%s", db->why);
	if (err != -EUCLEAN)
		return err;
	db->shift = 0;
	db->offset = times->wall - times->mono;
	if (open_fresh(db))
		return -EIO;
	return err;
}

int store_db_begin(struct store_db *db, const struct store_times *times)
{
	ms_t offset = times->wall - times->mono;
	char update[128];
	int err = run(db, "BEGIN IMMEDIATE");

	if (!err && !db->ready)
		err = run(db, schema);
	if (!err && !db->keep)
		err = prepare(db);
	if (err)
		return err;
	db->new_offset = db->offset;
	db->new_shift = db->shift;
	if (store_db_clock_set(db, times)) {
		db->new_offset = offset;
		db->new_shift += offset - db->offset;
	}
	if (!db->new_shift)
		return 0;
	snprintf(update, sizeof(update),
		 "UPDATE binding SET lease_end = lease_end + (%lld)"
		 " WHERE lease_end IS NOT NULL",
		 (long long)db->new_shift);
	return run(db, update);
}

int store_db_write(struct store_db *db, const struct store_change *change)
{
	sqlite3_stmt *statement = change->forget ? db->forget : db->keep;
	struct store_row_room room;
	struct store_row row;

	store_row_encode(&change->record, &room, &row);
	sqlite3_clear_bindings(statement);
	bind_text(statement, 1, row.port);
	sqlite3_bind_int64(statement, 2, row.vlan);
	bind_text(statement, 3, row.mac);
	bind_text(statement, 4, row.ip);
	if (change->forget)
		return step(db, statement);
	bind_text(statement, 5, row.bridge);
	bind_text(statement, 6, row.state);
	bind_text(statement, 7, row.origin);
	bind_text(statement, 8, row.vsi);
	bind_text(statement, 9, row.server);
	bind_text(statement, 10, row.client_id);
	if (row.lease_s)
		sqlite3_bind_int64(statement, 11, row.lease_s);
	if (row.ends)
		sqlite3_bind_int64(statement, 12, row.lease_end + db->new_offset);
	return step(db, statement);
}

int store_db_end(struct store_db *db, const struct store_times *times)
{
	char *meta = sqlite3_mprintf(
		"INSERT OR REPLACE INTO meta VALUES (1, %Q, %lld, %lld);"
		"COMMIT",
		times->boot, (long long)db->new_offset, (long long)times->wall);
	int err = meta ? run(db, meta) : -ENOMEM;

	sqlite3_free(meta);
	if (err)
		return err;
	db->ready = true;
	db->offset = db->new_offset;
	db->shift = 0;
	return 0;
}

void store_db_undo(struct store_db *db)
{
	if (sqlite3_get_autocommit(db->sql))
		return;
	sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

bool store_db_clock_set(const struct store_db *db, const struct store_times *times)
{
	ms_t moved = times->wall - times->mono - db->offset;

	return moved > CLOCK_SET_MS || moved < -CLOCK_SET_MS;
}

const char *store_db_why(const struct store_db *db)
{
	return db->why;
}

/* Statics: the file. */

static int open_file(struct store_db *db)
{
	int code = sqlite3_open_v2(
		db->path, &db->sql,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK)
		return fail(db, code);
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	return 0;
}

static int open_fresh(struct store_db *db)
{
	int err = open_file(db);

	if (!err)
		tune(db);
	return err;
}

/* Is it ours? A reading that needs files which a read-only directory cannot have is
 * done again as of a file that never changes. */
static int check(struct store_db *db)
{
	int64_t version = 0, tables = 0;
	int err = number(db, "PRAGMA user_version", &version);

	if (err && err != -EUCLEAN && !access(db->path, R_OK)) {
		char *uri = sqlite3_mprintf("file:%s?immutable=1", db->path);

		close_file(db);
		if (!uri || sqlite3_open_v2(uri, &db->sql,
					    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
						    SQLITE_OPEN_NOMUTEX,
					    NULL))
			err = fail(db, SQLITE_CANTOPEN);
		else
			err = number(db, "PRAGMA user_version", &version);
		sqlite3_free(uri);
	}
	if (!err)
		err = number(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (err == -EUCLEAN)
		return move_aside(db, "corrupt", sqlite3_errmsg(db->sql));
	if (err)
		return err;
	if (version > STORE_VERSION)
		return move_aside(db, "newer", "of a newer version of vdp-migrated");
	if (version != STORE_VERSION && tables)
		return move_aside(db, "corrupt", "a database, but no store of ours");
	db->ready = version == STORE_VERSION;
	tune(db);
	return 0;
}

/* Where that is refused, each transaction still is one. */
static void tune(struct store_db *db)
{
	sqlite3_exec(db->sql,
		     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		     "PRAGMA journal_size_limit = 4194304",
		     NULL, NULL, NULL);
}

static bool is_corrupt(int code)
{
	/* SQLITE_ERROR here: a table or a column of ours is not there. */
	return code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR ||
	       code == SQLITE_FORMAT;
}

/* -EUCLEAN where that could be done. Its write-ahead log goes with it. */
static int move_aside(struct store_db *db, const char *suffix, const char *reason)
{
	char to[300], wal[300], to_wal[304], text[160];

	snprintf(text, sizeof(text), "%s", reason);
	close_file(db);
	db->ready = false;
	snprintf(to, sizeof(to), "%s.%s", db->path, suffix);
	snprintf(wal, sizeof(wal), "%s-wal", db->path);
	snprintf(to_wal, sizeof(to_wal), "%s-wal", to);
	if (rename(db->path, to)) {
		snprintf(db->why, sizeof(db->why), "%s: %s; cannot be moved aside: %s",
			 db->path, text, strerror(errno));
		return -EACCES;
	}
	if (rename(wal, to_wal))
		unlink(to_wal);
	snprintf(wal, sizeof(wal), "%s-shm", db->path);
	unlink(wal);
	snprintf(db->why, sizeof(db->why),
		 "%s: %s; moved aside to %s, a fresh one is begun", db->path, text, to);
	return -EUCLEAN;
}

static void close_file(struct store_db *db)
{
	sqlite3_finalize(db->keep);
	sqlite3_finalize(db->forget);
	db->keep = db->forget = NULL;
	sqlite3_close(db->sql);
	db->sql = NULL;
}

/* Statics: reading. */

static int read_meta(struct store_db *db, struct meta *ret_meta)
{
	sqlite3_stmt *statement;
	const char *boot;
	int code = sqlite3_prepare_v2(db->sql,
				      "SELECT boot, clock_offset, written FROM meta", -1,
				      &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		boot = (const char *)sqlite3_column_text(statement, 0);
		snprintf(ret_meta->boot, sizeof(ret_meta->boot), "%s", boot ? boot : "");
		ret_meta->offset = sqlite3_column_int64(statement, 1);
		ret_meta->written = sqlite3_column_int64(statement, 2);
		code = SQLITE_DONE;
	}
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return 0;
	return is_corrupt(code) ? move_aside(db, "corrupt", sqlite3_errstr(code))
				: fail(db, code);
}

static int read_rows(struct store_db *db,
		     void (*cb)(void *arg, const struct store_record *record), void *arg,
		     unsigned *ret_bad)
{
	static const char query[] = "SELECT bridge, port, vlan, mac, ip, state, origin, "
				    "vsi, server, client_id,"
				    " lease, lease_end FROM binding";
	struct store_record record;
	struct client_id id;
	struct store_row row;
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db->sql, query, -1, &statement, NULL);

	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		code = SQLITE_OK;
		row_of(statement, &row);
		if (store_row_decode(&row, &id, &record)) {
			++*ret_bad;
			continue;
		}
		if (record.binding.lease_end != MS_NEVER)
			record.binding.lease_end += db->shift - db->offset;
		if (record.binding.under.known &&
		    record.binding.under.lease_end != MS_NEVER)
			record.binding.under.lease_end += db->shift - db->offset;
		cb(arg, &record);
	}
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return 0;
	return is_corrupt(code) ? move_aside(db, "corrupt", sqlite3_errstr(code))
				: fail(db, code);
}

static void row_of(sqlite3_stmt *statement, struct store_row *ret_row)
{
	const char *text[10];

	for (int i = 0; i < 10; i++)
		text[i] = i == 2 ? NULL : (const char *)sqlite3_column_text(statement, i);
	*ret_row = (struct store_row){
		.bridge = text[0],
		.port = text[1],
		.vlan = sqlite3_column_int64(statement, 2),
		.mac = text[3],
		.ip = text[4],
		.state = text[5],
		.origin = text[6],
		.vsi = text[7],
		.server = text[8],
		.client_id = text[9],
		.lease_s = sqlite3_column_int64(statement, 10),
		.ends = sqlite3_column_type(statement, 11) != SQLITE_NULL,
		.lease_end = sqlite3_column_int64(statement, 11),
	};
}

/* Statics: writing. */

static int prepare(struct store_db *db)
{
	int code = sqlite3_prepare_v3(db->sql,
				      "INSERT OR REPLACE INTO binding VALUES "
				      "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				      -1, SQLITE_PREPARE_PERSISTENT, &db->keep, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v3(db->sql,
					  "DELETE FROM binding WHERE "
					  "port = ? AND vlan = ? AND mac = ? AND ip = ?",
					  -1, SQLITE_PREPARE_PERSISTENT, &db->forget,
					  NULL);
	return code == SQLITE_OK ? 0 : fail(db, code);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static int number(struct store_db *db, const char *query, int64_t *ret_value)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->sql, query, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(statement, 0);
	else
		fail(db, code);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? 0 : is_corrupt(code) ? -EUCLEAN : -EIO;
}

static int run(struct store_db *db, const char *statements)
{
	int code = sqlite3_exec(db->sql, statements, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(db, code);
}

static int step(struct store_db *db, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int err = code == SQLITE_DONE ? 0 : fail(db, code);

	sqlite3_reset(statement);
	return err;
}

static int fail(struct store_db *db, int code)
{
	int system_errno = db->sql ? sqlite3_system_errno(db->sql) : 0;
	bool io = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;

	snprintf(db->why, sizeof(db->why), "%s: %s%s%s", db->path, sqlite3_errstr(code),
		 io && system_errno ? ": " : "",
		 io && system_errno ? strerror(system_errno) : "");
	switch (code) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}
