/* Steps and whom they are told. */
#include "store/notices_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int notices_todo(struct registry *registry, unsigned limit, struct notice_todo *ret_todos, size_t *ret_count,
		 struct err *err)
{
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT notice, step, nth, EXISTS (SELECT 1 FROM notice_event e WHERE e.notice = s.notice "
			    "AND e.what = 'tell_now' AND e.time = s.time) FROM notice_step s WHERE planned IS NULL "
			    "ORDER BY time, notice LIMIT ?",
			    "i", (int64_t)limit);
	int code = row ? 0 : -EIO;
	size_t count = 0;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		ret_todos[count++] =
			(struct notice_todo){sqlite3_column_int64(row, 0),
					     notices_word(notice_step_names, (const char *)sqlite3_column_text(row, 1)),
					     (unsigned)sqlite3_column_int(row, 2), sqlite3_column_int(row, 3)};
	sqlite3_reset(row);
	if (code == 0)
		*ret_count = count;
	return code;
}

int notices_planned(struct registry *registry, const struct notice_todo *todo, const char *rule,
		    const struct notice_telling *tellings, size_t count, int64_t look_ns, int64_t now_ns,
		    struct err *err)
{
	int64_t earliest = 0;
	int code = 0;
	for (size_t i = 0; i < count && code == 0; i++) {
		if (!earliest || tellings[i].due_ns < earliest)
			earliest = tellings[i].due_ns;
		code = notices_run(
			registry, err,
			"INSERT OR IGNORE INTO notice_telling (notice, step, nth, channel, address, language, name, "
			"member, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"isissssii", todo->notice, notice_step_names[todo->step], (int64_t)todo->nth,
			tellings[i].channel, tellings[i].address, tellings[i].language, tellings[i].name,
			(int64_t)tellings[i].member, tellings[i].due_ns);
	}
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice_step SET planned = ? WHERE notice = ? AND step = ? AND nth = ?",
				   "iisi", now_ns, todo->notice, notice_step_names[todo->step], (int64_t)todo->nth);
	if (code == 0)
		code = notices_run(
			registry, err,
			"UPDATE notice SET rule = ?2, planned = coalesce(planned, nullif(?3, 0)), reminded = "
			"coalesce(nullif(?3, 0), reminded), look = nullif(?4, 0) WHERE id = ?1",
			"isii", todo->notice, rule, earliest, look_ns);
	return code;
}

/* A text of a row, kept in the block behind the tellings. */
static const char *kept(char **room, const unsigned char *text)
{
	const char *at = *room;
	size_t bytes = strlen((const char *)text) + 1;
	memcpy(*room, text, bytes);
	*room += bytes;
	return at;
}

int notices_told(struct registry *registry, int64_t notice, struct notice_telling **ret_tellings, size_t *ret_count,
		 struct err *err)
{
	enum { TEXTS_BYTES = NOTICE_TELLINGS_MAX * 1024 };
	char *room = malloc(NOTICE_TELLINGS_MAX * sizeof(struct notice_telling) + TEXTS_BYTES);
	struct notice_telling *tellings = (struct notice_telling *)room;
	if (!room)
		return err_set(err, -ENOMEM, "no memory for those told");
	char *texts = room + NOTICE_TELLINGS_MAX * sizeof *tellings, *end = texts + TEXTS_BYTES;
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT channel, address, max(language), max(name), max(member) FROM notice_telling "
			    "WHERE notice = ? GROUP BY channel, address",
			    "i", notice);
	int code = row ? 0 : -EIO;
	size_t count = 0;
	while (code >= 0 && count < NOTICE_TELLINGS_MAX && (code = registry_step(registry, row, err)) == 1) {
		size_t bytes = 4;
		for (int i = 0; i < 4; i++)
			bytes += (size_t)sqlite3_column_bytes(row, i);
		if (bytes > (size_t)(end - texts))
			break;
		struct notice_telling *telling = &tellings[count++];
		*telling = (struct notice_telling){.channel = kept(&texts, sqlite3_column_text(row, 0)),
						   .address = kept(&texts, sqlite3_column_text(row, 1)),
						   .language = kept(&texts, sqlite3_column_text(row, 2)),
						   .name = kept(&texts, sqlite3_column_text(row, 3)),
						   .member = (uint32_t)sqlite3_column_int64(row, 4)};
	}
	sqlite3_reset(row);
	if (code < 0) {
		free(room);
		return code;
	}
	*ret_tellings = tellings;
	*ret_count = count;
	return 0;
}

int notices_last_message(struct registry *registry, const char *channel, const char *address, int64_t *ret_ns,
			 struct err *err)
{
	*ret_ns = 0;
	int code = notices_number(registry, ret_ns, err,
				  "SELECT max(made) FROM notice_message WHERE channel = ? AND address = ?", "ss",
				  channel, address);
	return code < 0 ? code : 0;
}

int notices_unreachable(struct registry *registry, int64_t notice, bool *ret_unreachable, struct err *err)
{
	int64_t unreachable = 0;
	int code = notices_number(
		registry, &unreachable, err,
		"SELECT count(*) > 0 AND sum(m.state IS NOT 'failed') = 0 FROM notice_telling t LEFT JOIN "
		"notice_message m ON m.id = t.message WHERE t.notice = ?",
		"i", notice);
	if (code >= 0)
		*ret_unreachable = unreachable != 0;
	return code < 0 ? code : 0;
}

int notices_due(struct registry *registry, int64_t now_ns, unsigned limit, int64_t *ret_ids, size_t *ret_count,
		struct err *err)
{
	sqlite3_stmt *row = notices_ask(registry, err, "SELECT id FROM notice WHERE look <= ? ORDER BY look LIMIT ?",
					"ii", now_ns, (int64_t)limit);
	int code = row ? 0 : -EIO;
	size_t count = 0;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		ret_ids[count++] = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	if (code == 0)
		*ret_count = count;
	return code;
}

int notices_look_at(struct registry *registry, int64_t notice, int64_t look_ns, struct err *err)
{
	return notices_run(registry, err, "UPDATE notice SET look = nullif(?, 0) WHERE id = ?", "ii", look_ns, notice);
}

int notices_step(struct registry *registry, const struct notice *notice, enum notice_step step, const char *how,
		 int64_t now_ns, struct err *err)
{
	static const struct {
		const char *event, *update;
	} steps[NOTICE_STEPS] = {
		[STEP_REMINDER] = {"reminded",
				   "UPDATE notice SET reminders = reminders + 1, look = NULL WHERE id = ?2"},
		[STEP_ESCALATION] = {"escalated", "UPDATE notice SET escalated = 1, look = NULL WHERE id = ?2"},
		[STEP_CLOSED] = {"closed",
				 "UPDATE notice SET state = 'closed', closed = ?1, look = NULL WHERE id = ?2"},
	};
	if (!steps[step].event)
		return err_set(err, -EINVAL, "the step %s is not left by itself", notice_step_names[step]);
	unsigned nth = step == STEP_REMINDER ? notice->reminders + 1 : 1;
	int code = notices_run(registry, err, steps[step].update, "ii", now_ns, notice->id);
	if (code == 0)
		code = notices_event(registry, notice->id, steps[step].event, how, NULL, now_ns, err);
	return code == 0 ? notices_step_leave(registry, notice->id, step, nth, now_ns, err) : code;
}
