/* What the files of the notices share: their tables, and statements that are kept. */
#pragma once

#include "store/notices.h"
#include "store/registry_parts.h"

#define NOTICES_SCHEMA                                                                                                 \
	"CREATE TABLE notice (id INTEGER PRIMARY KEY AUTOINCREMENT, member INTEGER NOT NULL, type TEXT NOT NULL, "     \
	"subject TEXT NOT NULL, verdict TEXT NOT NULL, severity INTEGER NOT NULL, state TEXT NOT NULL, "               \
	"rule TEXT NOT NULL DEFAULT '', detector TEXT NOT NULL, finding TEXT NOT NULL, seen INTEGER NOT NULL, "        \
	"ground TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, packets INTEGER NOT NULL, "              \
	"packets_before INTEGER NOT NULL DEFAULT 0, findings INTEGER NOT NULL DEFAULT 1, made INTEGER NOT NULL, "      \
	"planned INTEGER, reminded INTEGER, told INTEGER, acknowledged INTEGER, ended INTEGER, closed INTEGER, "       \
	"closed_by TEXT, "                                                                                             \
	"look INTEGER, reminders INTEGER NOT NULL DEFAULT 0, again INTEGER NOT NULL DEFAULT 0, "                       \
	"escalated INTEGER NOT NULL DEFAULT 0, answer TEXT, reference TEXT) STRICT;"                                   \
	"CREATE UNIQUE INDEX notice_open ON notice(member, type, subject) WHERE closed IS NULL;"                       \
	"CREATE INDEX notice_matter ON notice(member, type, subject);"                                                 \
	"CREATE INDEX notice_look ON notice(look) WHERE look IS NOT NULL;"                                             \
	"CREATE INDEX notice_made ON notice(made);"                                                                    \
	"CREATE TABLE notice_event (id INTEGER PRIMARY KEY, notice INTEGER NOT NULL REFERENCES notice(id) "            \
	"ON DELETE CASCADE, time INTEGER NOT NULL, what TEXT NOT NULL, who TEXT, detail TEXT) STRICT;"                 \
	"CREATE INDEX notice_event_notice ON notice_event(notice);"                                                    \
	"CREATE TABLE notice_step (notice INTEGER NOT NULL REFERENCES notice(id) ON DELETE CASCADE, step TEXT NOT "    \
	"NULL, nth INTEGER NOT NULL, time INTEGER NOT NULL, planned INTEGER, PRIMARY KEY (notice, step, nth)) "        \
	"STRICT, WITHOUT ROWID;"                                                                                       \
	"CREATE INDEX notice_step_todo ON notice_step(time) WHERE planned IS NULL;"                                    \
	"CREATE TABLE notice_message (id INTEGER PRIMARY KEY AUTOINCREMENT, member INTEGER NOT NULL, channel TEXT "    \
	"NOT NULL, address TEXT NOT NULL, language TEXT NOT NULL, name TEXT NOT NULL, message_id TEXT NOT NULL, "      \
	"subject TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, "        \
	"made INTEGER NOT NULL, next INTEGER NOT NULL, done INTEGER, used INTEGER, used_by TEXT) STRICT;"              \
	"CREATE INDEX notice_message_next ON notice_message(channel, next) WHERE state = 'waiting';"                   \
	"CREATE INDEX notice_message_address ON notice_message(channel, address, made);"                               \
	"CREATE TABLE notice_telling (notice INTEGER NOT NULL REFERENCES notice(id) ON DELETE CASCADE, step TEXT NOT " \
	"NULL, nth INTEGER NOT NULL, channel TEXT NOT NULL, address TEXT NOT NULL, language TEXT NOT NULL, "           \
	"name TEXT NOT NULL, member INTEGER NOT NULL, due INTEGER NOT NULL, message INTEGER REFERENCES "               \
	"notice_message(id), PRIMARY KEY (notice, step, nth, channel, address)) STRICT, WITHOUT ROWID;"                \
	"CREATE INDEX notice_telling_due ON notice_telling(due) WHERE message IS NULL;"                                \
	"CREATE INDEX notice_telling_address ON notice_telling(channel, address, member, due) WHERE message IS NULL;"  \
	"CREATE INDEX notice_telling_message ON notice_telling(message) WHERE message IS NOT NULL;"                    \
	"CREATE TABLE notice_attempt (message INTEGER NOT NULL REFERENCES notice_message(id) ON DELETE CASCADE, "      \
	"number INTEGER NOT NULL, time INTEGER NOT NULL, ended INTEGER, result TEXT, code INTEGER, answer TEXT, "      \
	"PRIMARY KEY (message, number)) STRICT, WITHOUT ROWID;"                                                        \
	"CREATE INDEX notice_attempt_open ON notice_attempt(message) WHERE ended IS NULL;"                             \
	"CREATE TABLE notice_bounce (channel TEXT NOT NULL, address TEXT NOT NULL, member INTEGER NOT NULL, "          \
	"since INTEGER NOT NULL, times INTEGER NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (channel, address)) "       \
	"STRICT, WITHOUT ROWID;"

/* Statements are prepared once a handle: `sql` is a string constant, known again by its place. Reset what notices_ask()
 * gives; a handle has them one at a time of each. Types as of registry_prepare(). */
sqlite3_stmt *notices_ask(struct registry *registry, struct err *err, const char *sql, const char *types, ...);
int notices_run(struct registry *registry, struct err *err, const char *sql, const char *types, ...) must_check;
/* The first column of the first row. 0, or 1 when there is none or it is NULL. */
int notices_number(struct registry *registry, int64_t *ret_number, struct err *err, const char *sql, const char *types,
		   ...) must_check;

int notices_step_leave(struct registry *registry, int64_t notice, enum notice_step step, unsigned nth, int64_t now_ns,
		       struct err *err) must_check;
/* An enum of a word in the registry; the first one where it is unknown. */
unsigned notices_word(const char *const *names, const char *word);
void notices_copy(char *to, size_t bytes, const unsigned char *text); /* NULL is "" */
