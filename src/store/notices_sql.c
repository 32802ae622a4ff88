/* Few words of SQLite for the notices, and their transaction. */
#include "store/notices_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const notice_state_names[] = {"new", "continuing", "ended", "closed", NULL};
const char *const notice_step_names[] = {"new", "again", "reminder", "escalation", "closed", "test", NULL};
const char *const message_state_names[] = {"waiting", "sending", "sent", "failed", NULL};
const char *const attempt_result_names[] = {"sent", "deferred", "refused", "unknown", "unsent", NULL};

static sqlite3_stmt *statement_kept(struct registry *registry, const char *sql, struct err *err)
{
	unsigned i = 0;
	while (i < STATEMENTS_KEPT && registry->kept[i].sql && registry->kept[i].sql != sql)
		i++;
	if (i == STATEMENTS_KEPT) {
		err_set(err, -ENOMEM, "more than %d kept statements", STATEMENTS_KEPT);
		return NULL;
	}
	if (!registry->kept[i].sql) {
		if (sqlite3_prepare_v3(registry->database, sql, -1, SQLITE_PREPARE_PERSISTENT,
				       &registry->kept[i].statement, NULL) != SQLITE_OK) {
			registry_failed(registry, err);
			return NULL;
		}
		registry->kept[i].sql = sql;
	}
	sqlite3_reset(registry->kept[i].statement);
	return registry->kept[i].statement;
}

static sqlite3_stmt *statement_bound(struct registry *registry, struct err *err, const char *sql, const char *types,
				     va_list values)
{
	sqlite3_stmt *statement = statement_kept(registry, sql, err);
	if (statement && !registry_bind(statement, types, values)) {
		registry_failed(registry, err);
		return NULL;
	}
	return statement;
}

sqlite3_stmt *notices_ask(struct registry *registry, struct err *err, const char *sql, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = statement_bound(registry, err, sql, types, values);
	va_end(values);
	return statement;
}

int notices_run(struct registry *registry, struct err *err, const char *sql, const char *types, ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = statement_bound(registry, err, sql, types, values);
	va_end(values);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	sqlite3_reset(statement);
	return code < 0 ? code : 0;
}

int notices_number(struct registry *registry, int64_t *ret_number, struct err *err, const char *sql, const char *types,
		   ...)
{
	va_list values;
	va_start(values, types);
	sqlite3_stmt *statement = statement_bound(registry, err, sql, types, values);
	va_end(values);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	bool there = code == 1 && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	if (there)
		*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return code < 0 ? code : !there;
}

int notices_begin(struct registry *registry, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = notices_run(registry, err, "BEGIN IMMEDIATE", "");
	if (code < 0)
		pthread_mutex_unlock(&registry->lock);
	return code;
}

int notices_commit(struct registry *registry, struct err *err)
{
	int code = notices_run(registry, err, "COMMIT", "");
	if (code < 0)
		notices_rollback(registry);
	else
		pthread_mutex_unlock(&registry->lock);
	return code;
}

void notices_rollback(struct registry *registry)
{
	(void)!notices_run(registry, NULL, "ROLLBACK", "");
	pthread_mutex_unlock(&registry->lock);
}

int notices_savepoint(struct registry *registry, struct err *err)
{
	return notices_run(registry, err, "SAVEPOINT part", "");
}

int notices_savepoint_keep(struct registry *registry, struct err *err)
{
	return notices_run(registry, err, "RELEASE part", "");
}

int notices_savepoint_undo(struct registry *registry, struct err *err)
{
	int code = notices_run(registry, err, "ROLLBACK TO part", "");
	return code == 0 ? notices_savepoint_keep(registry, err) : code;
}

int notices_event(struct registry *registry, int64_t notice, const char *what, const char *who, const char *detail,
		  int64_t now_ns, struct err *err)
{
	return notices_run(registry, err,
			   "INSERT INTO notice_event (notice, time, what, who, detail) VALUES (?, ?, ?, ?, ?)", "iisss",
			   notice, now_ns, what, who, detail);
}

int notices_step_leave(struct registry *registry, int64_t notice, enum notice_step step, unsigned nth, int64_t now_ns,
		       struct err *err)
{
	return notices_run(registry, err,
			   "INSERT OR IGNORE INTO notice_step (notice, step, nth, time) VALUES (?, ?, ?, ?)", "isii",
			   notice, notice_step_names[step], (int64_t)nth, now_ns);
}

unsigned notices_word(const char *const *names, const char *word)
{
	for (unsigned i = 0; names[i]; i++)
		if (word && strcmp(names[i], word) == 0)
			return i;
	return 0;
}

void notices_copy(char *to, size_t bytes, const unsigned char *text)
{
	snprintf(to, bytes, "%s", text ? (const char *)text : "");
}
