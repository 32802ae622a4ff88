/* The data base of the indicators: schema, connections, statements. */
#include "store/indicators_parts.h"

#include "core/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

/* Step i brings version i to i + 1. A step is never changed once it was released.
 *
 * `object_key` and `value` have random keys, so their rows are as small as can be: they decide how fast objects are
 * put. `shelf` has all that a TAXII manifest asks for, in the order in which it asks. */
static const char *const steps[] = {
	"CREATE TABLE instant (last INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;"
	"INSERT INTO instant VALUES (0, 0);"
	"CREATE TABLE source (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, by TEXT NOT NULL, "
	"time INTEGER NOT NULL) STRICT;"
	"CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE object (seq INTEGER PRIMARY KEY, type INTEGER NOT NULL, uuid BLOB NOT NULL, version INTEGER NOT "
	"NULL, "
	"digits INTEGER NOT NULL, tlp INTEGER NOT NULL, source INTEGER NOT NULL, latest INTEGER NOT NULL, "
	"json TEXT NOT NULL) STRICT;"
	"CREATE TABLE object_key (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE value (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE indicator (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value TEXT NOT NULL, more INTEGER NOT "
	"NULL, "
	"confidence INTEGER NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL, fixed INTEGER NOT NULL, seen "
	"INTEGER NOT NULL, "
	"sightings INTEGER NOT NULL, state INTEGER NOT NULL, warning TEXT) STRICT;"
	"CREATE TABLE indicator_value (seq INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT "
	"NULL, "
	"PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE collection (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, title "
	"TEXT "
	"NOT NULL, description TEXT NOT NULL, clearance INTEGER NOT NULL, automatic INTEGER NOT NULL, writable INTEGER "
	"NOT NULL, readers TEXT NOT NULL) STRICT;"
	"CREATE TABLE shelf (collection INTEGER NOT NULL, added INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER "
	"NOT "
	"NULL, uuid BLOB NOT NULL, version INTEGER NOT NULL, digits INTEGER NOT NULL, place INTEGER NOT NULL, "
	"PRIMARY KEY (collection, added)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE shelf_seq (seq INTEGER NOT NULL, collection INTEGER NOT NULL, added INTEGER NOT NULL, "
	"PRIMARY KEY (seq, collection)) STRICT, WITHOUT ROWID;",
	/* What only a release brings to readers, and collections that hold nothing else. */
	"ALTER TABLE object ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE collection ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;",
	/* Sightings one by one, by the id of what was seen. */
	"CREATE TABLE sighting (of TEXT NOT NULL, seq INTEGER NOT NULL, seen INTEGER NOT NULL, count INTEGER NOT NULL, "
	"PRIMARY KEY (of, seq)) STRICT, WITHOUT ROWID;"
	"INSERT INTO sighting SELECT json_extract(json, '$.sighting_of_ref'), seq, coalesce(1000000000 * "
	"strftime('%s', "
	"coalesce(json_extract(json, '$.last_seen'), json_extract(json, '$.first_seen'), json_extract(json, "
	"'$.created'))), 0), "
	"coalesce(json_extract(json, '$.count'), 1) FROM object WHERE latest AND type = (SELECT id FROM type WHERE "
	"name = 'sighting');",
};
enum { STEPS = sizeof steps / sizeof *steps };

static const char *const statement_texts[] = {
#define X(name, sql) sql,
	INDICATOR_STATEMENTS(X)
#undef X
};

int indicators_failed(const struct indicators *store, const struct indicators_connection *connection, struct err *err)
{
	int code = sqlite3_errcode(connection->database);
	int mapped = code == SQLITE_FULL    ? -ENOSPC
		     : code == SQLITE_NOMEM ? -ENOMEM
		     : code == SQLITE_BUSY  ? -EBUSY
					    : -EIO;
	return err_set(err, mapped, "%s: %s", store->path, sqlite3_errmsg(connection->database));
}

static bool bind_values(sqlite3_stmt *statement, const char *types, va_list values)
{
	bool good = true;
	for (int i = 1; *types && good; types++, i++) {
		if (*types == 'i') {
			good = sqlite3_bind_int64(statement, i, va_arg(values, int64_t)) == SQLITE_OK;
		} else if (*types == 's') {
			good = sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_STATIC) ==
			       SQLITE_OK;
		} else if (*types == 't') {
			const char *text = va_arg(values, const char *);
			good = sqlite3_bind_text64(statement, i, text, va_arg(values, size_t), SQLITE_STATIC,
						   SQLITE_UTF8) == SQLITE_OK;
		} else {
			good = sqlite3_bind_blob(statement, i, va_arg(values, const void *), 16, SQLITE_STATIC) ==
			       SQLITE_OK;
		}
	}
	return good;
}

static sqlite3_stmt *bind_all(const struct indicators *store, struct indicators_connection *connection, struct err *err,
			      enum indicator_statement which, const char *types, va_list values)
{
	sqlite3_stmt **statement = &connection->statements[which];
	if (!*statement && sqlite3_prepare_v3(connection->database, statement_texts[which], -1,
					      SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		indicators_failed(store, connection, err);
		return NULL;
	}
	sqlite3_reset(*statement);
	if (bind_values(*statement, types, values))
		return *statement;
	indicators_failed(store, connection, err);
	return NULL;
}

sqlite3_stmt *statement_bind(const struct indicators *store, struct indicators_connection *connection, struct err *err,
			     enum indicator_statement which, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = bind_all(store, connection, err, which, types, values);
	va_end(values);
	return statement;
}

int statement_step(const struct indicators *store, struct indicators_connection *connection, sqlite3_stmt *statement,
		   struct err *err)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(statement);
		return 0;
	default: {
		int code = indicators_failed(store, connection, err);
		sqlite3_reset(statement);
		return code;
	}
	}
}

int statement_run(const struct indicators *store, struct indicators_connection *connection, struct err *err,
		  enum indicator_statement which, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = bind_all(store, connection, err, which, types, values);
	va_end(values);
	int code = statement ? statement_step(store, connection, statement, err) : -EIO;
	if (code == 1)
		sqlite3_reset(statement);
	return code < 0 ? code : 0;
}

int statement_number(const struct indicators *store, struct indicators_connection *connection, int64_t *ret_number,
		     struct err *err, enum indicator_statement which, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = bind_all(store, connection, err, which, types, values);
	va_end(values);
	int code = statement ? statement_step(store, connection, statement, err) : -EIO;
	if (code != 1)
		return code < 0 ? code : 1;
	*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static int run_script(const struct indicators *store, struct indicators_connection *connection, const char *sql,
		      struct err *err)
{
	return sqlite3_exec(connection->database, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : indicators_failed(store, connection, err);
}

static int connection_open(struct indicators *store, struct indicators_connection *connection, bool writer,
			   struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
	if (sqlite3_open_v2(store->path, &connection->database, flags, NULL) != SQLITE_OK)
		return connection->database ? indicators_failed(store, connection, err)
					    : err_set(err, -ENOMEM, "no memory");
	sqlite3_busy_timeout(connection->database, 30000);
	return run_script(
		store, connection,
		writer ? "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA "
			 "trusted_schema = OFF; PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 8192"
		       : "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32768; PRAGMA query_only = ON",
		err);
}

static void connection_close(struct indicators_connection *connection)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(connection->statements[i]);
	sqlite3_close(connection->database);
}

static int version_read(struct indicators *store, int *ret_version, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(store->writer.database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK
			   ? statement_step(store, &store->writer, statement, err)
			   : indicators_failed(store, &store->writer, err);
	if (code == 1)
		*ret_version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

/* The version is read under the lock: two processes may open a new store at once. */
static int migrate(struct indicators *store, struct err *err)
{
	int version = 0, code = run_script(store, &store->writer, "BEGIN IMMEDIATE", err);
	if (code == 0)
		code = version_read(store, &version, err);
	if (code == 0 && version > STEPS)
		code = err_set(err, -ENOTSUP, "%s is of version %d; this program knows versions up to %d", store->path,
			       version, STEPS);
	for (; code == 0 && version < STEPS; version++) {
		char set[64];
		snprintf(set, sizeof set, "PRAGMA user_version = %d", version + 1);
		code = run_script(store, &store->writer, steps[version], err);
		if (code == 0)
			code = run_script(store, &store->writer, set, err);
	}
	if (code == 0)
		return run_script(store, &store->writer, "COMMIT", err);
	(void)!run_script(store, &store->writer, "ROLLBACK", NULL);
	return code;
}

int indicators_open(const char *dir, struct indicators **ret_store, struct err *err)
{
	struct indicators *store = calloc(1, sizeof *store);
	if (!store)
		return err_set(err, -ENOMEM, "no memory for the indicators");
	pthread_mutex_init(&store->write, NULL);
	pthread_mutex_init(&store->readers_lock, NULL);
	pthread_cond_init(&store->reader_back, NULL);
	snprintf(store->path, sizeof store->path, "%s/indicators.sqlite", dir);
	mode_t mask = umask(077);
	int code = mkdir(dir, 0700) < 0 && errno != EEXIST ? err_set(err, -errno, "%s: %s", dir, strerror(errno)) : 0;
	if (code == 0)
		code = connection_open(store, &store->writer, true, err);
	umask(mask);
	if (code == 0)
		code = migrate(store, err);
	if (code < 0)
		indicators_close(store);
	else
		*ret_store = store;
	return code;
}

void indicators_close(struct indicators *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < INDICATORS_READERS; i++)
		connection_close(&store->readers[i]);
	connection_close(&store->writer);
	pthread_cond_destroy(&store->reader_back);
	pthread_mutex_destroy(&store->readers_lock);
	pthread_mutex_destroy(&store->write);
	free(store);
}

static struct indicators_connection *reader_free(struct indicators *store)
{
	for (size_t i = 0; i < INDICATORS_READERS; i++)
		if (!store->readers[i].taken)
			return &store->readers[i];
	return NULL;
}

struct indicators_connection *reader_take(struct indicators *store, struct err *err)
{
	struct indicators_connection *reader;
	pthread_mutex_lock(&store->readers_lock);
	while (!(reader = reader_free(store)))
		pthread_cond_wait(&store->reader_back, &store->readers_lock);
	reader->taken = true;
	pthread_mutex_unlock(&store->readers_lock);
	if (reader->database || connection_open(store, reader, false, err) == 0)
		return reader;
	connection_close(reader);
	reader->database = NULL;
	reader_give(store, reader);
	return NULL;
}

void reader_give(struct indicators *store, struct indicators_connection *reader)
{
	pthread_mutex_lock(&store->readers_lock);
	reader->taken = false;
	pthread_cond_signal(&store->reader_back);
	pthread_mutex_unlock(&store->readers_lock);
}

int64_t object_key(int64_t type, const uint8_t uuid[16])
{
	return (int64_t)XXH64(uuid, 16, (uint64_t)type);
}

int64_t value_hash(enum indicator_kind kind, const char *text, size_t bytes)
{
	return (int64_t)XXH64(text, bytes, (uint64_t)kind);
}

void indicators_uuid_format(const uint8_t uuid[16], char text[37])
{
	static const char digits[] = "0123456789abcdef";
	for (unsigned i = 0, at = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = digits[uuid[i] >> 4];
		text[at++] = digits[uuid[i] & 15];
	}
	text[36] = '\0';
}

bool indicators_uuid_parse(const char *text, size_t bytes, uint8_t uuid[16])
{
	unsigned nibbles = 0;
	for (size_t i = 0; i < bytes; i++) {
		char c = text[i];
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		int value = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (hyphen != (c == '-') || (!hyphen && value < 0) || nibbles == 32)
			return false;
		if (hyphen)
			continue;
		uuid[nibbles / 2] = (uint8_t)(nibbles % 2 ? uuid[nibbles / 2] | value : value << 4);
		nibbles++;
	}
	return nibbles == 32 && bytes == 36;
}
