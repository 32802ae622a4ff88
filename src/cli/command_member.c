/* yagura member list, show, export. See command_member.h. */
#include "cli/command_member.h"

#include "cli/table.h"
#include "core/clock.h"
#include "share/members.h"
#include "store/member_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct option_spec member_place_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct member_place, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"url", OPTION_TEXT, OPTION_AT(struct member_place, url), .argument = "URL",
	 .help = "ask this hub instead of the one on the data directory", .help_ja = "このアドレスのハブに尋ねる"},
	{"token", OPTION_TEXT, OPTION_AT(struct member_place, token), .argument = "TOKEN",
	 .help = "API token for --url (or in the environment variable YAGURA_TOKEN)",
	 .help_ja = "--url のための API トークン(環境変数 YAGURA_TOKEN でもよい)"},
	{NULL},
};
#define KIND_CHOICES "any|other|provider|municipality|ministry|region|sector"
static const char *const kinds[] = {NULL, "other", "provider", "municipality", "ministry", "region", "sector"};

const struct option_spec member_list_option_table[] = {
	{"kind", OPTION_CHOICE, OPTION_AT(struct member_list_options, kind), "any", .choices = KIND_CHOICES,
	 .help = "only members of this kind", .help_ja = "この種別の組織だけ"},
	{"parent", OPTION_TEXT, OPTION_AT(struct member_list_options, parent), .argument = "KEY",
	 .help = "only those under this member, or reporting to it",
	 .help_ja = "この組織の下位、またはここに報告する組織だけ"},
	{"valid", OPTION_FLAG, OPTION_AT(struct member_list_options, valid), .help = "only those valid now",
	 .help_ja = "現在有効な組織だけ"},
	{"limit", OPTION_INT, OPTION_AT(struct member_list_options, limit), "0", .max = MEMBERS_MAX, .argument = "N",
	 .help = "at most so many; 0 for all", .help_ja = "最大この件数。0 は全件"},
	{NULL},
};
const struct option_spec member_show_option_table[] = {
	{"history", OPTION_FLAG, OPTION_AT(struct member_show_options, history), .help = "also every change of it",
	 .help_ja = "変更の履歴も示す"},
	{NULL},
};
const struct option_spec member_export_option_table[] = {
	{"format", OPTION_CHOICE, OPTION_AT(struct member_export_options, format), "csv", .choices = "csv|json",
	 .help = "how the file is written", .help_ja = "ファイルの形式"},
	{"output", OPTION_PATH, OPTION_AT(struct member_export_options, output), .argument = "FILE",
	 .help = "write to this file instead of standard output", .help_ja = "標準出力の代わりにこのファイルへ書く"},
	{"bom", OPTION_FLAG, OPTION_AT(struct member_export_options, bom),
	 .help = "begin CSV with a byte order mark, by which Excel knows UTF-8", .help_ja = "Excel 用に BOM を付ける"},
	{NULL},
};

bool member_place_hub(const struct member_place *place, struct hub_address *ret_hub)
{
	*ret_hub = (struct hub_address){place->data, place->url, place->token ? place->token : getenv("YAGURA_TOKEN")};
	return place->url || hub_is_running(ret_hub);
}

int member_place_open(const struct member_place *place, struct registry **ret_registry, struct err *err)
{
	if (access(place->data, F_OK) < 0)
		return err_set(err, -ENOENT,
			       "%s: there is no such directory; --data DIR names the hub's data directory",
			       place->data);
	return registry_open(place->data, ret_registry, err);
}

static int page_ask(const struct hub_address *hub, const struct members_question *question, json_t **ret_answer,
		    struct err *err)
{
	char path[2048];
	char *text = hub_escape(question->text ? question->text : "");
	char *parent = hub_escape(question->parent ? question->parent : "");
	snprintf(path, sizeof path, "/members?text=%s%s%s%s%s%s&limit=%u&offset=%u", text ? text : "",
		 question->kind ? "&kind=" : "", question->kind ? question->kind : "",
		 question->parent ? "&parent=" : "", question->parent && parent ? parent : "",
		 question->valid == 1 ? "&valid=1" : "", question->limit, question->offset);
	free(text);
	free(parent);
	return hub_request(hub, "GET", path, NULL, ret_answer, err);
}

/* All pages, up to `limit` (0: all). */
static int list_ask(const struct member_place *place, struct members_question *question, unsigned limit,
		    json_t *members, struct err *err)
{
	struct hub_address hub;
	struct registry *registry = NULL;
	bool running = member_place_hub(place, &hub);
	int result = running ? 0 : member_place_open(place, &registry, err);
	while (result == 0) {
		json_t *answer = NULL;
		unsigned left = limit ? limit - question->offset : MEMBERS_PAGE_MAX;
		question->limit = left < MEMBERS_PAGE_MAX ? left : MEMBERS_PAGE_MAX;
		result = running ? page_ask(&hub, question, &answer, err)
				 : registry_members(registry, question, &answer, err);
		size_t count = json_array_size(json_object_get(answer, "members"));
		if (result == 0)
			json_array_extend(members, json_object_get(answer, "members"));
		json_decref(answer);
		question->offset += (unsigned)count;
		if (count < question->limit || count == 0 || (limit && question->offset >= limit))
			break;
	}
	registry_close(registry);
	return result;
}

static void list_print(const json_t *members)
{
	static const char *const names[] = {"key", "kind", "name", "prefixes", "asns", "domains", "valid_until"};
	enum { NAMES = sizeof names / sizeof *names };
	json_t *columns = json_array(), *rows = json_array(), *member;
	size_t i;
	for (size_t c = 0; c < NAMES; c++)
		json_array_append_new(columns, json_pack("{s:s}", "name", names[c]));
	json_array_foreach(members, i, member)
	{
		json_t *row = json_array();
		for (size_t c = 0; c < NAMES; c++) {
			json_t *value = json_object_get(member, names[c]);
			json_array_append_new(row, json_is_array(value)
							   ? json_integer((json_int_t)json_array_size(value))
							   : json_incref(value));
		}
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

static void json_out(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	printf("\n");
}

int command_member_list(const struct command_call *call, struct err *err)
{
	const struct member_list_options *options = call->options;
	struct members_question question = {.text = call->operand_count ? call->operands[0] : NULL,
					    .kind = kinds[options->kind],
					    .parent = options->parent,
					    .valid = options->valid ? 1 : -1,
					    .now_ns = clock_now_ns()};
	if (call->operand_count > 1)
		return err_set(err, EXIT_USAGE, "at most one text was expected");
	json_t *members = json_array();
	int result = list_ask(&options->place, &question, (unsigned)options->limit, members, err);
	if (result == 0 && options->common.json)
		json_out(members);
	else if (result == 0)
		list_print(members);
	json_decref(members);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int show_ask(const struct member_show_options *options, const char *name, json_t **ret_member,
		    json_t **ret_history, struct err *err)
{
	struct hub_address hub;
	struct registry *registry = NULL;
	json_t *changes = NULL;
	uint32_t id = 0;
	int result;
	if (member_place_hub(&options->place, &hub)) {
		char path[1024], *escaped = hub_escape(name);
		snprintf(path, sizeof path, "/members/%s", escaped ? escaped : "");
		result = hub_request(&hub, "GET", path, NULL, ret_member, err);
		snprintf(path, sizeof path, "/members/%s/history?limit=%d", escaped ? escaped : "", MEMBERS_PAGE_MAX);
		if (result == 0 && options->history)
			result = hub_request(&hub, "GET", path, NULL, ret_history, err);
		free(escaped);
		return result;
	}
	result = member_place_open(&options->place, &registry, err);
	if (result == 0)
		result = registry_member_find(registry, name, &id, err);
	if (result == 0)
		result = registry_member(registry, id, ret_member, err);
	if (result == 0 && options->history)
		result = registry_member_history(registry, id, 0, MEMBERS_PAGE_MAX, &changes, err);
	if (changes)
		*ret_history = json_pack("{s:o}", "changes", member_changes_seen(changes, MEMBER_SIGHT_ANALYST));
	json_decref(changes);
	registry_close(registry);
	return result;
}

static void value_print(const json_t *value)
{
	char buffer[64];
	size_t i;
	json_t *item;
	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			printf("%s", i ? " " : "");
			value_print(item);
		}
	} else if (json_is_object(value)) {
		const char *name;
		bool first = true;
		printf("(");
		json_object_foreach((json_t *)value, name, item)
		{
			printf("%s%s ", first ? "" : ", ", name);
			value_print(item);
			first = false;
		}
		printf(")");
	} else {
		printf("%s", table_cell(value, buffer, sizeof buffer));
	}
}

void member_fields_print(const json_t *fields, const char *indent)
{
	json_t *field;
	size_t i;
	json_array_foreach(fields, i, field)
	{
		const char *name = json_string_value(json_object_get(field, "field"));
		json_t *added = json_object_get(field, "added"), *removed = json_object_get(field, "removed");
		if (json_array_size(added) > 0) {
			printf("%s%s + ", indent, name);
			value_print(added);
			printf("\n");
		}
		if (json_array_size(removed) > 0) {
			printf("%s%s - ", indent, name);
			value_print(removed);
			printf("\n");
		}
		if (added || removed)
			continue;
		printf("%s%s: ", indent, name);
		value_print(json_object_get(field, "before"));
		printf(" -> ");
		value_print(json_object_get(field, "after"));
		printf("\n");
	}
}

static void history_print(const json_t *history)
{
	json_t *change;
	size_t i;
	json_array_foreach(json_object_get(history, "changes"), i, change)
	{
		printf("\n%s  %s  %s\n", json_string_value(json_object_get(change, "time")),
		       json_string_value(json_object_get(change, "action")),
		       json_string_value(json_object_get(change, "who")));
		member_fields_print(json_object_get(change, "fields"), "    ");
	}
}

int command_member_show(const struct command_call *call, struct err *err)
{
	const struct member_show_options *options = call->options;
	json_t *member = NULL, *history = NULL, *value;
	const char *name;
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE, "the key or number of one member was expected");
	int result = show_ask(options, call->operands[0], &member, &history, err);
	if (result == 0 && options->common.json) {
		if (history)
			json_object_set(member, "history", json_object_get(history, "changes"));
		json_out(member);
	} else if (result == 0) {
		json_object_foreach(member, name, value)
		{
			printf("%-12s ", name);
			value_print(value);
			printf("\n");
		}
		history_print(history);
	}
	json_decref(member);
	json_decref(history);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int export_ask(const struct member_export_options *options, char **ret_text, size_t *ret_bytes, struct err *err)
{
	struct hub_address hub;
	struct registry *registry = NULL;
	if (!member_place_hub(&options->place, &hub)) {
		int result = member_place_open(&options->place, &registry, err);
		if (result == 0)
			result = members_write(registry, options->format ? MEMBERS_JSON : MEMBERS_CSV, options->bom,
					       ret_text, ret_bytes, err);
		registry_close(registry);
		return result;
	}
	char path[128];
	long status = 0;
	snprintf(path, sizeof path, "/members/export?format=%s&bom=%d", options->format ? "json" : "csv", options->bom);
	int result = hub_request_bytes(&hub, "GET", path, NULL, NULL, 0, &status, ret_text, ret_bytes, err);
	if (result < 0 || status == 200)
		return result;
	json_t *answer = json_loads(*ret_text, 0, NULL);
	result = hub_refusal(status, answer, err);
	json_decref(answer);
	free(*ret_text);
	return result;
}

int command_member_export(const struct command_call *call, struct err *err)
{
	const struct member_export_options *options = call->options;
	char *text = NULL;
	size_t bytes = 0;
	if (call->operand_count > 0)
		return err_set(err, EXIT_USAGE, "--output FILE names the file");
	if (export_ask(options, &text, &bytes, err) < 0)
		return EXIT_FAILED;
	FILE *file = options->output ? fopen(options->output, "we") : stdout;
	bool written = file && fwrite(text, 1, bytes, file) == bytes && fflush(file) == 0;
	if (!written)
		err_set(err, -errno, "%s: %s", options->output ? options->output : "standard output", strerror(errno));
	if (file && options->output && fclose(file) != 0 && written) {
		written = false;
		err_set(err, -errno, "%s: %s", options->output, strerror(errno));
	}
	free(text);
	return written ? EXIT_DONE : EXIT_FAILED;
}
