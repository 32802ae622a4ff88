/* SQLite for the registry: opened with WAL, foreign keys and full synchronisation, and without temporary files, which a
 * confined keeper could not make; schema by numbered steps in
 * user_version. A step is never changed once it was released. */
#include "store/audit.h"
#include "store/groups_parts.h"
#include "store/notices_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <sys/stat.h>

static const char *const steps[] = {
	"CREATE TABLE user (name TEXT PRIMARY KEY, password TEXT, role TEXT NOT NULL, created INTEGER NOT NULL, "
	"last_login INTEGER) STRICT;"
	"CREATE TABLE session (hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE, "
	"created INTEGER NOT NULL, expires INTEGER NOT NULL, lifetime INTEGER NOT NULL) STRICT;"
	"CREATE INDEX session_user ON session(user);"
	"CREATE TABLE token (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, "
	"role TEXT NOT NULL, created INTEGER NOT NULL, last_used INTEGER) STRICT;"
	"CREATE TABLE link (hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE, "
	"created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
	"CREATE TABLE login (time INTEGER NOT NULL, name TEXT NOT NULL, peer TEXT NOT NULL, result TEXT NOT NULL) "
	"STRICT;"
	"CREATE INDEX login_time ON login(time);"
	"CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
	"CREATE TABLE sensor (number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 65535), name TEXT NOT NULL "
	"UNIQUE, "
	"created INTEGER NOT NULL) STRICT;",
	/* Members: the document is the truth, the rest is for finding it. */
	"CREATE TABLE member (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, "
	"parent TEXT REFERENCES member(key) DEFERRABLE INITIALLY DEFERRED, "
	"reports_to TEXT REFERENCES member(key) DEFERRABLE INITIALLY DEFERRED, valid_from INTEGER, valid_until "
	"INTEGER, search TEXT NOT NULL, document TEXT NOT NULL, change INTEGER NOT NULL, "
	"changed INTEGER NOT NULL) STRICT;"
	"CREATE INDEX member_parent ON member(parent);"
	"CREATE INDEX member_reports_to ON member(reports_to);"
	"CREATE INDEX member_from ON member(valid_from) WHERE valid_from IS NOT NULL;"
	"CREATE INDEX member_until ON member(valid_until) WHERE valid_until IS NOT NULL;"
	"CREATE TABLE member_prefix (first BLOB NOT NULL, bits INTEGER NOT NULL, member INTEGER NOT NULL "
	"REFERENCES member(id) ON DELETE CASCADE, PRIMARY KEY (first, bits, member)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX member_prefix_member ON member_prefix(member);"
	"CREATE TABLE member_change (number INTEGER PRIMARY KEY AUTOINCREMENT, member INTEGER NOT NULL, key TEXT NOT "
	"NULL, time INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, before TEXT, after TEXT) STRICT;"
	"CREATE INDEX member_change_member ON member_change(member);"
	"ALTER TABLE user ADD COLUMN member INTEGER REFERENCES member(id);"
	"ALTER TABLE token ADD COLUMN member INTEGER REFERENCES member(id);",
	"CREATE TABLE audit (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, peer TEXT NOT NULL, "
	"action TEXT NOT NULL, subject TEXT NOT NULL, member INTEGER NOT NULL, detail TEXT NOT NULL, hash BLOB NOT "
	"NULL) "
	"STRICT;"
	"CREATE INDEX audit_member ON audit(member, id) WHERE member != 0;"
	"CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added "
	"to'); "
	"END;"
	"CREATE TRIGGER audit_remains BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added "
	"to'); END;",
	NOTICES_SCHEMA,
	GROUPS_SCHEMA,
	"CREATE INDEX audit_export ON audit(id) WHERE action = '" AUDIT_EXPORTED "';",
};
enum { STEPS = sizeof steps / sizeof *steps };

int registry_failed(struct registry *registry, struct err *err)
{
	int code = sqlite3_errcode(registry->database);
	int mapped = code == SQLITE_FULL         ? -ENOSPC
		     : code == SQLITE_NOMEM      ? -ENOMEM
		     : code == SQLITE_CONSTRAINT ? -EEXIST
		     : code == SQLITE_BUSY       ? -EBUSY
						 : -EIO;
	return err_set(err, mapped, "%s: %s", registry->path, sqlite3_errmsg(registry->database));
}

bool registry_bind(sqlite3_stmt *statement, const char *types, va_list values)
{
	bool good = true;
	for (int i = 1; *types && good; types++, i++) {
		if (*types == 's')
			good = sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_TRANSIENT) ==
			       SQLITE_OK;
		else if (*types == 'i')
			good = sqlite3_bind_int64(statement, i, va_arg(values, int64_t)) == SQLITE_OK;
		else if (*types == 'a')
			good = sqlite3_bind_blob(statement, i, va_arg(values, const void *), sizeof(struct addr),
						 SQLITE_TRANSIENT) == SQLITE_OK;
		else
			good = sqlite3_bind_blob(statement, i, va_arg(values, const void *), SECRET_HASH_BYTES,
						 SQLITE_TRANSIENT) == SQLITE_OK;
	}
	return good;
}

static sqlite3_stmt *prepare_values(struct registry *registry, struct err *err, const char *sql, const char *types,
				    va_list values)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(registry->database, sql, -1, &statement, NULL) == SQLITE_OK &&
	    registry_bind(statement, types, values))
		return statement;
	registry_failed(registry, err);
	sqlite3_finalize(statement);
	return NULL;
}

sqlite3_stmt *registry_prepare(struct registry *registry, struct err *err, const char *sql, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = prepare_values(registry, err, sql, types, values);
	va_end(values);
	return statement;
}

int registry_step(struct registry *registry, sqlite3_stmt *statement, struct err *err)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return registry_failed(registry, err);
	}
}

int registry_run(struct registry *registry, struct err *err, const char *sql, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = prepare_values(registry, err, sql, types, values);
	va_end(values);
	if (!statement)
		return -EIO;
	int code = registry_step(registry, statement, err);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static json_t *cell(sqlite3_stmt *statement, int column, char type)
{
	char text[TIME_TEXT_BYTES];
	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return json_null();
	if (type == 'i')
		return json_integer(sqlite3_column_int64(statement, column));
	if (type == 'b')
		return json_boolean(sqlite3_column_int(statement, column));
	if (type == 't')
		return json_string(time_format(sqlite3_column_int64(statement, column), text));
	return json_string((const char *)sqlite3_column_text(statement, column));
}

int registry_rows(struct registry *registry, sqlite3_stmt *statement, const char *types, json_t **ret_array,
		  struct err *err)
{
	json_t *array = json_array();
	int more = array ? 0 : err_set(err, -ENOMEM, "no memory for a list");
	while (more >= 0 && (more = registry_step(registry, statement, err)) == 1) {
		json_t *row = json_object();
		for (int i = 0; types[i]; i++)
			json_object_set_new(row, sqlite3_column_name(statement, i), cell(statement, i, types[i]));
		json_array_append_new(array, row);
	}
	if (more < 0)
		json_decref(array);
	else
		*ret_array = array;
	return more;
}

static int run_script(struct registry *registry, const char *sql, struct err *err)
{
	return sqlite3_exec(registry->database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
										    : registry_failed(registry, err);
}

static int version_of(struct registry *registry, int64_t *ret_version, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, "PRAGMA user_version", "");
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_version = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

int registry_migrate(struct registry *registry, struct err *err)
{
	int64_t version = 0;
	int code = version_of(registry, &version, err);
	if (code == 0 && version > STEPS)
		return err_set(
			err, -ENOTSUP,
			"%s is of version %lld; this program knows versions up to %d. Start the program that wrote "
			"it, or a newer one",
			registry->path, (long long)version, STEPS);
	for (; code == 0 && version < STEPS; version++) {
		char set[64];
		snprintf(set, sizeof set, "PRAGMA user_version = %lld; COMMIT", (long long)version + 1);
		code = run_script(registry, "BEGIN IMMEDIATE", err);
		if (code == 0)
			code = run_script(registry, steps[version], err);
		if (code == 0)
			code = run_script(registry, set, err);
		if (code < 0)
			(void)!run_script(registry, "ROLLBACK", NULL);
	}
	return code;
}

int registry_open(const char *dir, struct registry **ret_registry, struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, -EIO, "the cryptographic library cannot be started");
	struct registry *registry = calloc(1, sizeof *registry);
	if (!registry)
		return err_set(err, -ENOMEM, "no memory for the registry");
	pthread_mutex_init(&registry->lock, NULL);
	snprintf(registry->path, sizeof registry->path, "%s/registry.sqlite", dir);
	int code = 0;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		code = err_set(err, -errno, "%s: %s", dir, strerror(errno));
	mode_t mask = umask(077);
	if (code == 0 &&
	    sqlite3_open_v2(registry->path, &registry->database,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
		code = registry->database ? registry_failed(registry, err) : err_set(err, -ENOMEM, "no memory");
	if (code == 0) {
		sqlite3_busy_timeout(registry->database, 30000);
		code = run_script(registry,
				  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
				  "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY",
				  err);
	}
	umask(mask);
	if (code == 0)
		code = registry_migrate(registry, err);
	if (code < 0)
		registry_close(registry);
	else
		*ret_registry = registry;
	return code;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	for (unsigned i = 0; i < STATEMENTS_KEPT; i++)
		sqlite3_finalize(registry->kept[i].statement);
	sqlite3_close(registry->database);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}
