/* Parents and reporting lines of a set of changes: judged on what would be, before anything is written.
 *
 * An entry that falls takes with it those that counted on it, so the judging is repeated until nothing falls any more.
 */
#include "store/registry_members_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 64, LINE_LENGTH_MAX = 32 };

static const char *const lines[] = {"parent", "reports_to"};
enum { LINES = 2 };

/* key -> {"parent", "reports_to", "item"} of every member as it would be. */
static int relations_read(struct registry *registry, json_t *relations, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(registry, err, "SELECT key, parent, reports_to FROM member", "");
	int code = statement ? 0 : -EIO;
	while (code == 0 && (code = registry_step(registry, statement, err)) == 1)
		code = json_object_set_new(relations, (const char *)sqlite3_column_text(statement, 0),
					   json_pack("{s:s?, s:s?}", lines[0], sqlite3_column_text(statement, 1),
						     lines[1], sqlite3_column_text(statement, 2)));
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static void relation_set(json_t *relations, const struct member_item *item, size_t number)
{
	if (!item->after) {
		json_object_del(relations, item->key);
		return;
	}
	json_object_set_new(relations, item->key,
			    json_pack("{s:O, s:O, s:I}", lines[0], json_object_get(item->after, lines[0]), lines[1],
				      json_object_get(item->after, lines[1]), "item", (json_int_t)number));
}

static void fall(struct member_item *item, const char *field, const char *value, const char *message,
		 const char *message_ja)
{
	item->bad = true;
	member_remark(item->remarks, field, true, value, message, message_ja);
}

/* Back to what was; where nothing was, the member is gone. */
static void relation_undo(json_t *relations, const struct member_item *item)
{
	if (item->before)
		json_object_set_new(relations, item->key,
				    json_pack("{s:O, s:O}", lines[0], json_object_get(item->before, lines[0]), lines[1],
					      json_object_get(item->before, lines[1])));
	else
		json_object_del(relations, item->key);
}

static bool is_circle(const json_t *relations, const char *key, const char *line)
{
	const char *at = key;
	for (unsigned i = 0; i < LINE_LENGTH_MAX; i++) {
		at = json_string_value(json_object_get(json_object_get(relations, at), line));
		if (!at)
			return false;
		if (strcmp(at, key) == 0)
			return true;
	}
	return true; /* too long a line is as bad */
}

static bool item_falls(const json_t *relations, struct member_item *item)
{
	for (size_t i = 0; item->after && i < LINES; i++) {
		const char *other = json_string_value(json_object_get(item->after, lines[i]));
		if (!other)
			continue;
		if (!json_object_get(relations, other))
			fall(item, lines[i], other, "there is no member '%s'", "組織「%s」はありません");
		else if (is_circle(relations, item->key, lines[i]))
			fall(item, lines[i], other, "through '%s' the line ends in a circle or is too long",
			     "「%s」を経る系統が循環しているか、長すぎます");
		if (item->bad)
			return true;
	}
	return false;
}

/* Members that stay and name one that would go: its removal falls. */
static bool removals_fall(const json_t *relations, const json_t *removals, struct member_items *items)
{
	const char *key;
	json_t *relation;
	bool fell = false;
	json_object_foreach((json_t *)relations, key, relation)
	{
		for (size_t i = 0; i < LINES; i++) {
			const char *other = json_string_value(json_object_get(relation, lines[i]));
			const json_t *number = other ? json_object_get(removals, other) : NULL;
			if (!number)
				continue;
			struct member_item *item = &items->items[json_integer_value(number)];
			if (item->bad)
				continue;
			fall(item, lines[i], key, "'%s' still names it", "「%s」がまだ参照しています");
			fell = true;
		}
	}
	return fell;
}

/* People and tokens that are bound to a member hold it. */
static int bound_fall(struct registry *registry, struct member_item *item, struct err *err)
{
	sqlite3_stmt *statement = registry_prepare(
		registry, err,
		"SELECT name FROM user WHERE member = ?1 UNION ALL SELECT name FROM token WHERE member = ?1", "i",
		item->id);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		fall(item, "", (const char *)sqlite3_column_text(statement, 0), "the account '%s' is bound to it",
		     "アカウント「%s」が結び付いています");
	sqlite3_finalize(statement);
	return code < 0 ? code : 0;
}

static int rounds(json_t *relations, json_t *removals, struct member_items *items)
{
	bool again = true;
	for (unsigned round = 0; again && round < ROUNDS_MAX; round++) {
		again = false;
		for (size_t i = 0; i < items->count; i++)
			if (!items->items[i].bad && item_falls(relations, &items->items[i])) {
				relation_undo(relations, &items->items[i]);
				again = true;
			}
		if (removals_fall(relations, removals, items)) {
			again = true;
			for (size_t i = 0; i < items->count; i++)
				if (items->items[i].bad && !items->items[i].after && items->items[i].before) {
					relation_undo(relations, &items->items[i]);
					json_object_del(removals, items->items[i].key);
				}
		}
	}
	for (size_t i = 0; again && i < items->count; i++)
		if (!items->items[i].bad)
			fall(&items->items[i], "parent", "", "the lines of this file are too tangled to be judged",
			     "系統が入り組みすぎていて判断できません");
	return 0;
}

int members_settle(struct registry *registry, struct member_items *items, struct err *err)
{
	json_t *relations = json_object(), *removals = json_object();
	int code = relations && removals ? relations_read(registry, relations, err) : -ENOMEM;
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct member_item *item = &items->items[i];
		if (!item->bad && !item->after)
			code = bound_fall(registry, item, err);
		if (item->bad)
			continue;
		relation_set(relations, item, i);
		if (!item->after)
			json_object_set_new(removals, item->key, json_integer((json_int_t)i));
	}
	if (code == 0)
		code = rounds(relations, removals, items);
	json_decref(relations);
	json_decref(removals);
	return code;
}
