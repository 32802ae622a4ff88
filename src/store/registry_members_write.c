/* Writing members: the document, what finds it, and what became of it, by statements that are prepared once for a whole
 * set of changes. */
#include "store/registry_members_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int members_writer_open(struct registry *registry, const struct members_change *how, struct members_writer *ret_writer,
			struct err *err)
{
	struct members_writer writer = {.registry = registry, .how = how};
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} statements[] = {
		{&writer.insert,
		 "INSERT INTO member (key, kind, parent, reports_to, valid_from, valid_until, search, document, "
		 "change, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
		{&writer.update,
		 "UPDATE member SET kind = ?2, parent = ?3, reports_to = ?4, valid_from = ?5, valid_until = ?6, "
		 "search = ?7, document = ?8, change = ?9, changed = ?10 WHERE key = ?1"},
		{&writer.remove, "DELETE FROM member WHERE id = ?"},
		{&writer.prefix_add, "INSERT INTO member_prefix VALUES (?, ?, ?)"},
		{&writer.prefix_drop, "DELETE FROM member_prefix WHERE first = ? AND bits = ? AND member = ?"},
		{&writer.change_add,
		 "INSERT INTO member_change (member, key, time, who, action, before, after, number) VALUES "
		 "(?, ?, ?, ?, ?, ?, ?, ?)"},
	};
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		*statements[i].statement = registry_prepare(registry, err, statements[i].sql, "");
		if (!*statements[i].statement) {
			members_writer_close(&writer);
			return -EIO;
		}
	}
	sqlite3_stmt *last =
		registry_prepare(registry, err, "SELECT seq FROM sqlite_sequence WHERE name = 'member_change'", "");
	int code = last ? registry_step(registry, last, err) : -EIO;
	if (code == 1)
		writer.number = sqlite3_column_int64(last, 0);
	sqlite3_finalize(last);
	if (code < 0)
		members_writer_close(&writer);
	else
		*ret_writer = writer;
	return code < 0 ? code : 0;
}

void members_writer_close(struct members_writer *writer)
{
	sqlite3_finalize(writer->insert);
	sqlite3_finalize(writer->update);
	sqlite3_finalize(writer->remove);
	sqlite3_finalize(writer->prefix_add);
	sqlite3_finalize(writer->prefix_drop);
	sqlite3_finalize(writer->change_add);
}

static int statement_run(struct members_writer *writer, sqlite3_stmt *statement, struct err *err)
{
	int code = registry_step(writer->registry, statement, err);
	sqlite3_reset(statement);
	return code < 0 ? code : 0;
}

static void bind_text(sqlite3_stmt *statement, int at, const json_t *text)
{
	if (json_is_string(text))
		sqlite3_bind_text(statement, at, json_string_value(text), (int)json_string_length(text),
				  SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(statement, at);
}

static void bind_instant(sqlite3_stmt *statement, int at, int64_t time_ns, int64_t open)
{
	if (time_ns == open)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, time_ns);
}

static char *document_text(const json_t *document)
{
	return document ? json_dumps(document, JSON_COMPACT) : NULL;
}

/* What a search looks into: one text, ASCII letters small, items between blanks. */
static char *search_text(const json_t *member)
{
	static const char *const names[] = {"key", "name", "name_en", "asns", "domains", "endpoints"};
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);
	if (!stream)
		return NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		json_t *value = json_object_get(member, names[i]), *item;
		size_t at;
		if (json_is_string(value))
			fprintf(stream, "%s\n", json_string_value(value));
		json_array_foreach(value, at, item)
		{
			if (json_is_integer(item))
				fprintf(stream, "as%lld\n", (long long)json_integer_value(item));
			else
				fprintf(stream, "%s\n", json_string_value(item));
		}
	}
	fclose(stream);
	for (char *at = text; text && *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return text;
}

/* The prefixes of one document that the other lacks; both are sorted in the same way, and most are in both. */
static int prefixes_write(struct members_writer *writer, sqlite3_stmt *statement, const json_t *of,
			  const json_t *lacking, int64_t member, struct err *err)
{
	json_t *list = json_object_get(of, "prefixes"), *others = json_object_get(lacking, "prefixes"),
	       *seen = json_object();
	json_t *item;
	size_t i;
	int code = seen ? 0 : -ENOMEM;
	json_array_foreach(others, i, item) json_object_set_new(seen, json_string_value(item), json_true());
	json_array_foreach(list, i, item)
	{
		struct prefix prefix;
		if (code < 0 || json_object_get(seen, json_string_value(item)))
			continue;
		code = prefix_parse(json_string_value(item), &prefix, err);
		if (code < 0)
			break;
		sqlite3_bind_blob(statement, 1, &prefix.addr, sizeof prefix.addr, SQLITE_STATIC);
		sqlite3_bind_int(statement, 2, prefix.bits);
		sqlite3_bind_int64(statement, 3, member);
		code = statement_run(writer, statement, err);
	}
	json_decref(seen);
	return code;
}

static int change_write(struct members_writer *writer, const struct member_item *item, struct err *err)
{
	sqlite3_stmt *statement = writer->change_add;
	char *before = document_text(item->before), *after = document_text(item->after);
	sqlite3_bind_int64(statement, 1, item->id);
	sqlite3_bind_text(statement, 2, item->key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, writer->how->now_ns);
	sqlite3_bind_text(statement, 4, writer->how->who, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, !item->before ? "add" : item->after ? "change" : "remove", -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 6, before, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 7, after, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 8, writer->number);
	int code = statement_run(writer, statement, err);
	sqlite3_clear_bindings(statement);
	free(before);
	free(after);
	return code;
}

static int row_write(struct members_writer *writer, const struct member_item *item, struct err *err)
{
	sqlite3_stmt *statement = item->before ? writer->update : writer->insert;
	char *document = document_text(item->after), *search = search_text(item->after);
	int64_t from_ns, until_ns;
	int code = document && search ? 0 : err_set(err, -ENOMEM, "no memory for a member");
	member_span(item->after, &from_ns, &until_ns);
	sqlite3_bind_text(statement, 1, item->key, -1, SQLITE_STATIC);
	bind_text(statement, 2, json_object_get(item->after, "kind"));
	bind_text(statement, 3, json_object_get(item->after, "parent"));
	bind_text(statement, 4, json_object_get(item->after, "reports_to"));
	bind_instant(statement, 5, from_ns, INT64_MIN);
	bind_instant(statement, 6, until_ns, INT64_MAX);
	sqlite3_bind_text(statement, 7, search, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 8, document, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 9, writer->number);
	sqlite3_bind_int64(statement, 10, writer->how->now_ns);
	if (code == 0)
		code = statement_run(writer, statement, err);
	sqlite3_clear_bindings(statement);
	free(document);
	free(search);
	return code;
}

int members_writer_put(struct members_writer *writer, struct member_item *item, struct err *err)
{
	int code = 0;
	writer->number++;
	if (item->after) { /* the row first: a new member has its id from it */
		code = row_write(writer, item, err);
		if (code == 0 && !item->before)
			item->id = sqlite3_last_insert_rowid(writer->registry->database);
	}
	if (code == 0)
		code = change_write(writer, item, err);
	if (code == 0 && item->before)
		code = prefixes_write(writer, writer->prefix_drop, item->before, item->after, item->id, err);
	if (code == 0 && item->after)
		code = prefixes_write(writer, writer->prefix_add, item->after, item->before, item->id, err);
	if (code == 0 && !item->after) {
		sqlite3_bind_int64(writer->remove, 1, item->id);
		code = statement_run(writer, writer->remove, err);
	}
	return code;
}
