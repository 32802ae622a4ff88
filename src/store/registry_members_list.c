/* Members by the page, all of them for an export, and the history of their changes. */
#include "store/registry_members_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One condition for all questions; what was not asked is bound to NULL. ?1 now, ?2 text, ?3 kind, ?4 parent, ?5 only,
 * ?6 valid, ?7 and ?8 first and last address of a text that is a prefix, ?9 its length. */
#define ASKED                                                                                                          \
	"FROM member m WHERE (?2 IS NULL OR instr(m.search, ?2) > 0 OR (?7 IS NOT NULL AND EXISTS (SELECT 1 FROM "     \
	"member_prefix p WHERE p.member = m.id AND ((p.first >= ?7 AND p.first <= ?8) OR (p.first <= ?7 AND "          \
	"prefix_holds(p.first, p.bits, ?7)))))) "                                                                      \
	"AND (?3 IS NULL OR m.kind = ?3) AND (?4 IS NULL OR m.parent = ?4 OR m.reports_to = ?4) "                      \
	"AND (?5 IS NULL OR m.id = ?5) AND (?6 < 0 OR ?6 = (" MEMBER_VALID "))"

/* prefix_holds(first, bits, address): whether the prefix holds the address. */
static void prefix_holds(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct prefix prefix = {.bits = 0};
	struct addr addr;
	(void)count;
	if (sqlite3_value_bytes(values[0]) != sizeof addr || sqlite3_value_bytes(values[2]) != sizeof addr)
		return;
	memcpy(&prefix.addr, sqlite3_value_blob(values[0]), sizeof prefix.addr);
	memcpy(&addr, sqlite3_value_blob(values[2]), sizeof addr);
	prefix.bits = (uint8_t)sqlite3_value_int(values[1]);
	sqlite3_result_int(context, prefix_has(&prefix, &addr));
}

static int asked_bind(struct registry *registry, sqlite3_stmt *statement, const struct members_question *question,
		      struct err *err)
{
	char plain[512] = "";
	struct prefix prefix;
	struct addr last;
	bool text = question->text && member_text_plain(question->text, plain, sizeof plain) == 0 && plain[0];
	for (char *at = plain; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	bool good = sqlite3_bind_int64(statement, 1, question->now_ns) == SQLITE_OK;
	if (text)
		good &= sqlite3_bind_text(statement, 2, plain, -1, SQLITE_TRANSIENT) == SQLITE_OK;
	if (question->kind)
		good &= sqlite3_bind_text(statement, 3, question->kind, -1, SQLITE_TRANSIENT) == SQLITE_OK;
	if (question->parent)
		good &= sqlite3_bind_text(statement, 4, question->parent, -1, SQLITE_TRANSIENT) == SQLITE_OK;
	if (question->only)
		good &= sqlite3_bind_int64(statement, 5, question->only) == SQLITE_OK;
	good &= sqlite3_bind_int(statement, 6, question->valid) == SQLITE_OK;
	if (text && prefix_parse(plain, &prefix, NULL) == 0) {
		last = prefix_last(&prefix);
		good &= sqlite3_bind_blob(statement, 7, &prefix.addr, sizeof prefix.addr, SQLITE_TRANSIENT) ==
			SQLITE_OK;
		good &= sqlite3_bind_blob(statement, 8, &last, sizeof last, SQLITE_TRANSIENT) == SQLITE_OK;
	}
	return good ? 0 : registry_failed(registry, err);
}

static int asked_run(struct registry *registry, const char *sql, const struct members_question *question,
		     sqlite3_stmt **ret_statement, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, sql, "");
	int code = statement ? asked_bind(registry, statement, question, err) : -EIO;
	if (code < 0)
		sqlite3_finalize(statement);
	else
		*ret_statement = statement;
	return code;
}

static int page_read(struct registry *registry, const struct members_question *question, json_t *members,
		     struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = asked_run(registry, "SELECT " MEMBER_ROW " " ASKED " ORDER BY m.key LIMIT ?9 OFFSET ?10", question,
			     &statement, err);
	if (code < 0)
		return code;
	unsigned limit = question->limit > MEMBERS_PAGE_MAX ? MEMBERS_PAGE_MAX : question->limit;
	if (sqlite3_bind_int64(statement, 9, limit) != SQLITE_OK ||
	    sqlite3_bind_int64(statement, 10, question->offset) != SQLITE_OK)
		code = registry_failed(registry, err);
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1) {
		json_t *member = members_row(statement, err);
		code = member && json_array_append_new(members, member) == 0 ? 0 : -EBADMSG;
	}
	sqlite3_finalize(statement);
	return code;
}

int registry_members(struct registry *registry, const struct members_question *question, json_t **ret_answer,
		     struct err *err)
{
	json_t *members = json_array();
	sqlite3_stmt *statement = NULL;
	int64_t total = 0;
	pthread_mutex_lock(&registry->lock);
	int code = sqlite3_create_function(registry->database, "prefix_holds", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
					   NULL, prefix_holds, NULL, NULL) == SQLITE_OK
			   ? 0
			   : registry_failed(registry, err);
	if (code == 0)
		code = page_read(registry, question, members, err);
	if (code == 0)
		code = asked_run(registry, "SELECT count(*) " ASKED, question, &statement, err);
	if (code == 0 && (code = registry_step(registry, statement, err)) == 1)
		total = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0) {
		json_decref(members);
		return code;
	}
	*ret_answer = json_pack("{s:o, s:I}", "members", members, "total", (json_int_t)total);
	return *ret_answer ? 0 : err_set(err, -ENOMEM, "no memory for an answer");
}

static json_t *document_of(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	json_t *document = text ? json_loads(text, 0, NULL) : NULL;
	return document ? document : json_null();
}

int registry_member_history(struct registry *registry, uint32_t id, int64_t before, unsigned limit,
			    json_t **ret_changes, struct err *err)
{
	json_t *changes = json_array();
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err,
						   "SELECT number, member, key, time, who, action, before, after FROM "
						   "member_change WHERE (?1 = 0 OR member = "
						   "?1) AND (?2 = 0 OR number < ?2) ORDER BY number DESC LIMIT ?3",
						   "iii", (int64_t)id, before,
						   (int64_t)(limit > MEMBERS_PAGE_MAX ? MEMBERS_PAGE_MAX : limit));
	int code = statement ? 0 : -EIO;
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1) {
		char time[TIME_TEXT_BYTES];
		code = json_array_append_new(changes,
					     json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:o}", "number",
						       (json_int_t)sqlite3_column_int64(statement, 0), "member",
						       (json_int_t)sqlite3_column_int64(statement, 1), "key",
						       (const char *)sqlite3_column_text(statement, 2), "time",
						       time_format(sqlite3_column_int64(statement, 3), time), "who",
						       (const char *)sqlite3_column_text(statement, 4), "action",
						       (const char *)sqlite3_column_text(statement, 5), "before",
						       document_of(statement, 6), "after", document_of(statement, 7)));
	}
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (code < 0)
		json_decref(changes);
	else
		*ret_changes = changes;
	return code;
}

int registry_members_each(struct registry *registry, int (*each)(void *context, const json_t *member), void *context,
			  struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT document FROM member ORDER BY key", "");
	int code = statement ? 0 : -EIO;
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1) {
		json_t *member = json_loads((const char *)sqlite3_column_text(statement, 0), 0, NULL);
		code = member ? each(context, member) : err_set(err, -EBADMSG, "a member is not JSON");
		json_decref(member);
	}
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

int registry_member_kinds(struct registry *registry, int (*each)(void *context, uint32_t id, const char *kind),
			  void *context, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *row = registry_prepare(registry, err, "SELECT id, kind FROM member", "");
	int code = row ? 0 : -EIO;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		code = each(context, (uint32_t)sqlite3_column_int64(row, 0), (const char *)sqlite3_column_text(row, 1));
	sqlite3_finalize(row);
	pthread_mutex_unlock(&registry->lock);
	return code;
}
