/* Due tellings become messages, and messages are tried. An attempt is written down before anything is sent, and its
 * outcome once and no more. */
#include "store/notices_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int bundle_items(struct registry *registry, int64_t now_ns, struct notice_bundle *bundle, struct err *err)
{
	sqlite3_stmt *row = notices_ask(
		registry, err,
		"SELECT notice, step, nth FROM notice_telling WHERE message IS NULL AND channel = ? AND "
		"address = ? AND member = ? AND due <= ? ORDER BY due, notice LIMIT ?",
		"ssiii", bundle->channel, bundle->address, (int64_t)bundle->member, now_ns, (int64_t)NOTICE_BUNDLE_MAX);
	int code = row ? 0 : -EIO;
	bundle->count = 0;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		bundle->items[bundle->count++] =
			(struct notice_todo){sqlite3_column_int64(row, 0),
					     notices_word(notice_step_names, (const char *)sqlite3_column_text(row, 1)),
					     (unsigned)sqlite3_column_int(row, 2)};
	sqlite3_reset(row);
	return code;
}

int notices_bundle(struct registry *registry, int64_t now_ns, struct notice_bundle *ret_bundle, struct err *err)
{
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT channel, address, language, name, member FROM notice_telling WHERE message IS "
			    "NULL AND due <= ? ORDER BY due LIMIT 1",
			    "i", now_ns);
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 1) {
		notices_copy(ret_bundle->channel, sizeof ret_bundle->channel, sqlite3_column_text(row, 0));
		notices_copy(ret_bundle->address, sizeof ret_bundle->address, sqlite3_column_text(row, 1));
		notices_copy(ret_bundle->language, sizeof ret_bundle->language, sqlite3_column_text(row, 2));
		notices_copy(ret_bundle->name, sizeof ret_bundle->name, sqlite3_column_text(row, 3));
		ret_bundle->member = (uint32_t)sqlite3_column_int64(row, 4);
	}
	sqlite3_reset(row);
	if (code <= 0)
		return code < 0 ? code : 1;
	return bundle_items(registry, now_ns, ret_bundle, err);
}

int notices_bundle_put_off(struct registry *registry, const struct notice_bundle *bundle, int64_t due_ns,
			   struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < bundle->count && code == 0; i++)
		code = notices_run(
			registry, err,
			"UPDATE notice_telling SET due = ? WHERE notice = ? AND step = ? AND nth = ? AND channel = ? "
			"AND address = ?",
			"iisiss", due_ns, bundle->items[i].notice, notice_step_names[bundle->items[i].step],
			(int64_t)bundle->items[i].nth, bundle->channel, bundle->address);
	return code;
}

int notices_message_new(struct registry *registry, const struct notice_bundle *bundle, int64_t now_ns, int64_t *ret_id,
			struct err *err)
{
	int code = notices_run(
		registry, err,
		"INSERT INTO notice_message (member, channel, address, language, name, message_id, subject, "
		"body, state, made, next) VALUES (?, ?, ?, ?, ?, '', '', '', 'waiting', ?, ?)",
		"issssii", (int64_t)bundle->member, bundle->channel, bundle->address, bundle->language, bundle->name,
		now_ns, now_ns);
	int64_t id = sqlite3_last_insert_rowid(registry->database);
	for (size_t i = 0; i < bundle->count && code == 0; i++)
		code = notices_run(
			registry, err,
			"UPDATE notice_telling SET message = ? WHERE notice = ? AND step = ? AND nth = ? AND "
			"channel = ? AND address = ?",
			"iisiss", id, bundle->items[i].notice, notice_step_names[bundle->items[i].step],
			(int64_t)bundle->items[i].nth, bundle->channel, bundle->address);
	if (code == 0)
		*ret_id = id;
	return code;
}

int notices_message_write(struct registry *registry, int64_t id, const char *message_id, const char *subject,
			  const char *body, struct err *err)
{
	return notices_run(registry, err,
			   "UPDATE notice_message SET message_id = ?, subject = ?, body = ? WHERE id = ?", "sssi",
			   message_id, subject, body, id);
}

static char *column_copy(sqlite3_stmt *row, int column)
{
	return strdup((const char *)sqlite3_column_text(row, column));
}

void notice_message_done(struct notice_message *message)
{
	free(message->subject);
	free(message->body);
	message->subject = message->body = NULL;
}

/* Mail programs show what refers to one message together. */
static int references_find(struct registry *registry, struct notice_message *message, struct err *err)
{
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT m.message_id FROM notice_telling t JOIN notice_message m ON m.id = t.message "
			    "WHERE t.notice = (SELECT min(notice) FROM notice_telling WHERE message = ?1) AND "
			    "t.channel = ?2 AND t.address = ?3 AND m.id < ?1 ORDER BY m.id LIMIT 1",
			    "iss", message->id, message->channel, message->address);
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 1)
		notices_copy(message->references, sizeof message->references, sqlite3_column_text(row, 0));
	sqlite3_reset(row);
	return code < 0 ? code : 0;
}

int notices_message_made(struct registry *registry, int64_t message, int64_t *ret_ns, struct err *err)
{
	int code = notices_number(registry, ret_ns, err, "SELECT made FROM notice_message WHERE id = ?", "i", message);
	return code == 1 ? err_set(err, -ENOENT, "there is no message %lld", (long long)message) : code;
}

int notices_attempt(struct registry *registry, const char *channel, int64_t now_ns, struct notice_message *ret_message,
		    struct err *err)
{
	struct notice_message message = {.subject = NULL};
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT id, attempts, channel, address, name, message_id, made, subject, body, member "
			    "FROM notice_message WHERE state = 'waiting' AND channel = ? AND next <= ? ORDER BY next "
			    "LIMIT 1",
			    "si", channel, now_ns);
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 1) {
		message.id = sqlite3_column_int64(row, 0);
		message.attempts = (unsigned)sqlite3_column_int(row, 1) + 1;
		notices_copy(message.channel, sizeof message.channel, sqlite3_column_text(row, 2));
		notices_copy(message.address, sizeof message.address, sqlite3_column_text(row, 3));
		notices_copy(message.name, sizeof message.name, sqlite3_column_text(row, 4));
		notices_copy(message.message_id, sizeof message.message_id, sqlite3_column_text(row, 5));
		message.made_ns = sqlite3_column_int64(row, 6);
		message.subject = column_copy(row, 7);
		message.body = column_copy(row, 8);
		message.member = (uint32_t)sqlite3_column_int64(row, 9);
	}
	sqlite3_reset(row);
	if (code <= 0)
		return code < 0 ? code : 1;
	code = message.subject && message.body ? 0 : err_set(err, -ENOMEM, "no memory for a message");
	if (code == 0)
		code = references_find(registry, &message, err);
	if (code == 0)
		code = notices_run(registry, err, "INSERT INTO notice_attempt (message, number, time) VALUES (?, ?, ?)",
				   "iii", message.id, (int64_t)message.attempts, now_ns);
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice_message SET state = 'sending', attempts = ? WHERE id = ?", "ii",
				   (int64_t)message.attempts, message.id);
	if (code < 0)
		notice_message_done(&message);
	else
		*ret_message = message;
	return code;
}

int notices_attempts_open(struct registry *registry, unsigned limit, struct notice_attempt *ret_attempts,
			  size_t *ret_count, struct err *err)
{
	sqlite3_stmt *row = notices_ask(
		registry, err,
		"SELECT a.message, number, CASE channel WHEN 'mail' THEN 0 WHEN 'webhook' THEN 1 ELSE 2 END FROM "
		"notice_attempt a JOIN notice_message m ON m.id = a.message WHERE ended IS NULL ORDER BY "
		"a.message LIMIT ?",
		"i", (int64_t)limit);
	int code = row ? 0 : -EIO;
	size_t count = 0;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		ret_attempts[count++] =
			(struct notice_attempt){sqlite3_column_int64(row, 0), (unsigned)sqlite3_column_int(row, 1)};
	sqlite3_reset(row);
	if (code == 0)
		*ret_count = count;
	return code;
}

/* What became of a message stands in the life of every notice it told. */
static int events_put(struct registry *registry, int64_t message, const char *what, const char *answer, int64_t now_ns,
		      struct err *err)
{
	int code = notices_run(
		registry, err,
		"INSERT INTO notice_event (notice, time, what, detail) SELECT DISTINCT t.notice, ?2, ?3, "
		"json_object('message', m.id, 'channel', m.channel, 'address', m.address, 'name', m.name, "
		"'answer', ?4) FROM notice_telling t JOIN notice_message m ON m.id = t.message WHERE t.message = "
		"?1",
		"iiss", message, now_ns, what, answer);
	return code;
}

static int message_sent(struct registry *registry, int64_t message, const char *answer, int64_t now_ns, struct err *err)
{
	int code = notices_run(registry, err, "UPDATE notice_message SET state = 'sent', done = ? WHERE id = ?", "ii",
			       now_ns, message);
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice SET told = coalesce(told, ?1), look = CASE WHEN closed IS NULL THEN "
				   "?1 END WHERE "
				   "id IN (SELECT notice FROM notice_telling WHERE message = ?2)",
				   "ii", now_ns, message);
	if (code == 0)
		code = notices_run(registry, err,
				   "DELETE FROM notice_bounce WHERE (channel, address) = (SELECT channel, address FROM "
				   "notice_message WHERE id = ?)",
				   "i", message);
	return code == 0 ? events_put(registry, message, "told", answer, now_ns, err) : code;
}

/* Whoever follows a notice is to look at it at once: perhaps nobody can be told there. */
static int message_failed(struct registry *registry, int64_t message, bool refused, const char *answer, int64_t now_ns,
			  struct err *err)
{
	int code = notices_run(registry, err, "UPDATE notice_message SET state = 'failed', done = ? WHERE id = ?", "ii",
			       now_ns, message);
	if (code == 0 && refused)
		code = notices_run(
			registry, err,
			"INSERT INTO notice_bounce (channel, address, member, since, times, answer) SELECT channel, "
			"address, member, ?2, 1, ?3 FROM notice_message WHERE id = ?1 ON CONFLICT DO UPDATE SET "
			"times = times + 1, answer = excluded.answer",
			"iis", message, now_ns, answer);
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice SET look = ?2 WHERE closed IS NULL AND id IN (SELECT notice FROM "
				   "notice_telling WHERE message = ?1)",
				   "ii", message, now_ns);
	return code == 0 ? events_put(registry, message, refused ? "refused" : "given_up", answer, now_ns, err) : code;
}

int notices_outcome(struct registry *registry, const struct notice_attempt *attempt, enum attempt_result result,
		    int64_t code, const char *answer, int64_t again_ns, int64_t now_ns, struct err *err)
{
	int done = notices_run(
		registry, err,
		"UPDATE notice_attempt SET ended = ?, result = ?, code = ?, answer = ? WHERE message = ? AND "
		"number = ? AND ended IS NULL",
		"isisii", now_ns, attempt_result_names[result], code, answer, attempt->message,
		(int64_t)attempt->number);
	if (done < 0)
		return done;
	if (sqlite3_changes(registry->database) == 0)
		return 1;
	if (result == ATTEMPT_SENT)
		return message_sent(registry, attempt->message, answer, now_ns, err);
	if (result == ATTEMPT_REFUSED || again_ns == 0)
		return message_failed(registry, attempt->message, result == ATTEMPT_REFUSED, answer, now_ns, err);
	return notices_run(registry, err, "UPDATE notice_message SET state = 'waiting', next = ? WHERE id = ?", "ii",
			   again_ns, attempt->message);
}

int notices_next(struct registry *registry, int64_t *ret_ns, struct err *err)
{
	static const char *const questions[] = {
		"SELECT min(due) FROM notice_telling WHERE message IS NULL",
		"SELECT min(next) FROM notice_message WHERE state = 'waiting'",
		"SELECT min(look) FROM notice WHERE look IS NOT NULL",
		"SELECT min(time) FROM notice_step WHERE planned IS NULL",
	};
	int64_t next = INT64_MAX;
	int code = 0;
	for (size_t i = 0; i < sizeof questions / sizeof *questions && code >= 0; i++) {
		int64_t at;
		code = notices_number(registry, &at, err, questions[i], "");
		if (code == 0 && at < next)
			next = at;
	}
	if (code >= 0)
		*ret_ns = next;
	return code < 0 ? code : 0;
}
