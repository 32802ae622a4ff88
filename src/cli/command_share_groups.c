/* yagura share groups: list them, show one, make, change or delete one. */
#include "cli/command_share_groups.h"

#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec share_groups_option_table[] = {
	{"name", OPTION_TEXT, OPTION_AT(struct share_groups_options, name), .argument = "TEXT",
	 .help = "its name; makes the group where there is none", .help_ja = "名称。なければグループを作る"},
	{"name-en", OPTION_TEXT, OPTION_AT(struct share_groups_options, name_en), .argument = "TEXT",
	 .help = "its name in English", .help_ja = "英語の名称"},
	{"purpose", OPTION_TEXT, OPTION_AT(struct share_groups_options, purpose), .argument = "TEXT",
	 .help = "what it shares and why", .help_ja = "共有の目的"},
	{"member", OPTION_TEXTS, OPTION_AT(struct share_groups_options, members), .argument = "KEY",
	 .help = "the members named in it, in the place of those that are; may be given again",
	 .help_ja = "参加する組織(いまの一覧を置き換える)。複数指定可"},
	{"group", OPTION_TEXTS, OPTION_AT(struct share_groups_options, groups), .argument = "KEY",
	 .help = "the groups that lie in it, in the place of those that do; may be given again",
	 .help_ja = "内側に含むグループ(いまの一覧を置き換える)。複数指定可"},
	{"confidential", OPTION_CHOICE, OPTION_AT(struct share_groups_options, confidential), "keep",
	 .choices = "keep|yes|no", .help = "whether it is there only for those who take part",
	 .help_ja = "参加者以外にはグループの存在も示さない"},
	{"remove", OPTION_FLAG, OPTION_AT(struct share_groups_options, remove), .help = "delete the group",
	 .help_ja = "グループを削除する"},
	{NULL},
};

int share_ask(const struct member_place *place, const char *method, const char *path, json_t *body, json_t **ret_answer,
	      struct err *err)
{
	struct hub_address hub;
	if (!member_place_hub(place, &hub))
		return err_set(err, -ECONNREFUSED, "%s: no hub runs on it; start one, or name one by --url",
			       place->data);
	return hub_request(&hub, method, path, body, ret_answer, err);
}

void share_json_out(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	printf("\n");
}

static json_t *cell_of(const json_t *object, const char *field)
{
	json_t *value = json_object_get(object, field), *item;
	size_t i, used = 0;
	char text[512] = "";
	if (!json_is_array(value))
		return value ? json_incref(value) : json_null();
	json_array_foreach(value, i, item)
	{
		if (json_is_string(item) && used < sizeof text)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
						 json_string_value(item));
	}
	json_t *cell = json_string(text);
	return cell ? cell : json_integer((json_int_t)json_array_size(value)); /* cut within a character */
}

void share_table(const json_t *objects, const char *const *fields)
{
	json_t *columns = json_array(), *rows = json_array(), *object;
	size_t i;
	for (size_t c = 0; fields[c]; c++)
		json_array_append_new(columns, json_pack("{s:s}", "name", fields[c]));
	json_array_foreach(objects, i, object)
	{
		json_t *row = json_array();
		for (size_t c = 0; fields[c]; c++)
			json_array_append_new(row, cell_of(object, fields[c]));
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

static void group_print(const json_t *group)
{
	static const char *const fields[] = {"key",    "name",    "name_en",    "purpose", "confidential",
					     "groups", "members", "collection", "changed", "changed_by"};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		char buffer[64];
		json_t *cell = cell_of(group, fields[i]);
		printf("%-13s %s\n", fields[i], table_cell(cell, buffer, sizeof buffer));
		json_decref(cell);
	}
}

static void text_set(json_t *group, const char *field, const char *text)
{
	if (text)
		json_object_set_new(group, field, json_string(text));
}

/* One empty key empties the list. */
static void list_set(json_t *group, const char *field, const struct text_list *list)
{
	if (list->count == 0)
		return;
	json_t *keys = json_array();
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0])
			json_array_append_new(keys, json_string(list->items[i]));
	json_object_set_new(group, field, keys);
}

static bool changes(const struct share_groups_options *options)
{
	return options->name || options->name_en || options->purpose || options->members.count ||
	       options->groups.count || options->confidential;
}

/* What is not named stays as it is. */
static int group_change(const struct share_groups_options *options, const char *path, json_t **ret_group,
			struct err *err)
{
	json_t *group = NULL;
	int result = share_ask(&options->place, "GET", path, NULL, &group, err);
	if (result == -ENOENT && options->name) {
		group = json_object();
		result = 0;
	}
	if (result < 0)
		return result;
	text_set(group, "name", options->name);
	text_set(group, "name_en", options->name_en);
	text_set(group, "purpose", options->purpose);
	list_set(group, "members", &options->members);
	list_set(group, "groups", &options->groups);
	if (options->confidential)
		json_object_set_new(group, "confidential", json_boolean(options->confidential == 1));
	result = share_ask(&options->place, "PUT", path, group, ret_group, err);
	json_decref(group);
	return result;
}

static int one_group(const struct share_groups_options *options, const char *key, struct err *err)
{
	json_t *group = NULL;
	char path[512], *escaped = hub_escape(key);
	snprintf(path, sizeof path, "/groups/%s", escaped ? escaped : "");
	free(escaped);
	int result = options->remove    ? share_ask(&options->place, "DELETE", path, NULL, &group, err)
		     : changes(options) ? group_change(options, path, &group, err)
					: share_ask(&options->place, "GET", path, NULL, &group, err);
	if (result == 0 && group && options->common.json)
		share_json_out(group);
	else if (result == 0 && group)
		group_print(group);
	json_decref(group);
	return result;
}

int command_share_groups(const struct command_call *call, struct err *err)
{
	static const char *const fields[] = {"key", "name", "confidential", "groups", "members", "collection", NULL};
	const struct share_groups_options *options = call->options;
	json_t *answer = NULL;
	if (call->operand_count > 1 || (call->operand_count == 0 && (changes(options) || options->remove)))
		return err_set(err, EXIT_USAGE, "the key of one group was expected");
	if (call->operand_count == 1)
		return one_group(options, call->operands[0], err) < 0 ? EXIT_FAILED : EXIT_DONE;
	int result = share_ask(&options->place, "GET", "/groups", NULL, &answer, err);
	const json_t *groups = json_object_get(answer, "groups");
	if (result == 0 && options->common.json)
		share_json_out(groups);
	else if (result == 0)
		share_table(groups, fields);
	json_decref(answer);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
