/* Reading a shelf page by page. See indicators.h. */
#include "store/indicators_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_BYTES = 4096, FILTER_MAX = 100 };

struct page_sql {
	char text[SQL_BYTES];
	size_t used;
};

static void sql_add(struct page_sql *sql, const char *text)
{
	size_t bytes = strlen(text);
	if (sql->used + bytes < sizeof sql->text)
		memcpy(sql->text + sql->used, text, bytes + 1);
	sql->used += bytes; /* past the end: seen before it is used */
}

static void sql_places(struct page_sql *sql, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sql_add(sql, i ? ", ?" : "?");
}

static void page_write(struct page_sql *sql, const struct indicators_want *want)
{
	sql_add(sql,
		want->with_text
			? "SELECT s.added, s.version, s.digits, t.name, s.uuid, o.json FROM shelf s JOIN type t ON "
			  "t.id = s.type JOIN object o ON o.seq = s.seq"
			: "SELECT s.added, s.version, s.digits, t.name, s.uuid FROM shelf s JOIN type t ON t.id = "
			  "s.type");
	if (want->withheld && !want->with_text)
		sql_add(sql, " JOIN object o ON o.seq = s.seq");
	sql_add(sql, " WHERE s.collection = ? AND s.added > ? AND NOT s.place & 4");
	if (want->withheld)
		sql_add(sql, " AND o.tlp < ?");
	if (want->versions == VERSIONS_LAST)
		sql_add(sql, " AND NOT s.place & 1");
	else if (want->versions == VERSIONS_FIRST)
		sql_add(sql, " AND NOT s.place & 2");
	else if (want->versions == VERSIONS_GIVEN)
		sql_add(sql, " AND s.version = ?");
	if (want->types) {
		sql_add(sql, " AND s.type IN (SELECT id FROM type WHERE name IN (");
		sql_places(sql, want->type_count);
		sql_add(sql, "))");
	}
	if (want->ids) {
		sql_add(sql,
			" AND s.added IN (SELECT q.added FROM object_key k JOIN shelf_seq q ON q.seq = k.seq WHERE "
			"q.collection = ? AND k.key IN (");
		sql_places(sql, want->id_count);
		sql_add(sql, "))");
	}
	sql_add(sql, " ORDER BY s.added LIMIT ?");
}

/* The key of an id, or 0 for one that nothing has. */
static int key_of_id(struct indicators *store, struct indicators_connection *reader, const char *id, int64_t *ret_key,
		     struct err *err)
{
	const char *hyphens = strstr(id, "--");
	uint8_t uuid[16];
	int64_t type;
	*ret_key = 0;
	if (!hyphens || !indicators_uuid_parse(hyphens + 2, strlen(hyphens + 2), uuid))
		return 0;
	int code = statement_number(store, reader, &type, err, STATEMENT_TYPE_FIND, "t", id, (size_t)(hyphens - id));
	if (code == 0)
		*ret_key = object_key(type, uuid);
	return code < 0 ? code : 0;
}

static int page_bind(struct indicators *store, struct indicators_connection *reader, sqlite3_stmt *statement,
		     const struct indicators_want *want, struct err *err)
{
	int at = 0, code = 0;
	sqlite3_bind_int64(statement, ++at, want->collection);
	sqlite3_bind_int64(statement, ++at, want->after_us);
	if (want->withheld)
		sqlite3_bind_int64(statement, ++at, (int64_t)want->withheld);
	if (want->versions == VERSIONS_GIVEN)
		sqlite3_bind_int64(statement, ++at, want->version_us);
	for (size_t i = 0; want->types && i < want->type_count; i++)
		sqlite3_bind_text(statement, ++at, want->types[i], -1, SQLITE_STATIC);
	if (want->ids)
		sqlite3_bind_int64(statement, ++at, want->collection);
	for (size_t i = 0; want->ids && i < want->id_count && code == 0; i++) {
		int64_t key;
		code = key_of_id(store, reader, want->ids[i], &key, err);
		sqlite3_bind_int64(statement, ++at, key);
	}
	if (sqlite3_bind_int64(statement, ++at, (int64_t)want->limit + 1) != SQLITE_OK && code == 0)
		code = indicators_failed(store, reader, err);
	return code;
}

static void row_read(sqlite3_stmt *statement, bool with_text, struct indicators_row *row)
{
	char uuid[37];
	indicators_uuid_format(sqlite3_column_blob(statement, 4), uuid);
	row->added_us = sqlite3_column_int64(statement, 0);
	row->version_us = sqlite3_column_int64(statement, 1);
	row->version_digits = (unsigned)sqlite3_column_int(statement, 2);
	snprintf(row->id, sizeof row->id, "%s--%s", (const char *)sqlite3_column_text(statement, 3), uuid);
	row->text = with_text ? (const char *)sqlite3_column_text(statement, 5) : NULL;
	row->bytes = with_text ? (size_t)sqlite3_column_bytes(statement, 5) : 0;
}

int indicators_shelf(struct indicators *store, const struct indicators_want *want,
		     int (*row)(void *context, const struct indicators_row *row), void *context, bool *ret_more,
		     struct err *err)
{
	struct page_sql sql = {.used = 0};
	struct indicators_row found;
	sqlite3_stmt *statement = NULL;
	if (want->type_count > FILTER_MAX || want->id_count > FILTER_MAX)
		return err_set(err, -EINVAL, "at most %d ids or types can be asked for at once", FILTER_MAX);
	page_write(&sql, want);
	if (sql.used >= sizeof sql.text)
		return err_set(err, -EINVAL, "the question is too long");
	struct indicators_connection *reader = reader_take(store, err);
	if (!reader)
		return -EIO;
	int code = 0, more = 0;
	if (sqlite3_prepare_v2(reader->database, sql.text, (int)sql.used, &statement, NULL) != SQLITE_OK)
		code = indicators_failed(store, reader, err);
	if (code == 0)
		code = page_bind(store, reader, statement, want, err);
	unsigned count = 0;
	while (code == 0 && (more = statement_step(store, reader, statement, err)) == 1 && count < want->limit) {
		row_read(statement, want->with_text, &found);
		code = row(context, &found);
		count++;
	}
	sqlite3_finalize(statement);
	reader_give(store, reader);
	*ret_more = more == 1;
	return code ? code : more < 0 ? more : 0;
}
