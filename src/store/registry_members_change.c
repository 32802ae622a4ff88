/* A set of changes to members: read, judged, written and reported; all of it or nothing. A trial runs the same way and
 * is rolled back, so that what it shows is what would be. */
#include "store/registry_members_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void items_free(struct member_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		json_decref(items->items[i].fields);
		json_decref(items->items[i].remarks);
		json_decref(items->items[i].before);
		json_decref(items->items[i].after);
	}
	free(items->items);
}

static struct member_item *item_add(struct member_items *items)
{
	if (items->count == items->room) {
		size_t room = items->room ? items->room * 2 : 64;
		struct member_item *grown = realloc(items->items, room * sizeof *grown);
		if (!grown)
			return NULL;
		items->items = grown;
		items->room = room;
	}
	struct member_item *item = &items->items[items->count++];
	*item = (struct member_item){.remarks = json_array(), .key = ""};
	return item;
}

/* One entry: its fields in normal form, and where its key stands already. */
static int entry_take(struct member_items *items, const json_t *entry, json_t *keys)
{
	struct member_item *item = item_add(items);
	json_t *member = json_object_get(entry, "member"), *fault;
	size_t i;
	if (!item || !item->remarks)
		return -ENOMEM;
	item->line = json_integer_value(json_object_get(entry, "line"));
	item->remove = json_is_true(json_object_get(entry, "remove"));
	item->change = json_integer_value(json_object_get(member, "change"));
	json_array_foreach(json_object_get(entry, "faults"), i, fault)
	{
		json_array_append(item->remarks, fault);
		item->bad |= json_is_true(json_object_get(fault, "fault"));
	}
	int code = member_normal(member, item->remarks, &item->fields);
	if (code < 0)
		return code;
	json_t *key = json_object_get(code == 0 ? item->fields : member, "key"), *first;
	item->key = json_is_string(key) ? json_string_value(key) : "";
	item->bad |= code != 0;
	if (code == 0 && !key && !item->bad) {
		item->bad = true;
		member_remark(item->remarks, "key", true, "", "it is missing", "識別子がありません");
	} else if (code == 0 && key && (first = json_object_get(keys, item->key))) {
		char line[32];
		item->bad = true;
		snprintf(line, sizeof line, "%lld", (long long)json_integer_value(first));
		member_remark(item->remarks, "key", true, line, "the same key stands at line %s",
			      "同じ識別子が %s 行目にあります");
	} else if (code == 0 && key) {
		json_object_set_new(keys, item->key, json_integer(item->line));
	}
	return 0;
}

static int items_take(struct member_items *items, const json_t *entries, struct err *err)
{
	json_t *keys = json_object(), *entry;
	size_t i;
	int code = keys ? 0 : -ENOMEM;
	if (json_array_size(entries) > MEMBERS_MAX)
		code = err_set(err, -EMSGSIZE, "there are more than %d members in it", MEMBERS_MAX);
	json_array_foreach(entries, i, entry)
	{
		if (code == 0)
			code = entry_take(items, entry, keys);
	}
	json_decref(keys);
	return code == -ENOMEM ? err_set(err, -ENOMEM, "no memory for %zu members", json_array_size(entries)) : code;
}

/* With `remove_absent`: whom no entry names goes. */
static int absent_add(struct registry *registry, struct member_items *items, struct err *err)
{
	json_t *named = json_object();
	for (size_t i = 0; i < items->count; i++)
		json_object_set_new(named, items->items[i].key, json_true());
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT key FROM member ORDER BY key", "");
	int code = statement ? 0 : -EIO;
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1) {
		const char *key = (const char *)sqlite3_column_text(statement, 0);
		code = 0;
		if (json_object_get(named, key))
			continue;
		struct member_item *item = item_add(items);
		code = item ? 0 : err_set(err, -ENOMEM, "no memory for %zu members", items->count);
		if (item) {
			item->remove = true;
			item->fields = json_pack("{s:s}", "key", key);
			item->key = json_string_value(json_object_get(item->fields, "key"));
		}
	}
	sqlite3_finalize(statement);
	json_decref(named);
	return code < 0 ? code : 0;
}

/* What is there and what would be. */
static int item_join(struct registry *registry, sqlite3_stmt *statement, struct member_item *item, bool whole,
		     struct err *err)
{
	sqlite3_reset(statement);
	sqlite3_bind_text(statement, 1, item->key, -1, SQLITE_STATIC);
	int code = registry_step(registry, statement, err);
	json_int_t change = 0;
	if (code == 1) {
		item->id = sqlite3_column_int64(statement, 0);
		change = sqlite3_column_int64(statement, 1);
		item->before = json_loads((const char *)sqlite3_column_text(statement, 3), 0, NULL);
		if (!item->before)
			return err_set(err, -EBADMSG, "member %s: not JSON", item->key);
	}
	if (code < 0)
		return code;
	if (item->change && item->change != change) {
		item->bad = true;
		member_remark(item->remarks, "", true, item->key, "'%s' was changed meanwhile; look at it again",
			      "「%s」は他の人が変更しました。もう一度確認してください");
	}
	if (item->remove) {
		if (!item->before) {
			item->bad = true;
			member_remark(item->remarks, "key", true, item->key, "there is no member '%s'",
				      "組織「%s」はありません");
		}
		return 0;
	}
	item->after = member_whole(item->fields, whole ? NULL : item->before);
	if (!item->after)
		return err_set(err, -ENOMEM, "no memory for a member");
	item->bad |= member_judge(item->after, item->remarks) != 0;
	return 0;
}

static int items_join(struct registry *registry, struct member_items *items, bool whole, struct err *err)
{
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT " MEMBER_ROW " FROM member m WHERE m.key = ?", "");
	int code = statement ? 0 : -EIO;
	for (size_t i = 0; code == 0 && i < items->count; i++)
		if (!items->items[i].bad)
			code = item_join(registry, statement, &items->items[i], whole, err);
	sqlite3_finalize(statement);
	return code;
}

struct report {
	json_t *changes, *faults, *warnings, *ties;
	size_t added, changed, removed, same, bad, fault_count, warning_count, tie_count;
};

static void remarks_report(struct report *report, const struct member_item *item)
{
	json_t *remark;
	size_t i;
	json_array_foreach(item->remarks, i, remark)
	{
		bool fault = json_is_true(json_object_get(remark, "fault"));
		json_t *list = fault ? report->faults : report->warnings;
		*(fault ? &report->fault_count : &report->warning_count) += 1;
		if (json_array_size(list) >= MEMBERS_REPORT_MAX)
			continue;
		json_array_append_new(list, json_pack("{s:I, s:s, s:O, s:O, s:O}", "line", item->line, "key", item->key,
						      "field", json_object_get(remark, "field"), "message",
						      json_object_get(remark, "message"), "message_ja",
						      json_object_get(remark, "message_ja")));
	}
}

static void change_report(struct report *report, const struct member_item *item)
{
	const char *action = !item->before ? "add" : item->after ? "change" : "remove";
	*(!item->before ? &report->added : item->after ? &report->changed : &report->removed) += 1;
	if (json_array_size(report->changes) >= MEMBERS_REPORT_MAX)
		return;
	const json_t *name = json_object_get(item->after ? item->after : item->before, "name");
	json_array_append_new(report->changes, json_pack("{s:I, s:s, s:s, s:O, s:o}", "line", item->line, "action",
							 action, "key", item->key, "name", name, "fields",
							 member_differences(item->before, item->after)));
}

static int items_write(struct registry *registry, const struct members_change *how, struct member_items *items,
		       struct report *report, struct err *err)
{
	struct members_writer writer;
	int code = members_writer_open(registry, how, &writer, err);
	if (code < 0)
		return code;
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct member_item *item = &items->items[i];
		remarks_report(report, item);
		if (item->bad)
			report->bad++;
		else if (item->before && item->after && json_equal(item->before, item->after))
			report->same++;
		else if ((code = members_writer_put(&writer, item, err)) == 0)
			change_report(report, item);
	}
	members_writer_close(&writer);
	return code;
}

/* Prefixes that more than one member holds, of those there would be. */
static int ties_report(struct registry *registry, struct report *report, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT p.first, p.bits, group_concat(m.key, ' ') FROM (SELECT first, bits FROM member_prefix GROUP BY "
		"first, bits HAVING count(*) > 1) t JOIN member_prefix p ON p.first = t.first AND p.bits = t.bits JOIN "
		"member "
		"m ON m.id = p.member GROUP BY p.first, p.bits",
		"");
	int code = statement ? 0 : -EIO;
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1) {
		struct prefix prefix = {.bits = (uint8_t)sqlite3_column_int(statement, 1)};
		char text[PREFIX_TEXT_BYTES];
		code = 0;
		report->tie_count++;
		if (json_array_size(report->ties) >= MEMBERS_REPORT_MAX)
			continue;
		memcpy(&prefix.addr, sqlite3_column_blob(statement, 0), sizeof prefix.addr);
		json_array_append_new(report->ties,
				      json_pack("{s:s, s:s}", "prefix", prefix_format(&prefix, text), "members",
						(const char *)sqlite3_column_text(statement, 2)));
	}
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static int count_check(struct registry *registry, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT count(*) FROM member", "");
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1 && sqlite3_column_int64(statement, 0) > MEMBERS_MAX)
		code = err_set(err, -EMSGSIZE, "there would be more than %d members", MEMBERS_MAX);
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

/* Within a transaction; its end follows from the report. */
static int change_all(struct registry *registry, const struct members_change *how, struct member_items *items,
		      struct report *report, struct err *err)
{
	int code = how->remove_absent ? absent_add(registry, items, err) : 0;
	if (code == 0)
		code = items_join(registry, items, how->whole, err);
	if (code == 0)
		code = members_settle(registry, items, err);
	if (code == 0)
		code = items_write(registry, how, items, report, err);
	if (code == 0)
		code = count_check(registry, err);
	if (code == 0)
		code = ties_report(registry, report, err);
	return code;
}

static json_t *report_json(const struct report *report, bool applied)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:O, s:O, s:O}", "applied", (int)applied,
			 "added", (json_int_t)report->added, "changed", (json_int_t)report->changed, "removed",
			 (json_int_t)report->removed, "same", (json_int_t)report->same, "bad", (json_int_t)report->bad,
			 "fault_count", (json_int_t)report->fault_count, "warning_count",
			 (json_int_t)report->warning_count, "tie_count", (json_int_t)report->tie_count, "changes",
			 report->changes, "faults", report->faults, "warnings", report->warnings, "ties", report->ties);
}

int registry_members_change(struct registry *registry, const json_t *entries, const struct members_change *how,
			    json_t **ret_report, struct err *err)
{
	struct member_items items = {NULL, 0, 0};
	struct report report = {json_array(), json_array(), json_array(), json_array()};
	bool applied = false;
	int code = items_take(&items, entries, err);
	pthread_mutex_lock(&registry->lock);
	if (code == 0)
		code = registry_run(registry, err, "BEGIN IMMEDIATE", "");
	if (code == 0) {
		code = change_all(registry, how, &items, &report, err);
		applied = code == 0 && !how->dry_run && (report.bad == 0 || how->skip_bad);
		if (applied)
			code = registry_run(registry, err, "COMMIT", "");
		if (code < 0 || !applied)
			(void)!registry_run(registry, NULL, "ROLLBACK", "");
	}
	pthread_mutex_unlock(&registry->lock);
	json_t *json = code == 0 ? report_json(&report, applied) : NULL;
	if (code == 0 && !json)
		code = err_set(err, -ENOMEM, "no memory for a report");
	if (code == 0)
		*ret_report = json;
	json_decref(report.changes);
	json_decref(report.faults);
	json_decref(report.warnings);
	json_decref(report.ties);
	items_free(&items);
	return code < 0 ? code : report.bad > 0 && !how->skip_bad;
}
