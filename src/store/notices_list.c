/* What people see of notices: lists, the life of one, figures. */
#include "store/notices_answer.h"
#include "store/notices_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOTICE_COLUMNS                                                                                                 \
	"n.id, n.member, n.type, n.verdict, n.subject, CASE n.severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 "   \
	"THEN 'medium' ELSE 'high' END AS severity, n.state, n.rule, n.detector, n.finding, n.first, n.last, "         \
	"n.packets, n.findings, n.made, n.told, n.acknowledged, n.ended, n.closed, n.closed_by, n.reminders, "         \
	"n.escalated, n.answer, n.reference, m.key AS member_key, json_extract(m.document, '$.name') AS member_name, " \
	"json_extract(m.document, '$.name_en') AS member_name_en"
#define NOTICE_TYPES "iissssssssttiitttttsiisssss"
#define NOTICE_FROM " FROM notice n LEFT JOIN member m ON m.id = n.member "

static int rows(struct registry *registry, const char *sql, const char *columns, json_t **ret_rows, struct err *err,
		const char *types, ...)
{
	va_list values;
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(registry->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return registry_failed(registry, err);
	va_start(values, types);
	bool bound = registry_bind(statement, types, values);
	va_end(values);
	int code = bound ? registry_rows(registry, statement, columns, ret_rows, err) : registry_failed(registry, err);
	sqlite3_finalize(statement);
	return code;
}

int notices_list(struct registry *registry, const struct notices_question *question, json_t **ret_answer,
		 struct err *err)
{
	static const char sql[] =
		"SELECT " NOTICE_COLUMNS NOTICE_FROM "WHERE (?1 = 0 OR n.member = ?1) AND (?2 IS NULL OR n.state = ?2 "
		"OR (?2 = 'open' AND n.closed IS NULL)) AND "
		"(?3 IS NULL OR n.type = ?3) AND (?4 IS NULL OR n.subject = ?4) AND (?5 = 0 OR n.id < ?5) AND (NOT ?6 "
		"OR "
		"n.acknowledged IS NULL) ORDER BY n.id DESC LIMIT ?7";
	unsigned limit = question->limit && question->limit < NOTICE_PAGE_MAX ? question->limit : NOTICE_PAGE_MAX;
	json_t *found = NULL;
	pthread_mutex_lock(&registry->lock);
	int code = rows(registry, sql, NOTICE_TYPES, &found, err, "isssiii", (int64_t)question->member, question->state,
			question->type, question->subject, question->before, (int64_t)question->unacknowledged,
			(int64_t)limit + 1);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		return code;
	bool more = json_array_size(found) > limit;
	if (more)
		json_array_remove(found, limit);
	*ret_answer = json_pack("{s:o, s:b}", "notices", found, "more", more);
	return *ret_answer ? 0 : err_set(err, -ENOMEM, "no memory for a list");
}

/* Texts of JSON in a column become values. */
static void parse_column(json_t *objects, const char *column)
{
	size_t i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		const char *text = json_string_value(json_object_get(object, column));
		json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
		if (value)
			json_object_set_new(object, column, value);
	}
}

static int life(struct registry *registry, int64_t notice, json_t *object, struct err *err)
{
	static const struct {
		const char *name, *columns, *json, *sql;
	} parts[] = {
		{"events", "tsss", "detail",
		 "SELECT time, what, who, detail FROM notice_event WHERE notice = ? ORDER BY id"},
		{"tellings", "sissssit", NULL,
		 "SELECT step, nth, channel, address, name, language, member, due FROM notice_telling WHERE notice = ? "
		 "AND "
		 "message IS NULL ORDER BY due"},
		{"messages", "isssssissttt", NULL,
		 "SELECT id, channel, address, name, language, message_id, attempts, state, subject, made, done, used "
		 "FROM "
		 "notice_message WHERE id IN (SELECT message FROM notice_telling WHERE notice = ?) ORDER BY id"},
		{"attempts", "iittsis", NULL,
		 "SELECT message, number, time, ended, result, code, answer FROM notice_attempt WHERE message IN "
		 "(SELECT "
		 "message FROM notice_telling WHERE notice = ?) ORDER BY message, number"},
	};
	int code = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts && code == 0; i++) {
		json_t *part = NULL;
		code = rows(registry, parts[i].sql, parts[i].columns, &part, err, "i", notice);
		if (code == 0 && parts[i].json)
			parse_column(part, parts[i].json);
		if (code == 0)
			json_object_set_new(object, parts[i].name, part);
	}
	return code;
}

int notices_show(struct registry *registry, int64_t notice, uint32_t member, json_t **ret_notice, struct err *err)
{
	json_t *found = NULL;
	pthread_mutex_lock(&registry->lock);
	int code = rows(registry,
			"SELECT " NOTICE_COLUMNS ", n.ground, n.look" NOTICE_FROM
			"WHERE n.id = ?1 AND (?2 = 0 OR n.member = ?2)",
			NOTICE_TYPES "st", &found, err, "ii", notice, (int64_t)member);
	json_t *object = code == 0 ? json_array_get(found, 0) : NULL;
	if (code == 0 && !object)
		code = err_set(err, -ENOENT, "there is no notice %lld", (long long)notice);
	if (code == 0) {
		parse_column(found, "ground");
		code = life(registry, notice, object, err);
	}
	pthread_mutex_unlock(&registry->lock);
	if (code == 0)
		*ret_notice = json_incref(object);
	json_decref(found);
	return code;
}

/* {"count": n, "median_s": x, "p90_s": x} of a difference of two instants. */
static int spans(struct registry *registry, const char *expression, uint32_t member, int64_t from_ns, int64_t to_ns,
		 json_t *figures, const char *name, struct err *err)
{
	char sql[600];
	snprintf(sql, sizeof sql,
		 "WITH s AS (SELECT max(0, %s) / 1e9 AS x, row_number() OVER (ORDER BY %s) AS r, count(*) OVER () AS c "
		 "FROM "
		 "notice WHERE type <> 'test' AND (?1 = 0 OR member = ?1) AND made >= ?2 AND made < ?3 AND (%s) IS NOT "
		 "NULL) SELECT "
		 "count(*), "
		 "max(CASE WHEN r = (c + 1) / 2 THEN x END), max(CASE WHEN r = (c * 9 + 9) / 10 THEN x END) FROM s",
		 expression, expression, expression);
	sqlite3_stmt *row = registry_prepare(registry, err, sql, "iii", (int64_t)member, from_ns, to_ns);
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 1) {
		bool any = sqlite3_column_int64(row, 0) > 0;
		json_object_set_new(figures, name,
				    json_pack("{s:I, s:o, s:o}", "count", (json_int_t)sqlite3_column_int64(row, 0),
					      "median_s", any ? json_real(sqlite3_column_double(row, 1)) : json_null(),
					      "p90_s", any ? json_real(sqlite3_column_double(row, 2)) : json_null()));
	}
	sqlite3_finalize(row);
	return code < 0 ? code : 0;
}

static int counts(struct registry *registry, uint32_t member, int64_t from_ns, int64_t to_ns, json_t *figures,
		  struct err *err)
{
	json_t *found = NULL;
	int code = rows(registry,
			"SELECT count(*) AS made, sum(state = 'new') AS new, sum(state = 'continuing') AS continuing, "
			"sum(state = 'ended') AS ended, sum(state = 'closed') AS closed, "
			"sum(told IS NOT NULL) AS told, sum(acknowledged IS NOT NULL) AS acknowledged, "
			"sum(escalated) AS escalated FROM notice "
			"WHERE type <> 'test' AND (?1 = 0 OR member = ?1) AND made >= ?2 AND made < ?3",
			"iiiiiiii", &found, err, "iii", (int64_t)member, from_ns, to_ns);
	if (code == 0)
		json_object_set(figures, "notices", json_array_get(found, 0));
	json_decref(found);
	return code;
}

int notices_figures(struct registry *registry, uint32_t member, int64_t from_ns, int64_t to_ns, json_t **ret_figures,
		    struct err *err)
{
	json_t *figures = json_object();
	pthread_mutex_lock(&registry->lock);
	int code = figures ? counts(registry, member, from_ns, to_ns, figures, err) : -ENOMEM;
	if (code == 0)
		code = spans(registry, "told - made", member, from_ns, to_ns, figures, "to_tell", err);
	if (code == 0)
		code = spans(registry, "acknowledged - told", member, from_ns, to_ns, figures, "to_acknowledge", err);
	if (code == 0)
		code = spans(registry, "ended - told", member, from_ns, to_ns, figures, "to_fix", err);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		json_decref(figures);
	else
		*ret_figures = figures;
	return code;
}

int notices_times(struct registry *registry, const char *type, int64_t from_ns, int64_t to_ns,
		  int (*each)(void *context, const struct notice_times *times), void *context, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *row = registry_prepare(registry, err,
					     "SELECT n.member, n.verdict, n.made, n.told, n.acknowledged, EXISTS ("
					     "SELECT 1 FROM notice_telling t JOIN notice_message m ON m.id = t.message "
					     "WHERE t.notice = n.id AND m.state = 'failed') FROM notice n WHERE "
					     "n.type = ? AND n.made >= ? AND n.made < ?",
					     "sii", type, from_ns, to_ns);
	int code = row ? 0 : -EIO;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1) {
		const struct notice_times times = {.member = (uint32_t)sqlite3_column_int64(row, 0),
						   .verdict = (const char *)sqlite3_column_text(row, 1),
						   .made_ns = sqlite3_column_int64(row, 2),
						   .told_ns = sqlite3_column_int64(row, 3),
						   .acknowledged_ns = sqlite3_column_int64(row, 4),
						   .bounced = sqlite3_column_int(row, 5) != 0};
		code = each(context, &times);
	}
	sqlite3_finalize(row);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int notices_bounces(struct registry *registry, json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = rows(registry,
			"SELECT b.member, m.key AS member_key, channel, address, since, times, answer FROM "
			"notice_bounce b LEFT "
			"JOIN member m ON m.id = b.member ORDER BY since DESC",
			"issstis", ret_array, err, "");
	pthread_mutex_unlock(&registry->lock);
	return code;
}
